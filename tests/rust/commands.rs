//! Host to node and node to node (`CLASSIC.md`, *Commands*), and what an attacker makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

use std::collections::HashSet;
use std::sync::Arc;

use espseal::{
    Device, Error, Keyring, MemoryStore, Message, Publication, Receiver, Sender, Store, Verdict,
};

const TOPIC: &str = "sensors/1";

#[test]
fn a_command_opens_once_and_a_repeated_one_is_a_duplicate() {
    let house = House::new();
    let node = house.node("kitchen");
    let command = house.command(&node, b"on");
    assert_eq!(command.topic.as_ref(), "nodes/1/command");
    assert_eq!(
        (command.qos, command.retain),
        (1, false),
        "a retained command would come again"
    );
    let message = node.open(&command.payload).unwrap();
    assert_eq!(message.verdict, Verdict::Fresh);
    assert_eq!(message.data.as_deref(), Some(&b"on"[..]));
    assert_eq!(message.node_id, None, "of the host");
    for copy in [
        command.payload.clone(),
        command.payload.to_ascii_uppercase(),
    ] {
        for _ in 0..3 {
            let message = node.open(&copy).unwrap();
            assert_eq!((message.verdict, message.data), (Verdict::Duplicate, None));
        }
    }
    // Under the next session the old command is still no news.
    let next = house.command(&node, b"off");
    assert_eq!(
        node.open(&next.payload).unwrap().data.as_deref(),
        Some(&b"off"[..])
    );
    assert_eq!(
        node.open(&command.payload).unwrap().verdict,
        Verdict::Duplicate
    );
    assert_eq!(
        node.open(&next.payload).unwrap().verdict,
        Verdict::Duplicate
    );
}

#[test]
fn each_session_is_good_for_one_command() {
    let house = House::new();
    let node = house.node("kitchen");
    let session = node.draw_command_session().unwrap();
    // Two hosts that do not know of each other use the same one.
    let commands = [b"1", b"2"].map(|data| {
        let store = Arc::new(MemoryStore::default());
        let host = Sender::new(Arc::clone(&house.keyring), store);
        host.hear(&session, "nodes/1/session");
        host.seal("kitchen", data).unwrap().payload
    });
    assert_eq!(node.open(&commands[0]).unwrap().verdict, Verdict::Fresh);
    let message = node.open(&commands[1]).unwrap();
    assert_eq!(
        (message.verdict, message.data),
        (Verdict::StaleSession, None)
    );
}

#[test]
fn a_command_that_is_on_its_way_while_the_node_draws_anew_still_opens() {
    let house = House::new();
    let node = house.node("kitchen");
    let command = house.command(&node, b"on");
    node.draw_command_session().unwrap();
    assert_eq!(node.open(&command.payload).unwrap().verdict, Verdict::Fresh);
    let command = house.command(&node, b"late");
    for _ in 0..2 {
        node.draw_command_session().unwrap();
    }
    let message = node.open(&command.payload).unwrap();
    assert_eq!((message.verdict, message.data), (Verdict::Forged, None));
}

/// An `unlock` that someone holds back must not open after a later `lock`.
#[test]
fn a_command_that_is_held_back_dies_though_later_ones_use_their_sessions() {
    let house = House::new();
    let node = house.node("kitchen");
    let held_back = house.command(&node, b"unlock");
    for data in [b"1", b"2"] {
        let command = house.command(&node, data);
        assert_eq!(node.open(&command.payload).unwrap().verdict, Verdict::Fresh);
    }
    assert_eq!(
        node.open(&held_back.payload).unwrap().verdict,
        Verdict::Forged
    );
}

#[test]
fn sessions_that_a_node_draws_are_all_different() {
    let house = House::new();
    let node = house.node("kitchen");
    let drawn: HashSet<_> = (0..200)
        .map(|_| node.draw_command_session().unwrap())
        .collect();
    assert_eq!(drawn.len(), 200);
    assert!(
        drawn
            .iter()
            .flatten()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
}

#[test]
fn a_changed_command_is_forged_and_the_true_one_still_opens() {
    let house = House::new();
    let node = house.node("kitchen");
    let command = house.command(&node, b"on").payload;
    for bit in 0..command.len() * 8 {
        let mut changed = command.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if !changed.eq_ignore_ascii_case(&command) {
            let verdict = node.open(&changed).unwrap().verdict;
            assert!(
                matches!(verdict, Verdict::Forged | Verdict::Malformed),
                "bit {bit}"
            );
        }
    }
    assert_eq!(node.open(&command).unwrap().verdict, Verdict::Fresh);
}

#[test]
fn a_command_to_another_node_is_refused_even_under_this_nodes_session() {
    let house = House::new();
    let (kitchen, bath) = (house.node("kitchen"), house.node("bath"));
    let session = kitchen.draw_command_session().unwrap();
    // The attacker shows the kitchen's session on the bath's topic.
    house.sender.hear(&session, "nodes/2/session");
    let command = house.sender.seal("bath", b"on").unwrap();
    assert_eq!(command.topic.as_ref(), "nodes/2/command");
    let message = kitchen.open(&command.payload).unwrap();
    assert_eq!(
        (message.verdict, message.data),
        (Verdict::WrongDirection, None)
    );
    assert_eq!(
        bath.open(&command.payload).unwrap().verdict,
        Verdict::Forged
    );
    // That did not use the kitchen's session up.
    house.sender.hear(&session, "nodes/1/session");
    let command = house.sender.seal("kitchen", b"on").unwrap();
    assert_eq!(
        kitchen.open(&command.payload).unwrap().verdict,
        Verdict::Fresh
    );
}

/// The node's own command session, shown to it as the host's: its reading comes back to it.
#[test]
fn a_reading_reflected_to_its_node_is_no_command() {
    let house = House::new();
    for (name, other) in [("kitchen", "kitchen"), ("kitchen", "bath")] {
        let (node, sender) = (house.node(name), house.node(other));
        let session = node.draw_command_session().unwrap();
        assert!(sender.hear(&session));
        let reading = sender.seal(b"on").unwrap();
        let message = node.open(&reading).unwrap();
        assert_eq!(
            (message.verdict, message.data),
            (Verdict::WrongDirection, None)
        );
        house.sender.hear(&session, "nodes/1/session");
        let command = house.sender.seal("kitchen", b"on").unwrap();
        assert_eq!(
            node.open(&command.payload).unwrap().verdict,
            Verdict::Fresh,
            "the session is not used up"
        );
    }
}

/// The host's session, shown as the node's: the host's command comes back as a reading.
#[test]
fn a_command_reflected_to_the_host_is_no_reading() {
    let house = House::new();
    let session = house.session();
    house.sender.hear(&session, "nodes/1/session");
    let command = house.sender.seal("kitchen", b"99").unwrap();
    let message = house.open(&command.payload);
    assert_eq!(
        (message.verdict, message.data),
        (Verdict::WrongDirection, None)
    );
    assert_eq!(message.device, None);
    assert_eq!(
        house
            .node("kitchen")
            .open(&command.payload)
            .unwrap()
            .verdict,
        Verdict::Forged,
        "nor a command: the node did not draw it"
    );
}

#[test]
fn a_reading_under_the_hosts_session_is_no_command() {
    let house = House::new();
    let node = house.node("kitchen");
    node.draw_command_session().unwrap();
    assert!(node.hear(&house.session()));
    let reading = node.seal(b"5").unwrap();
    assert_eq!(node.open(&reading).unwrap().verdict, Verdict::Forged);
    assert_eq!(house.open(&reading).verdict, Verdict::Fresh);
}

#[test]
fn a_peer_message_opens_at_its_node_alone_and_once() {
    let house = House::new();
    let (kitchen, bath, attic) = (
        house.node("kitchen"),
        house.node("bath"),
        house.node("attic"),
    );
    let session = bath.draw_command_session().unwrap();
    assert!(kitchen.hear(&session));
    let sealed = kitchen.seal_to(b"2", b"hello").unwrap();
    let message = bath.open(&sealed).unwrap();
    assert_eq!(message.verdict, Verdict::Fresh);
    assert_eq!(message.data.as_deref(), Some(&b"hello"[..]));
    assert_eq!(message.node_id.as_deref(), Some("1"), "who sent it");
    assert_eq!(bath.open(&sealed).unwrap().verdict, Verdict::Duplicate);
    // Back to its sender, to a third, to the host.
    assert_eq!(kitchen.open(&sealed).unwrap().verdict, Verdict::Forged);
    assert_eq!(attic.open(&sealed).unwrap().verdict, Verdict::Forged);
    assert_eq!(house.open(&sealed).verdict, Verdict::Forged);
}

/// The host's session, shown on B's topic: what A says to B is no reading for the host.
#[test]
fn a_peer_message_under_the_hosts_session_is_no_reading() {
    let house = House::new();
    let kitchen = house.node("kitchen");
    assert!(kitchen.hear(&house.session()));
    let message = house.open(&kitchen.seal_to(b"2", b"99").unwrap());
    assert_eq!(
        (message.verdict, message.data),
        (Verdict::WrongDirection, None)
    );
}

#[test]
fn a_peer_message_to_another_under_this_nodes_session_is_refused() {
    let house = House::new();
    let (kitchen, bath) = (house.node("kitchen"), house.node("bath"));
    assert!(kitchen.hear(&bath.draw_command_session().unwrap()));
    for to in [&b"3"[..], b"1", b"22", b"2 "] {
        let message = bath.open(&kitchen.seal_to(to, b"x").unwrap()).unwrap();
        assert_eq!(
            (message.verdict, message.data),
            (Verdict::WrongDirection, None),
            "{to:?}"
        );
    }
    assert_eq!(
        kitchen.seal_to(b"12345678901234", b"x").unwrap_err().code(),
        "invalid_node_id"
    );
    assert_eq!(
        kitchen.seal_to(b"1>2", b"x").unwrap_err().code(),
        "invalid_node_id"
    );
    assert_eq!(
        kitchen.seal_to(b"", b"x").unwrap_err().code(),
        "invalid_node_id"
    );
    assert_eq!(
        bath.open(&kitchen.seal_to(b"1234567890123", b"x").unwrap())
            .unwrap()
            .verdict,
        Verdict::WrongDirection,
        "fifteen bytes in all"
    );
}

#[test]
fn a_forged_session_topic_yields_commands_that_no_node_opens() {
    let house = House::new();
    let node = house.node("kitchen");
    let true_session = node.draw_command_session().unwrap();
    house
        .sender
        .hear(b"0123456789abcdef0123456789abcdef", "nodes/1/session");
    let command = house.sender.seal("kitchen", b"on").unwrap();
    assert_eq!(
        node.open(&command.payload).unwrap().verdict,
        Verdict::Forged
    );
    // What is no session at all is ignored, and replaces nothing.
    house.sender.hear(&true_session, "nodes/1/session");
    for garbage in [
        &b""[..],
        b"garbage",
        &true_session.to_ascii_uppercase(),
        &[0xff; 32],
        &true_session[1..],
    ] {
        assert!(
            house.sender.hear(garbage, "nodes/1/session"),
            "the topic is one"
        );
    }
    let command = house.sender.seal("kitchen", b"on").unwrap();
    assert_eq!(node.open(&command.payload).unwrap().verdict, Verdict::Fresh);
    assert!(!house.sender.hear(&true_session, "nodes/9/session"));
    assert!(!house.sender.hear(&true_session, "sensors/session"));
}

#[test]
fn a_used_session_is_never_used_again_even_after_a_restart_on_the_same_store() {
    let mut house = House::new();
    let node = house.node("kitchen");
    let session = node.draw_command_session().unwrap();
    assert_eq!(house.seal_code(b"early"), "no_session");
    house.sender.hear(&session, "nodes/1/session");
    assert!(house.sender.is_ready("kitchen").unwrap());
    house.sender.seal("kitchen", b"on").unwrap();
    for _ in 0..3 {
        assert!(!house.sender.is_ready("kitchen").unwrap());
        assert_eq!(house.seal_code(b"off"), "no_session");
        // The broker's retained copy comes again.
        house.sender.hear(&session, "nodes/1/session");
        assert_eq!(house.seal_code(b"off"), "no_session");
        house.sender = house.host();
        house.sender.hear(&session, "nodes/1/session");
        assert_eq!(house.seal_code(b"off"), "no_session");
    }
    house
        .sender
        .hear(&node.draw_command_session().unwrap(), "nodes/1/session");
    house.sender.seal("kitchen", b"off").unwrap();
}

#[test]
fn a_used_session_of_one_node_is_free_for_another() {
    let house = House::new();
    let session = b"0123456789abcdef0123456789abcdef";
    for (name, topic) in [("kitchen", "nodes/1/session"), ("bath", "nodes/2/session")] {
        house.sender.hear(session, topic);
        house.sender.seal(name, b"on").unwrap();
    }
}

#[test]
fn many_threads_use_one_session_once() {
    let house = House::new();
    for round in 0..50_u8 {
        house
            .sender
            .hear(format!("{round:032x}").as_bytes(), "nodes/1/session");
        let sealed = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| house.sender.seal("kitchen", b"on").is_ok()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter(|ok| *ok)
                .count()
        });
        assert_eq!(sealed, 1, "round {round}");
    }
}

#[test]
fn data_that_no_frame_carries_uses_no_session_up() {
    let house = House::new();
    let node = house.node("kitchen");
    house
        .sender
        .hear(&node.draw_command_session().unwrap(), "nodes/1/session");
    assert_eq!(house.seal_code(b"ends in\0"), "data_ends_in_nul");
    assert_eq!(house.seal_code(&[b'x'; 3000]), "frame_too_long");
    let command = house.sender.seal("kitchen", b"").unwrap();
    let message = node.open(&command.payload).unwrap();
    assert_eq!(
        (message.verdict, message.data),
        (Verdict::Fresh, Some(Vec::new()))
    );
}

#[test]
fn what_the_caller_did_wrong_is_said() {
    let house = House::new();
    let error = house.sender.seal("nobody", b"on").unwrap_err();
    assert_eq!(error.code(), "unknown_name");
    assert_eq!(
        house.sender.is_ready("nobody").unwrap_err().code(),
        "unknown_name"
    );
    let error = house.sender.seal("mute", b"on").unwrap_err();
    assert_eq!(error.code(), "missing_field", "{error}");
    let mut topics = house.sender.subscriptions();
    topics.sort_unstable();
    assert_eq!(
        topics,
        ["nodes/1/session", "nodes/2/session", "nodes/3/session"]
    );
    let node = house.node("kitchen");
    let error = node.seal(b"5").unwrap_err();
    assert_eq!(error.code(), "no_session");
    assert!(matches!(error, Error::Session(_)));
    assert!(!node.hear(b"no session") && !node.hear(b""));
    assert_eq!(node.seal(b"5").unwrap_err().code(), "no_session");
}

#[test]
fn a_node_with_keys_of_its_own_takes_commands_under_those_alone() {
    let house = House::new();
    let (kitchen, attic) = (house.node("kitchen"), house.node("attic"));
    let session = attic.draw_command_session().unwrap();
    house.sender.hear(&session, "nodes/3/session");
    let command = house.sender.seal("attic", b"on").unwrap();
    assert_eq!(
        attic.open(&command.payload).unwrap().verdict,
        Verdict::Fresh
    );
    // A node that holds the group's keys speaks as anyone of the group, and not to the attic.
    let session = attic.draw_command_session().unwrap();
    assert!(kitchen.hear(&session));
    assert_eq!(
        attic
            .open(&kitchen.seal_to(b"3", b"on").unwrap())
            .unwrap()
            .verdict,
        Verdict::Forged
    );
}

#[test]
fn a_node_opens_nothing_under_no_session() {
    let house = House::with("danger_accept_replays = true");
    let (kitchen, bath) = (house.node("kitchen"), house.node("bath"));
    // Allowed to send without a session, a node still takes nothing without one.
    let sealed = kitchen.seal_to(b"2", b"on").unwrap();
    assert_eq!(bath.open(&sealed).unwrap().verdict, Verdict::Forged);
    bath.draw_command_session().unwrap();
    assert_eq!(bath.open(&sealed).unwrap().verdict, Verdict::Forged);
    assert_eq!(house.seal_code(b"on"), "no_session");
}

#[test]
fn binary_and_raw_groups_take_commands_too() {
    for extra in [
        "data = 'binary'",
        "layout = 'raw'",
        "mac = 'padded'",
        "layout = 'raw'\ndata = 'binary'",
    ] {
        let house = House::with(extra);
        let node = house.node("kitchen");
        for data in [&b""[..], b"on", b"0123456789abcdef", b"0123456789abcdef+"] {
            let command = house.command(&node, data);
            assert_eq!(
                node.open(&command.payload).unwrap().data.as_deref(),
                Some(data),
                "{extra}"
            );
            assert_eq!(
                node.open(&command.payload).unwrap().verdict,
                Verdict::Duplicate
            );
        }
    }
}

// ---- Helpers ----

/// A host with receiver and sender on one store, and its nodes.
struct House {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    receiver: Receiver,
    sender: Sender,
}

impl House {
    fn new() -> Self {
        Self::with("")
    }

    fn with(extra: &str) -> Self {
        let keys = |kind: &str| {
            format!(
                "keys.iv_key = {{ text = '{kind:-<16}' }}\nkeys.data_key = {{ text = '{kind:+<16}' }}\n\
                 keys.static_iv = {{ text = '{kind:.<16}' }}\nkeys.passphrase = {{ text = 'the {kind}' }}\n"
            )
        };
        let device = |name, group, node_id| {
            format!(
                "[[device]]\nname = '{name}'\n[device.classic]\ngroup = '{group}'\nnode_id = '{node_id}'\n"
            )
        };
        let text = [
            &*format!("version = 1\nsession_key = '{}'\n", "a5".repeat(32)),
            "[[classic_group]]\nname = 'house'\ntopic = 'sensors/+'\nsession_topic = 'sensors/session'\n",
            "command_topic = 'nodes/{node_id}/command'\ncommand_session_topic = 'nodes/{node_id}/session'\n",
            extra,
            "\n",
            &keys("house"),
            "[[classic_group]]\nname = 'mute'\ntopic = 'mute/+'\nsession_topic = 'mute/session'\n",
            &keys("mute"),
            &device("kitchen", "house", "1"),
            &device("bath", "house", "2"),
            &device("attic", "house", "3"),
            &keys("attic"),
            &device("mute", "mute", "4"),
        ]
        .concat();
        let keyring = Arc::new(Keyring::parse(&text).unwrap());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        Self {
            receiver: Receiver::new(Arc::clone(&keyring), Arc::clone(&store), true).unwrap(),
            sender: Sender::new(Arc::clone(&keyring), Arc::clone(&store)),
            keyring,
            store,
        }
    }

    /// Another sender on the same store.
    fn host(&self) -> Sender {
        Sender::new(Arc::clone(&self.keyring), Arc::clone(&self.store))
    }

    fn node(&self, name: &str) -> Device {
        Device::from_keyring(&self.keyring, name).unwrap()
    }

    /// A command to the kitchen, under a session that it draws for it.
    fn command(&self, node: &Device, data: &[u8]) -> Publication {
        let session = node.draw_command_session().unwrap();
        assert!(self.sender.hear(&session, "nodes/1/session"));
        self.sender.seal("kitchen", data).unwrap()
    }

    fn seal_code(&self, data: &[u8]) -> &'static str {
        self.sender.seal("kitchen", data).unwrap_err().code()
    }

    /// The session ID that the host shows for readings.
    fn session(&self) -> Vec<u8> {
        self.receiver.reconnected();
        std::thread::sleep(std::time::Duration::from_millis(110));
        let publications = self.receiver.publications().unwrap();
        let ours = publications.iter().find(|p| &*p.topic == "sensors/session");
        ours.unwrap().payload.clone()
    }

    fn open(&self, payload: &[u8]) -> Message {
        self.receiver.open(payload, Some(TOPIC), false).unwrap()
    }
}

//! The host of sealed devices, at the other end of the library's own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod house;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use espseal::classic::SessionId;
use espseal::sealed::{Frame, Hello, Kind};
use espseal::store::Transaction;
use espseal::{
    Delivery, Durability, MemoryStore, Message, Sender, SqliteStore, Store, StoreError, Verdict,
};
use proptest::prelude::*;
use tempfile::TempDir;

use house::{BATH, House, KEYRING, KITCHEN, data, uplink};

const ONCE: Delivery = Delivery::AtMostOnce;
const AT_LEAST: Delivery = Delivery::AtLeastOnce;

// ---- Both ends ----

#[test]
fn a_device_says_hello_is_welcomed_commanded_ratcheted_and_switched() {
    for store in stores() {
        let mut house = House::new(KEYRING, store.open(), ONCE);
        house.add_device("kitchen");
        assert_eq!(code(house.sender.seal("kitchen", b"on")), "not_authority");
        house.mint();
        assert_eq!(code(house.sender.seal("kitchen", b"on")), "no_session");
        assert!(!house.sender.is_ready("kitchen").unwrap());
        house.receiver.reconnected();
        house.clock.pass(1);
        house.settle();
        assert!(house.devices[0].is_welcomed());
        assert!(house.sender.is_ready("kitchen").unwrap());

        let command = house.sender.seal("kitchen", b"on").unwrap();
        acknowledged(&mut house, &command);

        let ratchet = house.sender.ratchet("kitchen").unwrap();
        let message = acknowledged(&mut house, &ratchet);
        assert_eq!(message.epoch, Some(1));
        assert_eq!(house.devices[0].epoch(), Some(1));
        let command = house.sender.seal("kitchen", b"off").unwrap();
        assert_eq!(header(&command.payload).epoch, 1);
        acknowledged(&mut house, &command);

        let mode = house.sender.set_mode("kitchen", 7).unwrap();
        house.deliver(&mode);
        house.settle();
        let question = house.sender.query_mode("kitchen").unwrap();
        house.deliver(&question);
        house.settle();
        assert_eq!(house.messages.last().unwrap().mode, Some(7));

        house.devices[0].send(b"21.5").unwrap();
        house.settle();
        let message = house.messages.last().unwrap();
        assert_eq!(message.data.as_deref(), Some(&b"21.5"[..]));
        assert_eq!(message.device.as_deref(), Some("kitchen"));
        assert_eq!(message.address, Some(KITCHEN));
        assert!(message.advanced && !message.session_bound && message.replay_protected);
        assert!(
            house
                .messages
                .iter()
                .all(|message| message.kind == Kind::Data || message.data.is_none())
        );
        assert_eq!(house.receiver.unreadable_bodies(), 0);
    }
}

/// Delivers a downlink, and what the device says of it.
fn acknowledged(house: &mut House, downlink: &espseal::Publication) -> Message {
    house.deliver(downlink);
    house.settle();
    let message = house.messages.last().unwrap().clone();
    assert_eq!(message.kind, Kind::Control);
    assert_eq!(message.data, None);
    assert_eq!(message.acknowledged, downlink.tag());
    assert!(downlink.tag().is_some());
    message
}

#[test]
fn a_sender_of_another_process_commands_and_uses_no_counter_again() {
    let place = Stored::new();
    let mut house = House::new(KEYRING, place.open(), ONCE);
    house.add_device("kitchen");
    house.settle();
    let other = Sender::with_clock(
        Arc::clone(&house.keyring),
        place.open(),
        Arc::clone(&house.clock) as _,
        Arc::new(espseal::clock::SystemRandom),
    );
    let mut counters = BTreeSet::new();
    for round in 0..20 {
        let sender = if round % 3 == 0 {
            &other
        } else {
            &house.sender
        };
        let command = sender.seal("kitchen", b"on").unwrap();
        let counter = header(&command.payload).counter;
        assert!(counters.last().is_none_or(|last| counter > *last));
        counters.insert(counter);
        acknowledged(&mut house, &command);
    }
}

// ---- Who may command ----

/// It hears the acknowledgement beside the receiver, which may have it first, and takes nothing.
#[test]
fn a_sender_believes_no_acknowledgement_that_is_not_the_devices() {
    for store in stores() {
        let mut house = House::new(KEYRING, store.open(), ONCE);
        house.add_device("kitchen");
        house.settle();
        let command = house.sender.seal("kitchen", b"on").unwrap();
        house.devices[0].open(&command.payload).unwrap();
        let said = house.devices[0].publications().unwrap();
        let acknowledges = |frame: &[u8]| house.sender.acknowledges(frame).unwrap();
        let answer = &said[0].payload;
        assert_eq!(acknowledges(answer), command.tag());
        assert_eq!(house.word(answer), "fresh", "the receiver has it yet");
        assert_eq!(acknowledges(answer), command.tag());
        for at in 0..answer.len() {
            for bit in 0..8 {
                let mut changed = answer.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(acknowledges(&changed), None, "byte {at}, bit {bit}");
            }
            assert_eq!(acknowledges(&answer[..at]), None);
        }
        assert_eq!(acknowledges(&command.payload), None, "reflected");
        let reading = house.devices[0].seal(b"21.5").unwrap();
        assert_eq!(acknowledges(&reading), None, "no acknowledgement");
    }
}

/// As an acknowledgement; and an old answer is none, whoever brings it.
#[test]
fn a_sender_takes_the_mode_from_an_answer_to_its_question_alone() {
    for store in stores() {
        let mut house = House::new(KEYRING, store.open(), ONCE);
        house.add_device("kitchen");
        house.settle();
        let answer = |house: &mut House| {
            let query = house.sender.query_mode("kitchen").unwrap();
            house.devices[0].open(&query.payload).unwrap();
            let said = house.devices[0].publications().unwrap();
            said.last().unwrap().payload.clone()
        };
        let tells =
            |house: &House, frame: &[u8]| house.sender.tells_mode("kitchen", frame).unwrap();
        let other = Sender::new(Arc::clone(&house.keyring), Arc::clone(&house.store));
        let first = answer(&mut house);
        assert_eq!(tells(&house, &first), Some(0));
        assert_eq!(
            other.tells_mode("kitchen", &first).unwrap(),
            None,
            "it has not asked"
        );
        assert_eq!(house.word(&first), "fresh", "the receiver has it yet");
        assert_eq!(tells(&house, &first), Some(0));
        house.devices[0].set_mode(1).unwrap();
        let second = answer(&mut house);
        assert_eq!(tells(&house, &first), None, "recorded before it was asked");
        assert_eq!(tells(&house, &second), Some(1));
        for at in 0..second.len() {
            let mut changed = second.clone();
            changed[at] ^= 1;
            assert_eq!(tells(&house, &changed), None, "byte {at}");
        }
        assert!(house.sender.tells_mode("shed", &second).is_err());
    }
}

#[test]
fn a_lease_ends_three_beacons_after_the_last_and_with_the_authority() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let mut house = House::new(KEYRING, store, ONCE);
    house.add_device("kitchen");
    house.settle();
    house.clock.pass(179);
    assert!(house.sender.is_ready("kitchen").unwrap());
    house.clock.pass(1);
    assert_eq!(code(house.sender.seal("kitchen", b"on")), "not_authority");
    house.settle();
    assert!(house.sender.seal("kitchen", b"on").is_ok());

    // Another authority, on a store of its own, is newer: this one yields.
    house.clock.pass(5);
    let elsewhere: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let other = house.another(&elsewhere, true);
    let beacon = &other.publications().unwrap()[0];
    assert!(
        house
            .receiver
            .hear(&beacon.payload, &beacon.topic, false)
            .unwrap()
    );
    assert_eq!(code(house.sender.seal("kitchen", b"on")), "not_authority");
    // It comes back when the other is silent.
    house.clock.pass(121);
    house.settle();
    assert!(house.sender.seal("kitchen", b"on").is_ok());
}

#[test]
fn a_follower_opens_and_says_nothing() {
    let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), ONCE);
    let elsewhere: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let follower = house.another(&elsewhere, false);
    house.add_device("kitchen");
    let beacon = house.receiver.publications().unwrap().remove(0);
    assert!(
        follower
            .hear(&beacon.payload, &beacon.topic, false)
            .unwrap()
    );
    house.deliver(&beacon);
    let hello = house.devices[0].publications().unwrap().remove(0);
    let message = follower.open(&hello.payload, None, false).unwrap();
    assert_eq!(message.verdict, Verdict::Fresh);
    assert_eq!(follower.publications().unwrap(), []);
    assert_eq!(follower.next_due(), None);
    house.deliver(&hello);
    house.settle();
    // Unmet and unbound: who is no authority asks for no hello.
    let message = follower.open(&data(BATH, 5, None), None, false).unwrap();
    assert_eq!(message.verdict, Verdict::StaleSession);
    assert_eq!(follower.publications().unwrap(), []);
}

// ---- Two formats ----

#[test]
fn a_device_that_migrates_gets_classic_commands_until_it_seals() {
    let keyring = KEYRING.replace(
        "name = \"kitchen\"",
        "name = \"kitchen\"\nclassic = { group = \"old\", node_id = \"1\" }",
    ) + r#"
[[classic_group]]
name = "old"
topic = "sensors/+"
session_topic = "sensors/session"
command_topic = "sensors/{node_id}/command"
command_session_topic = "sensors/{node_id}/session"
[classic_group.keys]
iv_key = { text = "0123456789abcdeF" }
data_key = { text = "0123456789abcdeG" }
static_iv = { text = "0123456789abcdeH" }
passphrase = { text = "a passphrase" }
"#;
    let mut house = House::new(&keyring, Arc::new(MemoryStore::default()), ONCE);
    // Both beacon and session ID; what each device gets is its own business.
    let published = house.receiver.publications().unwrap();
    let id = published
        .iter()
        .find(|published| &*published.topic == "sensors/session")
        .unwrap();
    let id = SessionId::verify(house.keyring.session_key(), &id.payload).unwrap();
    let reading = |house: &House, data: &[u8]| {
        let group = &house.keyring.groups()[0];
        let field = espseal::classic::NodeField::Reading(b"1");
        let keys = &group.key_sets[0].keys;
        let random = espseal::clock::SystemRandom;
        espseal::classic::seal(keys, &group.scheme, field, data, &id.text(), &random).unwrap()
    };
    let open = |house: &House, frame: &[u8]| {
        let message = house.receiver.open(frame, Some("sensors/1"), false);
        message.unwrap().verdict.code()
    };
    let first = reading(&house, b"1");
    assert_eq!(open(&house, &first), "fresh");
    assert_eq!(code(house.sender.seal("kitchen", b"on")), "no_session");
    assert!(house.sender.hear(&[b'a'; 32], "sensors/1/session"));
    let command = house.sender.seal("kitchen", b"on").unwrap();
    assert_eq!(&*command.topic, "sensors/1/command");

    house.meet(KITCHEN);
    for frame in [&first, &reading(&house, b"2")] {
        assert_eq!(open(&house, frame), "downgraded");
    }
    // Sealed, it has no session yet.
    assert!(house.sender.hear(&[b'b'; 32], "sensors/1/session"));
    assert_eq!(code(house.sender.seal("kitchen", b"on")), "no_session");
}

#[test]
fn only_sealed_devices_ratchet_and_none_that_is_revoked_is_commanded() {
    let keyring = KEYRING.replace("0000000000000002\"", "0000000000000002\", revoked = true");
    let house = House::new(&keyring, Arc::new(MemoryStore::default()), ONCE);
    assert_eq!(code(house.sender.seal("bath", b"on")), "revoked");
    assert_eq!(code(house.sender.ratchet("bath")), "revoked");
    assert_eq!(code(house.sender.seal("cellar", b"on")), "unknown_name");
    assert_eq!(house.word(&data(BATH, 1, None)), "revoked");
}

// ---- Several on one store ----

#[test]
fn each_frame_is_new_to_one_of_two_receivers_on_a_file() {
    let place = Stored::new();
    let mut house = House::new(KEYRING, place.open(), ONCE);
    let head = house.meet(KITCHEN);
    let other = house.another(&place.open(), false);
    for counter in head + 1..head + 200 {
        let frame = data(KITCHEN, counter, None);
        let words = [
            house.word(&frame),
            other.open(&frame, None, false).unwrap().verdict.code(),
        ];
        assert_eq!(words, ["fresh", "duplicate"]);
    }
}

#[test]
fn threads_take_each_frame_once() {
    for store in stores() {
        let mut house = House::new(KEYRING, store.open(), ONCE);
        let head = house.meet(KITCHEN);
        let frames: Vec<Vec<u8>> = (1..=40)
            .map(|above| data(KITCHEN, head + above, None))
            .collect();
        let receiver = &house.receiver;
        let fresh: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let open = |frame: &Vec<u8>| receiver.open(frame, None, false).unwrap();
                        let messages = frames.iter().map(open);
                        messages
                            .filter(|message| message.verdict == Verdict::Fresh)
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(fresh, frames.len());
    }
}

// ---- The two promises ----

#[test]
fn what_is_not_done_comes_again_and_what_is_done_does_not() {
    for store in stores() {
        let mut house = House::new(KEYRING, store.open(), AT_LEAST);
        let head = house.meet(KITCHEN);
        done(&house, &data(KITCHEN, head + 1, None));
        let frames: Vec<Vec<u8>> = (2..8)
            .map(|above| data(KITCHEN, head + above, None))
            .collect();
        let messages: Vec<Message> = frames.iter().map(|frame| house.open(frame)).collect();
        for (message, frame) in messages.iter().zip(&frames) {
            assert_eq!(message.verdict, Verdict::Fresh);
            assert_eq!(house.word(frame), "duplicate", "while it lives");
        }
        // The first two are done, in the other order; the last is, too, before those between.
        for place in [1, 0, 5] {
            house
                .receiver
                .done(messages[place].ticket.unwrap())
                .unwrap();
        }
        house.restart();
        let words: Vec<_> = frames.iter().map(|frame| house.word(frame)).collect();
        assert_eq!(words[..2], ["duplicate", "duplicate"]);
        assert_eq!(
            words[2..],
            ["fresh"; 4],
            "nothing after what is not done is stored"
        );
    }
}

#[test]
fn a_reading_that_met_the_device_comes_again_though_its_beacon_expired() {
    for store in stores() {
        let mut house = House::new(KEYRING, store.open(), AT_LEAST);
        let beacon = house.mint();
        let frame = data(KITCHEN, 7, Some(beacon));
        assert_eq!(house.word(&frame), "fresh");
        for _ in 0..3 {
            house.restart();
            house.mint();
            assert_eq!(house.word(&data(KITCHEN, 8, Some(beacon))), "stale_session");
            assert_eq!(house.word(&frame), "fresh");
            assert_eq!(house.word(&frame), "stale_session");
        }
        house.restart();
        let message = house.open(&frame);
        house.receiver.done(message.ticket.unwrap()).unwrap();
        house.restart();
        assert_eq!(house.word(&frame), "stale_session");
        // Its window is as at first contact.
        let head = u64::from(u32::from_be_bytes(beacon[..4].try_into().unwrap())) << 24;
        assert_eq!(house.word(&data(KITCHEN, head, None)), "duplicate");
        assert_eq!(house.word(&data(KITCHEN, head + 1, None)), "fresh");
    }
}

#[test]
fn done_again_changes_nothing_and_at_most_once_has_no_tickets() {
    let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), AT_LEAST);
    let head = house.meet(KITCHEN);
    let frame = data(KITCHEN, head + 1, None);
    let ticket = house.open(&frame).ticket.unwrap();
    for _ in 0..3 {
        house.receiver.done(ticket).unwrap();
    }
    house.restart();
    assert_eq!(house.word(&frame), "duplicate");
    // Of a receiver that is gone.
    house.receiver.done(ticket).unwrap();

    let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), ONCE);
    let head = house.meet(KITCHEN);
    let frame = data(KITCHEN, head + 1, None);
    assert_eq!(house.open(&frame).ticket, None);
    house.restart();
    assert_eq!(house.word(&frame), "duplicate");
}

#[test]
fn too_many_that_are_not_done_are_refused_until_one_is() {
    let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), AT_LEAST);
    let mut counter = house.meet(KITCHEN);
    let mut tickets = Vec::new();
    let (frame, error) = loop {
        counter += 1;
        let frame = data(KITCHEN, counter, None);
        match house.receiver.open(&frame, None, false) {
            Ok(message) => tickets.push(message.ticket.unwrap()),
            Err(error) => break (frame, error),
        }
    };
    assert_eq!(error.code(), "not_done");
    assert_eq!(tickets.len(), 1024);
    house.receiver.done(tickets[0]).unwrap();
    assert_eq!(house.word(&frame), "fresh");
}

/// A failing store keeps nothing back for ever: what it did not take when it was done it takes
/// with the next that is.
#[test]
fn done_that_failed_is_said_again() {
    let store = Arc::new(Fragile::default());
    let mut house = House::new(KEYRING, Arc::clone(&store) as _, AT_LEAST);
    let head = house.meet(KITCHEN);
    let frame = data(KITCHEN, head + 1, None);
    let ticket = house.open(&frame).ticket.unwrap();
    store.broken.store(true, Ordering::SeqCst);
    assert!(house.receiver.done(ticket).is_err());
    store.broken.store(false, Ordering::SeqCst);
    house.receiver.done(ticket).unwrap();
    house.restart();
    assert_eq!(house.word(&frame), "duplicate");
}

// ---- What fails, and what is hostile ----

/// A store that fails when it is told to.
#[derive(Debug, Default)]
struct Fragile {
    store: MemoryStore,
    broken: AtomicBool,
}

impl Store for Fragile {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("it is broken".to_owned()));
        }
        self.store.transact(work)
    }
}

#[test]
fn what_a_failing_store_did_not_take_may_be_given_again() {
    let store = Arc::new(Fragile::default());
    let mut house = House::new(KEYRING, Arc::clone(&store) as _, ONCE);
    let head = house.meet(KITCHEN);
    let beacon = house.mint();
    let body = Hello {
        session: [5; 16],
        firmware: "1",
    };
    let hello = uplink(KITCHEN, 0, Kind::Hello, 3, Some(beacon), &body.to_bytes());
    let reading = data(KITCHEN, head + 1, None);
    store.broken.store(true, Ordering::SeqCst);
    for frame in [&reading, &hello] {
        let error = house.receiver.open(frame, None, false).unwrap_err();
        assert_eq!(error.code(), "store_failed");
    }
    store.broken.store(false, Ordering::SeqCst);
    assert_eq!(house.word(&reading), "fresh");
    assert_eq!(house.word(&hello), "replayed");
    // The welcome waits for a store that works, too.
    store.broken.store(true, Ordering::SeqCst);
    assert!(house.receiver.publications().is_err());
    store.broken.store(false, Ordering::SeqCst);
    let publications = house.receiver.publications().unwrap();
    assert_eq!(publications.len(), 1);
    assert_eq!(header(&publications[0].payload).kind, Kind::Control);
}

#[test]
fn a_store_that_is_marked_restored_meets_nobody_under_the_beacons_it_had() {
    let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), ONCE);
    let head = house.meet(KITCHEN);
    let beacon = house.mint();
    house.store.mark_restored(&*house.clock).unwrap();
    assert_eq!(house.word(&data(BATH, 1, Some(beacon))), "stale_session");
    assert_eq!(house.word(&data(KITCHEN, head + 1, None)), "stale_session");
    house.clock.pass(60);
    let beacon = house.mint();
    assert_eq!(house.word(&data(BATH, 2, Some(beacon))), "fresh");
    assert_eq!(house.word(&data(KITCHEN, head + 2, Some(beacon))), "fresh");
}

#[test]
fn garbage_writes_nothing() {
    let place = Stored::new();
    let mut house = House::new(KEYRING, place.open(), ONCE);
    let head = house.meet(KITCHEN);
    let other = rusqlite::Connection::open(place.file.as_ref().unwrap()).unwrap();
    let version = || {
        other
            .query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let before = version();
    let good = data(KITCHEN, head + 1, None);
    for round in 0..2000_u32 {
        let mut frame = good.clone();
        let at = usize::try_from(round).unwrap() % frame.len();
        frame[at] ^= 1 << (round % 8);
        assert_ne!(house.word(&frame), "fresh");
    }
    assert_eq!(version(), before);
    assert_eq!(house.word(&good), "fresh");
    assert_ne!(version(), before);
}

#[test]
fn counts_reach_the_store_every_ten_seconds_and_at_the_end() {
    let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), ONCE);
    house.meet(KITCHEN);
    for _ in 0..300 {
        assert_eq!(house.word(b"\xf5"), "malformed");
    }
    assert_eq!(stored_count(&house, Verdict::Malformed), 0);
    house.clock.pass(10);
    for _ in 0..300 {
        assert_eq!(house.word(b"\xf5"), "malformed");
    }
    let stored = stored_count(&house, Verdict::Malformed);
    assert!((300..600).contains(&stored), "{stored}");
    house.restart();
    assert_eq!(stored_count(&house, Verdict::Malformed), 600);
    assert_eq!(stored_count(&house, Verdict::Fresh), 1);
}

fn stored_count(house: &House, verdict: Verdict) -> u64 {
    let mut counts = [0; Verdict::COUNT];
    house
        .store
        .transact(&mut |transaction| {
            counts = transaction.counts()?;
            Ok(())
        })
        .unwrap();
    counts[verdict.index()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_bytes_the_answer_is_a_verdict(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        armored: bool,
    ) {
        let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), ONCE);
        house.meet(KITCHEN);
        let frame = [if armored { &b"9Q"[..] } else { b"\xf5" }, &bytes].concat();
        prop_assert_ne!(house.word(&frame), "fresh");
    }

    /// Any one change of a good frame is refused, and the frame is still good after it.
    #[test]
    fn a_changed_frame_is_refused_and_changes_nothing(bit in 0_usize..8 * 44, bound: bool) {
        let mut house = House::new(KEYRING, Arc::new(MemoryStore::default()), ONCE);
        let head = house.meet(KITCHEN);
        let beacon = house.mint();
        let frame = data(KITCHEN, head + 5, bound.then_some(beacon));
        let mut changed = frame.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let message = house.open(&changed);
        prop_assert!(message.verdict < Verdict::StaleSession, "{}", message.verdict);
        prop_assert_eq!(message.device, None);
        prop_assert_eq!(house.word(&frame), "fresh");
    }
}

// ---- What they stand on ----

/// A place for a store that outlives its handle.
struct Stored {
    _folder: Option<TempDir>,
    file: Option<PathBuf>,
}

impl Stored {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("state.sqlite3"));
        Self {
            _folder: Some(folder),
            file,
        }
    }

    fn open(&self) -> Arc<dyn Store> {
        match &self.file {
            Some(file) => Arc::new(SqliteStore::open(file, Durability::Process).unwrap()),
            None => Arc::new(MemoryStore::default()),
        }
    }
}

fn stores() -> [Stored; 2] {
    let memory = Stored {
        _folder: None,
        file: None,
    };
    [memory, Stored::new()]
}

fn done(house: &House, frame: &[u8]) {
    let message = house.open(frame);
    assert_eq!(message.verdict, Verdict::Fresh);
    house.receiver.done(message.ticket.unwrap()).unwrap();
}

fn header(payload: &[u8]) -> espseal::sealed::Header {
    *Frame::parse(payload).unwrap().header()
}

fn code<T>(answer: Result<T, espseal::Error>) -> &'static str {
    answer.map_or_else(|error| error.code(), |_| "sealed")
}

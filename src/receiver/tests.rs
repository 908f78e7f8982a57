//! Receiver scenarios, on clocks that the tests control.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use proptest::prelude::*;

use super::{Publication, RELEASED, Receiver};
use crate::classic::{Layout, NodeField, PreparedKeys, SessionId, danger_seal_with_iv};
use crate::clock::{Clock, Random};
use crate::error::RandomError;
use crate::key::SessionKey;
use crate::keyring::Keyring;
use crate::message::{Message, Reason};
use crate::primitives::MACS;
use crate::store::{MemoryStore, SESSIONLESS_MACS, Store};
use crate::verdict::Verdict;

const START: u64 = RELEASED + 1_000_000;
const TOPIC: &str = "sensors/kitchen";
const SESSION_TOPIC: &str = "session";
const LIFE: Duration = Duration::from_secs(120);
const INTERVAL: Duration = Duration::from_secs(30);

// ---- The first frames ----

#[test]
fn a_fresh_frame_hands_its_data_over_with_the_names_of_its_device_and_group() {
    let rig = Rig::new(&keyring(""));
    let frame = rig.frame("kitchen", b"21.5", &rig.mint());
    let message = rig.open(&frame);
    assert_eq!(message.verdict, Verdict::Fresh);
    assert_eq!(message.data.as_deref(), Some(&b"21.5"[..]));
    assert_eq!(message.device.as_deref(), Some("kitchen"));
    assert_eq!(message.group.as_deref(), Some("greenhouse"));
    assert_eq!(message.node_id.as_deref(), Some("11242238"));
    assert!(message.replay_protected);
}

#[test]
fn a_second_copy_is_a_duplicate_in_any_case_and_layout_and_carries_no_data() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    for layout in [Layout::Hex, Layout::Raw] {
        let frame = rig.sealed(layout, NodeField::Reading(b"11242238"), b"5", &id);
        assert_eq!(rig.verdict(&frame), Verdict::Fresh, "{layout:?}");
        for copy in copies(&frame) {
            let message = rig.open(&copy);
            assert_eq!(message.verdict, Verdict::Duplicate);
            assert_eq!(message.data, None);
            assert_eq!(message.device.as_deref(), Some("kitchen"));
            assert_eq!(rig.retained(&copy), Verdict::Duplicate);
        }
    }
}

#[test]
fn two_equal_readings_are_both_fresh_and_a_node_may_send_many_on_one_id() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    for _ in 0..40 {
        let frame = rig.frame("kitchen", b"5", &id);
        assert_eq!(rig.verdict(&frame), Verdict::Fresh);
    }
}

#[test]
fn retained_frames_that_were_not_seen_are_fresh_while_their_session_lives() {
    let rig = Rig::new(&keyring(""));
    let frame = rig.frame("kitchen", b"after the outage", &rig.mint());
    rig.clock.pass(LIFE - ms(1));
    assert_eq!(rig.retained(&frame), Verdict::Fresh);
    assert_eq!(rig.retained(&frame), Verdict::Duplicate);
}

#[test]
fn an_unseen_frame_of_an_expired_session_is_stale_and_a_duplicate_if_it_came_retained() {
    let rig = Rig::new(&keyring(""));
    let frame = rig.frame("kitchen", b"5", &rig.mint());
    rig.clock.pass(LIFE);
    let message = rig.open(&frame);
    assert_eq!(message.verdict, Verdict::StaleSession);
    assert_eq!(message.device.as_deref(), Some("kitchen"));
    assert_eq!(message.data, None);
    assert_eq!(rig.retained(&frame), Verdict::Duplicate);
}

#[test]
fn a_replay_after_the_session_expired_is_stale_session() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let frame = rig.frame("kitchen", b"5", &id);
    assert_eq!(rig.verdict(&frame), Verdict::Fresh);
    // Sixteen later ones push it out of the node's last accepted frames.
    for _ in 0..16 {
        assert_eq!(
            rig.verdict(&rig.frame("kitchen", b"6", &id)),
            Verdict::Fresh
        );
    }
    assert_eq!(
        rig.verdict(&frame),
        Verdict::Duplicate,
        "its session still lives"
    );
    rig.clock.pass(LIFE);
    assert_eq!(rig.verdict(&frame), Verdict::StaleSession);
    assert_eq!(rig.retained(&frame), Verdict::Duplicate);
}

#[test]
fn the_articles_retained_frame_stays_a_duplicate_for_ever_and_a_changed_one_is_forged() {
    let mut rig = Rig::new(&keyring(""));
    let frame = rig.frame("kitchen", b"5", &rig.mint());
    assert_eq!(rig.verdict(&frame), Verdict::Fresh);
    for round in 0..20 {
        rig.clock.pass(LIFE);
        rig.mint();
        if round == 15 {
            rig.restart();
            rig.mint();
        }
        for copy in copies(&frame) {
            assert_eq!(rig.retained(&copy), Verdict::Duplicate, "round {round}");
        }
    }
    let message = rig
        .receiver
        .open(&frame, Some("sensors/bath"), true)
        .unwrap();
    assert_eq!(message.verdict, Verdict::Duplicate);
    assert_eq!(message.data, None);
    for bit in 0..frame.len() * 8 {
        let changed = flip(&frame, bit);
        if same_frame(&frame, &changed) {
            continue;
        }
        let verdict = rig.retained(&changed);
        assert!(
            matches!(verdict, Verdict::Forged | Verdict::Malformed),
            "bit {bit}: {verdict}"
        );
    }
}

#[test]
fn each_node_keeps_its_own_last_sixteen_frames() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let quiet = rig.frame("bath", b"5", &id);
    assert_eq!(rig.verdict(&quiet), Verdict::Fresh);
    for _ in 0..100 {
        assert_eq!(
            rig.verdict(&rig.frame("kitchen", b"6", &id)),
            Verdict::Fresh
        );
    }
    for _ in 0..20 {
        rig.clock.pass(LIFE);
        rig.mint();
    }
    assert_eq!(
        rig.retained(&quiet),
        Verdict::Duplicate,
        "a busy neighbour pushes none out"
    );
}

// ---- Who speaks ----

#[test]
fn an_unlisted_node_is_unknown_device_and_the_reason_says_how_to_add_it() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let frame = rig.sealed(Layout::Hex, NodeField::Reading(b"99"), b"5", &id);
    for _ in 0..2 {
        let message = rig.open(&frame);
        assert_eq!(message.verdict, Verdict::UnknownDevice);
        assert_eq!(message.data, None);
        assert_eq!(message.device, None);
        assert_eq!(message.node_id.as_deref(), Some("99"));
        assert_eq!(message.group.as_deref(), Some("greenhouse"));
        assert_eq!(
            message.reason.to_string(),
            "it is verified, but the keyring does not list this node; `espseal keyring add device NAME --group 'greenhouse' --node-id '99'` adds it"
        );
    }
}

#[test]
fn odd_node_ids_reach_no_terminal_as_they_are() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    for odd in [
        &b"\x1b[2J"[..],
        b"a\nb",
        b"\xff\xfe",
        b"\x7f",
        b"\"; rm -rf /",
        b"$(reboot)",
        b"`reboot`",
        b"",
        b"\x01\x00\x01",
        b"0123456789abcdef",
    ] {
        let frame = rig.seal_any_node(odd, b"5", &id);
        let message = rig.open(&frame);
        assert_eq!(message.verdict, Verdict::UnknownDevice, "{odd:?}");
        let shown = format!(
            "{} {} {message:?}",
            message.reason,
            message.node_id.as_deref().unwrap()
        );
        assert!(
            shown.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{shown}"
        );
    }
}

#[cfg(unix)]
#[test]
fn the_add_command_gives_a_shell_the_very_node_id_where_it_is_printable() {
    let rig = Rig::new(&keyring("").replace("\"greenhouse\"", "\"green 'house'\""));
    let id = rig.mint();
    for odd in [
        "99",
        "$(reboot)",
        "`reboot`",
        "a b",
        "a\"b",
        "; exit 1",
        "o'brien",
        "a\\b",
    ] {
        let message = rig.open(&rig.seal_any_node(odd.as_bytes(), b"5", &id));
        let Reason::Unlisted { remedy } = message.reason else {
            panic!("{:?}", message.verdict)
        };
        let command = remedy
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix("` adds it"));
        let command = command.unwrap_or_else(|| panic!("{remedy}"));
        let script = format!("espseal() {{ printf '%s\\n' \"$@\"; }}; {command}");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        let expected =
            format!("keyring\nadd\ndevice\nNAME\n--group\ngreen 'house'\n--node-id\n{odd}\n");
        assert_eq!(words, expected, "{command}");
    }
}

#[test]
fn group_keys_do_not_authenticate_a_node_that_has_its_own_nor_the_reverse() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let own = rig.frame("attic", b"5", &id);
    assert_eq!(rig.verdict(&own), Verdict::Fresh, "its own keys do");
    let claims = [(0, &b"7"[..], "the group's"), (1, b"11242238", "its own")];
    for (key_set, node, whose) in claims {
        let keys = &rig.receiver.keyring().groups()[0].key_sets[key_set].keys;
        let frame = rig.seal_with(
            keys,
            Layout::Hex,
            NodeField::Reading(node),
            b"5",
            id.text().as_slice(),
        );
        let message = rig.open(&frame);
        assert_eq!(message.verdict, Verdict::Forged, "{whose} keys, {node:?}");
        assert_eq!(
            (message.device, message.group, message.data),
            (None, None, None)
        );
    }
    // Retained or not, it leaves nothing behind: the true node is still believed.
    assert_eq!(rig.verdict(&rig.frame("attic", b"6", &id)), Verdict::Fresh);
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"6", &id)),
        Verdict::Fresh
    );
}

#[test]
fn a_command_or_a_peer_message_shown_as_a_reading_is_wrong_direction() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    for field in [
        NodeField::Command(b"11242238"),
        NodeField::Command(b"99"),
        NodeField::Peer {
            from: b"11242238",
            to: b"8",
        },
    ] {
        for layout in [Layout::Hex, Layout::Raw] {
            let message = rig.open(&rig.sealed(layout, field, b"on", &id));
            assert_eq!(message.verdict, Verdict::WrongDirection, "{field:?}");
            assert_eq!(message.data, None);
            assert_eq!(message.device, None);
        }
    }
}

#[test]
fn a_session_of_another_keyring_or_none_is_forged() {
    let rig = Rig::new(&keyring(""));
    rig.mint();
    let other = SessionId::mint(&SessionKey::new(&[9; 32]).unwrap(), 1, &*rig.random).unwrap();
    let message = rig.open(&rig.frame("kitchen", b"5", &other));
    assert_eq!(message.verdict, Verdict::Forged);
    assert_eq!(message.reason, Reason::NotVerified { key_sets: 2 });
}

/// R1, the empty session of the article's own sample.
#[test]
fn the_empty_session_is_stale_session_without_the_allowance() {
    let rig = Rig::new(&keyring(""));
    rig.mint();
    let keys = &rig.receiver.keyring().groups()[0].key_sets[0].keys;
    let frame = rig.seal_with(keys, Layout::Hex, KITCHEN, b"5", b"");
    let message = rig.open(&frame);
    assert_eq!(message.verdict, Verdict::StaleSession);
    assert_eq!(message.data, None);
}

#[test]
fn the_articles_own_sample_opens_once_with_its_keys_allowed() {
    let text = format!(
        "{HEAD}[[classic_group]]\nname = 'a'\ntopic = '#'\nallow_article_keys = true\ndanger_accept_replays = true\n\
         keys.iv_key = {{ text = '2345678901abcdef' }}\nkeys.data_key = {{ text = '0123456789abcdef' }}\n\
         keys.static_iv = {{ text = 'abcdef2345678901' }}\nkeys.passphrase = {{ text = 'mypassphrase' }}\n\
         [[device]]\nname = 'sample'\nclassic = {{ group = 'a', node_id = '11242238' }}\n"
    );
    let rig = Rig::new(&text);
    let frame = b"1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adfc948dfd77c2b2ee5,564633a4a053153bcbd6ed25370346d5,c66697df7e7d467112757c841bfb6bce051d6289";
    let message = rig.open(frame);
    assert_eq!(message.verdict, Verdict::Fresh);
    assert_eq!(message.data.as_deref(), Some(&b"5"[..]));
    assert!(!message.replay_protected);
    assert_eq!(rig.verdict(frame), Verdict::Duplicate);
    assert_eq!(rig.receiver.keyring().warnings().len(), 2);
    assert_eq!(rig.receiver.next_due(), None);
    assert!(rig.receiver.subscriptions().is_empty());
}

// ---- Topics and groups ----

#[test]
fn every_group_whose_filter_matches_is_tried_and_no_other() {
    let text = format!(
        "{HEAD}{}{}{}{}",
        group("one", "sensors/+", "one/session", 1, ""),
        group("two", "sensors/#", "two/session", 2, ""),
        device("in one", "one", "1"),
        device("in two", "two", "1"),
    );
    let rig = Rig::new(&text);
    let ids: HashMap<String, SessionId> = rig
        .receiver
        .publications()
        .unwrap()
        .iter()
        .map(|p| (p.topic.to_string(), rig.id(&p.payload)))
        .collect();
    assert_eq!(ids.len(), 2);
    let one = rig.frame("in one", b"1", &ids["one/session"]);
    let two = rig.frame("in two", b"2", &ids["two/session"]);
    let open = |frame: &[u8], topic: Option<&str>| rig.receiver.open(frame, topic, false).unwrap();
    for topic in ["other", "sensor/1", "$sensors/1", "", "sensors/+/+"] {
        let message = open(&one, Some(topic));
        assert_eq!(message.verdict, Verdict::Forged, "{topic}");
    }
    assert_eq!(open(&one, Some("other")).reason, Reason::NoKeys);
    let deep = open(&one, Some("sensors/deep/down"));
    assert_eq!(deep.reason, Reason::NotVerified { key_sets: 1 });
    assert_eq!(
        open(&one, Some(TOPIC)).device.as_deref(),
        Some("in one"),
        "fresh on a topic of both"
    );
    assert_eq!(open(&two, Some(TOPIC)).device.as_deref(), Some("in two"));
    assert_eq!(
        open(&one, None).verdict,
        Verdict::Duplicate,
        "without a topic every group is tried"
    );
    assert_eq!(open(&two, None).verdict, Verdict::Duplicate);
    let again = rig.frame("in two", b"2", &ids["two/session"]);
    assert_eq!(open(&again, None).verdict, Verdict::Fresh);
    // The session of one group opens nothing of the other.
    let crossed = rig.frame("in two", b"2", &ids["one/session"]);
    assert_eq!(open(&crossed, None).verdict, Verdict::Forged);
}

#[test]
fn groups_that_share_a_session_topic_come_to_share_their_ids() {
    let text = format!(
        "{HEAD}{}{}{}{}",
        group("one", "one/+", SESSION_TOPIC, 1, ""),
        group("two", "two/+", SESSION_TOPIC, 2, ""),
        device("in one", "one", "1"),
        device("in two", "two", "1"),
    );
    let rig = Rig::new(&text);
    assert_eq!(rig.receiver.subscriptions().len(), 1);
    let mut shown = None;
    let mut published = 0;
    for _ in 0..6000 {
        for publication in rig.receiver.publications().unwrap() {
            published += 1;
            rig.hear(&publication.payload);
            shown = Some(rig.id(&publication.payload));
        }
        rig.clock.pass(ms(100));
    }
    let id = shown.unwrap();
    for (name, topic) in [("in one", "one/1"), ("in two", "two/1")] {
        let frame = rig.frame(name, b"5", &id);
        let message = rig.receiver.open(&frame, Some(topic), false).unwrap();
        assert_eq!(message.verdict, Verdict::Fresh, "{name}");
    }
    assert!(published < 60, "{published} publications in ten minutes");
}

#[test]
fn counts_add_up() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let frame = rig.frame("kitchen", b"5", &id);
    rig.open(&frame);
    rig.open(&frame);
    rig.open(&frame);
    rig.open(b"nonsense");
    rig.open(&rig.sealed(Layout::Raw, NodeField::Reading(b"99"), b"5", &id));
    let counts: HashMap<&str, u64> = Verdict::ALL
        .iter()
        .map(|verdict| (verdict.code(), rig.receiver.counts()[verdict.index()]))
        .filter(|(_, count)| *count > 0)
        .collect();
    let expected = [
        ("fresh", 1),
        ("duplicate", 2),
        ("malformed", 1),
        ("unknown_device", 1),
    ];
    assert_eq!(counts, expected.into());
}

// ---- Layouts and modes ----

#[test]
fn binary_data_keeps_its_zeros_and_takes_the_longest_that_fits() {
    let rig = Rig::new(&keyring("data = 'binary'"));
    let id = rig.mint();
    for length in 0..50 {
        for zeros in 0..=length {
            let mut data = vec![7; length];
            data[length - zeros..].fill(0);
            let message = rig.open(&rig.frame("kitchen", &data, &id));
            assert_eq!(message.verdict, Verdict::Fresh, "{length} {zeros}");
            assert_eq!(message.data, Some(data));
        }
    }
}

#[test]
fn padding_that_is_not_zero_is_no_padding() {
    for extra in ["data = 'binary'", ""] {
        let rig = Rig::new(&keyring(extra));
        let id = rig.mint();
        let sealed = |padded: &[u8], data: &[u8]| rig.seal_by_hand(b"11242238", padded, data, &id);
        assert_eq!(rig.verdict(&sealed(b"21.5", b"21.5")), Verdict::Fresh);
        for padded in [
            &b"21.5\x01"[..],
            b"21.5\0\0\0\0\0\0\0\0\0\0\0\x80",
            b"21.5\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c",
            b"21.5\x80",
            b"21.",
            b"",
        ] {
            let verdict = rig.verdict(&sealed(padded, b"21.5"));
            assert_eq!(verdict, Verdict::Forged, "{extra} {padded:?}");
        }
        // A whole block of padding is more than a sender adds.
        let verdict = rig.verdict(&sealed(&[&b"21.5"[..], &[0; 28]].concat(), b"21.5"));
        let expected = match extra {
            "" => Verdict::Fresh,
            _ => Verdict::Forged,
        };
        assert_eq!(verdict, expected, "{extra}");
    }
}

#[test]
fn text_mode_takes_no_frame_whose_mac_covers_trailing_zeros() {
    let text = Rig::new(&keyring(""));
    let binary = Rig::new(&keyring("data = 'binary'"));
    let id = text.mint();
    let frame = binary.frame("kitchen", b"5\0", &id);
    assert_eq!(text.verdict(&frame), Verdict::Forged);
}

#[test]
fn padded_senders_are_taken_only_where_the_keyring_names_them() {
    let padded = Rig::new(&keyring("mac = 'padded'"));
    let unpadded = Rig::new(&keyring(""));
    for (sender, receiver, verdict) in [
        (&padded, &padded, Verdict::Fresh),
        (&padded, &unpadded, Verdict::Forged),
        (&unpadded, &padded, Verdict::Forged),
        (&unpadded, &unpadded, Verdict::Fresh),
    ] {
        receiver.clock.pass(INTERVAL);
        let frame = sender.frame("kitchen", b"21.5", &receiver.mint());
        assert_eq!(receiver.verdict(&frame), verdict);
    }
    // Nothing to pad: the two are the same.
    padded.clock.pass(INTERVAL);
    let keys = &unpadded.receiver.keyring().groups()[0].key_sets[0].keys;
    let id = padded.mint();
    let node = NodeField::Reading(b"11242238");
    let frame = unpadded.seal_with(keys, Layout::Hex, node, b"0123456789abcdef", &id.text());
    assert_eq!(
        padded.verdict(&frame),
        Verdict::Forged,
        "the node ID is padded"
    );
}

#[test]
fn hex_and_raw_are_told_apart_whatever_the_group_says() {
    for said in ["layout = 'hex'", "layout = 'raw'"] {
        let rig = Rig::new(&keyring(said));
        let id = rig.mint();
        for layout in [Layout::Hex, Layout::Raw] {
            for length in [0, 1, 15, 16, 17, 200] {
                let frame = rig.sealed(layout, KITCHEN, &vec![b'x'; length], &id);
                assert_eq!(
                    rig.verdict(&frame),
                    Verdict::Fresh,
                    "{said} {layout:?} {length}"
                );
            }
        }
    }
}

#[test]
fn port_frames_are_known_by_their_topic_and_have_no_freshness() {
    for (extra, verdict) in [
        ("", Verdict::StaleSession),
        ("danger_accept_replays = true", Verdict::Fresh),
    ] {
        let rig = Rig::new(&port_keyring(extra));
        let frame = crate::Device::from_keyring(rig.receiver.keyring(), "meter")
            .unwrap()
            .seal(b"42")
            .unwrap();
        let open = |frame: &[u8], topic: Option<&str>| rig.receiver.open(frame, topic, false);
        let message = open(&frame, Some("meters/other")).unwrap();
        assert_eq!(message.verdict, Verdict::UnknownDevice);
        let command = "espseal keyring add device NAME --group 'greenhouse' --topic 'meters/other'";
        assert!(message.reason.to_string().contains(command));
        assert_eq!(message.data, None);
        assert_eq!(open(&frame, None).unwrap().verdict, Verdict::UnknownDevice);
        let message = open(&frame, Some("meters/1")).unwrap();
        assert_eq!(message.verdict, verdict, "{extra}");
        assert_eq!(message.device.as_deref(), Some("meter"));
        assert_eq!(message.node_id, None);
        if verdict == Verdict::Fresh {
            assert_eq!(message.data.as_deref(), Some(&b"42"[..]));
            assert!(!message.replay_protected);
            assert_eq!(
                open(&frame, Some("meters/1")).unwrap().verdict,
                Verdict::Duplicate
            );
            let lower = frame.to_ascii_lowercase();
            assert_eq!(
                open(&lower, Some("meters/1")).unwrap().verdict,
                Verdict::Duplicate
            );
        } else {
            assert_eq!(message.data, None);
        }
        for bit in 0..frame.len() * 8 {
            let changed = flip(&frame, bit);
            if !changed.eq_ignore_ascii_case(&frame) {
                let verdict = open(&changed, Some("meters/1")).unwrap().verdict;
                assert!(matches!(verdict, Verdict::Forged | Verdict::Malformed));
            }
        }
    }
}

/// R5: what would be `stale_session` and came retained is `duplicate`.
#[test]
fn a_retained_port_frame_without_the_allowance_is_a_duplicate() {
    let rig = Rig::new(&port_keyring(""));
    let meter = crate::Device::from_keyring(rig.receiver.keyring(), "meter").unwrap();
    let frame = meter.seal(b"42").unwrap();
    let message = rig.receiver.open(&frame, Some("meters/1"), true).unwrap();
    assert_eq!(message.verdict, Verdict::Duplicate);
}

#[test]
fn port_frames_are_malformed_where_no_group_of_the_topic_has_the_layout() {
    let port = Rig::new(&port_keyring(""));
    let meter = crate::Device::from_keyring(port.receiver.keyring(), "meter").unwrap();
    let frame = meter.seal(b"42").unwrap();
    assert_eq!(Rig::new(&keyring("")).verdict(&frame), Verdict::Malformed);
    assert_eq!(
        port.receiver
            .open(&frame, Some("elsewhere"), false)
            .unwrap()
            .verdict,
        Verdict::Malformed
    );
}

#[test]
fn accepted_replays_remember_the_last_1024_frames_across_a_restart() {
    let mut rig = Rig::new(&keyring("danger_accept_replays = true"));
    let keys = rig.receiver.keyring().groups()[0].key_sets[0].keys.clone();
    let frames: Vec<Vec<u8>> = (0..=SESSIONLESS_MACS)
        .map(|_| rig.seal_with(&keys, Layout::Hex, KITCHEN, b"5", b""))
        .collect();
    for frame in &frames[..SESSIONLESS_MACS] {
        let message = rig.open(frame);
        assert_eq!(message.verdict, Verdict::Fresh);
        assert!(!message.replay_protected);
    }
    rig.restart();
    for frame in &frames[..SESSIONLESS_MACS] {
        assert_eq!(rig.verdict(frame), Verdict::Duplicate);
    }
    assert_eq!(rig.verdict(&frames[SESSIONLESS_MACS]), Verdict::Fresh);
    assert_eq!(
        rig.verdict(&frames[0]),
        Verdict::Fresh,
        "the oldest made room"
    );
    assert_eq!(
        rig.verdict(&frames[0]),
        Verdict::Duplicate,
        "and is known again"
    );
    // A session still protects those that have one.
    let id = rig.mint();
    let message = rig.open(&rig.frame("kitchen", b"5", &id));
    assert!(message.verdict == Verdict::Fresh && message.replay_protected);
}

// ---- Sessions of an authority ----

#[test]
fn a_session_lives_exactly_its_life() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let (last, late) = (
        rig.frame("kitchen", b"5", &id),
        rig.frame("kitchen", b"6", &id),
    );
    rig.clock.pass(LIFE - Duration::from_nanos(1));
    assert_eq!(rig.verdict(&last), Verdict::Fresh);
    rig.clock.pass(Duration::from_nanos(1));
    assert_eq!(rig.verdict(&late), Verdict::StaleSession);
}

#[test]
fn lives_run_on_the_monotonic_clock() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    for wall in [0, u64::from(u32::MAX), RELEASED, START + 10_000_000] {
        rig.clock.set_wall(wall);
        assert_eq!(
            rig.verdict(&rig.frame("kitchen", b"5", &id)),
            Verdict::Fresh
        );
    }
}

#[test]
fn the_authority_mints_at_once_and_then_at_each_interval() {
    let rig = Rig::new(&keyring(""));
    assert_eq!(rig.receiver.next_due(), Some(Duration::ZERO));
    let first = rig.receiver.publications().unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(&*first[0].topic, SESSION_TOPIC);
    assert_eq!((first[0].qos, first[0].retain), (1, true));
    assert_eq!(rig.id(&first[0].payload).time(), time(START));
    assert_eq!(rig.receiver.next_due(), Some(INTERVAL));
    assert_eq!(rig.receiver.publications().unwrap(), []);
    rig.clock.pass(INTERVAL - ms(1));
    assert_eq!(rig.receiver.publications().unwrap(), []);
    assert_eq!(rig.receiver.next_due(), Some(ms(1)));
    rig.clock.pass(ms(1));
    let second = rig.receiver.publications().unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
    assert_eq!(rig.id(&second[0].payload).time(), time(START + 30));
    // Several live at once: four intervals in one life.
    let frames: Vec<Vec<u8>> = (0..4)
        .map(|_| {
            rig.clock.pass(INTERVAL);
            rig.frame("kitchen", b"5", &rig.mint())
        })
        .collect();
    rig.clock.pass(INTERVAL);
    assert_eq!(rig.verdict(&frames[0]), Verdict::StaleSession);
    for frame in &frames[1..] {
        assert_eq!(rig.verdict(frame), Verdict::Fresh);
    }
}

#[test]
fn interval_and_life_are_those_of_the_keyring() {
    let rig = Rig::new(&keyring("session_interval = 2\nsession_life = 5"));
    let id = rig.mint();
    assert_eq!(rig.receiver.next_due(), Some(Duration::from_secs(2)));
    rig.clock.pass(Duration::from_secs(5) - ms(1));
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
    rig.clock.pass(ms(1));
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"6", &id)),
        Verdict::StaleSession
    );
}

#[test]
fn session_times_rise_though_the_clock_goes_back_an_hour_across_a_restart() {
    let mut rig = Rig::new(&keyring(""));
    let first = rig.mint();
    rig.clock.set_wall(START - 3600);
    rig.restart();
    let second = rig.mint();
    assert_eq!(second.time(), first.time() + 1);
    rig.clock.pass(INTERVAL);
    assert_eq!(rig.mint().time(), first.time() + 2);
    rig.clock.set_wall(START + 5000);
    rig.clock.pass(INTERVAL);
    assert_eq!(rig.mint().time(), time(START + 5030));
}

#[test]
fn after_a_restart_stored_sessions_are_expired_and_stay_so() {
    let mut rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let (seen, unseen) = (
        rig.frame("kitchen", b"5", &id),
        rig.frame("kitchen", b"6", &id),
    );
    assert_eq!(rig.verdict(&seen), Verdict::Fresh);
    rig.restart();
    assert_eq!(
        rig.receiver.next_due(),
        Some(Duration::ZERO),
        "it mints at once"
    );
    // The broker shows the retained ID and the retained frames again.
    rig.hear(&id.text());
    assert_eq!(rig.verdict(&unseen), Verdict::StaleSession);
    assert_eq!(rig.retained(&seen), Verdict::Duplicate);
    let new = rig.mint();
    assert!(new.time() > id.time());
    rig.hear(&id.text());
    assert_eq!(rig.verdict(&unseen), Verdict::StaleSession);
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"7", &new)),
        Verdict::Fresh
    );
}

#[test]
fn the_last_eight_expired_sessions_are_told_from_forged_ones() {
    let rig = Rig::new(&keyring(""));
    let mut frames = Vec::new();
    for _ in 0..9 {
        let id = rig.mint();
        frames.push(rig.frame("kitchen", b"5", &id));
        rig.clock.pass(LIFE);
    }
    assert_eq!(rig.verdict(&frames[0]), Verdict::Forged);
    for frame in &frames[1..] {
        assert_eq!(rig.verdict(frame), Verdict::StaleSession);
    }
}

#[test]
fn false_ids_are_counted_and_the_true_one_is_shown_again_at_once() {
    let rig = Rig::new(&keyring(""));
    let publication = rig.receiver.publications().unwrap();
    rig.hear(&publication[0].payload);
    rig.clock.pass(ms(150));
    assert_eq!(
        rig.receiver.publications().unwrap(),
        [],
        "its own echo is no false ID"
    );
    assert_eq!(rig.receiver.false_sessions(), 0);
    let upper = publication[0].payload.to_ascii_uppercase();
    let mut wrong = publication[0].payload.clone();
    wrong[31] ^= 1;
    for (count, payload) in [
        &b""[..],
        b"garbage",
        &[0xff; 32],
        b"00000000000000000000000000000000",
        &wrong,
        &upper,
        b"5f1d7a84c2b3e690",
    ]
    .into_iter()
    .enumerate()
    {
        rig.hear(payload);
        assert_eq!(rig.receiver.false_sessions(), count as u64 + 1);
        assert_eq!(rig.receiver.next_due(), Some(Duration::ZERO));
        assert_eq!(rig.receiver.publications().unwrap(), publication);
        rig.clock.pass(ms(100));
    }
    assert_eq!(
        rig.receiver.hear(b"garbage", "elsewhere", false).ok(),
        Some(false)
    );
    assert_eq!(rig.receiver.false_sessions(), 7);
}

#[test]
fn a_flood_of_false_ids_is_answered_every_100_ms_at_most_and_burns_nothing() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let mut published = Vec::new();
    for _ in 0..10_000 {
        rig.hear(b"garbage");
        published.extend(rig.receiver.publications().unwrap());
        rig.clock.pass(Duration::from_micros(100));
    }
    assert_eq!(rig.receiver.false_sessions(), 10_000);
    assert!(published.len() <= 11, "{}", published.len());
    assert!(published.len() >= 9, "{}", published.len());
    assert!(
        published
            .iter()
            .all(|publication| publication.payload == id.text())
    );
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
}

#[test]
fn an_old_id_of_its_own_on_the_topic_is_answered_with_the_current_one() {
    let rig = Rig::new(&keyring(""));
    let old = rig.mint();
    rig.clock.pass(LIFE);
    let current = rig.mint();
    rig.clock.pass(ms(200));
    rig.hear(&old.text());
    let published = rig.receiver.publications().unwrap();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].payload, current.text());
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &old)),
        Verdict::StaleSession
    );
}

#[test]
fn a_reconnection_shows_the_current_id_again() {
    let rig = Rig::new(&keyring(""));
    rig.receiver.reconnected();
    let id = rig.mint();
    rig.clock.pass(Duration::from_secs(5));
    assert_eq!(rig.receiver.publications().unwrap(), []);
    rig.receiver.reconnected();
    assert_eq!(rig.receiver.next_due(), Some(Duration::ZERO));
    assert_eq!(rig.receiver.publications().unwrap()[0].payload, id.text());
    assert_eq!(rig.receiver.publications().unwrap(), []);
}

#[test]
fn a_full_session_retires_and_never_forgets() {
    let rig = Rig::new(&keyring("session_memory = 3"));
    let id = rig.mint();
    let frames: Vec<Vec<u8>> = (0..4).map(|_| rig.frame("kitchen", b"5", &id)).collect();
    for frame in &frames[..3] {
        assert_eq!(rig.verdict(frame), Verdict::Fresh);
    }
    assert_eq!(
        rig.receiver.next_due(),
        Some(Duration::ZERO),
        "a new one is minted at once"
    );
    for frame in &frames[..3] {
        assert_ne!(rig.verdict(frame), Verdict::Fresh);
    }
    assert_eq!(rig.verdict(&frames[3]), Verdict::StaleSession);
    assert_eq!(rig.retained(&frames[3]), Verdict::Duplicate);
    let new = rig.mint();
    assert_ne!(new, id);
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &new)),
        Verdict::Fresh
    );
}

#[test]
fn a_full_old_session_leaves_the_current_one_alone() {
    let rig = Rig::new(&keyring("session_memory = 1"));
    let old = rig.mint();
    rig.clock.pass(INTERVAL);
    let current = rig.mint();
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &old)),
        Verdict::Fresh
    );
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"6", &old)),
        Verdict::StaleSession
    );
    assert_eq!(rig.receiver.publications().unwrap(), []);
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"7", &current)),
        Verdict::Fresh
    );
}

#[test]
fn many_threads_accept_one_frame_once() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    for _ in 0..50 {
        let frame = rig.frame("kitchen", b"5", &id);
        let fresh = AtomicU64::new(0);
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    if rig.verdict(&frame) == Verdict::Fresh {
                        fresh.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(fresh.into_inner(), 1);
    }
}

#[test]
fn two_receivers_on_one_store_accept_one_frame_once() {
    let authority = Rig::new(&keyring(""));
    let follower = Rig {
        receiver: authority.receiver_on(false),
        ..Rig::new(&keyring(""))
    };
    let id = authority.mint();
    follower.hear(&id.text());
    let (a, b) = (
        authority.frame("kitchen", b"5", &id),
        authority.frame("kitchen", b"6", &id),
    );
    assert_eq!(authority.verdict(&a), Verdict::Fresh);
    assert_eq!(follower.verdict(&a), Verdict::Duplicate);
    assert_eq!(follower.verdict(&b), Verdict::Fresh);
    assert_eq!(authority.verdict(&b), Verdict::Duplicate);
}

// ---- Followers ----

#[test]
fn a_follower_publishes_nothing_and_opens_what_the_authority_opens() {
    let (authority, follower) = authority_and_follower();
    assert_eq!(follower.receiver.next_due(), None);
    assert_eq!(follower.receiver.publications().unwrap(), []);
    let id = authority.mint();
    let frame = authority.frame("kitchen", b"5", &id);
    assert_eq!(
        follower.verdict(&frame),
        Verdict::Forged,
        "before it heard the ID"
    );
    follower.hear(&id.text());
    follower.hear(b"garbage");
    assert_eq!(follower.receiver.false_sessions(), 1);
    assert_eq!(follower.receiver.publications().unwrap(), []);
    assert_eq!(follower.verdict(&frame), Verdict::Fresh);
    assert_eq!(follower.verdict(&frame), Verdict::Duplicate);
    assert_eq!(authority.verdict(&frame), Verdict::Fresh);
    follower.clock.pass(LIFE);
    assert_eq!(
        follower.verdict(&authority.frame("kitchen", b"5", &id)),
        Verdict::StaleSession
    );
}

#[test]
fn a_follower_takes_no_id_more_than_30_s_ahead_of_its_clock() {
    let (authority, follower) = authority_and_follower();
    authority.clock.set_wall(START + 31);
    let ahead = authority.mint();
    follower.hear(&ahead.text());
    let frame = authority.frame("kitchen", b"5", &ahead);
    assert_eq!(follower.verdict(&frame), Verdict::Forged);
    follower.clock.pass(Duration::from_secs(1));
    follower.hear(&ahead.text());
    assert_eq!(follower.verdict(&frame), Verdict::Fresh, "exactly 30 s");
}

#[test]
fn a_refused_id_from_the_future_bars_nothing() {
    let (authority, follower) = authority_and_follower();
    let far = SessionId::mint(
        authority.receiver.keyring().session_key(),
        u32::MAX,
        &*authority.random,
    )
    .unwrap();
    follower.hear(&far.text());
    let id = authority.mint();
    follower.hear(&id.text());
    assert_eq!(
        follower.verdict(&authority.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
}

#[test]
fn a_follower_takes_no_id_older_than_its_newest_less_one_life() {
    let (authority, mut follower) = authority_and_follower();
    follower.clock.set_wall(START + 1000);
    let key = authority.receiver.keyring().session_key();
    let at = |offset: i64| {
        let time = time(START).wrapping_add_signed(i32::try_from(offset).unwrap());
        SessionId::mint(key, time, &*authority.random).unwrap()
    };
    follower.hear(&at(0).text());
    follower.restart();
    for (offset, verdict) in [(-121, Verdict::Forged), (-120, Verdict::Fresh)] {
        let id = at(offset);
        follower.hear(&id.text());
        let frame = authority.frame("kitchen", b"5", &id);
        assert_eq!(follower.verdict(&frame), verdict, "{offset}");
    }
}

#[test]
fn the_newest_id_bars_older_ones_across_a_restart_of_a_follower() {
    let (authority, mut follower) = authority_and_follower();
    let old = authority.mint();
    let frame = authority.frame("kitchen", b"5", &old);
    follower.clock.pass(LIFE);
    let mut newest = None;
    authority.clock.pass(LIFE + Duration::from_secs(1));
    follower.clock.pass(Duration::from_secs(1));
    for _ in 0..2 {
        newest = Some(authority.mint());
        authority.clock.pass(INTERVAL);
        follower.clock.pass(INTERVAL);
    }
    follower.hear(&newest.unwrap().text());
    follower.restart();
    follower.hear(&old.text());
    assert_eq!(follower.verdict(&frame), Verdict::Forged);
}

#[test]
fn a_known_id_never_comes_to_life_again() {
    let (authority, mut follower) = authority_and_follower();
    let id = authority.mint();
    follower.hear(&id.text());
    let frame = authority.frame("kitchen", b"5", &id);
    assert_eq!(follower.verdict(&frame), Verdict::Fresh);
    follower.clock.pass(LIFE);
    for round in 0..3 {
        follower.hear(&id.text());
        let unseen = authority.frame("kitchen", b"6", &id);
        assert_eq!(
            follower.verdict(&unseen),
            Verdict::StaleSession,
            "round {round}"
        );
        assert_eq!(
            follower.retained(&frame),
            Verdict::Duplicate,
            "round {round}"
        );
        follower.restart();
    }
}

#[test]
fn an_expired_id_stays_dead_while_no_newer_one_bars_it() {
    let (authority, mut follower) = authority_and_follower();
    // Ten IDs in one second of the authority's: more than the expired list holds.
    let key = authority.receiver.keyring().session_key();
    let ids: Vec<SessionId> = (0..12)
        .map(|_| SessionId::mint(key, time(START), &*authority.random).unwrap())
        .collect();
    let frames: Vec<Vec<u8>> = ids
        .iter()
        .map(|id| {
            follower.hear(&id.text());
            let frame = authority.frame("kitchen", b"5", id);
            assert_eq!(follower.verdict(&frame), Verdict::Fresh);
            frame
        })
        .collect();
    follower.clock.pass(LIFE);
    for _ in 0..2 {
        for (id, frame) in ids.iter().zip(&frames) {
            follower.hear(&id.text());
            assert_ne!(follower.verdict(frame), Verdict::Fresh);
            let unseen = authority.frame("kitchen", b"6", id);
            assert_ne!(follower.verdict(&unseen), Verdict::Fresh);
        }
        follower.restart();
    }
}

#[test]
fn a_follower_with_an_empty_store_takes_no_id_minted_before_it_started() {
    let (authority, _) = authority_and_follower();
    let id = authority.mint();
    let frame = authority.frame("kitchen", b"5", &id);
    authority.clock.pass(Duration::from_secs(10));
    let follower = authority.other(false);
    follower.hear(&id.text());
    assert_eq!(
        follower.verdict(&frame),
        Verdict::StaleSession,
        "it may have been accepted before"
    );
    authority.clock.pass(Duration::from_secs(20));
    let new = authority.mint();
    follower.hear(&new.text());
    assert_eq!(
        follower.verdict(&authority.frame("kitchen", b"5", &new)),
        Verdict::Fresh
    );
}

#[test]
fn a_follower_whose_store_knows_ids_takes_those_that_it_missed() {
    let (authority, mut follower) = authority_and_follower();
    follower.hear(&authority.mint().text());
    for rig in [&authority, &follower] {
        rig.clock.pass(INTERVAL);
    }
    let missed = authority.mint();
    follower.clock.pass(Duration::from_secs(10));
    follower.restart();
    follower.hear(&missed.text());
    assert_eq!(
        follower.verdict(&authority.frame("kitchen", b"5", &missed)),
        Verdict::Fresh
    );
}

#[test]
fn a_follower_with_a_clock_before_the_release_takes_nothing_and_says_so() {
    let (authority, follower) = authority_and_follower();
    assert_eq!(follower.receiver.trouble(), None);
    let id = authority.mint();
    let frame = authority.frame("kitchen", b"5", &id);
    for wall in [0, RELEASED - 1] {
        follower.clock.set_wall(wall);
        assert!(follower.receiver.trouble().unwrap().contains("clock"));
        follower.hear(&id.text());
        assert_eq!(follower.verdict(&frame), Verdict::Forged);
    }
    follower.clock.set_wall(START);
    assert_eq!(follower.receiver.trouble(), None);
    follower.hear(&id.text());
    assert_eq!(
        follower.verdict(&frame),
        Verdict::Fresh,
        "once the clock is right"
    );
}

#[test]
fn a_true_id_does_not_count_as_false_while_the_clock_is_wrong() {
    let (authority, follower) = authority_and_follower();
    follower.clock.set_wall(0);
    follower.hear(&authority.mint().text());
    assert_eq!(follower.receiver.false_sessions(), 0);
}

/// The broker echoes what the authority publishes.
#[test]
fn an_authority_with_a_wrong_clock_does_not_answer_its_own_echo() {
    let rig = Rig::new(&keyring(""));
    rig.clock.set_wall(0);
    let mut published = 0;
    for _ in 0..200 {
        for publication in rig.receiver.publications().unwrap() {
            published += 1;
            rig.hear(&publication.payload);
        }
        rig.clock.pass(ms(100));
    }
    assert_eq!(published, 1, "in 20 s");
}

#[test]
fn an_authority_that_boots_in_1970_still_serves_its_nodes() {
    let rig = Rig::new(&keyring(""));
    rig.clock.set_wall(3);
    let id = rig.mint();
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
    rig.clock.set_wall(START);
    rig.clock.pass(INTERVAL);
    let id = rig.mint();
    assert_eq!(id.time(), time(START + 30));
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
}

#[test]
fn stores_do_not_grow_with_time() {
    let (authority, follower) = authority_and_follower();
    for _ in 0..400 {
        let id = authority.mint();
        follower.hear(&id.text());
        let frame = authority.frame("kitchen", b"5", &id);
        assert_eq!(authority.verdict(&frame), Verdict::Fresh);
        assert_eq!(follower.verdict(&frame), Verdict::Fresh);
        authority.clock.pass(INTERVAL);
        follower.clock.pass(INTERVAL);
    }
    let kept = |rig: &Rig| {
        let mut kept = 0;
        rig.store
            .transact(&mut |transaction| {
                kept = transaction.sessions("greenhouse")?.len();
                Ok(())
            })
            .unwrap();
        kept
    };
    assert!(
        kept(&authority) < 40,
        "the authority keeps {}",
        kept(&authority)
    );
    assert!(
        kept(&follower) < 40,
        "the follower keeps {}",
        kept(&follower)
    );
}

/// A keyring that is changed to longer lives lowers the bar under IDs that were dropped.
#[test]
fn longer_lives_after_a_restart_bring_no_dropped_id_back() {
    let (authority, mut follower) = authority_and_follower();
    let mut ids = Vec::new();
    for _ in 0..60 {
        let id = authority.mint();
        follower.hear(&id.text());
        let frames = [0; 20].map(|_| authority.frame("kitchen", b"5", &id));
        for frame in &frames {
            assert_eq!(follower.verdict(frame), Verdict::Fresh);
        }
        ids.push((id, frames[0].clone()));
        authority.clock.pass(INTERVAL);
        follower.clock.pass(INTERVAL);
    }
    let keyring = Arc::new(Keyring::parse(&keyring("session_life = 3600")).unwrap());
    follower.receiver = Receiver::with_clock(
        keyring,
        Arc::clone(&follower.store) as Arc<dyn Store>,
        false,
        Arc::clone(&follower.clock) as Arc<dyn Clock>,
        Arc::clone(&follower.random) as Arc<dyn Random>,
    )
    .unwrap();
    for (id, frame) in &ids {
        follower.hear(&id.text());
        assert_ne!(follower.verdict(frame), Verdict::Fresh, "accepted twice");
    }
}

// ---- Two authorities ----

#[test]
fn a_second_authority_yields_and_resumes_after_one_life_of_silence() {
    let first = Rig::new(&keyring(""));
    first.clock.set_wall(START + 5);
    let second = Rig::new(&keyring(""));
    let (newer, older) = (first.mint(), second.mint());
    second.hear(&newer.text());
    first.hear(&older.text());
    first.clock.pass(ms(150));
    let shown = first.receiver.publications().unwrap();
    assert_eq!(
        shown.first().map(|shown| shown.payload.clone()),
        Some(newer.text().to_vec())
    );
    assert_eq!(
        second.receiver.publications().unwrap(),
        [],
        "it shows its own no more"
    );
    let frame = first.frame("kitchen", b"5", &newer);
    assert_eq!(first.verdict(&frame), Verdict::Fresh);
    assert_eq!(second.verdict(&frame), Verdict::Fresh);
    let frame = first.frame("kitchen", b"5", &older);
    assert_eq!(second.verdict(&frame), Verdict::Fresh, "its own still live");
    assert_eq!(
        first.verdict(&frame),
        Verdict::Forged,
        "I2: an authority takes none but its own"
    );
    // Each new one holds it back for another life; then it resumes, above what it heard.
    first.clock.pass(INTERVAL);
    second.clock.pass(INTERVAL);
    let last = first.mint();
    second.hear(&last.text());
    second.clock.pass(LIFE - ms(1));
    assert_eq!(second.receiver.publications().unwrap(), []);
    assert_eq!(second.receiver.next_due(), Some(ms(1)));
    second.clock.set_wall(START);
    second.clock.pass(ms(1));
    let resumed = second.mint();
    assert_eq!(resumed.time(), last.time() + 1);
    assert_eq!(
        second.verdict(&first.frame("kitchen", b"5", &resumed)),
        Verdict::Fresh
    );
}

/// Its own of before a restart on an empty store, say: nobody mints under it any more.
#[test]
fn an_authority_does_not_yield_to_an_id_that_came_retained() {
    let gone = Rig::new(&keyring(""));
    gone.random.fill(&mut [0; 4]).unwrap();
    for second in [0, 1, 20] {
        gone.clock.set_wall(START + second);
        let left_behind = gone.mint();
        let rig = Rig::new(&keyring(""));
        let own = rig.mint();
        rig.hear_retained(&left_behind.text());
        rig.clock.pass(ms(150));
        let shown = rig.receiver.publications().unwrap();
        assert_eq!(shown[0].payload, own.text(), "it shows its own again");
        assert_eq!(
            rig.verdict(&rig.frame("kitchen", b"5", &own)),
            Verdict::Fresh
        );
        let frame = rig.frame("kitchen", b"5", &left_behind);
        assert_eq!(rig.verdict(&frame), Verdict::Forged, "I2");
        gone.clock.pass(INTERVAL);
    }
}

#[test]
fn an_authority_yields_to_the_live_copy_of_what_came_retained() {
    let first = Rig::new(&keyring(""));
    first.clock.set_wall(START + 5);
    let second = Rig::new(&keyring(""));
    let (newer, _) = (first.mint(), second.mint());
    second.hear_retained(&newer.text());
    second.hear(&newer.text());
    second.clock.pass(ms(150));
    assert_eq!(second.receiver.publications().unwrap(), []);
    assert_eq!(
        second.verdict(&first.frame("kitchen", b"5", &newer)),
        Verdict::Fresh
    );
}

/// With a longer life than before, a forgotten ID is not too old any more: the bar alone tells.
#[test]
fn a_forgotten_id_does_not_keep_an_authority_quiet() {
    let rig = Rig::new(&keyring("session_life = 60"));
    let forgotten = rig.mint();
    for _ in 0..12 {
        rig.after_a_pause();
    }
    let known = rig.sessions();
    assert!(!known.contains(&forgotten), "it is forgotten");
    let keyring = Arc::new(Keyring::parse(&keyring("session_life = 3600")).unwrap());
    let mut rig = rig;
    rig.receiver = rig.receiver_with(keyring, true);
    let own = rig.mint();
    let key = rig.receiver.keyring().session_key();
    let newer = SessionId::mint(key, own.time() + 5, &*rig.random).unwrap();
    rig.hear(&newer.text());
    let life = Duration::from_secs(3600);
    rig.clock.pass(life / 2);
    rig.hear(&forgotten.text());
    rig.clock.pass(life / 2);
    assert_eq!(
        rig.receiver.next_due(),
        Some(Duration::ZERO),
        "one life of silence"
    );
}

#[test]
fn a_follower_takes_an_id_that_came_retained() {
    let first = Rig::new(&keyring(""));
    let follower = first.other(false);
    let id = first.mint();
    follower.hear_retained(&id.text());
    assert_eq!(
        follower.verdict(&first.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
}

#[test]
fn of_two_ids_of_one_second_the_smaller_bytes_lead() {
    let high = Rig::new(&keyring(""));
    let low = high.other(true);
    let (mut a, mut b) = (high.mint(), low.mint());
    let (mut high, mut low) = (high, low);
    if a < b {
        (a, b, high, low) = (b, a, low, high);
    }
    assert_eq!(a.time(), b.time());
    high.hear(&b.text());
    low.hear(&a.text());
    high.clock.pass(ms(150));
    assert_eq!(high.receiver.publications().unwrap(), []);
    low.clock.pass(ms(150));
    assert_eq!(low.receiver.publications().unwrap()[0].payload, b.text());
    let frame = low.frame("kitchen", b"5", &b);
    assert_eq!(high.verdict(&frame), Verdict::Fresh);
    assert_eq!(low.verdict(&frame), Verdict::Fresh);
}

#[test]
fn two_authorities_converge_whatever_the_order_of_their_messages() {
    for (ahead, delay) in [(0, 0), (0, 3), (1, 1), (20, 0), (30, 2)] {
        let (talk, one, two) = converse(ahead, delay);
        assert!(
            talk < 20,
            "{talk} publications in 200 s, {ahead} s apart, {delay} steps late"
        );
        let shown = one.shown.take().unwrap();
        let frame = one.rig.frame("kitchen", b"5", &shown);
        assert_eq!(
            one.rig.verdict(&frame),
            Verdict::Fresh,
            "{ahead} s apart, {delay} steps late"
        );
        assert_eq!(two.rig.verdict(&frame), Verdict::Fresh);
    }
}

/// I5 has no limit, and two that shout for ever would fill the topic.
#[test]
fn two_authorities_whose_clocks_differ_by_an_hour_do_not_shout_for_ever() {
    let (talk, ..) = converse(3600, 1);
    assert!(talk < 40, "{talk} publications in 200 s");
}

// ---- Policy strict ----

#[test]
fn strict_one_id_is_good_for_one_message() {
    let rig = Rig::new(&keyring("policy = 'strict'"));
    let id = rig.mint();
    let (first, second) = (
        rig.frame("kitchen", b"5", &id),
        rig.frame("bath", b"6", &id),
    );
    assert_eq!(rig.verdict(&first), Verdict::Fresh);
    assert_eq!(rig.verdict(&second), Verdict::StaleSession);
    assert_ne!(rig.verdict(&first), Verdict::Fresh);
    assert_eq!(rig.retained(&first), Verdict::Duplicate);
    let next = rig.mint();
    assert_ne!(next, id);
    assert!(next.time() > id.time());
    assert_eq!(rig.verdict(&rig.frame("bath", b"6", &next)), Verdict::Fresh);
}

#[test]
fn strict_a_garbage_frame_burns_the_id() {
    let rig = Rig::new(&keyring("policy = 'strict'"));
    for layout in [Layout::Hex, Layout::Raw] {
        let id = rig.mint();
        let frame = rig.frame("kitchen", b"5", &id);
        let garbage = flip(&rig.sealed(layout, KITCHEN, b"5", &id), 1);
        let garbage = match layout {
            Layout::Hex => [&b"00"[..], &rig.frame("kitchen", b"5", &id)[2..]].concat(),
            _ => garbage,
        };
        assert_eq!(rig.verdict(&garbage), Verdict::Forged);
        assert_eq!(rig.verdict(&frame), Verdict::StaleSession, "{layout:?}");
    }
}

#[test]
fn strict_an_unknown_device_and_a_command_burn_the_id_too() {
    let rig = Rig::new(&keyring("policy = 'strict'"));
    for field in [NodeField::Reading(b"99"), NodeField::Command(b"11242238")] {
        let id = rig.mint();
        let frame = rig.frame("kitchen", b"5", &id);
        assert_ne!(
            rig.verdict(&rig.sealed(Layout::Hex, field, b"5", &id)),
            Verdict::Fresh
        );
        assert_eq!(rig.verdict(&frame), Verdict::StaleSession);
    }
}

#[test]
fn strict_a_new_id_ends_the_one_before() {
    let rig = Rig::new(&keyring("policy = 'strict'"));
    let old = rig.mint();
    rig.clock.pass(INTERVAL);
    let new = rig.mint();
    let frame = rig.frame("kitchen", b"5", &new);
    assert_eq!(
        rig.verdict(&rig.frame("kitchen", b"5", &old)),
        Verdict::StaleSession
    );
    assert_eq!(
        rig.verdict(&frame),
        Verdict::StaleSession,
        "that replay burnt it"
    );
}

/// R3 must hold the pool from the verdict to the end of the session: groups that share the topic
/// come in between.
#[test]
fn strict_threads_share_one_id_for_one_message() {
    use core::fmt::Write;
    let mut text = HEAD.to_owned();
    for other in 0..300 {
        write!(
            text,
            "[[classic_group]]\nname = 'other {other}'\ntopic = 'sensors/+'\nsession_topic = 'other/{other}'\npolicy = 'strict'\n"
        )
        .unwrap();
    }
    text += &keyring("policy = 'strict'")[HEAD.len()..];
    let rig = Rig::new(&text);
    let mut shown = rig.receiver.publications().unwrap();
    for round in 0..400 {
        let payload = shown.last().unwrap().payload.clone();
        let id = rig.id(&payload);
        let frames = [0, 1].map(|_| rig.frame("kitchen", b"5", &id));
        let fresh = AtomicU64::new(0);
        let barrier = Barrier::new(frames.len());
        std::thread::scope(|scope| {
            for frame in &frames {
                scope.spawn(|| {
                    barrier.wait();
                    if rig.verdict(frame) == Verdict::Fresh {
                        fresh.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(fresh.into_inner() <= 1, "round {round}");
        rig.clock.pass(Duration::from_secs(1));
        shown = rig.receiver.publications().unwrap();
        assert_eq!(&*shown.last().unwrap().topic, SESSION_TOPIC);
    }
}

/// Each burnt ID is minted anew at newest + 1: without a pace the times run away from the clock,
/// and followers refuse them (I3).
#[test]
fn strict_a_flood_of_garbage_does_not_drive_the_session_times_into_the_future() {
    let rig = Rig::new(&keyring("policy = 'strict'"));
    let follower = rig.other(false);
    let forged = [&b"00"[..], &rig.frame("kitchen", b"5", &rig.mint())[2..]].concat();
    for _ in 0..6000 {
        rig.open(&forged);
        for publication in rig.receiver.publications().unwrap() {
            follower.hear(&publication.payload);
        }
        rig.clock.pass(ms(10));
    }
    let id = rig.after_a_pause();
    follower.hear(&id.text());
    let ahead = u64::from(id.time()).saturating_sub(rig.clock.wall());
    assert!(ahead <= 30, "{ahead} s ahead after a minute");
    assert_eq!(
        follower.verdict(&rig.frame("kitchen", b"5", &id)),
        Verdict::Fresh
    );
}

#[test]
fn pool_garbage_of_every_kind_consumes_nothing() {
    let rig = Rig::new(&keyring(""));
    let id = rig.mint();
    let frame = rig.frame("kitchen", b"5", &id);
    for bit in 0..frame.len() * 8 {
        let changed = flip(&frame, bit);
        if !same_frame(&frame, &changed) {
            assert_ne!(rig.verdict(&changed), Verdict::Fresh, "bit {bit}");
        }
    }
    assert_eq!(rig.receiver.publications().unwrap(), []);
    assert_eq!(rig.verdict(&frame), Verdict::Fresh);
}

// ---- What it costs, and whatever comes ----

#[test]
fn the_number_of_macs_is_that_of_the_keyring_and_the_sessions() {
    for (extra, candidates) in [("", 1), ("data = 'binary'", 16), ("mac = 'padded'", 1)] {
        let rig = Rig::new(&keyring(extra));
        let expired = rig.mint();
        let stale = rig.frame("kitchen", b"5", &expired);
        rig.clock.pass(LIFE);
        let id = rig.mint();
        // Under each of two key sets: the live session; if it does not fit, the expired one and none.
        let (fits, fits_none) = (candidates, 3 * candidates);
        let fresh = rig.frame("kitchen", b"5", &id);
        let forged = [&b"00"[..], &fresh[2..]].concat();
        let zeros = rig.frame("kitchen", b"", &id);
        let own = rig.frame("attic", &[b'x'; 100], &id);
        let unknown = rig.sealed(Layout::Raw, NodeField::Reading(b"99"), b"5", &id);
        let command = rig.sealed(Layout::Raw, NodeField::Command(b"99"), b"5", &id);
        for (frame, verdict, expected) in [
            (&fresh, Verdict::Fresh, fits + fits_none),
            (&fresh, Verdict::Duplicate, fits + fits_none),
            (&forged, Verdict::Forged, fits_none + fits_none),
            (&zeros, Verdict::Fresh, fits + fits_none),
            (&own, Verdict::Fresh, fits + fits_none),
            (&unknown, Verdict::UnknownDevice, fits + fits_none),
            (&command, Verdict::WrongDirection, fits + fits_none),
            (&stale, Verdict::StaleSession, fits_none + fits_none),
        ] {
            let before = MACS.get();
            assert_eq!(rig.verdict(frame), verdict, "{extra}");
            let spent = MACS.get() - before;
            assert_eq!(spent, expected, "{extra}: {verdict}");
        }
    }
}

#[test]
fn the_number_of_macs_is_the_same_for_any_forgery() {
    for extra in ["", "data = 'binary'", "danger_accept_replays = true"] {
        let rig = Rig::new(&keyring(extra));
        let id = rig.mint();
        rig.clock.pass(INTERVAL);
        rig.mint();
        let fresh = rig.frame("kitchen", b"5", &id);
        let forged = [&b"00"[..], &fresh[2..]].concat();
        let before = MACS.get();
        assert_eq!(rig.verdict(&forged), Verdict::Forged);
        let expected = MACS.get() - before;
        proptest!(cases(64), |(
            raw: bool,
            mut bytes in prop::collection::vec(any::<u8>(), 16 * 6 + 20),
            node in 0_usize..=2,
            data in 0_usize..=3,
            zeros in 0_usize..=48,
        )| {
            let tail = bytes.split_off(16 * 6);
            let end = bytes.len();
            bytes[end - zeros..].fill(0);
            let (iv, rest) = bytes.split_at(16);
            let node = if raw { 1 } else { node };
            let (node, rest) = rest.split_at(16 * node);
            let data = &rest[..16 * data];
            let field = |bytes: &[u8]| match raw {
                true => bytes.to_vec(),
                false => base16ct::lower::encode_string(bytes).into_bytes(),
            };
            let mac = base16ct::lower::encode_string(&tail).into_bytes();
            let frame = [field(iv), field(node), field(data), mac].join(&b","[..]);
            let before = MACS.get();
            prop_assert_eq!(rig.verdict(&frame), Verdict::Forged);
            prop_assert_eq!(MACS.get() - before, expected);
        });
    }
}

#[test]
fn port_frames_cost_one_mac_a_key_set() {
    let rig = Rig::new(&port_keyring("danger_accept_replays = true"));
    let meter = crate::Device::from_keyring(rig.receiver.keyring(), "meter").unwrap();
    let fresh = meter.seal(b"42").unwrap();
    let mut forged = fresh.clone();
    forged[0] = if forged[0] == b'0' { b'1' } else { b'0' };
    for frame in [&fresh, &forged, &fresh] {
        let before = MACS.get();
        rig.receiver.open(frame, Some("meters/1"), false).unwrap();
        assert_eq!(MACS.get() - before, 1);
    }
}

#[test]
fn a_store_that_fails_accepts_nothing_and_the_frame_may_come_again() {
    let rig = Rig::new(&keyring(""));
    let broken = Arc::new(Broken(
        Arc::clone(&rig.store),
        std::sync::atomic::AtomicBool::new(false),
    ));
    let receiver = Receiver::with_clock(
        Arc::clone(rig.receiver.keyring()),
        Arc::clone(&broken) as Arc<dyn Store>,
        true,
        Arc::clone(&rig.clock) as Arc<dyn Clock>,
        Arc::clone(&rig.random) as Arc<dyn Random>,
    )
    .unwrap();
    broken.1.store(true, Ordering::Relaxed);
    assert!(receiver.publications().is_err());
    broken.1.store(false, Ordering::Relaxed);
    let id = rig.id(&receiver.publications().unwrap()[0].payload);
    let frame = rig.frame("kitchen", b"5", &id);
    broken.1.store(true, Ordering::Relaxed);
    let error = receiver.open(&frame, Some(TOPIC), false).unwrap_err();
    assert_eq!(error.code(), "store_failed");
    assert_eq!(receiver.counts(), [0; Verdict::COUNT]);
    broken.1.store(false, Ordering::Relaxed);
    let message = receiver.open(&frame, Some(TOPIC), false).unwrap();
    assert_eq!(message.verdict, Verdict::Fresh);
}

/// A group whose store fails must not swallow what another has to show.
#[test]
fn an_id_that_was_minted_is_shown_though_the_next_group_failed() {
    let text = format!(
        "{HEAD}{}{}",
        group("one", "one/+", "one/session", 1, ""),
        group("two", "two/+", "two/session", 2, ""),
    );
    let rig = Rig::new(&text);
    let store = Arc::new(BrokenFor("two", Arc::clone(&rig.store), AtomicU64::new(1)));
    let receiver = Receiver::with_clock(
        Arc::clone(rig.receiver.keyring()),
        store,
        true,
        Arc::clone(&rig.clock) as Arc<dyn Clock>,
        Arc::clone(&rig.random) as Arc<dyn Random>,
    )
    .unwrap();
    let mut topics = HashSet::new();
    for _ in 0..3 {
        for publication in receiver.publications().unwrap_or_default() {
            topics.insert(publication.topic.to_string());
        }
        rig.clock.pass(ms(200));
    }
    assert_eq!(topics.len(), 2, "{topics:?}");
}

/// Fails on demand.
#[derive(Debug)]
struct Broken(Arc<MemoryStore>, std::sync::atomic::AtomicBool);

impl Store for Broken {
    fn transact(
        &self,
        work: &mut dyn FnMut(
            &mut dyn crate::store::Transaction,
        ) -> Result<(), crate::error::StoreError>,
    ) -> Result<(), crate::error::StoreError> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(crate::error::StoreError::Failed("no disk".to_owned())),
            false => self.0.transact(work),
        }
    }
}

/// Fails the third transaction: loading, the first group's ID, the second group's.
#[derive(Debug)]
struct BrokenFor(&'static str, Arc<MemoryStore>, AtomicU64);

impl Store for BrokenFor {
    fn transact(
        &self,
        work: &mut dyn FnMut(
            &mut dyn crate::store::Transaction,
        ) -> Result<(), crate::error::StoreError>,
    ) -> Result<(), crate::error::StoreError> {
        if self.2.fetch_add(1, Ordering::Relaxed) == 3 {
            return Err(crate::error::StoreError::Failed(self.0.to_owned()));
        }
        self.1.transact(work)
    }
}

// ---- Anything may happen, in any order ----

#[derive(Clone, Debug)]
enum Action {
    Mint,
    Pass(u64),
    Seal {
        node: usize,
        raw: bool,
    },
    Deliver {
        frame: usize,
        retained: bool,
        copy: usize,
    },
    Flip {
        frame: usize,
        bit: usize,
    },
    Garbage,
    ShowOldId(usize),
    Restart(usize),
    Reconnect,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Mint),
        3 => (0_u64..60_000).prop_map(Action::Pass),
        8 => (0_usize..3, any::<bool>()).prop_map(|(node, raw)| Action::Seal { node, raw }),
        12 => (0_usize..6, any::<bool>(), 0_usize..4)
            .prop_map(|(frame, retained, copy)| Action::Deliver { frame, retained, copy }),
        4 => (0_usize..6, any::<usize>()).prop_map(|(frame, bit)| Action::Flip { frame, bit }),
        1 => Just(Action::Garbage),
        2 => any::<usize>().prop_map(Action::ShowOldId),
        1 => (0_usize..2).prop_map(Action::Restart),
        1 => Just(Action::Reconnect),
    ]
}

/// One receiver, and what a simple model expects of it.
struct Side {
    rig: Rig,
    /// When each session ends; one that is not here is dead.
    ends: HashMap<SessionId, Duration>,
    taken: HashMap<SessionId, usize>,
    accepted: HashSet<usize>,
}

impl Side {
    fn new(rig: Rig) -> Self {
        Self {
            rig,
            ends: HashMap::new(),
            taken: HashMap::new(),
            accepted: HashSet::new(),
        }
    }

    fn begin(&mut self, id: SessionId) {
        self.ends.insert(id, self.rig.clock.monotonic() + LIFE);
    }

    fn deliver(
        &mut self,
        index: usize,
        frame: &Sealed,
        bytes: &[u8],
        retained: bool,
        limit: usize,
    ) {
        let now = self.rig.clock.monotonic();
        let lives = self.ends.get(&frame.id).is_some_and(|ends| now < *ends);
        let expected = lives && !self.accepted.contains(&index);
        let message = self
            .rig
            .receiver
            .open(bytes, Some(TOPIC), retained)
            .unwrap();
        assert_eq!(
            message.verdict == Verdict::Fresh,
            expected,
            "{}: {}",
            message.verdict,
            message.reason
        );
        assert_eq!(message.data.is_some(), expected);
        if lives && !expected {
            assert_eq!(message.verdict, Verdict::Duplicate);
        }
        if !lives {
            assert!(
                matches!(
                    message.verdict,
                    Verdict::StaleSession | Verdict::Duplicate | Verdict::Forged
                ),
                "{}",
                message.verdict
            );
        }
        if expected {
            assert_eq!(message.data.as_ref(), Some(&frame.data));
            self.accepted.insert(index);
            let taken = self.taken.entry(frame.id).or_default();
            *taken += 1;
            if *taken == limit {
                self.ends.remove(&frame.id);
            }
        }
    }
}

struct Sealed {
    id: SessionId,
    data: Vec<u8>,
    bytes: Vec<u8>,
}

#[test]
fn whatever_happens_no_frame_is_fresh_twice_and_none_is_lost() {
    proptest!(cases(96), |(
        actions in prop::collection::vec(action(), 1..80),
        limit in prop_oneof![Just(1_usize), Just(3), Just(1000)],
        binary: bool,
    )| {
        let data = if binary { "data = 'binary'" } else { "" };
        let text = keyring(&format!("session_memory = {limit}\n{data}"));
        let authority = Rig::new(&text);
        let follower = authority.other(false);
        let mut sides = [Side::new(authority), Side::new(follower)];
        let mut frames: Vec<Sealed> = Vec::new();
        let mut ids: Vec<SessionId> = Vec::new();
        for action in actions {
            let shown: Vec<Publication> = match action {
                Action::Mint => sides[0].rig.receiver.publications().unwrap(),
                Action::Pass(millis) => {
                    sides[0].rig.clock.pass(ms(millis));
                    Vec::new()
                }
                Action::Seal { node, raw } => {
                    if let Some(&id) = ids.last() {
                        let rig = &sides[0].rig;
                        let data = format!("reading {}", frames.len()).into_bytes();
                        let bytes = rig.frame(["kitchen", "bath", "attic"][node], &data, &id);
                        let bytes = if raw { copies(&bytes).swap_remove(2) } else { bytes };
                        frames.push(Sealed { id, data, bytes });
                    }
                    Vec::new()
                }
                Action::Deliver { frame, retained, copy } => {
                    if let Some(index) = frames.len().checked_sub(frame + 1) {
                        let sealed = &frames[index];
                        let bytes = &copies(&sealed.bytes)[copy];
                        for side in &mut sides {
                            side.deliver(index, sealed, bytes, retained, limit);
                        }
                    }
                    Vec::new()
                }
                Action::Flip { frame, bit } => {
                    if let Some(index) = frames.len().checked_sub(frame + 1) {
                        let bytes = &frames[index].bytes;
                        let changed = flip(bytes, bit % (bytes.len() * 8));
                        for side in &mut sides {
                            if same_frame(bytes, &changed) {
                                side.deliver(index, &frames[index], &changed, false, limit);
                            } else {
                                let verdict = side.rig.verdict(&changed);
                                prop_assert!(
                                    matches!(verdict, Verdict::Forged | Verdict::Malformed),
                                    "{}", verdict
                                );
                            }
                        }
                    }
                    Vec::new()
                }
                Action::Garbage => {
                    for side in &sides {
                        side.rig.hear(b"0123456789abcdef0123456789abcdef");
                    }
                    Vec::new()
                }
                Action::ShowOldId(which) => {
                    if !ids.is_empty() {
                        let id = ids[which % ids.len()];
                        for side in &sides {
                            side.rig.hear(&id.text());
                        }
                    }
                    Vec::new()
                }
                Action::Restart(which) => {
                    sides[which].rig.restart();
                    sides[which].ends.clear();
                    Vec::new()
                }
                Action::Reconnect => {
                    sides[0].rig.receiver.reconnected();
                    Vec::new()
                }
            };
            for publication in shown {
                let id = sides[0].rig.id(&publication.payload);
                for side in &sides {
                    side.rig.hear(&publication.payload);
                }
                if !ids.contains(&id) {
                    // A follower takes none that runs ahead of its clock (I3).
                    let ahead = u64::from(id.time()) > sides[1].rig.clock.wall() + 30;
                    sides[0].begin(id);
                    if !ahead {
                        sides[1].begin(id);
                    }
                }
                ids.retain(|known| *known != id);
                ids.push(id);
            }
        }
    });
}

// ---- Helpers ----

const HEAD: &str = "version = 1\nsession_key = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'\n";
const KITCHEN: NodeField<'static> = NodeField::Reading(b"11242238");

/// A group with keys of its own kind, for each `seed`.
fn group(name: &str, topic: &str, session_topic: &str, seed: u8, extra: &str) -> String {
    format!(
        "[[classic_group]]\nname = \"{name}\"\ntopic = '{topic}'\nsession_topic = '{session_topic}'\n{extra}\n\
         keys.iv_key = {{ text = 'the iv key is {seed:02}' }}\nkeys.data_key = {{ text = 'the data key  {seed:02}' }}\n\
         keys.static_iv = {{ text = 'the static IV {seed:02}' }}\nkeys.passphrase = {{ text = 'a passphrase {seed}' }}\n"
    )
}

fn device(name: &str, group: &str, node_id: &str) -> String {
    format!(
        "[[device]]\nname = '{name}'\nclassic = {{ group = \"{group}\", node_id = '{node_id}' }}\n"
    )
}

/// One group and three nodes; `attic` has keys of its own.
fn keyring(extra: &str) -> String {
    let own = "[[device]]\nname = 'attic'\n[device.classic]\ngroup = \"greenhouse\"\nnode_id = '7'\n\
         keys.iv_key = { text = 'attic: iv_key...' }\nkeys.data_key = { text = 'attic: data_key.' }\n\
         keys.static_iv = { text = 'attic: static_iv' }\nkeys.passphrase = { text = 'attic: passphrase' }\n";
    format!(
        "{HEAD}{}{}{}{own}",
        group("greenhouse", "sensors/+", SESSION_TOPIC, 0, extra),
        device("kitchen", "greenhouse", "11242238"),
        device("bath", "greenhouse", "11242239"),
    )
}

fn port_keyring(extra: &str) -> String {
    let group = group(
        "greenhouse",
        "meters/+",
        SESSION_TOPIC,
        0,
        &format!("layout = 'port'\n{extra}"),
    );
    let group = group.replace(&format!("session_topic = '{SESSION_TOPIC}'\n"), "");
    format!(
        "{HEAD}{group}[[device]]\nname = 'meter'\nclassic = {{ group = 'greenhouse', topic = 'meters/1' }}\n"
    )
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn time(wall: u64) -> u32 {
    u32::try_from(wall).unwrap()
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn flip(frame: &[u8], bit: usize) -> Vec<u8> {
    let mut changed = frame.to_vec();
    changed[bit / 8] ^= 1 << (bit % 8);
    changed
}

/// Whether `changed` differs from `frame`, hex or raw, at most in the case of hex digits.
fn same_frame(frame: &[u8], changed: &[u8]) -> bool {
    let hex = frame
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || *byte == b',');
    let text = if hex { 0 } else { frame.len() - 40 };
    frame[..text] == changed[..text] && frame[text..].eq_ignore_ascii_case(&changed[text..])
}

/// The same frame: as hex, in upper case, as raw, as raw with a MAC in upper case.
fn copies(frame: &[u8]) -> Vec<Vec<u8>> {
    let hex = frame
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || *byte == b',');
    let fields: Vec<Vec<u8>> = if hex {
        frame
            .split(|byte| *byte == b',')
            .take(3)
            .map(|field| base16ct::mixed::decode_vec(field).unwrap())
            .collect()
    } else {
        let end = frame.len() - 41;
        [&frame[..16], &frame[17..33], &frame[34..end]]
            .map(<[u8]>::to_vec)
            .to_vec()
    };
    let mac = frame[frame.len() - 40..].to_ascii_lowercase();
    let digits = fields
        .iter()
        .map(|field| base16ct::lower::encode_string(field).into_bytes())
        .chain([mac.clone()])
        .collect::<Vec<_>>()
        .join(&b","[..]);
    let raw = |mac: Vec<u8>| {
        let fields = fields.iter().cloned().chain([mac]);
        fields.collect::<Vec<_>>().join(&b","[..])
    };
    vec![
        digits.clone(),
        digits.to_ascii_uppercase(),
        raw(mac.clone()),
        raw(mac.to_ascii_uppercase()),
    ]
}

/// A wall clock and a monotonic one that goes with it.
#[derive(Debug)]
struct TestClock {
    wall_offset: AtomicU64,
    nanos: AtomicU64,
}

impl TestClock {
    fn at(wall: u64) -> Arc<Self> {
        Arc::new(Self {
            wall_offset: AtomicU64::new(wall),
            nanos: AtomicU64::new(0),
        })
    }

    fn pass(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap();
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    fn set_wall(&self, wall: u64) {
        let passed = self.monotonic().as_secs();
        self.wall_offset
            .store(wall.wrapping_sub(passed), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> u64 {
        self.wall_offset
            .load(Ordering::Relaxed)
            .wrapping_add(self.monotonic().as_secs())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

/// The same bytes in every run, no two draws alike (splitmix64).
#[derive(Debug, Default)]
struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for chunk in bytes.chunks_mut(8) {
            let step = 0x9e37_79b9_7f4a_7c15;
            let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A receiver, its store, its clock, and nodes that send to it.
struct Rig {
    receiver: Receiver,
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
    random: Arc<Dice>,
    authority: bool,
}

impl Rig {
    fn new(text: &str) -> Self {
        let keyring = Arc::new(Keyring::parse(text).unwrap());
        Self::start(keyring, true, TestClock::at(START), Arc::default())
    }

    fn start(
        keyring: Arc<Keyring>,
        authority: bool,
        clock: Arc<TestClock>,
        random: Arc<Dice>,
    ) -> Self {
        let store = Arc::new(MemoryStore::default());
        let receiver = Receiver::with_clock(
            keyring,
            Arc::clone(&store) as Arc<dyn Store>,
            authority,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&random) as Arc<dyn Random>,
        )
        .unwrap();
        Self {
            receiver,
            store,
            clock,
            random,
            authority,
        }
    }

    /// Another receiver of the same keyring and clock, with a store of its own.
    fn other(&self, authority: bool) -> Self {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        Self::start(
            Arc::clone(self.receiver.keyring()),
            authority,
            clock,
            random,
        )
    }

    /// Another receiver on the same store.
    fn receiver_on(&self, authority: bool) -> Receiver {
        self.receiver_with(Arc::clone(self.receiver.keyring()), authority)
    }

    /// Another receiver on the same store, with another keyring.
    fn receiver_with(&self, keyring: Arc<Keyring>, authority: bool) -> Receiver {
        Receiver::with_clock(
            keyring,
            Arc::clone(&self.store) as Arc<dyn Store>,
            authority,
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::clone(&self.random) as Arc<dyn Random>,
        )
        .unwrap()
    }

    /// Those that the store knows.
    fn sessions(&self) -> Vec<SessionId> {
        let mut known = Vec::new();
        self.store
            .transact(&mut |transaction| {
                known = transaction.sessions("greenhouse")?;
                Ok(())
            })
            .unwrap();
        known
    }

    fn restart(&mut self) {
        self.receiver = self.receiver_on(self.authority);
    }

    fn id(&self, payload: &[u8]) -> SessionId {
        SessionId::verify(self.receiver.keyring().session_key(), payload).unwrap()
    }

    /// What it publishes now: one ID, which is due.
    fn mint(&self) -> SessionId {
        let publications = self.receiver.publications().unwrap();
        assert_eq!(publications.len(), 1);
        self.id(&publications[0].payload)
    }

    /// The next ID, as soon as there is one.
    fn after_a_pause(&self) -> SessionId {
        self.clock.pass(INTERVAL);
        self.mint()
    }

    fn hear(&self, payload: &[u8]) {
        assert!(self.receiver.hear(payload, SESSION_TOPIC, false).unwrap());
    }

    fn hear_retained(&self, payload: &[u8]) {
        assert!(self.receiver.hear(payload, SESSION_TOPIC, true).unwrap());
    }

    fn open(&self, frame: &[u8]) -> Message {
        self.receiver.open(frame, Some(TOPIC), false).unwrap()
    }

    fn verdict(&self, frame: &[u8]) -> Verdict {
        self.open(frame).verdict
    }

    fn retained(&self, frame: &[u8]) -> Verdict {
        self.receiver
            .open(frame, Some(TOPIC), true)
            .unwrap()
            .verdict
    }

    /// What the node of this name sends under `id`.
    fn frame(&self, name: &str, data: &[u8], id: &SessionId) -> Vec<u8> {
        let node = crate::Device::from_keyring(self.receiver.keyring(), name).unwrap();
        assert!(node.hear(&id.text()));
        node.seal(data).unwrap()
    }

    /// A frame under the keys of the first group.
    fn sealed(&self, layout: Layout, field: NodeField<'_>, data: &[u8], id: &SessionId) -> Vec<u8> {
        let keys = &self.receiver.keyring().groups()[0].key_sets[0].keys;
        self.seal_with(keys, layout, field, data, &id.text())
    }

    fn seal_with(
        &self,
        keys: &PreparedKeys,
        layout: Layout,
        field: NodeField<'_>,
        data: &[u8],
        session: &[u8],
    ) -> Vec<u8> {
        let mut iv = [0; 16];
        self.random.fill(&mut iv).unwrap();
        let mut scheme = self.receiver.keyring().groups()[0].scheme;
        (scheme.layout, scheme.danger_accept_replays) = (layout, true);
        danger_seal_with_iv(keys, &scheme, field, data, session, iv).unwrap()
    }

    /// A node field that no honest sender writes.
    fn seal_any_node(&self, node: &[u8], data: &[u8], id: &SessionId) -> Vec<u8> {
        self.seal_by_hand(node, data, data, id)
    }

    /// S3 to S6, with padding of the caller's: `padded` is encrypted, `data` enters the MAC.
    fn seal_by_hand(&self, node: &[u8], padded: &[u8], data: &[u8], id: &SessionId) -> Vec<u8> {
        use crate::primitives::{Aes, HmacSha1, aes_cbc_encrypt};
        let pad = |bytes: &[u8]| {
            let mut blocks = vec![[0; 16]; bytes.len().div_ceil(16)];
            blocks.as_flattened_mut()[..bytes.len()].copy_from_slice(bytes);
            blocks
        };
        let mut iv = [0; 16];
        self.random.fill(&mut iv).unwrap();
        let (iv_key, data_key) = (b"the iv key is 00", b"the data key  00");
        let mut enc_iv = [iv];
        let iv_key = Aes::new(iv_key).unwrap();
        aes_cbc_encrypt(&iv_key, b"the static IV 00", &mut enc_iv);
        let key = Aes::new(data_key).unwrap();
        let (mut enc_node, mut enc_data) = (pad(node), pad(padded));
        aes_cbc_encrypt(&key, &iv, &mut enc_node);
        aes_cbc_encrypt(&key, &iv, &mut enc_data);
        let passphrase = HmacSha1::new(b"a passphrase 0");
        let mut mac = passphrase.start();
        for part in [node, &iv, data, &id.text()] {
            mac.update(part);
        }
        [
            enc_iv.as_flattened(),
            enc_node.as_flattened(),
            enc_data.as_flattened(),
            &mac.finish(),
        ]
        .map(base16ct::lower::encode_string)
        .join(",")
        .into_bytes()
    }
}

fn authority_and_follower() -> (Rig, Rig) {
    let authority = Rig::new(&keyring(""));
    let clock = TestClock::at(START);
    let keyring = Arc::clone(authority.receiver.keyring());
    let follower = Rig::start(keyring, false, clock, Arc::default());
    (authority, follower)
}

/// One of two authorities, and what its broker showed last.
struct Speaker {
    rig: Rig,
    shown: std::cell::Cell<Option<SessionId>>,
}

/// Two authorities on one topic, the second's wall clock `ahead` by so many seconds, each message
/// `delay` steps of 100 ms on its way: how many they publish in 200 s.
fn converse(ahead: u64, delay: usize) -> (usize, Speaker, Speaker) {
    let one = Rig::new(&keyring(""));
    let clock = TestClock::at(START + ahead);
    let random = Arc::clone(&one.random);
    let two = Rig::start(Arc::clone(one.receiver.keyring()), true, clock, random);
    let speakers = [one, two].map(|rig| Speaker {
        rig,
        shown: std::cell::Cell::new(None),
    });
    let mut on_the_way: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut talk = 0;
    for step in 0..2000 {
        for speaker in &speakers {
            for publication in speaker.rig.receiver.publications().unwrap() {
                talk += 1;
                on_the_way.push((step + delay, publication.payload));
            }
        }
        on_the_way.retain(|(due, payload)| {
            let arrives = *due <= step;
            if arrives {
                for speaker in &speakers {
                    speaker.rig.hear(payload);
                    speaker.shown.set(Some(speaker.rig.id(payload)));
                }
            }
            !arrives
        });
        for speaker in &speakers {
            speaker.rig.clock.pass(ms(100));
        }
    }
    let [one, two] = speakers;
    (talk, one, two)
}

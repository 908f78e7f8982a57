//! A sealed device's own end: hellos, welcomes, commands (`SEALED.md`, H1 to H5, C1, E4).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod records;
mod rig;

use espseal::sealed::{Control, Kind, Session, device_session};
use espseal::{Device, DeviceOptions, Keyring, Verdict};
use proptest::prelude::*;
use rig::{
    BEACON, HELLO, Rig, TestRandom, UP, counter, key, provisioned, rig, rig_with, tag, welcomed,
};

// ---- Hello (H1, H2) ----

#[test]
fn the_session_is_derived_from_key_counter_beacon_and_randomness() {
    let rig = rig();
    rig.hear_beacon(BEACON);
    let (session, counter) = rig.hello(Some(BEACON));
    assert_eq!(counter, 1);
    assert_eq!(session, device_session(&key(), 1, &BEACON, &[0; 16]));
}

#[test]
fn a_hello_says_which_firmware_it_is() {
    let rig = rig();
    rig.hear_beacon(BEACON);
    let published = rig.published();
    assert_eq!(
        (&*published[0].topic, published[0].qos, published[0].retain),
        (HELLO, 1, false)
    );
    let hello = rig.uplink(&published[0].payload, &[BEACON]).plaintext;
    assert_eq!(
        hello[16..],
        *concat!("espseal ", env!("CARGO_PKG_VERSION")).as_bytes()
    );
}

#[test]
fn the_first_hello_waits_a_second_for_the_beacon_and_no_longer() {
    let rig = rig();
    rig.device.reconnected();
    assert_eq!(rig.published(), []);
    assert_eq!(rig.device.next_due().unwrap().as_secs_f64(), 1.0);
    rig.clock.pass(0.5);
    rig.hear_beacon(BEACON);
    assert_eq!(rig.device.next_due().unwrap().as_secs_f64(), 0.0);
    rig.hello(Some(BEACON));

    let rig = crate::rig();
    rig.device.reconnected();
    rig.clock.pass(1.0);
    let (session, counter) = rig.hello(None);
    assert_eq!(session, device_session(&key(), counter, &[0; 16], &[0; 16]));
}

#[test]
fn it_says_hello_again_with_the_same_session_a_new_counter_and_longer_pauses() {
    let rig = rig();
    rig.hear_beacon(BEACON);
    let (session, mut last) = rig.hello(Some(BEACON));
    for pause in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
        assert_eq!(rig.device.next_due().unwrap().as_secs_f64(), pause);
        rig.clock.pass(pause - 0.001);
        assert_eq!(rig.published(), []);
        rig.clock.pass(0.001);
        // The authority goes on, too.
        rig.hear_beacon(BEACON);
        let published = rig.published();
        let uplink = rig.uplink(&published[0].payload, &[BEACON]);
        assert_eq!(uplink.plaintext[..16], session);
        assert!(uplink.header.counter > last);
        last = uplink.header.counter;
    }
}

#[test]
fn a_hello_is_bound_to_the_newest_beacon_and_keeps_its_session() {
    let rig = rig();
    rig.hear_beacon(BEACON);
    let (session, _) = rig.hello(Some(BEACON));
    rig.clock.pass(1.0);
    rig.hear_beacon([7; 16]);
    assert_eq!(rig.hello(Some([7; 16])).0, session);
    // Of any age: no host lives that has a newer one.
    rig.clock.pass(10_000.0);
    assert_eq!(rig.hello(Some([7; 16])).0, session);
}

#[test]
fn without_a_beacon_it_takes_no_commands_and_with_one_it_greets_anew() {
    let mut rig = rig();
    rig.clock.pass(1.0);
    let (session, _) = rig.hello(None);
    let welcome = rig.control(Control::Welcome { floor: 500 }, session);
    assert_eq!(welcome.verdict, Verdict::Fresh);
    assert!(rig.device.is_welcomed());
    assert_eq!(rig.published().len(), 1);
    // The same randomness and a wiped counter could have drawn it before.
    let command = rig.command(session, b"unlock");
    assert_eq!(rig.verdict(&command), Verdict::StaleSession);
    let mode = rig.control(Control::SetMode { mode: 3 }, session);
    assert_eq!(
        (mode.verdict, rig.device.mode()),
        (Verdict::StaleSession, 0)
    );
    rig.hear_beacon(BEACON);
    let (next, _) = rig.hello(Some(BEACON));
    assert_ne!(next, session);
    rig.control(Control::Welcome { floor: 500 }, next);
    let command = rig.command(next, b"lock");
    assert_eq!(rig.open(&command).data.as_deref(), Some(&b"lock"[..]));
}

#[test]
fn a_hello_that_waits_without_a_beacon_is_drawn_anew_with_one() {
    let mut rig = rig();
    rig.clock.pass(1.0);
    let (first, _) = rig.hello(None);
    rig.hear_beacon(BEACON);
    let (second, _) = rig.hello(Some(BEACON));
    assert_ne!(first, second);
    // Its welcome comes too late, and is not acknowledged.
    let late = rig.control(Control::Welcome { floor: 9 }, first);
    assert_eq!(late.verdict, Verdict::StaleSession);
    assert_eq!(rig.controls(first), []);
    // A false beacon after that draws no more hellos than a true one.
    rig.hear_beacon([9; 16]);
    assert_eq!(rig.published(), []);
}

#[test]
fn it_draws_a_new_session_every_ten_minutes_and_after_a_reconnect() {
    let (rig, session) = welcomed();
    rig.clock.pass(599.0);
    rig.hear_beacon([1; 16]);
    assert_eq!(rig.published(), []);
    rig.clock.pass(1.0);
    let (second, _) = rig.hello(Some([1; 16]));
    assert_ne!(second, session);
    // Not welcomed yet: a reconnect repeats it.
    rig.device.reconnected();
    assert_eq!(rig.hello(Some([1; 16])).0, second);

    let (rig, session) = welcomed();
    rig.clock.pass(5.0);
    rig.device.reconnected();
    assert_ne!(rig.hello(Some(BEACON)).0, session);
}

#[test]
fn an_empty_message_asks_for_a_hello_once_a_minute() {
    let (mut rig, session) = welcomed();
    assert_eq!(rig.verdict(b""), Verdict::Malformed);
    let (second, _) = rig.hello(Some(BEACON));
    assert_ne!(second, session);
    rig.control(Control::Welcome { floor: 1 }, second);
    assert_eq!(rig.published().len(), 1);
    for _ in 0..59 {
        rig.clock.pass(1.0);
        rig.open(b"");
        assert_eq!(rig.published(), []);
    }
    // What was asked for in between is not forgotten.
    rig.clock.pass(1.0);
    rig.hear_beacon([3; 16]);
    rig.hello(Some([3; 16]));
}

#[test]
fn no_session_repeats_when_the_generator_or_the_counter_does() {
    let session = |beacon: Session, floor: u64| {
        let random = TestRandom {
            fixed: Some([5; 16]),
            ..TestRandom::default()
        };
        let mut rig = rig_with(&provisioned(&key()), None, random);
        rig.become_welcomed(floor);
        rig.device.reconnected();
        rig.clock.pass(1.0);
        rig.hear_beacon(beacon);
        rig.hello(Some(beacon)).0
    };
    let all = [
        session([1; 16], 1),
        session([2; 16], 1),
        session([1; 16], 10),
    ];
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    // A wiped device under the same beacon with the same randomness is the same device.
    assert_eq!(session([1; 16], 1), all[0]);
}

// ---- Readings (H2, H3) ----

#[test]
fn readings_wait_for_the_welcome_or_ten_seconds() {
    let rig = rig();
    let error = rig.device.seal(b"1").unwrap_err();
    assert_eq!(error.code(), "not_welcomed");
    assert!(error.to_string().contains("in 10.0 s"), "{error}");
    rig.clock.pass(4.0);
    // The network came late: they wait from then on, once.
    rig.device.reconnected();
    rig.clock.pass(9.0);
    rig.device.reconnected();
    assert!(rig.device.seal(b"1").is_err());
    rig.clock.pass(1.0);
    assert_eq!(counter(&rig.device.seal(b"1").unwrap()), 1);
}

#[test]
fn a_device_that_holds_nothing_seals_at_once() {
    let options = DeviceOptions {
        hold: std::time::Duration::ZERO,
        ..DeviceOptions::default()
    };
    let device = Device::sealed(provisioned(&key()), options).unwrap();
    assert_eq!(counter(&device.seal(b"1").unwrap()), 1);
}

#[test]
fn readings_are_bound_to_a_young_beacon_until_the_welcome_and_unbound_after() {
    let mut rig = rig();
    rig.hear_beacon(BEACON);
    let (session, _) = rig.hello(Some(BEACON));
    rig.clock.pass(60.0);
    let frame = rig.device.seal(b"21.5").unwrap();
    let uplink = rig.uplink(&frame, &[BEACON]);
    assert_eq!(
        (uplink.session, &*uplink.plaintext),
        (Some(BEACON), &b"21.5"[..])
    );
    // The same beacon again is not younger.
    rig.clock.pass(0.001);
    rig.hear_beacon(BEACON);
    let frame = rig.device.seal(b"21.5").unwrap();
    assert_eq!(rig.uplink(&frame, &[BEACON]).session, None);
    rig.hear_beacon([4; 16]);
    rig.control(Control::Welcome { floor: 1 }, session);
    let frame = rig.device.seal(b"21.5").unwrap();
    assert_eq!(rig.uplink(&frame, &[[4; 16]]).session, None);
}

#[test]
fn the_outbox_gives_what_was_sent_in_order_after_the_acknowledgement() {
    let mut rig = rig();
    rig.hear_beacon(BEACON);
    for reading in [b"1", b"2", b"3"] {
        rig.device.send(reading).unwrap();
    }
    let (session, _) = rig.hello(Some(BEACON));
    let welcome = rig.sealed_control(Control::Welcome { floor: 700 }, session);
    assert_eq!(rig.verdict(&welcome), Verdict::Fresh);
    assert_eq!(rig.device.next_due().unwrap().as_secs_f64(), 0.0);
    let published = rig.published();
    let uplinks: Vec<_> = published
        .iter()
        .inspect(|publication| assert_eq!(&*publication.topic, UP))
        .map(|publication| rig.uplink(&publication.payload, &[session]))
        .collect();
    let acknowledged = Control::Ack { tag: tag(&welcome) };
    assert_eq!(Control::parse(&uplinks[0].plaintext), Some(acknowledged));
    let readings: Vec<&[u8]> = uplinks[1..]
        .iter()
        .map(|uplink| &*uplink.plaintext)
        .collect();
    assert_eq!(readings, [b"1", b"2", b"3"]);
    let counters: Vec<u64> = uplinks.iter().map(|uplink| uplink.header.counter).collect();
    assert_eq!(counters, [700, 701, 702, 703]);
}

#[test]
fn the_outbox_opens_after_ten_seconds_without_a_welcome() {
    let rig = rig();
    rig.device.send(b"1").unwrap();
    rig.clock.pass(1.0);
    rig.hello(None);
    rig.clock.pass(1.0);
    rig.hello(None);
    assert_eq!(rig.device.next_due().unwrap().as_secs_f64(), 2.0);
    rig.clock.pass(8.0);
    let published = rig.published();
    assert_eq!(published.iter().filter(|p| &*p.topic == UP).count(), 1);
}

#[test]
fn what_no_frame_carries_is_refused_and_costs_no_counter() {
    let (rig, _) = welcomed();
    let before = rig.counter();
    let long = vec![0; 16_384 - 36 + 1];
    assert_eq!(rig.device.seal(&long).unwrap_err().code(), "frame_too_long");
    assert_eq!(rig.device.send(&long).unwrap_err().code(), "frame_too_long");
    assert_eq!(rig.device.seal(&long[1..]).unwrap().len(), 16_384);
    assert_eq!(rig.counter(), before + 2);
    for _ in 0..1024 {
        rig.device.send(b"").unwrap();
    }
    assert_eq!(rig.device.send(b"").unwrap_err().code(), "outbox_full");
}

// ---- Welcome (H5) ----

#[test]
fn a_welcome_lifts_the_counter_and_never_lowers_it() {
    let (mut rig, session) = welcomed();
    for (floor, next) in [(5000, 5000), (1, 5002), (0, 5004), (5005, 5006)] {
        rig.control(Control::Welcome { floor }, session);
        // The acknowledgement takes the first.
        let published = rig.published();
        assert_eq!(counter(&published[0].payload), next, "{floor}");
        assert_eq!(rig.counter(), next + 1);
    }
}

#[test]
fn the_last_counter_is_the_last() {
    let (mut rig, session) = welcomed();
    let floor = u64::MAX - 1;
    rig.control(Control::Welcome { floor }, session);
    assert_eq!(counter(&rig.published()[0].payload), u64::MAX - 1);
    assert_eq!(rig.counter(), u64::MAX);
    assert_eq!(
        rig.device.seal(b"1").unwrap_err().code(),
        "counter_exhausted"
    );
    rig.device.send(b"1").unwrap();
    assert_eq!(
        rig.device.publications().unwrap_err().code(),
        "counter_exhausted"
    );
}

#[test]
fn a_welcome_is_acknowledged_as_often_as_it_comes() {
    let (mut rig, session) = welcomed();
    let welcome = rig.sealed_control(Control::Welcome { floor: 1 }, session);
    let late = rig.seal_as(
        1,
        Kind::Control,
        Some(&session),
        &Control::Welcome { floor: 9999 }.to_bytes(),
    );
    assert_eq!(rig.verdict(&welcome), Verdict::Fresh);
    assert_eq!(rig.verdict(&welcome), Verdict::Duplicate);
    assert_eq!(rig.controls(session), [Control::Ack { tag: tag(&welcome) }]);
    assert_eq!(rig.verdict(&welcome), Verdict::Duplicate);
    assert_eq!(rig.controls(session), [Control::Ack { tag: tag(&welcome) }]);
    assert_eq!(rig.verdict(&late), Verdict::Replayed);
    assert_eq!(rig.controls(session), []);
    assert!(rig.counter() < 9999);
}

#[test]
fn the_old_session_ends_with_the_first_command_under_the_new_one() {
    let (mut rig, old) = welcomed();
    let new = next_session(&mut rig);
    // The host knows of the acknowledgement later than the device.
    let before = rig.command(old, b"before");
    let withheld = rig.command(old, b"unlock");
    assert_eq!(rig.verdict(&before), Verdict::Fresh);
    let lock = rig.command(new, b"lock");
    assert_eq!(rig.verdict(&lock), Verdict::Fresh);
    assert_eq!(rig.verdict(&withheld), Verdict::StaleSession);
    assert_eq!(rig.verdict(&before), Verdict::StaleSession);
}

#[test]
fn a_mode_under_the_new_session_ends_the_old_one_too() {
    let (mut rig, old) = welcomed();
    let new = next_session(&mut rig);
    let withheld = rig.sealed_control(Control::SetMode { mode: 1 }, old);
    rig.control(Control::SetMode { mode: 2 }, new);
    assert_eq!(rig.verdict(&withheld), Verdict::StaleSession);
    assert_eq!(rig.device.mode(), 2);
}

#[test]
fn the_old_session_ends_after_a_minute() {
    let (mut rig, old) = welcomed();
    rig.device.reconnected();
    let (new, _) = rig.hello(Some(BEACON));
    let (command, withheld) = (rig.command(old, b"1"), rig.command(old, b"2"));
    rig.clock.pass(30.0);
    rig.control(Control::Welcome { floor: 1 }, new);
    // From the hello on, not from the welcome.
    rig.clock.pass(29.9);
    assert_eq!(rig.verdict(&command), Verdict::Fresh);
    rig.clock.pass(0.1);
    assert_eq!(rig.verdict(&withheld), Verdict::StaleSession);
}

#[test]
fn an_old_session_is_not_made_current_again_by_its_welcome() {
    let (mut rig, old) = welcomed();
    let welcome = rig.sealed_control(Control::Welcome { floor: 1 }, old);
    next_session(&mut rig);
    assert_eq!(rig.verdict(&welcome), Verdict::StaleSession);
    assert_eq!(rig.controls(old), []);
}

#[test]
fn a_command_that_comes_after_eleven_minutes_is_stale_welcomed_anew_or_not() {
    for welcomed_anew in [true, false] {
        let (mut rig, session) = welcomed();
        let command = rig.command(session, b"unlock");
        rig.clock.pass(600.0);
        rig.hear_beacon([1; 16]);
        let (new, _) = rig.hello(Some([1; 16]));
        if welcomed_anew {
            rig.control(Control::Welcome { floor: 1 }, new);
        }
        rig.clock.pass(60.0);
        assert_eq!(rig.verdict(&command), Verdict::StaleSession);
        assert_eq!(rig.open(&command).data, None);
    }
}

#[test]
fn the_last_eight_sessions_are_stale_and_older_ones_forged() {
    let (mut rig, mut session) = welcomed();
    let mut commands = Vec::new();
    for _ in 0..12 {
        commands.push(rig.command(session, b"x"));
        session = next_session(&mut rig);
    }
    let first = rig.command(session, b"first");
    assert_eq!(rig.verdict(&first), Verdict::Fresh);
    let verdicts: Vec<Verdict> = commands
        .iter()
        .map(|command| rig.verdict(command))
        .collect();
    assert_eq!(verdicts[..4], [Verdict::Forged; 4]);
    assert_eq!(verdicts[4..], [Verdict::StaleSession; 8]);
}

// ---- Commands (C1) ----

#[test]
fn a_command_is_taken_once_and_acknowledged_again() {
    let (mut rig, session) = welcomed();
    let command = rig.command(session, b"relay=on");
    let message = rig.open(&command);
    assert_eq!(
        (message.verdict, message.data.as_deref()),
        (Verdict::Fresh, Some(&b"relay=on"[..]))
    );
    assert_eq!(message.device.as_deref(), Some("kitchen"));
    let acknowledged = [Control::Ack { tag: tag(&command) }];
    assert_eq!(rig.controls(session), acknowledged);
    let copy = rig.open(&command);
    assert_eq!((copy.verdict, copy.data), (Verdict::Duplicate, None));
    assert_eq!(rig.controls(session), acknowledged);
    // In text armor it is the same frame.
    let armored = espseal::sealed::armor(&command);
    assert_eq!(rig.verdict(armored.as_bytes()), Verdict::Duplicate);
}

#[test]
fn there_is_no_window() {
    let (mut rig, session) = welcomed();
    let [five, six, seven] =
        [b"unlock", b"closed", b"locked"].map(|data| rig.command(session, data));
    assert_eq!(rig.verdict(&six), Verdict::Fresh);
    assert_eq!(rig.verdict(&seven), Verdict::Fresh);
    rig.published();
    for old in [&five, &six] {
        let message = rig.open(old);
        assert_eq!((message.verdict, message.data), (Verdict::Replayed, None));
    }
    assert_eq!(rig.published(), []);
    // The counter of the head in another frame is not the head.
    let twin = rig.seal_as(counter(&seven), Kind::Data, Some(&session), b"unlock");
    assert_eq!(rig.verdict(&twin), Verdict::Replayed);
    assert_eq!(rig.controls(session), []);
}

#[test]
fn what_is_not_for_it_is_refused() {
    let (mut rig, session) = welcomed();
    let unbound = rig.seal(Kind::Data, None, b"unlock");
    assert_eq!(rig.verdict(&unbound), Verdict::StaleSession);
    let reading = rig.device.seal(b"21.5").unwrap();
    assert_eq!(rig.verdict(&reading), Verdict::WrongDirection);
    let mut other = rig.command(session, b"on");
    other[4] ^= 1;
    assert_eq!(rig.verdict(&other), Verdict::UnknownDevice);
    let mut other = rig.command(session, b"on");
    other[3] ^= 1;
    assert_eq!(rig.verdict(&other), Verdict::WrongEpoch);
    let strange = rig.command([0; 16], b"on");
    assert_eq!(rig.verdict(&strange), Verdict::Forged);
    // What was flipped verifies nowhere, and the head stays where it was.
    let command = rig.command(session, b"on");
    for at in 12..command.len() {
        let mut flipped = command.clone();
        flipped[at] ^= 0x10;
        let verdict = rig.verdict(&flipped);
        assert_eq!(verdict, Verdict::Forged, "{at}");
    }
    assert_eq!(rig.published(), []);
    assert_eq!(rig.verdict(&command), Verdict::Fresh);
}

#[test]
fn nothing_is_taken_under_a_session_that_waits_for_its_welcome() {
    let (mut rig, _) = welcomed();
    rig.device.reconnected();
    let (pending, _) = rig.hello(Some(BEACON));
    let command = rig.command(pending, b"on");
    assert_eq!(rig.verdict(&command), Verdict::StaleSession);
    let nonsense = rig.seal(Kind::Control, Some(&pending), b"\x63");
    assert_eq!(rig.verdict(&nonsense), Verdict::StaleSession);
}

#[test]
fn whatever_comes_gets_a_verdict() {
    let (mut rig, session) = welcomed();
    let good = rig.command(session, b"on");
    for length in 0..good.len() {
        assert_ne!(rig.verdict(&good[..length]), Verdict::Fresh);
    }
    for payload in [
        &b"9Q"[..],
        b"9Q==",
        b"\xf5",
        b"hello",
        &[0xf5; 20_000],
        &[b'9'; 59],
    ] {
        assert_eq!(rig.verdict(payload), Verdict::Malformed);
    }
    assert_eq!(rig.verdict(&good), Verdict::Fresh);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_are_taken_that_the_host_did_not_seal(
        mut noise in prop::collection::vec(any::<u8>(), 0..200),
        header in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut rig, session) = welcomed();
        let good = rig.command(session, b"unlock the door");
        if header && noise.len() > 20 {
            noise[..20].copy_from_slice(&good[..20]);
        }
        prop_assert_ne!(rig.verdict(&noise), Verdict::Fresh);
        let mut changed = good.clone();
        for (at, byte) in changes {
            changed[at.index(good.len())] = byte;
        }
        changed.truncate(good.len() - cut.index(2));
        prop_assert_eq!(rig.verdict(&changed) == Verdict::Fresh, changed == good);
        prop_assert_eq!(rig.device.epoch(), Some(0));
    }
}

// ---- Control ----

#[test]
fn the_mode_is_set_and_told() {
    let (mut rig, session) = welcomed();
    let set = rig.sealed_control(Control::SetMode { mode: 7 }, session);
    let message = rig.open(&set);
    assert_eq!((message.verdict, message.data), (Verdict::Fresh, None));
    assert_eq!(rig.device.mode(), 7);
    assert_eq!(rig.controls(session), [Control::Ack { tag: tag(&set) }]);
    let query = rig.sealed_control(Control::QueryMode, session);
    let told = [Control::Ack { tag: tag(&query) }, Control::Mode { mode: 7 }];
    for expected in [Verdict::Fresh, Verdict::Duplicate] {
        assert_eq!(rig.verdict(&query), expected);
        assert_eq!(rig.controls(session), told);
    }
    // A copy that was held back sets nothing.
    rig.device.set_mode(1).unwrap();
    assert_eq!(rig.verdict(&set), Verdict::Replayed);
    assert_eq!(rig.device.mode(), 1);
}

#[test]
fn bodies_that_do_not_parse_are_counted_and_not_acknowledged() {
    let (mut rig, session) = welcomed();
    let bodies: [&[u8]; 9] = [
        b"",
        b"\x00",
        b"\x63",
        b"\x01",
        b"\x01\x00\x01\x00",
        b"\x03\x00",
        b"\x05",
        b"\x06\x01",
        &[2; 17],
    ];
    for (count, body) in bodies.into_iter().enumerate() {
        assert_eq!(rig.device.ignored(), count as u64);
        let frame = rig.seal(Kind::Control, Some(&session), body);
        let message = rig.open(&frame);
        assert_eq!(
            (message.verdict, message.data),
            (Verdict::Fresh, None),
            "{body:?}"
        );
    }
    assert_eq!(rig.device.ignored(), 9);
    assert_eq!(rig.published(), []);
    assert_eq!(rig.device.epoch(), Some(0));
}

#[test]
fn a_ratchet_is_acknowledged_under_the_new_epoch() {
    let (mut rig, session) = welcomed();
    let unsent = rig.command(session, b"on");
    rig.open(&unsent);
    let ratchet = rig.sealed_control(Control::Ratchet { epoch: 2 }, session);
    let of_old_epoch = rig.command(session, b"off");
    assert_eq!(rig.verdict(&ratchet), Verdict::Fresh);
    assert_eq!(rig.device.epoch(), Some(2));
    rig.ratcheted(2);
    let acks = [&unsent, &ratchet].map(|frame| Control::Ack { tag: tag(frame) });
    assert_eq!(rig.controls(session), acks);
    assert_eq!(rig.verdict(&of_old_epoch), Verdict::WrongEpoch);
    assert_eq!(rig.verdict(&ratchet), Verdict::WrongEpoch);
    // At or below its epoch it is acknowledged and changes nothing.
    for epoch in [2, 0] {
        let again = rig.sealed_control(Control::Ratchet { epoch }, session);
        assert_eq!(rig.verdict(&again), Verdict::Fresh);
        assert_eq!(rig.controls(session), [Control::Ack { tag: tag(&again) }]);
        assert_eq!(rig.device.epoch(), Some(2));
    }
    let command = rig.command(session, b"go on");
    assert_eq!(rig.verdict(&command), Verdict::Fresh);
}

#[test]
fn a_ratchet_of_more_than_three_steps_is_refused() {
    let (mut rig, session) = welcomed();
    for epoch in [4, u16::MAX] {
        let far = rig.control(Control::Ratchet { epoch }, session);
        assert_eq!(far.verdict, Verdict::WrongEpoch);
    }
    assert_eq!(
        (rig.device.epoch(), rig.controls(session)),
        (Some(0), vec![])
    );
    let near = rig.control(Control::Ratchet { epoch: 3 }, session);
    assert_eq!(
        (near.verdict, rig.device.epoch()),
        (Verdict::Fresh, Some(3))
    );
}

#[test]
fn the_last_epoch_is_reached_and_not_passed() {
    let given = espseal::keyring::Provision {
        epoch: 65_534,
        ..provisioned(&key())
    };
    let mut rig = rig_with(&given, None, TestRandom::default());
    let session = rig.become_welcomed(1);
    rig.control(Control::Ratchet { epoch: 65_535 }, session);
    rig.ratcheted(1);
    assert_eq!(rig.device.epoch(), Some(65_535));
    let again = rig.control(Control::Ratchet { epoch: 0 }, session);
    assert_eq!(
        (again.verdict, rig.device.epoch()),
        (Verdict::Fresh, Some(65_535))
    );
}

// ---- Of a keyring ----

const KEYRING: &str = r#"version = 1
session_key = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

[[fleet]]
name = "house"
key = { hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" }

[[classic_group]]
name = "old"
topic = "sensors/+"
session_topic = "sensors/session"

[classic_group.keys]
iv_key = { text = "QzWxEcRvTbYnUmIk" }
data_key = { hex = "8d0c5b7e21f94a36d8b7c01e53af6924" }
static_iv = { text = "pLoKiJuHyGtFrDeS" }
passphrase = { text = "Kd7! wvPq0: zzyx 3 words" }

[[device]]
name = "kitchen"
sealed = { fleet = "house", address = "0011223344556677", minimum_epoch = 2 }
classic = { group = "old", node_id = "11242238" }

[[device]]
name = "attic"
classic = { group = "old", node_id = "5" }
"#;

#[test]
fn a_keyring_has_what_a_device_is_provisioned_with() {
    use espseal::Format;
    let keyring = Keyring::parse(KEYRING).unwrap();
    let device = Device::from_keyring(&keyring, "kitchen").unwrap();
    assert_eq!((device.format(), device.epoch()), (Format::Sealed, Some(2)));
    assert_eq!(device.address(), Some(rig::ADDRESS));
    let topics = [
        device.topic(),
        device.hello_topic(),
        device.down_topic(),
        device.beacon_topic(),
    ]
    .map(|topic| topic.unwrap().to_string());
    assert_eq!(topics[..2], [UP, HELLO]);
    assert_eq!(
        topics[2..],
        ["espseal/0011223344556677/down", "espseal/house/beacon"]
    );
    let subscriptions: Vec<String> = device
        .subscriptions()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(subscriptions, [topics[3].as_str(), topics[2].as_str()]);

    let with = |name, format| {
        Device::from_keyring_with(&keyring, name, Some(format), DeviceOptions::default())
    };
    let classic = with("kitchen", Format::Classic).unwrap();
    assert_eq!(classic.format(), Format::Classic);
    assert_eq!(
        classic.session_topic().map(|topic| &**topic),
        Some("sensors/session")
    );
    assert_eq!(
        with("attic", Format::Sealed).unwrap_err().code(),
        "wrong_format"
    );
    assert_eq!(
        Device::from_keyring(&keyring, "cellar").unwrap_err().code(),
        "unknown_name"
    );
}

#[test]
fn what_one_format_has_the_other_refuses() {
    let keyring = Keyring::parse(KEYRING).unwrap();
    let sealed = Device::from_keyring(&keyring, "kitchen").unwrap();
    let classic = Device::from_keyring(&keyring, "attic").unwrap();
    for code in [
        sealed.seal_to(b"5", b"x").unwrap_err().code(),
        sealed.draw_command_session().unwrap_err().code(),
        classic.send(b"x").unwrap_err().code(),
        classic.set_mode(1).unwrap_err().code(),
    ] {
        assert_eq!(code, "wrong_format");
    }
    assert_eq!(
        (classic.next_due(), classic.publications().unwrap()),
        (None, vec![])
    );
    assert_eq!(
        format!("{sealed:?}"),
        r#"Device { name: "kitchen", format: Sealed, .. }"#
    );
}

// ---- Vectors ----

#[test]
fn sessions_are_those_of_the_vectors() {
    let records = records::read("sealed_keys.txt");
    let mut reached = 0;
    for record in records
        .iter()
        .filter(|record| record.text("derive") == "session")
    {
        let counter = u64::from_be_bytes(record.bytes("counter").try_into().unwrap());
        let beacon: Session = record.bytes("beacon").try_into().unwrap();
        let key = espseal::key::DeviceKey::new(&record.bytes("device_key")).unwrap();
        let random = TestRandom {
            fixed: Some(record.bytes("random").try_into().unwrap()),
            ..TestRandom::default()
        };
        let mut rig = rig_with(&provisioned(&key), None, random);
        // Lifted so that the next hello has this counter; the acknowledgement has the one before.
        if counter > 2 {
            rig.become_welcomed(counter - 1);
            rig.device.reconnected();
            rig.clock.pass(61.0);
        } else if counter == 2 {
            rig.clock.pass(10.0);
            rig.device.seal(b"1").unwrap();
        } else {
            rig.clock.pass(10.0);
        }
        let bound = (beacon != [0; 16]).then_some(beacon);
        if let Some(beacon) = bound {
            rig.hear_beacon(beacon);
        }
        let (session, of) = rig.hello(bound);
        assert_eq!(of, counter, "{}", record.name());
        assert_eq!(
            session.to_vec(),
            record.bytes("session"),
            "{}",
            record.name()
        );
        reached += 1;
    }
    assert!(reached >= 3, "{reached}");
}

#[test]
fn readings_are_those_of_the_vectors() {
    let mut reached = 0;
    for record in records::read("sealed_seal.txt") {
        let counter = || u64::from_be_bytes(record.bytes("counter").try_into().unwrap());
        let reachable = record.text("expect") == "sealed"
            && (record.text("direction"), record.text("kind")) == ("uplink", "data")
            && record.text("session").is_empty()
            && record.text("context").is_empty()
            && record.optional("plaintext").is_some()
            && record.optional("frame").is_some()
            && record.optional("device_key").is_some()
            && counter() > 2;
        if !reachable {
            continue;
        }
        let address = record.text("address").to_owned();
        let given = espseal::keyring::Provision {
            address: espseal::sealed::Address::parse(&address).unwrap(),
            epoch: record.text("epoch").parse().unwrap(),
            ..provisioned(&espseal::key::DeviceKey::new(&record.bytes("device_key")).unwrap())
        };
        let mut rig = rig_with(&given, None, TestRandom::default());
        rig.become_welcomed(counter() - 1);
        let frame = rig.device.seal(&record.bytes("plaintext")).unwrap();
        assert_eq!(frame, record.bytes("frame"), "{}", record.name());
        reached += 1;
    }
    assert!(reached >= 3, "{reached}");
}

#[test]
fn command_heads_are_those_of_the_vectors() {
    for record in records::read("sealed_head.txt") {
        let (mut rig, mut session) = welcomed();
        let steps = record.text("counters").split(' ');
        let mut count = 0;
        for (step, expected) in steps.zip(record.text("expect").split(' ')) {
            count += 1;
            if step == "session" {
                assert_eq!(expected, "-");
                rig.downlink_counter = 0;
                session = next_session(&mut rig);
                continue;
            }
            let counter = after_welcome(step).unwrap();
            let command = rig.seal_as(counter, Kind::Data, Some(&session), b"on");
            let message = rig.open(&command);
            assert_eq!(message.verdict.code(), expected, "{} {step}", record.name());
            assert_eq!(message.data.is_some(), expected == "fresh");
            // Fresh and duplicate are acknowledged, and nothing else.
            let acknowledged = [Control::Ack { tag: tag(&command) }];
            let acknowledged = &acknowledged[usize::from(expected == "replayed")..];
            assert_eq!(
                rig.controls(session),
                acknowledged,
                "{} {step}",
                record.name()
            );
        }
        assert_eq!(count, record.text("expect").split(' ').count());
        if let Some(head) = after_welcome(record.text("head_after")) {
            let again = rig.seal_as(head, Kind::Data, Some(&session), b"on");
            assert_eq!(rig.verdict(&again), Verdict::Duplicate, "{}", record.name());
            if let Some(below) = head.checked_sub(1).filter(|below| *below > 1) {
                let below = rig.seal_as(below, Kind::Data, Some(&session), b"on");
                assert_eq!(rig.verdict(&below), Verdict::Replayed, "{}", record.name());
            }
        } else {
            let first = rig.seal_as(2, Kind::Data, Some(&session), b"on");
            assert_eq!(rig.verdict(&first), Verdict::Fresh, "{}", record.name());
        }
    }
}

/// The welcome of a session has its counter 1: the vectors' heads begin behind it.
fn after_welcome(counter: &str) -> Option<u64> {
    let counter = u64::from_str_radix(counter, 16).ok()?;
    Some(counter + u64::from(counter < 1 << 20))
}

#[test]
fn control_bodies_do_what_the_vectors_say() {
    let records = records::read("sealed_control.txt");
    for record in records
        .iter()
        .filter(|record| record.text("kind") == "control")
    {
        let (mut rig, session) = welcomed();
        let body = record.bytes("plaintext");
        let frame = rig.seal(Kind::Control, Some(&session), &body);
        let verdict = rig.verdict(&frame);
        let opcode = match record.text("expect") {
            "parsed" => record.text("opcode"),
            ignored => ignored,
        };
        let counted = u64::from(matches!(opcode, "ignored" | "ack" | "mode"));
        assert_eq!(rig.device.ignored(), counted, "{}", record.name());
        let acknowledged = Control::Ack { tag: tag(&frame) };
        match opcode {
            "ratchet" => {
                let target: u16 = record.text("epoch").parse().unwrap();
                let reached = if target > 3 { 0 } else { target };
                let expected = [Verdict::Fresh, Verdict::WrongEpoch][usize::from(target > 3)];
                assert_eq!((verdict, rig.device.epoch()), (expected, Some(reached)));
                rig.ratcheted(reached);
                let answers = usize::from(target <= 3);
                assert_eq!(
                    rig.controls(session),
                    vec![acknowledged; answers],
                    "{}",
                    record.name()
                );
                continue;
            }
            "set_mode" => assert_eq!(vec![rig.device.mode()], record.bytes("mode")),
            "welcome" => {
                let floor = u64::from_be_bytes(record.bytes("floor").try_into().unwrap());
                let published = rig.published();
                assert_eq!(
                    counter(&published[0].payload),
                    floor.max(3),
                    "{}",
                    record.name()
                );
                continue;
            }
            "query_mode" => {
                let told = [acknowledged, Control::Mode { mode: 0 }];
                assert_eq!(rig.controls(session), told);
                continue;
            }
            "ignored" | "ack" | "mode" => {
                assert_eq!((verdict, rig.controls(session)), (Verdict::Fresh, vec![]));
                continue;
            }
            other => panic!("{other}"),
        }
        assert_eq!(
            (verdict, rig.controls(session)),
            (Verdict::Fresh, vec![acknowledged])
        );
    }
}

/// Ten minutes later it greets, and is welcomed under a new session.
fn next_session(rig: &mut Rig) -> Session {
    rig.device.reconnected();
    rig.hear_beacon(BEACON);
    let (session, _) = rig.hello(Some(BEACON));
    rig.control(Control::Welcome { floor: 1 }, session);
    rig.published();
    session
}

//! Sealed devices: one behaviour, whichever store.

use super::tests::Reopened;
use super::{
    Beacons, Contact, CurrentSession, DEVICE_SESSIONS_KEPT, DeviceSessions, Held, Lease, Overlap,
    PendingSession, SealedDevice, Store, Transaction,
};
use crate::classic::SessionId;
use crate::error::StoreError;
use crate::sealed::{Address, Session, Window};
use crate::verdict::Verdict;

/// Runs each of these on every store.
macro_rules! every_store {
    ($($behaviour:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $behaviour() {
                super::$behaviour(&super::super::MemoryStore::default());
            })+
        }
        mod sqlite {
            $(#[test] fn $behaviour() {
                super::$behaviour(&super::Reopened::new().store());
            })+
        }
        /// Closed and opened again after every transaction.
        mod sqlite_reopened {
            $(#[test] fn $behaviour() { super::$behaviour(&super::Reopened::new()); })+
        }
    };
}

every_store![
    a_device_is_what_was_put,
    sessions_are_what_was_put,
    no_downlink_counter_is_given_twice,
    contact_begins_once,
    a_restored_store_has_floors_and_no_session,
    beacons_are_known_until_they_are_dropped,
    a_lease_is_taken_and_given_back,
    what_is_held_is_known_until_it_is_released,
    counts_add_up,
];

const A: Address = Address::new([0xff; 8]);
const B: Address = Address::new([0, 0, 0, 0, 0, 0, 0, 1]);

fn a_device_is_what_was_put(store: &dyn Store) {
    assert_eq!(on(store, |t| t.sealed_device(A)), None);
    let mut devices = [device(u64::MAX, 1), device(1, u64::MAX)];
    devices[0].overlap = Some(Overlap {
        from: u16::MAX,
        until: u64::MAX,
    });
    for (address, device) in [A, B].into_iter().zip(&devices) {
        on(store, |t| t.put_sealed_device(address, device));
    }
    for (address, device) in [A, B].into_iter().zip(devices) {
        assert_eq!(on(store, |t| t.sealed_device(address)), Some(device));
    }
    let later = SealedDevice {
        open: false,
        epoch: 9,
        ..device(5, 3)
    };
    on(store, |t| t.put_sealed_device(A, &later));
    assert_eq!(on(store, |t| t.sealed_device(A)), Some(later));
}

fn sessions_are_what_was_put(store: &dyn Store) {
    assert_eq!(
        on(store, |t| t.device_sessions(A)),
        DeviceSessions::default()
    );
    let all = DeviceSessions {
        current: Some(CurrentSession {
            session: session(0),
            acknowledged: u64::MAX,
        }),
        pending: vec![pending(2, 0), pending(1, 3)],
        expired: vec![session(9), session(7), session(8)],
    };
    on(store, |t| t.put_device_sessions(A, &all));
    assert_eq!(on(store, |t| t.device_sessions(A)), all);
    let fewer = DeviceSessions {
        pending: vec![pending(3, 1)],
        ..DeviceSessions::default()
    };
    on(store, |t| t.put_device_sessions(A, &fewer));
    assert_eq!(on(store, |t| t.device_sessions(A)), fewer);
    assert_eq!(
        on(store, |t| t.device_sessions(B)),
        DeviceSessions::default()
    );
}

fn no_downlink_counter_is_given_twice(store: &dyn Store) {
    let mut last = [0, 0];
    for _ in 0..40 {
        for (address, last) in [A, B].into_iter().zip(&mut last) {
            let mut counter = None;
            store
                .transact_durably(&mut |t| {
                    counter = t.next_downlink(address)?;
                    Ok(())
                })
                .unwrap();
            assert!(counter > Some(*last), "{counter:?} after {last}");
            *last = counter.unwrap();
        }
    }
}

fn contact_begins_once(store: &dyn Store) {
    let first = Contact {
        since: 7,
        generation: 1,
    };
    for wall in [7, 8, 0] {
        assert_eq!(on(store, |t| t.contact(wall)), first);
    }
    on(store, |t| t.mark_restored(5));
    let again = Contact {
        since: 5,
        generation: 2,
    };
    assert_eq!(on(store, |t| t.contact(9)), again);
}

fn a_restored_store_has_floors_and_no_session(store: &dyn Store) {
    let before = device(100, 5);
    let sessions = DeviceSessions {
        current: Some(CurrentSession {
            session: session(0),
            acknowledged: 9,
        }),
        pending: vec![pending(1, 1)],
        expired: vec![session(2)],
    };
    for address in [A, B] {
        on(store, |t| t.put_sealed_device(address, &before));
        on(store, |t| t.put_device_sessions(address, &sessions));
    }
    on(store, |t| t.hold(&held(A, 1)));
    on(store, |t| t.mark_restored(5));
    for address in [A, B] {
        let floor = SealedDevice {
            open: false,
            ..before
        };
        assert_eq!(on(store, |t| t.sealed_device(address)), Some(floor));
        let expired = DeviceSessions {
            expired: vec![session(2), session(1), session(0)],
            ..DeviceSessions::default()
        };
        assert_eq!(on(store, |t| t.device_sessions(address)), expired);
    }
    assert_eq!(on(store, |t| t.held()), []);
}

fn beacons_are_known_until_they_are_dropped(store: &dyn Store) {
    assert_eq!(on(store, |t| t.beacons("farm")), Beacons::default());
    for time in [5, 9, 5, 7] {
        assert!(on(store, |t| t.add_beacon("farm", &beacon(time))));
    }
    let mut beacons = on(store, |t| t.beacons("farm"));
    beacons.known.sort_unstable();
    assert_eq!(beacons.known, [beacon(5), beacon(7), beacon(9)]);
    assert_eq!((beacons.newest, beacons.bar), (Some(9), None));
    on(store, |t| t.drop_beacon("farm", &beacon(7)));
    on(store, |t| t.drop_beacon("farm", &beacon(5)));
    let beacons = on(store, |t| t.beacons("farm"));
    assert_eq!(beacons.known, [beacon(9)]);
    assert_eq!((beacons.newest, beacons.bar), (Some(9), Some(7)));
    // What may have been known and dropped stays away; what is newer comes.
    assert!(!on(store, |t| t.add_beacon("farm", &beacon(7))));
    assert!(on(store, |t| t.add_beacon("farm", &beacon(9))));
    assert!(on(store, |t| t.add_beacon("farm", &beacon(8))));
    // Neither another fleet nor a classic group of the same name.
    assert_eq!(on(store, |t| t.beacons("shed")), Beacons::default());
    assert_eq!(on(store, |t| t.sessions("farm")), []);
    on(store, |t| t.drop_beacon("shed", &beacon(3)));
    assert_eq!(on(store, |t| t.beacons("shed")).bar, Some(3));
}

fn a_lease_is_taken_and_given_back(store: &dyn Store) {
    assert_eq!(on(store, |t| t.lease("farm")), None);
    on(store, |t| t.add_beacon("farm", &beacon(5)).map(drop));
    assert_eq!(on(store, |t| t.lease("farm")), None);
    for until in [9, u64::MAX] {
        let lease = Lease {
            holder: [7; 16],
            until,
        };
        on(store, |t| t.put_lease("farm", Some(&lease)));
        assert_eq!(on(store, |t| t.lease("farm")), Some(lease));
    }
    assert_eq!(on(store, |t| t.lease("shed")), None);
    on(store, |t| t.put_lease("farm", None));
    assert_eq!(on(store, |t| t.lease("farm")), None);
    assert_eq!(on(store, |t| t.beacons("farm")).newest, Some(5));
}

fn what_is_held_is_known_until_it_is_released(store: &dyn Store) {
    for (address, tag) in [(A, 1), (A, 2), (B, 1), (A, 1)] {
        on(store, |t| t.hold(&held(address, tag)));
    }
    on(store, |t| t.release(&held(A, 1)));
    on(store, |t| t.release(&held(B, 2)));
    let mut all = on(store, |t| t.held());
    all.sort_unstable();
    assert_eq!(all, [held(B, 1), held(A, 2)]);
}

fn counts_add_up(store: &dyn Store) {
    let mut counts = [0; Verdict::COUNT];
    assert_eq!(on(store, |t| t.counts()), counts);
    counts[Verdict::Fresh.index()] = 3;
    counts[Verdict::Malformed.index()] = 1;
    on(store, |t| t.add_counts(&counts));
    on(store, |t| t.add_counts(&counts));
    let total = on(store, |t| t.counts());
    assert_eq!(total, counts.map(|count| 2 * count));
    on(store, |t| t.add_device_counts(A, &counts));
    on(store, |t| t.add_device_counts(A, &counts));
    assert_eq!(on(store, |t| t.device_counts(A)), total);
    assert_eq!(on(store, |t| t.device_counts(B)), [0; Verdict::COUNT]);
    assert_eq!(on(store, |t| t.counts()), total);
}

#[test]
fn a_copy_of_a_memory_store_is_another_store() {
    let store = super::MemoryStore::default();
    on(&store, |t| t.put_sealed_device(A, &device(1, 1)));
    let backup = store.clone();
    on(&store, |t| t.put_sealed_device(A, &device(2, 1)));
    assert_eq!(on(&backup, |t| t.sealed_device(A)), Some(device(1, 1)));
}

// ---- The sessions of a device ----

#[test]
fn the_acknowledgement_of_a_welcome_makes_its_session_the_current_one() {
    let mut sessions = DeviceSessions::default();
    let current = |sessions: &DeviceSessions| sessions.current.map(|current| current.session);
    sessions.drawn(session(1));
    sessions.drawn(session(2));
    sessions.welcomed(session(1), [1; 16]);
    sessions.welcomed(session(2), [2; 16]);
    for (of, tag) in [(9, 1), (1, 9), (1, 2), (2, 1)] {
        assert!(!sessions.acknowledged(session(of), [tag; 16], 5));
    }
    assert_eq!(current(&sessions), None);
    assert!(sessions.acknowledged(session(1), [1; 16], 10));
    assert!(sessions.acknowledged(session(2), [2; 16], 20));
    assert_eq!(current(&sessions), Some(session(2)));
    assert_eq!(sessions.expired, [session(1)]);
    // Shown again, it stays the current one.
    sessions.drawn(session(2));
    assert!(sessions.pending.is_empty());
}

/// The acknowledgement of an older session was held back, and a hello of it too.
#[test]
fn what_was_held_back_brings_no_old_session_back() {
    let mut sessions = DeviceSessions::default();
    for (number, counter) in [(1, 10), (2, 20)] {
        sessions.drawn(session(number));
        sessions.welcomed(session(number), [number; 16]);
        assert!(sessions.acknowledged(session(number), [number; 16], counter));
    }
    sessions.drawn(session(1));
    sessions.welcomed(session(1), [3; 16]);
    assert!(!sessions.acknowledged(session(1), [3; 16], 15));
    assert_eq!(
        sessions.current.map(|current| current.session),
        Some(session(2))
    );
    assert!(sessions.expired.is_empty());
}

#[test]
fn the_last_eight_welcomes_of_a_session_are_known() {
    let mut sessions = DeviceSessions::default();
    sessions.drawn(session(1));
    for number in 0..12 {
        sessions.welcomed(session(1), [number; 16]);
        // The device says hello again, and has not heard any.
        sessions.drawn(session(1));
    }
    assert!(!sessions.acknowledged(session(1), [3; 16], 10));
    assert!(sessions.acknowledged(session(1), [4; 16], 10));
}

#[test]
fn few_sessions_are_kept() {
    let mut sessions = DeviceSessions::default();
    for number in 0..100 {
        sessions.drawn(session(number));
        assert!(sessions.pending.len() <= DEVICE_SESSIONS_KEPT);
        assert!(sessions.expired.len() <= DEVICE_SESSIONS_KEPT);
    }
    assert_eq!(sessions.pending.last().unwrap().session, session(99));
    assert_eq!(sessions.expired.last(), Some(&session(91)));
    sessions.expire_all();
    assert_eq!(sessions.expired.last(), Some(&session(99)));
    assert!(sessions.pending.is_empty());
}

#[test]
fn debug_shows_no_session() {
    let mut sessions = DeviceSessions::default();
    sessions.drawn(session(0xab));
    let shown = format!("{sessions:?}");
    assert_eq!(
        shown,
        "DeviceSessions { current: false, pending: 1, expired: 0 }"
    );
}

fn on<T>(
    store: &dyn Store,
    mut work: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError>,
) -> T {
    let mut answer = None;
    store
        .transact(&mut |transaction| {
            answer = Some(work(transaction)?);
            Ok(())
        })
        .unwrap();
    answer.unwrap()
}

const fn device(head: u64, bits: u64) -> SealedDevice {
    SealedDevice {
        window: Window { head, bits },
        open: true,
        epoch: 0,
        overlap: None,
        last_seen: 3,
    }
}

const fn session(number: u8) -> Session {
    [number; 16]
}

fn pending(number: u8, welcomes: u8) -> PendingSession {
    PendingSession {
        session: session(number),
        welcomes: (0..welcomes).map(|tag| [tag; 16]).collect(),
    }
}

const fn beacon(time: u32) -> SessionId {
    let [a, b, c, d] = time.to_be_bytes();
    SessionId::from_bytes([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

const fn held(address: Address, tag: u8) -> Held {
    Held {
        address,
        tag: [tag; 16],
        session: beacon(1),
    }
}

//! One behaviour, whichever store.

use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    Acceptance, Accepting, Copy, Durability, MemoryStore, RECENT_MACS, SESSIONLESS_MACS,
    SqliteStore, Store, Transaction, USED_COMMAND_SESSIONS,
};
use crate::classic::SessionId;
use crate::error::StoreError;

pub(super) const NEW: Acceptance = Acceptance::New { last: false };

/// Runs each of these on every store.
macro_rules! every_store {
    ($($behaviour:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $behaviour() { super::$behaviour(&super::MemoryStore::default()); })+
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
    sessions_are_known_until_they_are_dropped,
    the_newest_time_never_goes_back,
    the_bar_is_the_newest_that_was_dropped,
    a_frame_is_accepted_once,
    a_batch_sees_its_own_frames,
    an_unknown_session_accepts_nothing,
    a_full_session_accepts_nothing_more,
    the_last_sixteen_of_each_device_outlive_their_session,
    a_changed_frame_is_not_recalled,
    frames_without_a_session_are_remembered_by_group,
    command_sessions_are_used_once,
    groups_know_nothing_of_each_other,
    names_and_addresses_are_any_bytes,
];

/// An SQLite store that forgets whatever is not in its file.
#[derive(Debug)]
pub(super) struct Reopened {
    _folder: TempDir,
    file: PathBuf,
}

impl Reopened {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.sqlite3");
        Self {
            _folder: folder,
            file,
        }
    }

    pub(super) fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.file, Durability::Process).unwrap()
    }
}

impl Store for Reopened {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store().transact(work)
    }
}

fn sessions_are_known_until_they_are_dropped(store: &dyn Store) {
    assert_eq!(sessions(store, "farm"), []);
    add(store, "farm", 1);
    add(store, "farm", 2);
    add(store, "farm", 1);
    assert_eq!(sessions(store, "farm"), [session(1), session(2)]);
    drop_session(store, "farm", 1);
    drop_session(store, "farm", 7);
    drop_session(store, "nowhere", 2);
    assert_eq!(sessions(store, "farm"), [session(2)]);
}

fn the_newest_time_never_goes_back(store: &dyn Store) {
    assert_eq!(newest(store, "farm"), None);
    for (id, expected) in [(5, 5), (3, 5), (u32::MAX, u32::MAX), (9, u32::MAX)] {
        add(store, "farm", id);
        assert_eq!(newest(store, "farm"), Some(expected));
        drop_session(store, "farm", id);
        assert_eq!(newest(store, "farm"), Some(expected));
    }
    add(store, "zero", 0);
    assert_eq!(newest(store, "zero"), Some(0));
}

fn the_bar_is_the_newest_that_was_dropped(store: &dyn Store) {
    assert_eq!(bar(store, "farm"), None);
    add(store, "farm", 9);
    assert_eq!(bar(store, "farm"), None);
    // One that was never known bars too.
    for (id, expected) in [(0, 0), (5, 5), (9, 9), (3, 9), (u32::MAX, u32::MAX)] {
        drop_session(store, "farm", id);
        assert_eq!(bar(store, "farm"), Some(expected));
    }
    assert_eq!(newest(store, "farm"), Some(9));
    drop_session(store, "elsewhere", 1);
    assert_eq!(bar(store, "elsewhere"), Some(1));
    assert_eq!(newest(store, "elsewhere"), None);
    // What may have been known and dropped stays away; what is newer comes.
    for id in [0, 1] {
        add(store, "elsewhere", id);
        assert_eq!(sessions(store, "elsewhere"), []);
    }
    assert_eq!(newest(store, "elsewhere"), None);
    add(store, "elsewhere", 2);
    assert_eq!(sessions(store, "elsewhere"), [session(2)]);
}

fn a_frame_is_accepted_once(store: &dyn Store) {
    add(store, "farm", 1);
    add(store, "farm", 2);
    assert_eq!(accept(store, Some(1), b"a", 1, 9), NEW);
    assert_eq!(accept(store, Some(1), b"a", 1, 9), Acceptance::Known);
    // Whoever shows it, and under whichever session.
    assert_eq!(accept(store, Some(1), b"b", 1, 9), Acceptance::Known);
    assert_eq!(accept(store, Some(2), b"a", 1, 9), Acceptance::Known);
    assert_eq!(accept(store, None, b"a", 1, 9), Acceptance::Known);
    assert_eq!(accept(store, Some(1), b"a", 2, 9), NEW);
}

fn a_batch_sees_its_own_frames(store: &dyn Store) {
    let mut answers = Vec::new();
    store
        .transact(&mut |transaction| {
            answers.clear();
            transaction.add_session("farm", &session(1))?;
            for mac in [1, 2, 1, 3, 3] {
                let frame = frame("farm", Some(1), b"a", mac);
                answers.push(transaction.accept(&frame.accepting(2))?);
            }
            assert_eq!(transaction.sessions("farm")?, [session(1)]);
            assert_eq!(transaction.newest_session("farm")?, Some(1));
            assert_eq!(
                transaction.recall("farm", &copy(2))?.as_deref(),
                Some(&b"a"[..])
            );
            Ok(())
        })
        .unwrap();
    let last = Acceptance::New { last: true };
    let (known, full) = (Acceptance::Known, Acceptance::Full);
    assert_eq!(answers, [NEW, last, known, full, full]);
    assert_eq!(accept(store, Some(1), b"a", 2, 2), Acceptance::Known);
}

fn an_unknown_session_accepts_nothing(store: &dyn Store) {
    assert_eq!(accept(store, Some(1), b"a", 1, 9), Acceptance::Full);
    add(store, "farm", 1);
    assert_eq!(accept(store, Some(2), b"a", 1, 9), Acceptance::Full);
    assert_eq!(recall(store, "farm", 1), None);
    assert_eq!(accept(store, Some(1), b"a", 1, 9), NEW);
    drop_session(store, "farm", 1);
    assert_eq!(accept(store, Some(1), b"a", 2, 9), Acceptance::Full);
}

fn a_full_session_accepts_nothing_more(store: &dyn Store) {
    add(store, "farm", 1);
    add(store, "farm", 2);
    assert_eq!(accept(store, Some(1), b"a", 0, 0), Acceptance::Full);
    assert_eq!(accept(store, Some(1), b"a", 1, 2), NEW);
    assert_eq!(
        accept(store, Some(1), b"a", 2, 2),
        Acceptance::New { last: true }
    );
    assert_eq!(accept(store, Some(1), b"a", 3, 2), Acceptance::Full);
    // None of those that it accepted was given up for it.
    assert_eq!(accept(store, Some(1), b"a", 1, 2), Acceptance::Known);
    assert_eq!(accept(store, Some(1), b"a", 2, 2), Acceptance::Known);
    assert_eq!(recall(store, "farm", 3), None);
    // A larger limit opens it again; the other session was never full.
    assert_eq!(accept(store, Some(2), b"a", 4, 2), NEW);
    assert_eq!(
        accept(store, Some(1), b"a", 3, 3),
        Acceptance::New { last: true }
    );
    // What is dropped does not come again, empty and ready to accept captures.
    drop_session(store, "farm", 1);
    add(store, "farm", 1);
    assert_eq!(accept(store, Some(1), b"a", 5, 2), Acceptance::Full);
}

fn the_last_sixteen_of_each_device_outlive_their_session(store: &dyn Store) {
    let kept = u32::try_from(RECENT_MACS).unwrap();
    add(store, "farm", 1);
    assert_eq!(accept(store, Some(1), b"quiet", 1000, 999), NEW);
    for mac in 0..2 * kept {
        assert_eq!(accept(store, Some(1), b"a", mac, 999), NEW);
    }
    for mac in 0..kept {
        assert_eq!(recall(store, "farm", mac), None);
        // Its session remembers it all the same.
        assert_eq!(accept(store, Some(1), b"a", mac, 999), Acceptance::Known);
    }
    drop_session(store, "farm", 1);
    add(store, "farm", 2);
    for mac in kept..2 * kept {
        assert_eq!(recall(store, "farm", mac).as_deref(), Some(&b"a"[..]));
        assert_eq!(accept(store, Some(2), b"a", mac, 999), Acceptance::Known);
    }
    assert_eq!(recall(store, "farm", 1000).as_deref(), Some(&b"quiet"[..]));
    assert_eq!(accept(store, Some(2), b"a", 0, 999), NEW);
}

fn a_changed_frame_is_not_recalled(store: &dyn Store) {
    add(store, "farm", 1);
    assert_eq!(accept(store, Some(1), b"a", 1, 9), NEW);
    let changed = Copy {
        fingerprint: [0xee; 16],
        ..copy(1)
    };
    let mut recalled = None;
    store
        .transact(&mut |transaction| {
            recalled = transaction.recall("farm", &changed)?;
            Ok(())
        })
        .unwrap();
    assert_eq!(recalled, None);
    assert_eq!(recall(store, "farm", 1).as_deref(), Some(&b"a"[..]));
}

fn frames_without_a_session_are_remembered_by_group(store: &dyn Store) {
    let kept = u32::try_from(SESSIONLESS_MACS).unwrap();
    let mut answers = Vec::new();
    store
        .transact(&mut |transaction| {
            answers.clear();
            // Two rounds, and one device for each frame: the second round is still remembered.
            for mac in (0..2 * kept).chain(kept..2 * kept) {
                let address = mac.to_be_bytes();
                let frame = frame("farm", None, &address, mac);
                answers.push(transaction.accept(&frame.accepting(0))?);
            }
            Ok(())
        })
        .unwrap();
    let (new, known) = answers.split_at(2 * SESSIONLESS_MACS);
    assert!(new.iter().all(|answer| *answer == NEW));
    assert!(known.iter().all(|answer| *answer == Acceptance::Known));
    // One device alone, whose last sixteen are among those of the group.
    let macs = [0..kept + 1, 1..2, 0..1, 1..2, kept..kept + 1]
        .into_iter()
        .flatten();
    store
        .transact(&mut |transaction| {
            answers.clear();
            for mac in macs.clone() {
                let frame = frame("port", None, b"a", mac);
                answers.push(transaction.accept(&frame.accepting(0))?);
            }
            Ok(())
        })
        .unwrap();
    let (new, after) = answers.split_at(SESSIONLESS_MACS + 1);
    assert!(new.iter().all(|answer| *answer == NEW));
    assert_eq!(after, [Acceptance::Known, NEW, NEW, Acceptance::Known]);
}

fn command_sessions_are_used_once(store: &dyn Store) {
    let kept = u32::try_from(USED_COMMAND_SESSIONS).unwrap();
    for id in 0..kept + 1 {
        assert!(use_command(store, "farm", b"a", id));
        assert!(!use_command(store, "farm", b"a", id));
    }
    assert!(!use_command(store, "farm", b"a", 1));
    assert!(use_command(store, "farm", b"a", 0));
    assert!(use_command(store, "farm", b"a", 1));
    assert!(!use_command(store, "farm", b"a", kept));
    assert!(use_command(store, "farm", b"b", kept));
    assert!(use_command(store, "barn", b"a", kept));
}

fn groups_know_nothing_of_each_other(store: &dyn Store) {
    add(store, "farm", 1);
    assert_eq!(sessions(store, "barn"), []);
    assert_eq!(newest(store, "barn"), None);
    add(store, "barn", 1);
    assert_eq!(accept_in(store, "farm", Some(1), b"a", 1, 9), NEW);
    assert_eq!(recall(store, "barn", 1), None);
    assert_eq!(accept_in(store, "barn", Some(1), b"b", 1, 9), NEW);
    assert_eq!(recall(store, "barn", 1).as_deref(), Some(&b"b"[..]));
    drop_session(store, "barn", 1);
    assert_eq!(sessions(store, "farm"), [session(1)]);
    assert_eq!(
        accept_in(store, "farm", Some(1), b"a", 1, 9),
        Acceptance::Known
    );
}

fn names_and_addresses_are_any_bytes(store: &dyn Store) {
    let long = "x".repeat(10_000);
    let groups = [
        "",
        "a'b\"c; --",
        "Scheune\u{2003}\u{1f33e}",
        "nul\0nul",
        &long,
    ];
    let addresses: [&[u8]; 4] = [b"", b"\0\xff\xfe", b"'", long.as_bytes()];
    let mut mac = 0;
    for group in groups {
        add(store, group, 1);
        assert_eq!(sessions(store, group), [session(1)]);
        for address in addresses {
            mac += 1;
            assert_eq!(accept_in(store, group, Some(1), address, mac, 99), NEW);
            assert_eq!(recall(store, group, mac).as_deref(), Some(address));
            assert!(use_command(store, group, address, mac));
        }
    }
}

#[derive(Clone, Debug)]
enum Operation {
    Add(u8, u8),
    Drop(u8, u8),
    Accept(u8, Option<u8>, u8, u8, u8),
    Recall(u8, Option<u8>, u8, bool),
    Use(u8, u8, u8),
    Look(u8),
    Reopen,
}

/// Few of everything, so that the same come again.
fn operation() -> impl Strategy<Value = Operation> {
    let (group, id, address) = (0..2_u8, 0..4_u8, 0..3_u8);
    let session = proptest::option::weighted(0.8, id.clone());
    prop_oneof![
        2 => (group.clone(), id.clone()).prop_map(|(group, id)| Operation::Add(group, id)),
        1 => (group.clone(), id.clone()).prop_map(|(group, id)| Operation::Drop(group, id)),
        30 => (group.clone(), session.clone(), address.clone(), 0..80_u8, 0..60_u8)
            .prop_map(|(group, id, address, mac, limit)| {
                Operation::Accept(group, id, address, mac, limit)
            }),
        4 => (group.clone(), session, 0..80_u8, any::<bool>())
            .prop_map(|(group, id, mac, changed)| Operation::Recall(group, id, mac, changed)),
        8 => (group.clone(), address, 0..90_u8)
            .prop_map(|(group, address, id)| Operation::Use(group, address, id)),
        1 => group.prop_map(Operation::Look),
        1 => Just(Operation::Reopen),
    ]
}

/// What a store answers, as text.
fn run(transaction: &mut dyn Transaction, operation: &Operation) -> Result<String, StoreError> {
    let name = |group: &u8| ["farm", "barn"][usize::from(*group)];
    // The session enters the MAC: under another one it is another.
    let mac_under =
        |id: &Option<u8>, mac: &u8| u32::from(*mac) + 1000 * id.map_or(0, |id| u32::from(id) + 1);
    Ok(match operation {
        Operation::Add(group, id) => {
            transaction.add_session(name(group), &session((*id).into()))?;
            String::new()
        }
        Operation::Drop(group, id) => {
            transaction.drop_session(name(group), &session((*id).into()))?;
            String::new()
        }
        Operation::Accept(group, id, address, mac, limit) => {
            let address = [*address];
            let mac = mac_under(id, mac);
            let frame = frame(name(group), id.map(u32::from), &address, mac);
            format!(
                "{:?}",
                transaction.accept(&frame.accepting((*limit).into()))?
            )
        }
        Operation::Recall(group, id, mac, changed) => {
            let mut copy = copy(mac_under(id, mac));
            copy.fingerprint[0] ^= u8::from(*changed);
            format!("{:?}", transaction.recall(name(group), &copy)?)
        }
        Operation::Use(group, address, id) => {
            let session = command_session((*id).into());
            let unused = transaction.use_command_session(name(group), &[*address], &session)?;
            format!("{unused}")
        }
        Operation::Look(group) => {
            let mut sessions = transaction.sessions(name(group))?;
            sessions.sort_unstable();
            let newest = transaction.newest_session(name(group))?;
            let bar = transaction.session_bar(name(group))?;
            format!("{sessions:?} {newest:?} {bar:?}")
        }
        Operation::Reopen => String::new(),
    })
}

fn run_all(store: &dyn Store, operations: &[Operation]) -> Vec<String> {
    let mut answers = Vec::new();
    store
        .transact(&mut |transaction| {
            answers.clear();
            for operation in operations {
                answers.push(run(transaction, operation)?);
            }
            Ok(())
        })
        .unwrap();
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_stores_answer_the_same(
        batches in prop::collection::vec(prop::collection::vec(operation(), 1..60), 1..16)
    ) {
        let memory = MemoryStore::default();
        let file = Reopened::new();
        let mut sqlite = file.store();
        for batch in &batches {
            prop_assert_eq!(run_all(&memory, batch), run_all(&sqlite, batch));
            if batch.iter().any(|operation| matches!(operation, Operation::Reopen)) {
                drop(sqlite);
                sqlite = file.store();
            }
        }
        let mut looks = vec![Operation::Look(0), Operation::Look(1)];
        for group in 0..2 {
            for id in [None, Some(0), Some(1), Some(2), Some(3)] {
                looks.extend((0..80).map(|mac| Operation::Recall(group, id, mac, false)));
            }
        }
        drop(sqlite);
        prop_assert_eq!(run_all(&memory, &looks), run_all(&file, &looks));
    }
}

/// A frame as a test names it.
pub(super) struct Frame<'a> {
    group: &'a str,
    session: Option<SessionId>,
    address: &'a [u8],
    mac: u32,
}

pub(super) fn frame<'a>(
    group: &'a str,
    time: Option<u32>,
    address: &'a [u8],
    mac: u32,
) -> Frame<'a> {
    let session = time.map(session);
    Frame {
        group,
        session,
        address,
        mac,
    }
}

impl Frame<'_> {
    pub(super) fn accepting(&self, limit: usize) -> Accepting<'_> {
        Accepting {
            group: self.group,
            session: self.session.as_ref(),
            address: self.address,
            copy: copy(self.mac),
            limit,
        }
    }
}

pub(super) fn session(time: u32) -> SessionId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&time.to_be_bytes());
    SessionId::from_bytes(bytes)
}

pub(super) fn copy(mac: u32) -> Copy {
    let [mut bytes, mut fingerprint] = [[0; 20], [0; 20]];
    bytes[16..].copy_from_slice(&mac.to_be_bytes());
    fingerprint[..4].copy_from_slice(&mac.to_le_bytes());
    Copy {
        mac: bytes,
        fingerprint: fingerprint[..16].try_into().unwrap(),
    }
}

fn command_session(id: u32) -> [u8; 32] {
    format!("{id:032x}").into_bytes().try_into().unwrap()
}

pub(super) fn accept(
    store: &dyn Store,
    session: Option<u32>,
    address: &[u8],
    mac: u32,
    limit: usize,
) -> Acceptance {
    accept_in(store, "farm", session, address, mac, limit)
}

fn accept_in(
    store: &dyn Store,
    group: &str,
    session: Option<u32>,
    address: &[u8],
    mac: u32,
    limit: usize,
) -> Acceptance {
    let frame = frame(group, session, address, mac);
    let mut answer = Acceptance::Full;
    store
        .transact(&mut |transaction| {
            answer = transaction.accept(&frame.accepting(limit))?;
            Ok(())
        })
        .unwrap();
    answer
}

pub(super) fn sessions(store: &dyn Store, group: &str) -> Vec<SessionId> {
    let mut found = Vec::new();
    store
        .transact(&mut |transaction| {
            found = transaction.sessions(group)?;
            Ok(())
        })
        .unwrap();
    found.sort_unstable();
    found
}

pub(super) fn newest(store: &dyn Store, group: &str) -> Option<u32> {
    let mut found = None;
    store
        .transact(&mut |transaction| {
            found = transaction.newest_session(group)?;
            Ok(())
        })
        .unwrap();
    found
}

fn bar(store: &dyn Store, group: &str) -> Option<u32> {
    let mut found = None;
    store
        .transact(&mut |transaction| {
            found = transaction.session_bar(group)?;
            Ok(())
        })
        .unwrap();
    found
}

pub(super) fn add(store: &dyn Store, group: &str, time: u32) {
    store
        .transact(&mut |transaction| transaction.add_session(group, &session(time)).map(drop))
        .unwrap();
}

fn drop_session(store: &dyn Store, group: &str, time: u32) {
    store
        .transact(&mut |transaction| transaction.drop_session(group, &session(time)))
        .unwrap();
}

pub(super) fn recall(store: &dyn Store, group: &str, mac: u32) -> Option<Vec<u8>> {
    let mut found = None;
    store
        .transact(&mut |transaction| {
            found = transaction.recall(group, &copy(mac))?;
            Ok(())
        })
        .unwrap();
    found
}

fn use_command(store: &dyn Store, group: &str, address: &[u8], id: u32) -> bool {
    let mut unused = false;
    store
        .transact(&mut |transaction| {
            unused = transaction.use_command_session(group, address, &command_session(id))?;
            Ok(())
        })
        .unwrap();
    unused
}

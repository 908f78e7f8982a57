//! The SQLite store among processes: several on one file, killed ones, full and read-only disks.
//!
//! A child is this very program again: it runs the test [`child`], with its orders in variables.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use espseal::StoreError;
use espseal::classic::SessionId;
use espseal::store::{
    Acceptance, Accepting, Copy, Durability, MemoryStore, SqliteStore, Store, Transaction,
};
use rusqlite::Connection;
use tempfile::TempDir;

const ORDER: &str = "ESPSEAL_TEST_ORDER";
const FILE: &str = "ESPSEAL_TEST_FILE";
const FIRST: &str = "ESPSEAL_TEST_FIRST";

const KILLS: u32 = 40;
const LIMIT: usize = 1 << 24;
const SESSION: SessionId = SessionId::from_bytes([1; 16]);

#[test]
fn each_frame_is_new_to_one_process() {
    let place = Place::new();
    place.prepare();
    let mut children: Vec<Running> = ["300 by 1", "300 by 1", "300 by 7"]
        .map(|order| Running::start(place.order(order)))
        .into();
    // All are up before any begins.
    children.iter_mut().for_each(Running::go);
    let mut new = BTreeSet::new();
    for child in children {
        for (word, mac) in child.finish() {
            assert!(word == "known" || new.insert(mac), "{mac} was new twice");
        }
    }
    assert_eq!(new, (0..300).collect());
    place.assert_sound();
}

#[test]
fn a_killed_process_loses_nothing_and_repeats_nothing() {
    let place = Place::new();
    place.prepare();
    // In every other round somebody else has the file open all the while.
    let mut company = None;
    let mut accepted = BTreeSet::new();
    let start_up = place.start_up_time();
    for round in 0..KILLS {
        company = (round % 2 == 1).then(|| company.take().unwrap_or_else(|| place.store()));
        // It begins with some that are known.
        let first = accepted
            .last()
            .map_or(0, |last: &u32| last.saturating_sub(3));
        let mut command = place.order("forever");
        command.env(FIRST, first.to_string());
        let mut child = Running::start(command);
        child.go();
        let after = match round % 4 {
            0 => random_up_to(start_up * 2),
            // Long enough for a checkpoint or two.
            3 => random_up_to(Duration::from_millis(200)),
            _ => {
                child.wait_for_first_report();
                random_up_to(Duration::from_millis(30))
            }
        };
        thread::sleep(after);
        let mut reported = Vec::new();
        for (word, mac) in child.kill() {
            match word.as_str() {
                "new" => {
                    assert!(accepted.insert(mac), "{mac} was new twice");
                    reported.push(mac);
                }
                _ => assert!(accepted.contains(&mac) || first <= mac, "{word} {mac}"),
            }
        }
        place.assert_sound();
        match &company {
            Some(company) => assert_known(company, &reported),
            None => assert_known(&place.store(), &reported),
        }
    }
    let all: Vec<u32> = accepted.into_iter().collect();
    assert!(all.len() > 100, "only {} frames came in", all.len());
    assert_known(&place.store(), &all);
}

#[test]
fn a_process_that_is_killed_while_it_makes_the_file_leaves_a_sound_one() {
    let start_up = {
        let place = Place::new();
        place.start_up_time()
    };
    for _ in 0..KILLS {
        let place = Place::new();
        let mut child = Running::start(place.order("forever"));
        child.go();
        thread::sleep(random_up_to(start_up * 3 / 2));
        let new: Vec<u32> = child.kill().into_iter().map(|(_, mac)| mac).collect();
        assert_known(&place.store(), &new);
        place.assert_sound();
    }
}

#[test]
fn a_killed_process_holds_no_lock() {
    let place = Place::new();
    let store = place.prepare();
    let mut child = Running::start(place.order("hold"));
    child.go();
    child.wait_for_first_report();
    let waiting = thread::spawn(move || accept(&store, 1));
    thread::sleep(Duration::from_millis(100));
    assert!(!waiting.is_finished());
    child.kill();
    assert_eq!(waiting.join().unwrap(), Ok(true));
}

#[test]
fn a_process_that_does_not_let_go_is_waited_for_and_then_named() {
    let place = Place::new();
    let store = place.prepare();
    let mut child = Running::start(place.order("hold"));
    child.go();
    child.wait_for_first_report();
    let error = accept(&store, 1).unwrap_err();
    assert_eq!(error.code(), "locked");
    assert_eq!(
        SqliteStore::open(&place.file(), Durability::Process).map(drop),
        Ok(())
    );
    child.finish();
    assert_eq!(accept(&store, 1), Ok(true));
}

#[test]
fn a_limit_on_the_size_of_files_loses_nothing() {
    let place = Place::new();
    let store = place.prepare();
    // In blocks of 512 bytes. The signal of that name would end the process.
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$@\"";
    limited.args(["-c", script, "sh"]).arg(exe());
    let child = Running::start(place.order_of(limited, "until it fails"));
    let reports = child.go_and_finish();
    let (error, accepted) = reports.split_last().unwrap();
    assert_eq!(error.0, "io");
    let accepted: Vec<u32> = accepted.iter().map(|(_, mac)| *mac).collect();
    assert!(accepted.len() > 10, "{accepted:?}");
    place.assert_sound();
    assert_known(&store, &accepted);
    // What was refused is new to the next one.
    assert_eq!(accept(&store, error.1), Ok(true));
}

/// Says so where the runner counts: cargo knows no test that finds out late that it cannot run.
fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
    if let Some(list) = std::env::var_os("ESPSEAL_SKIPS") {
        let mut options = fs::OpenOptions::new();
        let mut list = options.create(true).append(true).open(list).unwrap();
        writeln!(list, "{reason}").unwrap();
    }
}

/// Needs the right to mount, if only in a name space of its own. Where that is missing, the tests
/// in `src/store/sqlite/tests.rs` fill the file, and the one above the disk.
#[test]
fn a_full_disk_loses_nothing() {
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "--mount"]);
    let place = Place::new();
    let mount = "mount -t tmpfs -o size=1m tmpfs \"$0\"";
    let mut attempt = Command::new("unshare");
    attempt
        .args(inside.get_args())
        .args(["sh", "-c", mount])
        .arg(place.folder());
    if !attempt.output().is_ok_and(|output| output.status.success()) {
        skip("a_full_disk_loses_nothing: there is no right to mount a small disk here");
        return;
    }
    inside.args(["sh", "-c", &format!("{mount} && exec \"$@\"")]);
    inside.arg(place.folder()).arg(exe());
    Running::start(place.order_of(inside, "fill the disk")).go_and_finish();
}

#[test]
fn a_read_only_place_is_named_and_nothing_is_lost() {
    let place = Place::new();
    let root = fs::metadata(place.folder()).unwrap().uid() == 0;
    // Nothing is read-only to root: the child is somebody else, who can reach the program.
    let program = place.folder().join("program");
    // By another process: this one may fork while it still had the copy open for writing, and
    // what is open for writing cannot be run.
    let copied = Command::new("cp")
        .arg(exe())
        .arg(&program)
        .status()
        .unwrap();
    assert!(copied.success());
    let inner = place.folder().join("inner");
    fs::create_dir(&inner).unwrap();
    let file = inner.join("state.sqlite3");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(place.folder(), 0o755);
    let run = |file: &Path, mac: u32| {
        let mut command = Command::new(&program);
        if root {
            command.uid(65534).gid(65534);
        }
        let mut command = place.order_of(command, "once");
        command.env(FILE, file).env(FIRST, mac.to_string());
        Running::start(command).go_and_finish()
    };
    let read_only = [("read_only".to_owned(), 0)];

    mode(&inner, 0o555);
    assert_eq!(run(&file, 0), read_only, "no file yet");
    assert_eq!(
        run(&inner.join("sub/state.sqlite3"), 0),
        read_only,
        "no folder yet"
    );
    mode(&inner, 0o777);
    assert_eq!(run(&file, 0), [("new".to_owned(), 0)]);
    let modes = [(0o555, 0o444), (0o555, 0o666), (0o777, 0o444), (0o777, 0)];
    for (next, (folder_mode, file_mode)) in (1..).zip(modes) {
        mode(&inner, folder_mode);
        mode(&file, file_mode);
        assert_eq!(run(&file, 0), read_only, "{folder_mode:o} {file_mode:o}");
        mode(&inner, 0o777);
        mode(&file, 0o666);
        assert_eq!(run(&file, next - 1), [("known".to_owned(), next - 1)]);
        assert_eq!(run(&file, next), [("new".to_owned(), next)]);
    }
}

/// Prints what a frame costs, as ratios of one run: `cargo test --release --test store -- cost
/// --nocapture`. It asserts nothing of time.
#[test]
fn the_cost_of_a_frame() {
    let place = Place::new();
    let open =
        |name, durability| SqliteStore::open(&place.folder().join(name), durability).unwrap();
    let (process, power) = (open("a", Durability::Process), open("b", Durability::Power));
    let memory = MemoryStore::default();
    let bare = Connection::open(place.folder().join("c")).unwrap();
    bare.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE t (mac BLOB PRIMARY KEY) WITHOUT ROWID",
    )
    .unwrap();
    let mut fastest = BTreeMap::new();
    // Interleaved, and the minimum of each, since others use this machine too.
    for round in 0..10 {
        let mut measure = |what, count: u32, work: &mut dyn FnMut(u32)| {
            let start = Instant::now();
            for mac in round * count..(round + 1) * count {
                work(mac);
            }
            let each = start.elapsed() / count;
            let fastest = fastest.entry(what).or_insert(each);
            *fastest = each.min(*fastest);
        };
        let batch = |store: &dyn Store, mac: u32, size: u32| {
            let macs: Vec<u32> = (mac * size..(mac + 1) * size)
                .map(|mac| mac + (1 << 24))
                .collect();
            assert!(accept_all(store, &macs).unwrap().iter().all(|new| *new));
        };
        measure("1 memory, one a transaction", 300, &mut |mac| {
            assert_eq!(accept(&memory, mac), Ok(true));
        });
        measure("2 SQLite process, one a transaction", 300, &mut |mac| {
            assert_eq!(accept(&process, mac), Ok(true));
        });
        measure("3 SQLite power, one a transaction", 30, &mut |mac| {
            assert_eq!(accept(&power, mac), Ok(true));
        });
        measure("4 SQLite process, a copy", 300, &mut |mac| {
            assert_eq!(accept(&process, mac), Ok(false));
        });
        measure("5 one bare INSERT a transaction", 300, &mut |mac| {
            let insert = "INSERT INTO t VALUES (?1)";
            bare.prepare_cached(insert)
                .unwrap()
                .execute([copy(mac).mac])
                .unwrap();
        });
        measure("6 memory, a batch of 1000", 2, &mut |mac| {
            batch(&memory, mac, 1000)
        });
        measure("7 SQLite process, a batch of 1000", 2, &mut |mac| {
            batch(&process, mac, 1000)
        });
    }
    let unit = fastest.values().next().unwrap().as_secs_f64();
    for (what, each) in &fastest {
        let ratio = each.as_secs_f64() / unit;
        println!("{what:<40} {each:>12.1?} {ratio:>8.1} x memory");
    }
}

/// What a child does, if this is one.
#[test]
fn child() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let file = PathBuf::from(std::env::var(FILE).unwrap());
    let first = std::env::var(FIRST).map_or(0, |first| first.parse().unwrap());
    let mut go = [0];
    std::io::stdin().read_exact(&mut go).unwrap();
    match order.as_str() {
        "fill the disk" => return fill_the_disk(&file),
        "hold" => {
            let connection = Connection::open(&file).unwrap();
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            report("held", 0);
            // Until the parent closes the pipe.
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            return;
        }
        _ => {}
    }
    let store = match SqliteStore::open(&file, Durability::Process) {
        Ok(store) => store,
        Err(error) => return report(error.code(), 0),
    };
    store
        .transact(&mut |transaction| transaction.add_session("farm", &SESSION).map(drop))
        .unwrap();
    let (count, size) = match order.as_str() {
        "300 by 1" => (300, 1),
        "300 by 7" => (300, 7),
        "once" => (first + 1, 1),
        _ => (u32::MAX, 1),
    };
    let mut mac = first;
    while mac < count {
        let macs: Vec<u32> = (mac..count.min(mac + size)).collect();
        match accept_all(&store, &macs) {
            Ok(answers) => {
                for (mac, new) in macs.iter().zip(answers) {
                    report(if new { "new" } else { "known" }, *mac);
                }
            }
            Err(error) if order == "until it fails" => return report(error.code(), mac),
            Err(error) => panic!("{error}"),
        }
        mac += size;
    }
}

fn fill_the_disk(file: &Path) {
    let ballast = file.with_file_name("ballast");
    let room = |bytes: usize| fs::write(&ballast, vec![1; bytes]).is_ok();
    // A disk that was full before.
    let fill = || assert!(!room(4 << 20), "the disk is small");
    fill();
    let error = SqliteStore::open(file, Durability::Process).unwrap_err();
    assert_eq!(error.code(), "disk_full", "{error}");

    // One that fills up, for two that have the file open.
    assert!(room(200 << 10));
    let store = prepare(file);
    let company = SqliteStore::open(file, Durability::Power).unwrap();
    let mut accepted = Vec::new();
    let error = loop {
        let mac = u32::try_from(accepted.len()).unwrap();
        match accept(&store, mac) {
            Ok(new) => assert!(new),
            Err(error) => break error,
        }
        accepted.push(mac);
    };
    assert_eq!(error.code(), "disk_full", "{error}");
    assert!(accepted.len() > 10, "{accepted:?}");
    let next = u32::try_from(accepted.len()).unwrap();
    assert_known(&store, &accepted);
    assert_known(&company, &accepted);
    assert_eq!(accept(&company, next).unwrap_err().code(), "disk_full");

    // Somebody who comes now: whatever is said, it is said clearly.
    match SqliteStore::open(file, Durability::Process) {
        Ok(late) => assert_known(&late, &accepted),
        Err(error) => assert_eq!(error.code(), "disk_full", "{error}"),
    }
    fs::remove_file(&ballast).unwrap();
    assert_eq!(accept(&company, next), Ok(true));
    assert_eq!(accept(&store, next), Ok(false));
    assert_eq!(accept(&store, next + 1), Ok(true));
    drop((store, company));
    accepted.extend([next, next + 1]);
    assert_known(
        &SqliteStore::open(file, Durability::Process).unwrap(),
        &accepted,
    );
    assert_sound(file);
}

/// One line in one write, so that a kill leaves no half of it.
fn report(word: &str, mac: u32) {
    let line = format!("report {word} {mac}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A word, and the frame that it is of.
type Report = (String, u32);

/// A child, and what it reports.
struct Running {
    child: Child,
    first: mpsc::Receiver<()>,
    reports: JoinHandle<(Vec<Report>, Vec<String>)>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (began, first) = mpsc::channel();
        let reports = thread::spawn(move || {
            let (mut reports, mut others) = (Vec::new(), Vec::new());
            for line in lines.map_while(Result::ok) {
                let words: Vec<&str> = line.split(' ').collect();
                match words[..] {
                    ["report", word, mac] => reports.push((word.to_owned(), mac.parse().unwrap())),
                    _ => others.push(line),
                }
                // Nobody may be waiting for it.
                let _ = began.send(());
            }
            (reports, others)
        });
        Self {
            child,
            first,
            reports,
        }
    }

    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"g").unwrap();
    }

    fn wait_for_first_report(&self) {
        self.first.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    fn kill(mut self) -> Vec<Report> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (reports, others) = self.reports.join().unwrap();
        assert!(others.is_empty(), "{others:?}");
        reports
    }

    fn go_and_finish(mut self) -> Vec<Report> {
        self.go();
        self.finish()
    }

    fn finish(mut self) -> Vec<Report> {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        let (reports, others) = self.reports.join().unwrap();
        assert!(status.success(), "{status}: {}", others.join("\n"));
        reports
    }
}

/// A folder of its own for one store.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.folder().join("state.sqlite3")
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.file(), Durability::Process).unwrap()
    }

    fn prepare(&self) -> SqliteStore {
        prepare(&self.file())
    }

    fn order(&self, order: &str) -> Command {
        self.order_of(Command::new(exe()), order)
    }

    fn order_of(&self, mut command: Command, order: &str) -> Command {
        command
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(ORDER, order)
            .env(FILE, self.file())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// How long a child takes from its start to its first frame.
    fn start_up_time(&self) -> Duration {
        let file = self.file().with_extension("measured");
        let mut command = self.order("once");
        command.env(FILE, file);
        let start = Instant::now();
        let mut child = Running::start(command);
        child.go();
        child.wait_for_first_report();
        let time = start.elapsed();
        child.finish();
        time
    }

    fn assert_sound(&self) {
        assert_sound(&self.file());
    }
}

fn prepare(file: &Path) -> SqliteStore {
    let store = SqliteStore::open(file, Durability::Process).unwrap();
    store
        .transact(&mut |transaction| transaction.add_session("farm", &SESSION).map(drop))
        .unwrap();
    store
}

fn exe() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn assert_sound(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let answer: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(answer, "ok");
    let mut orphans = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!orphans.exists([]).unwrap());
}

fn assert_known(store: &dyn Store, macs: &[u32]) {
    let answers = accept_all(store, macs).unwrap();
    let lost: Vec<_> = macs.iter().zip(answers).filter(|(_, new)| *new).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
}

/// Whether it was new.
fn accept(store: &dyn Store, mac: u32) -> Result<bool, StoreError> {
    accept_all(store, &[mac]).map(|answers| answers[0])
}

fn accept_all(store: &dyn Store, macs: &[u32]) -> Result<Vec<bool>, StoreError> {
    let mut answers = Vec::new();
    store.transact(&mut |transaction| {
        answers.clear();
        for mac in macs {
            answers.push(accept_one(transaction, *mac)?);
        }
        Ok(())
    })?;
    Ok(answers)
}

fn accept_one(transaction: &mut dyn Transaction, mac: u32) -> Result<bool, StoreError> {
    let frame = Accepting {
        group: "farm",
        session: Some(&SESSION),
        address: &[u8::try_from(mac % 100).unwrap()],
        copy: copy(mac),
        limit: LIMIT,
    };
    let answer = match transaction.accept(&frame)? {
        // A memory store has no session yet.
        Acceptance::Full => {
            transaction.add_session("farm", &SESSION)?;
            transaction.accept(&frame)?
        }
        answer => answer,
    };
    assert_ne!(answer, Acceptance::Full);
    Ok(answer == Acceptance::New { last: false })
}

/// Spread as MACs are.
fn copy(mac: u32) -> Copy {
    let mut bytes = [0; 20];
    let spread = u64::from(mac).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes[..8].copy_from_slice(&spread.to_be_bytes());
    Copy {
        mac: bytes,
        fingerprint: [3; 16],
    }
}

fn random_up_to(limit: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let limit = u64::try_from(limit.as_nanos()).unwrap().max(1);
    Duration::from_nanos(random % limit)
}

//! A host that is killed, at any instant, again and again: what it accepted, what it sent.
//!
//! The host is this very program again: it runs the test [`child`], with its orders in variables.
//! It opens the frames of one device, in an order that is not that of their counters, and commands
//! the device after every few. It reports each on a pipe, which outlives it: what was reported was
//! handed over, or published. After each kill the frames come again that a broker would deliver
//! again, and some more.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod house;

use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use espseal::sealed::Frame;
use espseal::{
    Delivery, Device, Durability, Keyring, Publication, Receiver, ReceiverOptions, Sender,
    SqliteStore, Verdict,
};
use rusqlite::Connection;
use tempfile::TempDir;

use house::{KEYRING, KITCHEN, data};

const ORDER: &str = "ESPSEAL_TEST_ORDER";
const FILE: &str = "ESPSEAL_TEST_FILE";
const FIRST: &str = "ESPSEAL_TEST_FIRST";
/// How often each of the two promises is put to the test; `make crash` asks for more.
const KILLS: &str = "ESPSEAL_KILLS";
const KILLS_DEFAULT: u32 = 200;

/// The frames of so many counters come in an order of their own.
const BLOCK: u64 = 8;
const SHUFFLED: [u64; 8] = [3, 0, 1, 7, 2, 6, 4, 5];
const DONE_IN: [usize; 8] = [1, 0, 4, 2, 3, 7, 6, 5];

#[test]
fn at_most_once_accepts_no_counter_twice() {
    let mut host = Killed::new("at_most_once");
    let mut accepted = BTreeSet::new();
    let mut refused = BTreeSet::new();
    let mut next = host.base;
    host.rounds(|word, counter| {
        match word {
            "fresh" => assert!(accepted.insert(counter), "{counter} was accepted twice"),
            "duplicate" | "replayed" => {
                refused.insert(counter);
            }
            other => panic!("{counter}: {other}"),
        }
        // What came last comes again.
        next = next.max(counter.saturating_sub(2 * BLOCK));
        next
    });
    // At most the one that was being handed over when it was killed.
    let lost = refused.difference(&accepted).count();
    assert!(
        lost <= host.kills,
        "{lost} were lost in {} kills",
        host.kills
    );
    assert!(accepted.len() > host.kills, "only {}", accepted.len());
}

#[test]
fn at_least_once_loses_no_counter() {
    let mut host = Killed::new("at_least_once");
    let mut accepted = BTreeSet::new();
    let mut done = BTreeSet::new();
    let base = host.base;
    let mut next = base;
    host.rounds(|word, counter| {
        match word {
            "fresh" => {
                accepted.insert(counter);
            }
            "duplicate" | "replayed" => {
                assert!(accepted.contains(&counter), "{counter} was lost");
            }
            "done" => {
                assert!(
                    accepted.contains(&counter),
                    "{counter} is done, and never came"
                );
                done.insert(counter);
            }
            other => panic!("{counter}: {other}"),
        }
        // A broker delivers again what was not acknowledged, and MQTT acknowledges what is done.
        while done.contains(&next) {
            next += 1;
        }
        next
    });
    assert!((base..next).all(|counter| accepted.contains(&counter)));
    assert!(done.len() > host.kills, "only {}", done.len());
}

/// A host on one file, which is killed.
struct Killed {
    place: TempDir,
    order: &'static str,
    /// The first counter that the device had not used when the host was made.
    base: u64,
    kills: usize,
    sent: BTreeSet<u64>,
}

impl Killed {
    fn new(order: &'static str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let base = welcome(&place.path().join("state.sqlite3"));
        Self {
            place,
            order,
            base,
            kills: 0,
            sent: BTreeSet::new(),
        }
    }

    /// `heard` is told every report but those of commands, and says with which counter the next
    /// host begins.
    fn rounds(&mut self, mut heard: impl FnMut(&str, u64) -> u64) {
        let kills = std::env::var(KILLS).map_or(KILLS_DEFAULT, |kills| kills.parse().unwrap());
        let mut first = self.base;
        let start_up = self.start_up_time();
        let mut company = None;
        for round in 0..kills {
            // In every other round somebody else has the file open all the while.
            company = (round % 2 == 1).then(|| company.take().unwrap_or_else(|| self.open()));
            let host = Running::start(&mut self.command(first));
            match round % 4 {
                0 => thread::sleep(random_up_to(start_up * 2)),
                3 => thread::sleep(random_up_to(start_up * 4)),
                _ => {
                    host.wait_for_first_report();
                    thread::sleep(random_up_to(Duration::from_millis(20)));
                }
            }
            for (word, number) in host.kill() {
                if word == "sent" {
                    let newest = self.sent.last();
                    assert!(
                        newest.is_none_or(|last| number > *last),
                        "{number} was sent twice"
                    );
                    self.sent.insert(number);
                } else {
                    // The order of a block is no reason to begin inside it.
                    let next = heard(&word, number).saturating_sub(self.base);
                    first = self.base + next - next % BLOCK;
                }
            }
            self.kills += 1;
            if round % 16 == 0 {
                assert_sound(&self.file());
            }
        }
        assert_sound(&self.file());
        drop(self.open());
        assert!(
            self.sent.len() > self.kills,
            "only {} were sent",
            self.sent.len()
        );
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("state.sqlite3")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.file(), Durability::Process).unwrap()
    }

    fn command(&self, first: u64) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(ORDER, self.order)
            .env(FILE, self.file())
            .env(FIRST, first.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// How long a host takes from its start to its first frame, on a copy of the file.
    fn start_up_time(&self) -> Duration {
        let copy = self.place.path().join("measured.sqlite3");
        std::fs::copy(self.file(), &copy).unwrap();
        let start = Instant::now();
        let host = Running::start(self.command(self.base).env(FILE, copy));
        host.wait_for_first_report();
        let time = start.elapsed();
        host.kill();
        time
    }
}

/// Makes the file: the device is welcomed. Answers with its next counter.
fn welcome(file: &Path) -> u64 {
    let keyring = Arc::new(Keyring::parse(KEYRING).unwrap());
    let store = Arc::new(SqliteStore::open(file, Durability::Process).unwrap());
    let receiver = Receiver::new(Arc::clone(&keyring), store, true).unwrap();
    let device = Device::from_keyring(&keyring, "kitchen").unwrap();
    device.reconnected();
    let mut last = 0;
    for _ in 0..4 {
        for Publication { topic, payload, .. } in receiver.publications().unwrap() {
            if device.beacon_topic() == Some(&topic) {
                assert!(device.hear(&payload));
            } else {
                device.open(&payload).unwrap();
            }
        }
        for uplink in device.publications().unwrap() {
            let message = receiver.open(&uplink.payload, None, false).unwrap();
            assert_eq!(message.verdict, Verdict::Fresh);
            last = message.counter.unwrap();
        }
    }
    assert!(device.is_welcomed());
    last + 1
}

/// The host: runs until it is killed.
#[test]
fn child() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let file = PathBuf::from(std::env::var(FILE).unwrap());
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let keyring = Arc::new(Keyring::parse(KEYRING).unwrap());
    let store = Arc::new(SqliteStore::open(&file, Durability::Process).unwrap());
    let options = ReceiverOptions {
        delivery: match order.as_str() {
            "at_most_once" => Delivery::AtMostOnce,
            "at_least_once" => Delivery::AtLeastOnce,
            other => panic!("{other}"),
        },
        ..ReceiverOptions::default()
    };
    let receiver =
        Receiver::with_options(Arc::clone(&keyring), Arc::clone(&store) as _, options).unwrap();
    let sender = Sender::new(keyring, store);
    for block in (first..).step_by(usize::try_from(BLOCK).unwrap()) {
        // Mints a beacon when one is due, and renews the lease with it.
        receiver.publications().unwrap();
        let opened = SHUFFLED.map(|offset| {
            let counter = block + offset;
            let frame = data(KITCHEN, counter, None);
            let message = receiver.open(&frame, None, false).unwrap();
            let word = message.verdict.code();
            if message.verdict == Verdict::Fresh {
                assert_eq!(message.data.as_deref(), Some(&counter.to_be_bytes()[..]));
            }
            // An application that is asked when it is done takes its time.
            if message.ticket.is_none() {
                report(word, counter);
            }
            (counter, message.ticket)
        });
        for (counter, ticket) in DONE_IN.map(|place| opened[place]) {
            if let Some(ticket) = ticket {
                report("fresh", counter);
                receiver.done(ticket).unwrap();
            }
            // What was done before is acknowledged when it comes again.
            if order == "at_least_once" {
                report("done", counter);
            }
        }
        let command = sender.seal("kitchen", b"on").unwrap();
        let counter = Frame::parse(&command.payload).unwrap().header().counter;
        report("sent", counter);
    }
}

/// One line in one write, so that a kill leaves no half of it.
fn report(word: &str, number: u64) {
    let line = format!("report {word} {number}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Each word with its counter; and what was said that is none.
type Reports = (Vec<(String, u64)>, Vec<String>);

/// A host, and what it reports.
struct Running {
    child: Child,
    first: mpsc::Receiver<()>,
    reports: JoinHandle<Reports>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (began, first) = mpsc::channel();
        let reports = thread::spawn(move || {
            let (mut reports, mut others) = (Vec::new(), Vec::new());
            for line in lines.map_while(Result::ok) {
                let words: Vec<&str> = line.split(' ').collect();
                match words[..] {
                    ["report", word, number] => {
                        reports.push((word.to_owned(), number.parse().unwrap()));
                    }
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

    fn wait_for_first_report(&self) {
        self.first.recv_timeout(Duration::from_secs(120)).unwrap();
    }

    /// It must not have ended before, and must not have said anything else.
    fn kill(mut self) -> Vec<(String, u64)> {
        assert_eq!(self.child.try_wait().unwrap(), None, "it ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (reports, others) = self.reports.join().unwrap();
        assert!(others.is_empty(), "{}", others.join("\n"));
        reports
    }
}

fn assert_sound(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let answer: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(answer, "ok");
}

fn random_up_to(limit: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let limit = u64::try_from(limit.as_nanos()).unwrap().max(1);
    Duration::from_nanos(random % limit)
}

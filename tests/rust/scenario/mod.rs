//! Plays a scenario: `tests/vectors/README.md` explains the steps.

mod host;
mod keyring;
mod outside;

use std::collections::BTreeMap;
use std::sync::Arc;

use espseal::Verdict;
use espseal::key::DeviceKey;
use espseal::sealed::{Address, Direction, FrameKeys, Kind, Sealing, seal};

pub(crate) use self::host::Backing;
use self::host::{Host, Published};
use self::keyring::Entries;
use self::outside::{Outside, Script, WallClock};
use crate::records::Record;

pub(crate) fn play<'a>(first: &Record, steps: impl Iterator<Item = &'a Record>, backing: Backing) {
    let mut play = Play {
        entries: Entries::new(first),
        clock: Arc::new(WallClock::starting(first.number("now"))),
        script: Arc::default(),
        hosts: BTreeMap::new(),
        waiting: Vec::new(),
        outside: Outside::default(),
        backing,
    };
    let mut count = 0;
    for step in steps {
        play.step(step);
        count += 1;
    }
    assert!(
        play.waiting.is_empty(),
        "{} is not claimed",
        play.waiting.len()
    );
    assert!(count > 0, "{} has no steps", first.name());
}

struct Play {
    entries: Entries,
    clock: Arc<WallClock>,
    script: Arc<Script>,
    hosts: BTreeMap<String, Host>,
    /// What was published and not claimed.
    waiting: Vec<(String, Published)>,
    outside: Outside,
    backing: Backing,
}

impl Play {
    fn step(&mut self, step: &Record) {
        let name = step.name();
        let word = step.text("step");
        if word == "published" {
            self.claim(step);
            return;
        }
        assert!(self.waiting.is_empty(), "{name}: {:?}", self.waiting);
        if step.optional("random").is_some() {
            self.script.give(&step.bytes("random"));
        }
        let host = step.optional("host").unwrap_or("a").to_owned();
        match word {
            "device" => self.entries.put(step),
            "remove" => self.entries.remove(step.text("device")),
            "start" => self.start(step, &host),
            "restart" => {
                if step.optional("wall_jump").is_some() {
                    self.clock.jump(step.number("wall_jump"));
                }
                self.host(&host).stop();
                self.run(&host);
            }
            "save" => self.host(&host).save(),
            "restore" => {
                let clock = Arc::clone(&self.clock);
                self.host(&host).restore(&clock);
                self.run(&host);
            }
            "empty" => {
                self.host(&host).empty();
                self.run(&host);
            }
            "clock" => self.clock.pass(step.number("advance")),
            "open" => self.open(step, &host),
            "stream" => self.stream(step, &host),
            "send" | "rotate" => self.command(step, &host),
            "hear" => self.hear(step, &host),
            other => panic!("{name}: step {other}"),
        }
        self.collect();
        assert!(self.script.is_over(), "{name}: random bytes are left");
    }

    fn host(&mut self, name: &str) -> &mut Host {
        let host = self.hosts.get_mut(name);
        host.unwrap_or_else(|| panic!("no host {name}"))
    }

    fn start(&mut self, step: &Record, name: &str) {
        let authority = match step.optional("role") {
            None | Some("authority") => true,
            Some("follower") => false,
            Some(other) => panic!("role {other}"),
        };
        let host = Host::new(authority, self.backing);
        self.hosts.insert(name.to_owned(), host);
        self.run(name);
    }

    fn run(&mut self, name: &str) {
        let keyring = Arc::new(self.entries.keyring());
        let clock = Arc::clone(&self.clock);
        let script = Arc::clone(&self.script);
        self.host(name).run(keyring, clock, script);
    }

    /// Every host does what is due.
    fn collect(&mut self) {
        for (name, host) in &mut self.hosts {
            for published in host.due() {
                self.outside.see(&published);
                self.waiting.push((name.clone(), published));
            }
        }
    }

    fn claim(&mut self, step: &Record) {
        let name = step.name();
        assert!(!self.waiting.is_empty(), "{name}: nothing was published");
        let (host, published) = self.waiting.remove(0);
        assert_eq!(host, step.optional("host").unwrap_or("a"), "{name}");
        match step.text("topic") {
            "beacon" => {
                assert_eq!(published.topic, "espseal/fleet/beacon", "{name}");
                assert!(published.retain, "{name}");
                let session = String::from_utf8(published.payload).unwrap();
                assert_eq!(session, step.text("session"), "{name}");
            }
            "down" => {
                let address = self.entries.address(step.text("device"));
                assert_eq!(published.topic, format!("espseal/{address}/down"), "{name}");
                assert!(!published.retain, "{name}");
                let expected = step.bytes("payload");
                if published.payload != expected {
                    // A store on a disk skips what is left of its chunk when it is opened again.
                    assert_eq!(self.backing, Backing::Sqlite, "{name}");
                    let keyring = self.entries.keyring();
                    let said = self.outside.said(&keyring, &published.payload);
                    let meant = self.outside.said(&keyring, &expected);
                    assert!(said.counter > meant.counter, "{name}");
                    assert_eq!(said.what(), meant.what(), "{name}");
                }
            }
            other => panic!("{name}: topic {other}"),
        }
    }

    fn open(&mut self, step: &Record, host: &str) {
        let name = step.name();
        let frame = step.bytes("frame");
        self.outside.overhear(&self.entries.keyring(), &frame);
        let message = self.host(host).open(&frame, step.flag("retained"));
        assert_eq!(message.verdict.code(), step.text("expect"), "{name}");
        if let espseal::Reason::Malformed(malformed) = &message.reason {
            assert_eq!(malformed.reason.code(), step.text("reason"), "{name}");
            let offset: usize = step.number("offset");
            assert_eq!(malformed.offset, offset, "{name}");
        }
        let data = step.optional("plaintext").map(|_| step.bytes("plaintext"));
        assert_eq!(message.data, data, "{name}");
        if message.verdict == Verdict::Fresh {
            assert_eq!(
                message.device.as_deref(),
                Some(step.text("device")),
                "{name}"
            );
            // A classic frame has no counter that could tell.
            if message.counter.is_some() {
                assert_eq!(message.advanced, step.flag("advanced"), "{name}");
            }
        }
    }

    fn stream(&mut self, step: &Record, host: &str) {
        let name = step.name();
        let keys = FrameKeys::new(
            &DeviceKey::new(&step.bytes("device_key")).unwrap(),
            Direction::Uplink,
        );
        let counter = |field| u64::from_str_radix(step.text(field), 16).unwrap();
        let session = step.bytes("session").try_into().ok();
        let plaintext = step.bytes("plaintext");
        for counter in counter("first")..=counter("last") {
            let sealing = Sealing {
                kind: Kind::Data,
                epoch: step.number("epoch"),
                address: Address::parse(step.text("address")).unwrap(),
                counter,
                session: session.as_ref(),
                context: b"",
            };
            let frame = seal(&keys, &sealing, &plaintext).unwrap();
            let message = self.host(host).open(&frame, false);
            assert_eq!(
                message.verdict.code(),
                step.text("expect"),
                "{name} {counter:x}"
            );
            let fresh = message.verdict == Verdict::Fresh;
            assert_eq!(message.data, fresh.then(|| plaintext.clone()), "{name}");
        }
    }

    fn command(&mut self, step: &Record, host: &str) {
        let name = step.name();
        let device = step.text("device");
        let host = self.host(host);
        let sealed = match step.text("step") {
            "send" => host.sender().seal(device, &step.bytes("plaintext")),
            _ => host.sender().ratchet(device),
        };
        match sealed {
            Ok(publication) => {
                assert_eq!(step.text("expect"), "sent", "{name}");
                host.publish(publication);
            }
            Err(error) => assert_eq!(error.code(), step.text("expect"), "{name}"),
        }
    }

    /// Accepted or not, nobody but the frames that are bound to it can tell.
    fn hear(&mut self, step: &Record, host: &str) {
        let name = step.name();
        let session = step.text("session").to_owned();
        self.outside.hear(&session);
        let accepted = self.host(host).hear(session.as_bytes());
        let expected = match step.text("expect") {
            "accepted" => true,
            "refused" => false,
            other => panic!("{name}: expect {other}"),
        };
        assert_eq!(accepted, expected, "{name}");
    }
}

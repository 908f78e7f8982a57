//! Devices in time, as the shared vectors tell it: `sealed_device.txt`, step by step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod records;
mod rig;

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use espseal::clock::Random;
use espseal::key::DeviceKey;
use espseal::keyring::Provision;
use espseal::sealed::{Address, Direction, Frame, FrameKeys, Hello, Session, open};
use espseal::{Device, DeviceOptions, Error, Publication, RandomError, Verdict};
use records::{Record, read};
use rig::{TestClock, provisioned, state_file};
use tempfile::TempDir;

/// Steps that tell a device to do what it would not: three readings bound otherwise than H3 has it,
/// and two hellos of a welcomed session after a reconnect, where this one draws a new session.
/// The counter goes on all the same.
const OTHERWISE: usize = 5;

#[test]
fn devices_in_time() {
    let records = read("sealed_device.txt");
    let mut otherwise = 0;
    let starts: Vec<usize> = (0..records.len())
        .filter(|&at| records[at].text("step") == "scenario")
        .collect();
    assert_eq!(starts[0], 0);
    for (at, &start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(records.len());
        let mut run = Run::new(&records[start]);
        for step in start + 1..end {
            run.next_is_published = step + 1 < end && records[step + 1].text("step") == "published";
            run.step(&records[step]);
        }
        run.assert_all_claimed(&records[end - 1]);
        otherwise += run.otherwise;
    }
    assert_eq!(otherwise, OTHERWISE);
}

/// What the step says, all of it.
#[derive(Default)]
struct StepRandom(Mutex<VecDeque<u8>>);

impl Random for StepRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let mut given = self.0.lock().unwrap();
        for byte in bytes {
            *byte = given.pop_front().expect("the step gives so many");
        }
        Ok(())
    }
}

struct Run {
    place: TempDir,
    given: Provision,
    version: String,
    device: Option<Device>,
    clock: Arc<TestClock>,
    random: Arc<StepRandom>,
    beacon: Option<Session>,
    /// What was published and not claimed; None where the payload is not the vector's.
    unclaimed: VecDeque<(String, Option<Vec<u8>>)>,
    next_is_published: bool,
    otherwise: usize,
    /// Since it published last.
    hello_may_be_due: bool,
}

impl Run {
    fn new(scenario: &Record) -> Self {
        let key = DeviceKey::new(&scenario.bytes("device_key")).unwrap();
        let given = Provision {
            address: Address::parse(scenario.text("address")).unwrap(),
            epoch: scenario.text("epoch").parse().unwrap(),
            ..provisioned(&key)
        };
        let mut run = Self {
            place: tempfile::tempdir().unwrap(),
            given,
            version: String::from_utf8(scenario.bytes("version")).unwrap(),
            device: None,
            clock: Arc::default(),
            random: Arc::default(),
            beacon: None,
            unclaimed: VecDeque::new(),
            next_is_published: false,
            otherwise: 0,
            hello_may_be_due: false,
        };
        run.boot(number(scenario, "counter"));
        run
    }

    fn device(&self) -> &Device {
        self.device.as_ref().unwrap()
    }

    fn key(&self) -> DeviceKey {
        let epoch = self
            .device
            .as_ref()
            .map_or(self.given.epoch, |device| device.epoch().unwrap());
        self.given.key.ratchet_by(epoch - self.given.epoch)
    }

    /// From a state file that goes on with this counter.
    fn boot(&mut self, counter: u64) {
        let epoch = self
            .device
            .as_ref()
            .map_or(self.given.epoch, |device| device.epoch().unwrap());
        let state = state_file(&self.given, epoch, &self.key(), counter - 1);
        self.device = None;
        self.beacon = None;
        let file = self.place.path().join("state");
        fs::write(&file, state).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let options = DeviceOptions {
            state: Some(file),
            firmware: self.version.clone(),
            hold: Duration::ZERO,
            // The steps say when.
            hello_interval: Duration::from_secs(1 << 40),
            clock: Arc::<TestClock>::clone(&self.clock),
            random: Arc::<StepRandom>::clone(&self.random),
        };
        self.device = Some(Device::sealed(self.given.clone(), options).unwrap());
    }

    fn step(&mut self, step: &Record) {
        if step.text("step") != "published" {
            self.assert_all_claimed(step);
        }
        if let Some(random) = step.optional("random") {
            assert_eq!(random.len(), 32);
            *self.random.0.lock().unwrap() = step.bytes("random").into();
        }
        match step.text("step") {
            "boot" => self.boot(number(step, "counter")),
            "beacon" => {
                let session = step.text("session");
                self.beacon = Some(step.bytes("session").try_into().unwrap());
                assert!(self.device().hear(session.as_bytes()));
                self.hello_may_be_due = true;
            }
            "clock" => {
                self.clock.pass(step.text("advance").parse().unwrap());
                self.hello_may_be_due = true;
            }
            "hello" => self.hello(step),
            "hello_again" => self.hello_again(step),
            "asked" => self.asked(step),
            "send" => self.send(step),
            "receive" => self.receive(step),
            "published" => {
                let Some((topic, payload)) = self.unclaimed.pop_front() else {
                    panic!("{}: nothing was published", step.name())
                };
                assert_eq!(topic, step.text("topic"), "{}", step.name());
                if let Some(payload) = payload {
                    assert_eq!(payload, step.bytes("payload"), "{}", step.name());
                }
            }
            other => panic!("{}: {other}", step.name()),
        }
    }

    /// As after a connect.
    fn greet(&mut self) -> Result<Vec<Publication>, Error> {
        self.device().reconnected();
        self.clock
            .pass(self.device().next_due().unwrap().as_secs_f64());
        self.device().publications()
    }

    fn hello(&mut self, step: &Record) {
        match self.greet() {
            Ok(published) => {
                assert_eq!(step.text("expect"), "sent");
                assert_eq!(
                    self.session_of(&published),
                    step.bytes("session"),
                    "{}",
                    step.name()
                );
                self.assert_random_was_used(step);
                self.publish(published);
            }
            Err(error) => {
                assert_eq!(error.code(), step.text("expect"), "{}", step.name());
                self.random.0.lock().unwrap().clear();
            }
        }
    }

    fn hello_again(&mut self, step: &Record) {
        assert_eq!(step.text("expect"), "sent");
        if self.device().is_welcomed() {
            // The counter goes on; a new session would need randomness.
            *self.random.0.lock().unwrap() = [0; 16].into();
            let published = self.greet().unwrap();
            assert_eq!(published.len(), 1);
            self.otherwise += 1;
            self.unclaimed.push_back(("hello".to_owned(), None));
        } else {
            let published = self.greet().unwrap();
            self.publish(published);
        }
    }

    fn asked(&mut self, step: &Record) {
        assert_eq!(self.device().open(b"").unwrap().verdict, Verdict::Malformed);
        if step.text("expect") == "sent" {
            let published = self.device().publications().unwrap();
            self.assert_random_was_used(step);
            self.publish(published);
        } else {
            assert_eq!(step.text("expect"), "ignored");
            assert_ne!(
                self.device().next_due(),
                Some(Duration::ZERO),
                "{}",
                step.name()
            );
        }
    }

    fn send(&mut self, step: &Record) {
        let plaintext = step.bytes("plaintext");
        let frame = match self.device().seal(&plaintext) {
            Ok(frame) => frame,
            Err(error) => return assert_eq!(error.code(), step.text("expect"), "{}", step.name()),
        };
        assert_eq!(step.text("expect"), "sent");
        let bound = Frame::parse(&frame).unwrap().header().bound;
        let same = bound == step.flag("bound");
        self.otherwise += usize::from(!same);
        self.unclaimed
            .push_back(("up".to_owned(), same.then_some(frame)));
    }

    fn receive(&mut self, step: &Record) {
        let message = self.device().open(&step.bytes("frame")).unwrap();
        assert_eq!(
            message.verdict.code(),
            step.text("expect"),
            "{}",
            step.name()
        );
        let plaintext = step.optional("plaintext").map(|_| step.bytes("plaintext"));
        assert_eq!(message.data, plaintext, "{}", step.name());
        if let Some(reason) = step.optional("reason") {
            let espseal::Reason::Malformed(malformed) = message.reason else {
                panic!("{}: {}", step.name(), message.reason)
            };
            assert_eq!(malformed.reason.code(), reason, "{}", step.name());
            assert_eq!(
                malformed.offset.to_string(),
                step.text("offset"),
                "{}",
                step.name()
            );
        }
        if self.next_is_published {
            let published = self.device().publications().unwrap();
            assert!(!published.is_empty(), "{}", step.name());
            self.publish(published);
        } else {
            // Nothing waits; a hello that is due goes when the steps say so.
            let waits = self.device().next_due() == Some(Duration::ZERO);
            assert!(!waits || self.hello_may_be_due, "{}", step.name());
        }
    }

    fn publish(&mut self, published: Vec<Publication>) {
        self.hello_may_be_due = false;
        for publication in published {
            let topic = publication.topic.rsplit('/').next().unwrap().to_owned();
            self.unclaimed.push_back((topic, Some(publication.payload)));
        }
    }

    fn session_of(&self, published: &[Publication]) -> Vec<u8> {
        assert_eq!(published.len(), 1);
        let frame = Frame::parse(&published[0].payload).unwrap();
        let keys = FrameKeys::new(&self.key(), Direction::Uplink);
        let opened = open(&frame, &keys, self.beacon.iter(), b"").unwrap();
        Hello::parse(&opened.plaintext).unwrap().session.to_vec()
    }

    fn assert_random_was_used(&self, step: &Record) {
        assert!(self.random.0.lock().unwrap().is_empty(), "{}", step.name());
    }

    fn assert_all_claimed(&self, before: &Record) {
        assert!(self.unclaimed.is_empty(), "{}", before.name());
    }
}

fn number(record: &Record, field: &str) -> u64 {
    u64::from_be_bytes(record.bytes(field).try_into().unwrap())
}

//! A sealed device and its host, with a network and a clock of the test's between them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic fails the test"
)]

mod rig;

use std::collections::VecDeque;
use std::sync::Arc;

use espseal::clock::SystemRandom;
use espseal::store::MemoryStore;
use espseal::{
    Device, DeviceOptions, Keyring, Message, Publication, Receiver, ReceiverOptions, Sender, Store,
    Verdict,
};
use proptest::prelude::*;
use rig::{HELLO, TestClock};
use tempfile::TempDir;

const KEYRING: &str = r#"version = 1
session_key = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

[[fleet]]
name = "house"
key = { hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" }

[[device]]
name = "kitchen"
sealed = { fleet = "house", address = "0011223344556677" }
"#;

#[test]
fn a_new_device_is_known_at_once_and_obeys() {
    let mut world = World::new();
    world.settle();
    assert!(world.device().is_welcomed());
    world.send_reading();
    world.settle();
    assert_eq!(world.accepted, [1]);
    let tag = world.command().unwrap();
    world.settle();
    assert_eq!(world.obeyed, [1]);
    // The welcome's is the first.
    assert_eq!(world.acknowledged.last(), Some(&tag));
}

#[test]
fn readings_that_wait_for_the_welcome_are_not_lost() {
    let mut world = World::new();
    for _ in 0..3 {
        world.send_reading();
    }
    world.settle();
    assert_eq!(world.accepted, [1, 2, 3]);
    // Nothing was sent before the welcome but the hello.
    let topics: Vec<&str> = world.uplinks.iter().map(|frame| &*frame.topic).collect();
    assert_eq!(topics.iter().filter(|topic| **topic == HELLO).count(), 1);
}

#[test]
fn a_wiped_device_comes_back_and_nothing_captured_is_fresh() {
    let mut world = World::new();
    world.settle();
    for _ in 0..5000 {
        world.send_reading();
        world.settle();
    }
    assert_eq!(world.accepted.len(), 5000);
    let captured = world.uplinks.clone();
    world.wipe_device();
    world.pass(5);
    world.send_reading();
    world.settle();
    assert_eq!(world.accepted.last(), Some(&5001));
    for frame in captured {
        let message = world.open(&frame);
        assert_ne!(message.verdict, Verdict::Fresh);
    }
    world.send_reading();
    world.settle();
    assert_eq!(world.accepted.last(), Some(&5002));
}

#[test]
fn a_host_with_a_new_store_asks_and_takes_nothing_captured() {
    let mut world = World::new();
    world.settle();
    for _ in 0..100 {
        world.send_reading();
    }
    world.settle();
    let captured = world.uplinks.clone();
    world.start_host(Arc::new(MemoryStore::default()));
    for frame in &captured {
        assert_ne!(world.open(frame).verdict, Verdict::Fresh);
    }
    world.settle();
    // It asked, and the device drew a session: it takes the host's counter from 1 again.
    world.pass(2);
    for frame in &captured {
        assert_ne!(world.open(frame).verdict, Verdict::Fresh);
    }
    world.send_reading();
    world.settle();
    assert_eq!(world.accepted.last(), Some(&101));
    world.command().unwrap();
    world.settle();
    assert_eq!(world.obeyed, [1]);
}

#[test]
fn a_broker_and_a_host_that_were_lost_together_are_met_by_a_reconnect() {
    let mut world = World::new();
    world.settle();
    world.command().unwrap();
    world.settle();
    world.start_host(Arc::new(MemoryStore::default()));
    world.device().reconnected();
    world.pass(2);
    world.send_reading();
    world.command().unwrap();
    world.settle();
    assert_eq!((world.accepted, world.obeyed), (vec![1], vec![1, 2]));
}

#[test]
fn a_ratchet_changes_both_ends_and_a_lost_acknowledgement_costs_nothing() {
    let mut world = World::new();
    world.settle();
    for epoch in 1..=5 {
        let ratchet = world.sender().ratchet("kitchen").unwrap();
        world.publish_down(ratchet);
        if epoch == 3 {
            // The acknowledgement is lost; the next reading says as much.
            world.deliver();
            world.device().publications().unwrap();
            world.send_reading();
        }
        world.settle();
        assert_eq!(world.device().epoch(), Some(epoch));
        world.command().unwrap();
        world.settle();
        assert_eq!(world.obeyed.len(), usize::from(epoch));
    }
    assert_eq!(world.accepted, [1]);
}

#[test]
fn the_mode_is_set_and_told() {
    let mut world = World::new();
    world.settle();
    let set = world.sender().set_mode("kitchen", 9).unwrap();
    world.publish_down(set);
    let query = world.sender().query_mode("kitchen").unwrap();
    world.publish_down(query);
    world.settle();
    assert_eq!((world.device().mode(), world.mode), (9, Some(9)));
}

#[test]
fn a_command_that_is_withheld_for_eleven_minutes_is_not_obeyed() {
    let mut world = World::new();
    world.settle();
    let unlock = world.sender().seal("kitchen", b"1").unwrap();
    world.pass(11 * 60);
    let message = world.device().open(&unlock.payload).unwrap();
    assert_eq!(message.verdict, Verdict::StaleSession);
    world.command().unwrap();
    world.settle();
    assert_eq!(world.obeyed, [1]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever the network, its owner and the power do: no reading is taken twice, no command
    /// obeyed twice or after a later one; and when they let go, both ends find together.
    #[test]
    fn nothing_is_taken_twice_and_both_ends_find_together(
        events in prop::collection::vec((0..16_u8, any::<u8>(), any::<u16>()), 1..120),
    ) {
        let mut world = World::new();
        for (event, fate, pick) in events {
            world.fate = fate;
            match event {
                0..=2 => world.clock.pass(f64::from(pick % 50) / 10.0),
                3 => world.clock.pass(f64::from(pick % 90)),
                4 => world.clock.pass(f64::from(pick % 900)),
                5..=7 => world.send_reading(),
                8 | 9 => drop(world.command()),
                10 => world.device().reconnected(),
                11 => match pick % 4 {
                    0 => world.reboot_device(),
                    1 if world.device().epoch() == Some(0) => world.wipe_device(),
                    2 => world.restart_host(),
                    _ if world.hosts < 3 => world.start_host(Arc::new(MemoryStore::default())),
                    _ => {}
                },
                12 => {
                    if let Ok(ratchet) = world.sender().ratchet("kitchen") {
                        world.publish_down(ratchet);
                    }
                }
                13 => world.replay_up(pick),
                14 => world.replay_down(pick),
                _ => {
                    world.device().open(b"").unwrap();
                }
            }
            world.tick();
            world.assert_once();
        }
        world.fate = 0;
        world.held.clear();
        // An acknowledgement that is lost is made up for by the next hello.
        world.pass(11 * 60);
        world.send_reading();
        world.settle();
        prop_assert_eq!(world.accepted.last(), Some(&world.sent));
        let tag = world.command();
        prop_assert!(tag.is_ok(), "{:?}", tag);
        world.settle();
        prop_assert_eq!(world.obeyed.last(), Some(&world.commanded));
        prop_assert_eq!(world.acknowledged.last(), tag.as_ref().ok());
        world.assert_once();
    }
}

struct World {
    clock: Arc<TestClock>,
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    host: Option<(Receiver, Sender)>,
    hosts: u32,
    device: Option<Device>,
    folder: TempDir,
    /// What becomes of the next messages, two bits each: delivered, lost, held, or doubled.
    fate: u8,
    under_way: VecDeque<(bool, Publication)>,
    held: Vec<(bool, Publication)>,
    /// All that ever travelled.
    uplinks: Vec<Publication>,
    downlinks: Vec<Publication>,
    beacon: Option<Publication>,
    sent: u32,
    accepted: Vec<u32>,
    commanded: u32,
    obeyed: Vec<u32>,
    acknowledged: Vec<[u8; 16]>,
    mode: Option<u8>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            clock: Arc::default(),
            keyring: Arc::new(Keyring::parse(KEYRING).unwrap()),
            store: Arc::new(MemoryStore::default()),
            host: None,
            hosts: 0,
            device: None,
            folder: tempfile::tempdir().unwrap(),
            fate: 0,
            under_way: VecDeque::new(),
            held: Vec::new(),
            uplinks: Vec::new(),
            downlinks: Vec::new(),
            beacon: None,
            sent: 0,
            accepted: Vec::new(),
            commanded: 0,
            obeyed: Vec::new(),
            acknowledged: Vec::new(),
            mode: None,
        };
        world.start_host(Arc::new(MemoryStore::default()));
        world.reboot_device();
        world
    }

    fn device(&self) -> &Device {
        self.device.as_ref().unwrap()
    }

    fn receiver(&self) -> &Receiver {
        &self.host.as_ref().unwrap().0
    }

    fn sender(&self) -> &Sender {
        &self.host.as_ref().unwrap().1
    }

    fn start_host(&mut self, store: Arc<dyn Store>) {
        self.store = store;
        self.hosts += 1;
        self.restart_host();
    }

    fn restart_host(&mut self) {
        self.host = None;
        let clock = || Arc::<TestClock>::clone(&self.clock);
        let options = ReceiverOptions {
            clock: clock(),
            ..ReceiverOptions::default()
        };
        let (keyring, store) = (Arc::clone(&self.keyring), Arc::clone(&self.store));
        let receiver = Receiver::with_options(keyring, store, options).unwrap();
        let (keyring, store) = (Arc::clone(&self.keyring), Arc::clone(&self.store));
        let sender = Sender::with_clock(keyring, store, clock(), Arc::new(SystemRandom));
        receiver.reconnected();
        self.host = Some((receiver, sender));
    }

    fn reboot_device(&mut self) {
        self.device = None;
        let options = DeviceOptions {
            state: Some(self.folder.path().join("state")),
            clock: Arc::<TestClock>::clone(&self.clock),
            ..DeviceOptions::default()
        };
        let device = Device::from_keyring_with(&self.keyring, "kitchen", None, options).unwrap();
        device.reconnected();
        if let Some(beacon) = &self.beacon {
            device.hear(&beacon.payload);
        }
        self.device = Some(device);
    }

    fn wipe_device(&mut self) {
        self.device = None;
        self.folder = tempfile::tempdir().unwrap();
        self.reboot_device();
    }

    fn send_reading(&mut self) {
        self.sent += 1;
        // A full outbox is no matter of these tests.
        self.device()
            .send(self.sent.to_string().as_bytes())
            .unwrap();
    }

    fn command(&mut self) -> Result<[u8; 16], espseal::Error> {
        let text = (self.commanded + 1).to_string();
        let command = self.sender().seal("kitchen", text.as_bytes())?;
        self.commanded += 1;
        let tag = command.tag().unwrap();
        self.publish_down(command);
        Ok(tag)
    }

    /// Seconds, one by one.
    fn pass(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.pass(1.0);
            self.settle();
        }
    }

    /// Until nobody has anything to say.
    fn settle(&mut self) {
        for _ in 0..1000 {
            if !self.tick() {
                return;
            }
        }
        panic!("they talk for ever");
    }

    /// Both ends publish, and what is under way arrives; false if nothing was.
    fn tick(&mut self) -> bool {
        let down = self.receiver().publications().unwrap();
        let up = self.device().publications().unwrap();
        let said = !down.is_empty() || !up.is_empty();
        down.into_iter()
            .for_each(|publication| self.publish_down(publication));
        for publication in up {
            self.uplinks.push(publication.clone());
            self.carry(true, publication);
        }
        self.deliver() || said
    }

    fn publish_down(&mut self, publication: Publication) {
        if publication.retain {
            self.device().hear(&publication.payload);
            self.beacon = Some(publication);
        } else {
            self.downlinks.push(publication.clone());
            self.carry(false, publication);
        }
    }

    fn carry(&mut self, up: bool, publication: Publication) {
        let fate = self.fate & 3;
        self.fate >>= 2;
        if fate == 0 || fate == 3 {
            self.under_way.push_back((up, publication.clone()));
        }
        if fate >= 2 {
            self.held.push((up, publication));
        }
    }

    /// What is under way arrives, and after it sometimes what was held back, the last one first;
    /// false if there was nothing.
    fn deliver(&mut self) -> bool {
        if self.fate & 0x80 != 0 {
            self.under_way.extend(self.held.pop());
        }
        let any = !self.under_way.is_empty();
        while let Some((up, publication)) = self.under_way.pop_front() {
            if up {
                self.open(&publication);
            } else {
                self.receive(&publication.payload);
            }
        }
        any
    }

    fn open(&mut self, publication: &Publication) -> Message {
        let topic = Some(&*publication.topic);
        let message = self
            .receiver()
            .open(&publication.payload, topic, false)
            .unwrap();
        if let Some(data) = &message.data {
            let reading = String::from_utf8(data.clone()).unwrap();
            self.accepted.push(reading.parse().unwrap());
        }
        self.acknowledged.extend(message.acknowledged);
        self.mode = message.mode.or(self.mode);
        message
    }

    fn receive(&mut self, payload: &[u8]) {
        let message = self.device().open(payload).unwrap();
        if let Some(data) = message.data {
            self.obeyed
                .push(String::from_utf8(data).unwrap().parse().unwrap());
        }
    }

    fn replay_up(&mut self, pick: u16) {
        if !self.uplinks.is_empty() {
            let frame = self.uplinks[usize::from(pick) % self.uplinks.len()].clone();
            self.open(&frame);
        }
    }

    fn replay_down(&mut self, pick: u16) {
        if !self.downlinks.is_empty() {
            let at = usize::from(pick) % self.downlinks.len();
            let payload = self.downlinks[at].payload.clone();
            self.receive(&payload);
        }
    }

    fn assert_once(&self) {
        let mut once = self.accepted.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), self.accepted.len(), "{:?}", self.accepted);
        assert!(self.obeyed.is_sorted_by(|a, b| a < b), "{:?}", self.obeyed);
    }
}

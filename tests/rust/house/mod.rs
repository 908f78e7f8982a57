//! A house: a receiver, a sender and devices of the library, and what a broker would do.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use espseal::clock::{Clock, Random};
use espseal::key::{DeviceKey, FleetKey};
use espseal::sealed::{Address, Direction, FrameKeys, Kind, Sealing, Session, seal};
use espseal::{
    Delivery, Device, DeviceOptions, Keyring, Message, Publication, RandomError, Receiver,
    ReceiverOptions, Sender, Store, TopicFilter,
};

pub(crate) const START: u64 = 2_000_000_000;
pub(crate) const KITCHEN: Address = Address::new([0, 0, 0, 0, 0, 0, 0, 1]);
pub(crate) const BATH: Address = Address::new([0, 0, 0, 0, 0, 0, 0, 2]);

pub(crate) const KEYRING: &str = r#"
version = 1
session_key = "0707070707070707070707070707070707070707070707070707070707070707"
[[fleet]]
name = "house"
key = { hex = "0909090909090909090909090909090909090909090909090909090909090909" }
[[device]]
name = "kitchen"
sealed = { fleet = "house", address = "0000000000000001" }
[[device]]
name = "bath"
sealed = { fleet = "house", address = "0000000000000002" }
"#;

/// Milliseconds that a test moves.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(1000 * seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> u64 {
        START + self.0.load(Ordering::SeqCst) / 1000
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Never the same again.
#[derive(Debug, Default)]
pub(crate) struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let draw = self.0.fetch_add(1, Ordering::SeqCst);
        let digits = draw.to_le_bytes();
        for (byte, digit) in bytes.iter_mut().zip(digits.iter().cycle()) {
            *byte = *digit;
        }
        Ok(())
    }
}

pub(crate) struct House {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<TestClock>,
    random: Arc<TestRandom>,
    delivery: Delivery,
    pub(crate) receiver: Receiver,
    pub(crate) sender: Sender,
    pub(crate) devices: Vec<Device>,
    /// What the receiver said of the devices' frames.
    pub(crate) messages: Vec<Message>,
}

impl House {
    pub(crate) fn new(keyring: &str, store: Arc<dyn Store>, delivery: Delivery) -> Self {
        let keyring = Arc::new(Keyring::parse(keyring).unwrap());
        let clock = Arc::new(TestClock::default());
        let random = Arc::new(TestRandom::default());
        let receiver = receiver(&keyring, &store, &clock, &random, delivery, true);
        let sender = Sender::with_clock(
            Arc::clone(&keyring),
            Arc::clone(&store),
            Arc::clone(&clock) as _,
            Arc::clone(&random) as _,
        );
        Self {
            keyring,
            store,
            clock,
            random,
            delivery,
            receiver,
            sender,
            devices: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Another receiver on the same keyring and clock.
    pub(crate) fn another(&self, store: &Arc<dyn Store>, authority: bool) -> Receiver {
        let Self {
            keyring,
            clock,
            random,
            ..
        } = self;
        receiver(keyring, store, clock, random, self.delivery, authority)
    }

    /// The receiver's process ends, and another begins on its store.
    pub(crate) fn restart(&mut self) {
        self.receiver = self.another(&Arc::clone(&self.store), true);
    }

    pub(crate) fn add_device(&mut self, name: &str) {
        let options = DeviceOptions {
            clock: Arc::clone(&self.clock) as _,
            random: Arc::clone(&self.random) as _,
            ..DeviceOptions::default()
        };
        let device = Device::from_keyring_with(&self.keyring, name, None, options).unwrap();
        device.reconnected();
        self.devices.push(device);
    }

    /// Delivers whatever anyone publishes, until nobody does any more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..20 {
            let mut publications = self.receiver.publications().unwrap();
            for device in &self.devices {
                publications.extend(device.publications().unwrap());
            }
            if publications.is_empty() {
                return;
            }
            for publication in &publications {
                self.deliver(publication);
            }
        }
        panic!("they do not stop talking");
    }

    pub(crate) fn deliver(&mut self, publication: &Publication) {
        let Publication { topic, payload, .. } = publication;
        for device in &self.devices {
            if device.beacon_topic() == Some(topic) {
                assert!(device.hear(payload));
            }
            if device.down_topic() == Some(topic) {
                device.open(payload).unwrap();
            }
        }
        let subscriptions = self.receiver.subscriptions();
        let others = self.receiver.reading_filters();
        let filters = subscriptions.iter().map(|topic| &**topic);
        let matches = |filter: &str| TopicFilter::parse(filter).unwrap().matches(topic);
        if filters
            .chain(others.iter().map(String::as_str))
            .any(matches)
            && !self.receiver.hear(payload, topic, false).unwrap()
        {
            let message = self.receiver.open(payload, Some(topic), false).unwrap();
            self.messages.push(message);
        }
    }

    pub(crate) fn open(&self, frame: &[u8]) -> Message {
        self.receiver.open(frame, None, false).unwrap()
    }

    pub(crate) fn word(&self, frame: &[u8]) -> &'static str {
        self.open(frame).verdict.code()
    }

    /// A device that the receiver knows, at this head.
    pub(crate) fn meet(&mut self, address: Address) -> u64 {
        let beacon = self.mint();
        let message = self.open(&data(address, 1, Some(beacon)));
        assert_eq!(message.verdict.code(), "fresh");
        if let Some(ticket) = message.ticket {
            self.receiver.done(ticket).unwrap();
        }
        u64::from(u32::from_be_bytes(beacon[..4].try_into().unwrap())) << 24
    }

    /// The beacon that is published now.
    pub(crate) fn mint(&mut self) -> Session {
        self.receiver.reconnected();
        self.clock.pass(1);
        let publications = self.receiver.publications().unwrap();
        let mut beacons = publications.iter().filter(|published| published.retain);
        let beacon = &beacons.next().unwrap().payload;
        let session = base16ct::lower::decode_vec(beacon).unwrap();
        session.try_into().unwrap()
    }
}

fn receiver(
    keyring: &Arc<Keyring>,
    store: &Arc<dyn Store>,
    clock: &Arc<TestClock>,
    random: &Arc<TestRandom>,
    delivery: Delivery,
    authority: bool,
) -> Receiver {
    let options = ReceiverOptions {
        authority,
        delivery,
        clock: Arc::clone(clock) as _,
        random: Arc::clone(random) as _,
    };
    Receiver::with_options(Arc::clone(keyring), Arc::clone(store), options).unwrap()
}

pub(crate) fn key(address: Address) -> DeviceKey {
    DeviceKey::of_fleet(&FleetKey::new(&[9; 32]).unwrap(), address)
}

/// A reading, whose plaintext is its counter.
pub(crate) fn data(address: Address, counter: u64, session: Option<Session>) -> Vec<u8> {
    uplink(
        address,
        0,
        Kind::Data,
        counter,
        session,
        &counter.to_be_bytes(),
    )
}

pub(crate) fn uplink(
    address: Address,
    epoch: u16,
    kind: Kind,
    counter: u64,
    session: Option<Session>,
    plaintext: &[u8],
) -> Vec<u8> {
    let sealing = Sealing {
        kind,
        epoch,
        address,
        counter,
        session: session.as_ref(),
        context: b"",
    };
    let keys = FrameKeys::new(&key(address).ratchet_by(epoch), Direction::Uplink);
    seal(&keys, &sealing, plaintext).unwrap()
}

//! A sealed device on a clock and randomness of the test's, and the host's end of its frames.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use espseal::clock::{Clock, Random};
use espseal::key::DeviceKey;
use espseal::keyring::Provision;
use espseal::sealed::{
    Address, Control, Direction, Frame, FrameKeys, Header, Hello, Kind, Sealing, Session, open,
    seal,
};
use espseal::{Device, DeviceOptions, Message, Publication, RandomError, Verdict};

pub(crate) const ADDRESS: Address = Address::new([0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]);
pub(crate) const BEACON: Session = [0xbe; 16];
pub(crate) const UP: &str = "espseal/0011223344556677/up";
pub(crate) const HELLO: &str = "espseal/0011223344556677/hello";

/// Milliseconds that a test moves.
#[derive(Default)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn pass(&self, seconds: f64) {
        let time = Duration::from_secs_f64(seconds).as_millis();
        self.0
            .fetch_add(u64::try_from(time).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> u64 {
        1_800_000_000 + self.0.load(Ordering::SeqCst) / 1000
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Counts, or says the same each time, as a chip does whose radio is off.
#[derive(Default)]
pub(crate) struct TestRandom {
    pub(crate) draws: AtomicU64,
    pub(crate) fixed: Option<[u8; 16]>,
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let draw = self.draws.fetch_add(1, Ordering::SeqCst);
        match &self.fixed {
            Some(fixed) => bytes.copy_from_slice(&fixed[..bytes.len()]),
            None => bytes
                .iter_mut()
                .zip(draw.to_be_bytes().iter().cycle())
                .for_each(|(byte, drawn)| *byte = *drawn),
        }
        Ok(())
    }
}

pub(crate) struct Rig {
    pub(crate) device: Device,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) random: Arc<TestRandom>,
    pub(crate) key: DeviceKey,
    pub(crate) address: Address,
    pub(crate) epoch: u16,
    pub(crate) downlink_counter: u64,
}

pub(crate) fn key() -> DeviceKey {
    DeviceKey::new(&[0x42; 32]).unwrap()
}

pub(crate) fn provisioned(key: &DeviceKey) -> Provision {
    Provision {
        name: "kitchen".into(),
        address: ADDRESS,
        key: key.clone(),
        epoch: 0,
        up_topic: UP.into(),
        hello_topic: HELLO.into(),
        down_topic: "espseal/0011223344556677/down".into(),
        beacon_topic: "espseal/house/beacon".into(),
    }
}

/// A device and nothing else known.
pub(crate) fn rig() -> Rig {
    rig_with(&provisioned(&key()), None, TestRandom::default())
}

/// A state file of version 1 of a device that was provisioned so, as another program would write it.
pub(crate) fn state_file(given: &Provision, epoch: u16, key: &DeviceKey, ceiling: u64) -> Vec<u8> {
    let mut fingerprint = [0; 16];
    let info = [
        b"state file",
        &given.address.as_bytes()[..],
        &given.epoch.to_be_bytes(),
    ]
    .concat();
    hkdf::Hkdf::<sha2::Sha256>::from_prk(given.key.expose())
        .unwrap()
        .expand(&info, &mut fingerprint)
        .unwrap();
    let mut bytes = [
        &b"\xf5espdev\n\x00\x01\x00\x76"[..],
        &77_u64.to_be_bytes(),
        given.address.as_bytes(),
        &fingerprint,
        &epoch.to_be_bytes(),
        key.expose(),
        &ceiling.to_be_bytes(),
    ]
    .concat();
    let checksum = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

pub(crate) fn rig_with(given: &Provision, state: Option<PathBuf>, random: TestRandom) -> Rig {
    let clock = Arc::new(TestClock::default());
    let random = Arc::new(random);
    let options = DeviceOptions {
        state,
        clock: Arc::<TestClock>::clone(&clock),
        random: Arc::<TestRandom>::clone(&random),
        ..DeviceOptions::default()
    };
    Rig {
        device: Device::sealed(given.clone(), options).unwrap(),
        clock,
        random,
        key: given.key.clone(),
        address: given.address,
        epoch: given.epoch,
        downlink_counter: 0,
    }
}

/// A device that was welcomed under a session with a beacon; and that session.
pub(crate) fn welcomed() -> (Rig, Session) {
    let mut rig = rig();
    let session = rig.become_welcomed(1);
    (rig, session)
}

/// An uplink frame, opened.
#[derive(Debug)]
pub(crate) struct Uplink {
    pub(crate) header: Header,
    pub(crate) plaintext: Vec<u8>,
    /// Which of the given sessions it is bound to.
    pub(crate) session: Option<Session>,
}

impl Rig {
    pub(crate) fn hear_beacon(&self, session: Session) {
        let text = base16ct::lower::encode_string(&session);
        assert!(self.device.hear(text.as_bytes()));
    }

    /// What it publishes now.
    pub(crate) fn published(&self) -> Vec<Publication> {
        self.device.publications().unwrap()
    }

    /// Connects, hears a beacon, says hello, is welcomed, acknowledges.
    pub(crate) fn become_welcomed(&mut self, floor: u64) -> Session {
        self.device.reconnected();
        self.hear_beacon(BEACON);
        let (session, _) = self.hello(Some(BEACON));
        assert_eq!(
            self.control(Control::Welcome { floor }, session).verdict,
            Verdict::Fresh
        );
        assert_eq!(self.published().len(), 1);
        session
    }

    /// The one hello that it publishes now, bound to this beacon: its session and counter.
    pub(crate) fn hello(&self, beacon: Option<Session>) -> (Session, u64) {
        let mut published = self.published();
        published.retain(|publication| &*publication.topic == HELLO);
        assert_eq!(published.len(), 1, "one hello");
        let uplink = self.uplink(&published[0].payload, &[beacon.unwrap_or(BEACON)]);
        assert_eq!(uplink.header.kind, Kind::Hello);
        assert_eq!(uplink.session, beacon);
        let session = Hello::parse(&uplink.plaintext).unwrap().session;
        (session, uplink.header.counter)
    }

    pub(crate) fn uplink(&self, payload: &[u8], sessions: &[Session]) -> Uplink {
        let frame = Frame::parse(payload).unwrap();
        let keys = FrameKeys::new(&self.key, Direction::Uplink);
        assert_eq!(frame.header().epoch, self.epoch);
        assert_eq!(frame.header().address, self.address);
        let opened = open(&frame, &keys, sessions, b"").expect("it verifies");
        Uplink {
            header: *frame.header(),
            plaintext: opened.plaintext,
            session: frame.header().bound.then(|| sessions[opened.session]),
        }
    }

    /// What it says on its up topic under this session, in the order in which it does.
    pub(crate) fn controls(&self, session: Session) -> Vec<Control> {
        let published = self.published();
        let ups = published
            .iter()
            .filter(|publication| &*publication.topic == UP);
        let open = |publication: &Publication| {
            let uplink = self.uplink(&publication.payload, &[session]);
            assert_eq!(uplink.session, Some(session));
            Control::parse(&uplink.plaintext).unwrap()
        };
        ups.map(open).collect()
    }

    pub(crate) fn seal(&mut self, kind: Kind, session: Option<&Session>, data: &[u8]) -> Vec<u8> {
        self.downlink_counter += 1;
        self.seal_as(self.downlink_counter, kind, session, data)
    }

    pub(crate) fn seal_as(
        &self,
        counter: u64,
        kind: Kind,
        session: Option<&Session>,
        data: &[u8],
    ) -> Vec<u8> {
        let keys = FrameKeys::new(&self.key, Direction::Downlink);
        let sealing = Sealing {
            kind,
            epoch: self.epoch,
            address: self.address,
            counter,
            session,
            context: b"",
        };
        seal(&keys, &sealing, data).unwrap()
    }

    pub(crate) fn sealed_control(&mut self, control: Control, session: Session) -> Vec<u8> {
        self.seal(Kind::Control, Some(&session), &control.to_bytes())
    }

    pub(crate) fn command(&mut self, session: Session, data: &[u8]) -> Vec<u8> {
        self.seal(Kind::Data, Some(&session), data)
    }

    /// Seals a control frame and hands it over.
    pub(crate) fn control(&mut self, control: Control, session: Session) -> Message {
        let frame = self.sealed_control(control, session);
        self.open(&frame)
    }

    pub(crate) fn open(&self, payload: &[u8]) -> Message {
        self.device.open(payload).unwrap()
    }

    pub(crate) fn verdict(&self, payload: &[u8]) -> Verdict {
        self.open(payload).verdict
    }

    pub(crate) fn ratcheted(&mut self, steps: u16) {
        self.key = self.key.ratchet_by(steps);
        self.epoch += steps;
    }

    /// The counter of a reading sealed now.
    pub(crate) fn counter(&self) -> u64 {
        counter(&self.device.seal(b"1").unwrap())
    }
}

pub(crate) fn counter(frame: &[u8]) -> u64 {
    Frame::parse(frame).unwrap().header().counter
}

pub(crate) fn tag(frame: &[u8]) -> [u8; 16] {
    Frame::parse(frame).unwrap().tag()
}

//! What is around the hosts: time, randomness, and who can read all frames.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use espseal::clock::{Clock, Random};
use espseal::sealed::{Address, Direction, Frame, FrameKeys, Hello, Kind, Session, open};
use espseal::{Keyring, RandomError, is_sealed};

use super::host::Published;

/// Both clocks, in seconds.
#[derive(Debug)]
pub(super) struct WallClock {
    monotonic: AtomicU64,
    ahead: AtomicI64,
}

impl WallClock {
    pub(super) fn starting(now: i64) -> Self {
        Self {
            monotonic: AtomicU64::new(0),
            ahead: AtomicI64::new(now),
        }
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.monotonic.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn jump(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for WallClock {
    fn wall(&self) -> u64 {
        let ahead = self.ahead.load(Ordering::SeqCst);
        self.monotonic
            .load(Ordering::SeqCst)
            .checked_add_signed(ahead)
            .unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.monotonic.load(Ordering::SeqCst))
    }
}

/// Random bytes as the step gives them: 4 for each session. A receiver also draws a name for
/// itself, which nobody sees.
#[derive(Debug, Default)]
pub(super) struct Script {
    bytes: Mutex<VecDeque<u8>>,
    names: AtomicU64,
}

impl Script {
    pub(super) fn give(&self, bytes: &[u8]) {
        self.bytes.lock().unwrap().extend(bytes);
    }

    pub(super) fn is_over(&self) -> bool {
        self.bytes.lock().unwrap().is_empty()
    }
}

impl Random for Script {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        if bytes.len() == 16 {
            let name = self.names.fetch_add(1, Ordering::SeqCst);
            bytes[..8].copy_from_slice(&name.to_be_bytes());
            return Ok(());
        }
        let mut script = self.bytes.lock().unwrap();
        for byte in bytes {
            let given = script.pop_front();
            *byte = given.ok_or_else(|| RandomError("the step gives no more".to_owned()))?;
        }
        Ok(())
    }
}

/// Knows all keys and hears everything.
#[derive(Default)]
pub(super) struct Outside {
    beacons: Vec<Session>,
    sessions: Vec<Session>,
}

/// A downlink, read.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) counter: u64,
    session: Session,
    kind: Kind,
    epoch: u16,
    address: Address,
    plaintext: Vec<u8>,
}

impl Said {
    /// All but the counter.
    pub(super) fn what(&self) -> (&Session, Kind, u16, Address, &[u8]) {
        (
            &self.session,
            self.kind,
            self.epoch,
            self.address,
            &self.plaintext,
        )
    }
}

impl Outside {
    pub(super) fn see(&mut self, published: &Published) {
        if let Ok(text) = core::str::from_utf8(&published.payload) {
            self.hear(text);
        }
    }

    pub(super) fn hear(&mut self, text: &str) {
        let session = base16ct::lower::decode_vec(text).ok();
        self.beacons
            .extend(session.and_then(|session| Session::try_from(session).ok()));
    }

    /// Learns the session of a hello.
    pub(super) fn overhear(&mut self, keyring: &Keyring, payload: &[u8]) {
        let frame = is_sealed(payload)
            .then(|| Frame::parse(payload).ok())
            .flatten();
        let Some(frame) = frame.filter(|frame| frame.header().kind == Kind::Hello) else {
            return;
        };
        let Some(keys) = keys(keyring, &frame, Direction::Uplink) else {
            return;
        };
        let opened = open(&frame, &keys, &self.beacons, b"");
        let hello = opened.and_then(|opened| Some(Hello::parse(&opened.plaintext)?.session));
        self.sessions.extend(hello);
    }

    pub(super) fn said(&self, keyring: &Keyring, payload: &[u8]) -> Said {
        let frame = Frame::parse(payload).unwrap();
        let keys = keys(keyring, &frame, Direction::Downlink).unwrap();
        let opened = open(&frame, &keys, &self.sessions, b"").unwrap();
        let header = frame.header();
        Said {
            counter: header.counter,
            session: self.sessions[opened.session],
            kind: header.kind,
            epoch: header.epoch,
            address: header.address,
            plaintext: opened.plaintext,
        }
    }
}

fn keys(keyring: &Keyring, frame: &Frame<'_>, direction: Direction) -> Option<FrameKeys> {
    let header = frame.header();
    let device = keyring.by_address(header.address)?;
    let key = keyring.device_key(device, header.epoch)?;
    (header.direction == direction).then(|| FrameKeys::new(&key, direction))
}

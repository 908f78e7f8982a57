//! The sessions that a sealed frame may be bound to.

use crate::classic::SessionId;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::sealed::{Address, Session};
use crate::store::{DeviceSessions, Store};

use super::Asked;

/// What a sealed frame is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedSession {
    /// Nothing.
    None,
    /// One of those that were given.
    Given {
        /// Its place among them.
        place: usize,
        /// When it was minted, in Unix seconds, if it is one of the keyring's own.
        minted: Option<u32>,
    },
    /// A beacon's, which the store knows.
    Beacon {
        /// When it was minted, in Unix seconds.
        minted: u32,
    },
    /// One that the device drew.
    Device(DeviceSessionAge),
    /// Sixteen zero bytes, which no one publishes.
    Zeros,
}

impl SealedSession {
    /// Its word, the same in every language; of one that the device drew, that of its age.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Given { .. } => "given",
            Self::Beacon { .. } => "beacon",
            Self::Device(age) => age.code(),
            Self::Zeros => "zeros",
        }
    }

    /// When it was minted, in Unix seconds, if that is known.
    #[must_use]
    pub const fn minted(self) -> Option<u32> {
        match self {
            Self::Given { minted, .. } => minted,
            Self::Beacon { minted } => Some(minted),
            Self::None | Self::Device(_) | Self::Zeros => None,
        }
    }
}

/// How far a session that a device drew has come (`SEALED.md`, H4, H5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceSessionAge {
    /// Commands are bound to it.
    Current,
    /// The device has not acknowledged its welcome.
    Pending,
    /// Another has followed.
    Expired,
}

impl DeviceSessionAge {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

/// How many sessions were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionsTried {
    /// Of those that were given: those that are 32 hex digits, or 16 bytes.
    pub given: usize,
    /// Beacons' that the store knows.
    pub beacons: usize,
    /// Those that the store knows the device to have drawn.
    pub drawn: usize,
}

/// A session, and where it comes from.
pub(super) type Candidate = (SealedSession, Session);

/// Every session that is known here, and how many they are.
pub(super) fn candidates(
    asked: &Asked<'_>,
    address: Address,
) -> Result<(Vec<Candidate>, SessionsTried), StoreError> {
    let mut found = Vec::new();
    for (place, given) in asked.sessions.iter().enumerate() {
        let Some(session) = parse(given) else {
            continue;
        };
        let text = SessionId::from_bytes(session).text();
        let id = asked
            .keyring
            .and_then(|keyring| SessionId::verify(keyring.session_key(), &text));
        let minted = id.map(|id| id.time());
        found.push((SealedSession::Given { place, minted }, session));
    }
    let mut tried = SessionsTried {
        given: found.len(),
        ..SessionsTried::default()
    };
    if let (Some(keyring), Some(store)) = (asked.keyring, asked.store) {
        let (beacons, drawn) = stored(keyring, store, address)?;
        tried.beacons = beacons.len();
        found.extend(beacons);
        let drawn = of_device(drawn);
        tried.drawn = drawn.len();
        found.extend(drawn);
    }
    Ok((found, tried))
}

/// A session as it travels on the beacon topic, or as a device holds it.
fn parse(given: &[u8]) -> Option<Session> {
    let mut session = [0; 16];
    match given.len() {
        16 => session.copy_from_slice(given),
        32 => {
            base16ct::mixed::decode(given, &mut session).ok()?;
        }
        _ => return None,
    }
    Some(session)
}

fn stored(
    keyring: &Keyring,
    store: &dyn Store,
    address: Address,
) -> Result<(Vec<Candidate>, DeviceSessions), StoreError> {
    let (mut beacons, mut drawn) = (Vec::new(), DeviceSessions::default());
    store.transact(&mut |transaction| {
        beacons.clear();
        for fleet in keyring.fleets() {
            for id in transaction.beacons(&fleet.name)?.known {
                let minted = id.time();
                beacons.push((SealedSession::Beacon { minted }, *id.as_bytes()));
            }
        }
        drawn = transaction.device_sessions(address)?;
        Ok(())
    })?;
    Ok((beacons, drawn))
}

fn of_device(drawn: DeviceSessions) -> Vec<Candidate> {
    let current = drawn.current.map(|current| current.session);
    let aged = |age| move |session| (SealedSession::Device(age), session);
    let current = current.into_iter().map(aged(DeviceSessionAge::Current));
    let pending = drawn.pending.into_iter().map(|pending| pending.session);
    let expired = drawn.expired.into_iter();
    current
        .chain(pending.map(aged(DeviceSessionAge::Pending)))
        .chain(expired.map(aged(DeviceSessionAge::Expired)))
        .collect()
}

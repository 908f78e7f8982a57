//! Sealed frames: whose they are, and what may be wrong with them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::mistake::{Fits, Mistake, Sample};
use super::sealed_keys::{EpochKey, KeysOf, others, sources};
use super::sealed_sessions::{Candidate, SealedSession, SessionsTried, candidates};
use super::{Asked, Field};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::malformed::Malformed;
use crate::sealed::{Direction, Frame, Header, Kind, OVERHEAD_BYTES};
use crate::store::SealedDevice;

/// What a sealed frame claims, whose address it has, and what came of the keys.
#[derive(Debug)]
pub struct SealedInspection {
    /// Its claims.
    pub header: Header,
    /// The device that the keyring lists under its address.
    pub listed: Option<Listed>,
    /// One finding for each source of keys that was tried, up to the one that fits.
    pub findings: Vec<SealedFinding>,
    /// How many sessions were tried.
    pub sessions: SessionsTried,
}

/// A device of the keyring.
#[derive(Debug)]
pub struct Listed {
    /// What people call it.
    pub name: Arc<str>,
    /// Its fleet.
    pub fleet: Arc<str>,
    /// Whether its key is its own.
    pub own_key: bool,
    /// Whether all its frames are refused.
    pub revoked: bool,
    /// No epoch below is accepted.
    pub minimum_epoch: u16,
    /// Where such a frame goes.
    pub topic: String,
    /// What the store knows of it.
    pub state: Option<SealedDevice>,
}

/// What came of some keys.
#[derive(Debug)]
pub struct SealedFinding {
    /// Whose they are.
    pub of: KeysOf,
    /// The fleet, where they come out of its key.
    pub fleet: Option<Arc<str>>,
    /// How many devices they are of.
    pub devices: usize,
    /// The epochs that were tried.
    pub epochs: Vec<u16>,
    /// What fits, if anything does.
    pub fit: Option<SealedFit>,
}

/// How a sealed frame verifies.
pub struct SealedFit {
    /// The device whose key it is.
    pub device: Option<Arc<str>>,
    /// The epoch of the key.
    pub epoch: u16,
    /// Which way it was sealed to go.
    pub direction: Direction,
    /// As what it was sealed.
    pub kind: Kind,
    /// What it is bound to.
    pub session: SealedSession,
    /// How long the beacon's sessions live.
    pub session_life: Option<Duration>,
    /// What is wrong; a receiver takes it only if this is empty.
    pub mistakes: Vec<Mistake>,
    /// The plaintext.
    pub plaintext: Vec<u8>,
}

/// A plaintext stays out of logs.
impl core::fmt::Debug for SealedFit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SealedFit")
            .field("device", &self.device)
            .field("epoch", &self.epoch)
            .field("session", &self.session)
            .field("mistakes", &self.mistakes)
            .finish_non_exhaustive()
    }
}

/// The fields of a binary frame, whatever they hold; none if it is too short.
pub(super) fn fields(length: usize) -> Vec<Field> {
    let Some(ciphertext) = length.checked_sub(OVERHEAD_BYTES) else {
        return Vec::new();
    };
    let mut offset = 0;
    [
        ("magic", 1),
        ("flags", 1),
        ("epoch", 2),
        ("address", 8),
        ("counter", 8),
        ("V", 16),
        ("C", ciphertext),
    ]
    .map(|(name, size)| {
        let field = Field { name, offset, size };
        offset += size;
        field
    })
    .to_vec()
}

/// As [`super::inspect`]; `binary` is not armored.
pub(super) fn inspect(
    binary: &[u8],
    asked: &Asked<'_>,
) -> Result<Result<SealedInspection, Malformed>, StoreError> {
    let header = match Frame::parse(binary) {
        Ok(frame) => *frame.header(),
        Err(malformed) => return Ok(Err(malformed)),
    };
    let Some((bytes, sealed)) = binary.split_first_chunk() else {
        unreachable!("a frame has a header");
    };
    let sample = Sample {
        header: *bytes,
        claims: header,
        sealed,
        topic: asked.topic,
    };
    let (candidates, sessions) = candidates(asked, header.address)?;
    let (mut listed, mut findings) = (None, Vec::new());
    if let Some(keyring) = asked.keyring {
        listed = find(keyring, &header, asked)?;
        let state = listed.as_ref().and_then(|listed| listed.state.as_ref());
        findings = try_all(&sample, keyring, &candidates, state);
    }
    Ok(Ok(SealedInspection {
        header,
        listed,
        findings,
        sessions,
    }))
}

fn find(
    keyring: &Keyring,
    header: &Header,
    asked: &Asked<'_>,
) -> Result<Option<Listed>, StoreError> {
    let address = header.address;
    let device = keyring
        .by_address(address)
        .and_then(|place| keyring.devices().get(place));
    let Some((device, sealed)) = device.and_then(|device| Some((device, device.sealed.as_ref()?)))
    else {
        return Ok(None);
    };
    let Some(fleet) = keyring.fleets().get(sealed.fleet) else {
        return Ok(None);
    };
    let mut state = None;
    if let Some(store) = asked.store {
        store.transact(&mut |transaction| {
            state = transaction.sealed_device(address)?;
            Ok(())
        })?;
    }
    Ok(Some(Listed {
        name: Arc::clone(&device.name),
        fleet: Arc::clone(&fleet.name),
        own_key: sealed.has_own_key(),
        revoked: sealed.revoked,
        minimum_epoch: sealed.minimum_epoch,
        topic: match (header.direction, header.kind) {
            (Direction::Downlink, _) => sealed.down_topic(fleet),
            (Direction::Uplink, Kind::Hello) => sealed.hello_topic(fleet),
            (Direction::Uplink, _) => sealed.up_topic(fleet),
        },
        state,
    }))
}

/// Every key in the right way, then in the wrong ones, then all other devices' keys. Nothing fits
/// twice: the order decides only how soon it is found.
fn try_all(
    sample: &Sample<'_>,
    keyring: &Keyring,
    candidates: &[Candidate],
    state: Option<&SealedDevice>,
) -> Vec<SealedFinding> {
    let sources = sources(keyring, &sample.claims, state);
    let ways = [Sample::fits, Sample::fits_wrongly];
    let fit = ways.iter().find_map(|way| {
        sources.iter().enumerate().find_map(|(place, source)| {
            source.keys.iter().find_map(|key| {
                let fits = way(sample, &key.key, candidates)?;
                Some((place, finish(sample, keyring, source.of, key, fits)))
            })
        })
    });
    let (place, mut fit) = fit.map_or((None, None), |(place, fit)| (Some(place), Some(fit)));
    let found = fit.is_some();
    let mut findings: Vec<SealedFinding> = sources
        .into_iter()
        .enumerate()
        .map(|(at, source)| SealedFinding {
            of: source.of,
            fleet: source.fleet,
            devices: 1,
            epochs: source.epochs,
            fit: fit.take_if(|_| place == Some(at)),
        })
        .collect();
    if !found {
        findings.extend(try_others(sample, keyring, candidates));
    }
    findings
}

fn try_others(
    sample: &Sample<'_>,
    keyring: &Keyring,
    candidates: &[Candidate],
) -> Option<SealedFinding> {
    let mut devices = BTreeSet::new();
    let mut epochs = BTreeSet::new();
    let fit = others(keyring, &sample.claims).find_map(|key| {
        devices.insert(key.device);
        epochs.insert(key.epoch);
        let fits = sample.fits(&key.key, candidates)?;
        Some(finish(sample, keyring, KeysOf::Others, &key, fits))
    });
    (!devices.is_empty()).then(|| SealedFinding {
        of: KeysOf::Others,
        fleet: None,
        devices: devices.len(),
        epochs: epochs.into_iter().collect(),
        fit,
    })
}

fn finish(
    sample: &Sample<'_>,
    keyring: &Keyring,
    of: KeysOf,
    key: &EpochKey,
    fits: Fits,
) -> SealedFit {
    let claims = &sample.claims;
    let device = key.device.and_then(|place| keyring.devices().get(place));
    let fleet = device
        .and_then(|device| device.sealed.as_ref())
        .and_then(|sealed| keyring.fleets().get(sealed.fleet));
    let mut mistakes = Vec::new();
    mistakes.extend(match of {
        KeysOf::Device | KeysOf::Unlisted => None,
        KeysOf::Former => Some(Mistake::FormerKey),
        KeysOf::Reversed => Some(Mistake::AddressOrder),
        KeysOf::Others => Some(Mistake::OtherDevice),
        KeysOf::Fleet => Some(Mistake::FleetKey),
    });
    if key.epoch != claims.epoch && of != KeysOf::Fleet {
        mistakes.push(if key.epoch == claims.epoch.swap_bytes() {
            Mistake::EpochOrder
        } else {
            Mistake::OtherEpoch
        });
    }
    mistakes.extend(fits.mistake);
    // No counter of the right order gets there before the year 2106: the highest are made of a
    // time in seconds and 24 bits more (`SEALED.md`, W2).
    let unlikely = 1 << 56;
    if claims.counter >= unlikely && claims.counter.swap_bytes() < unlikely {
        mistakes.push(Mistake::CounterOrder);
    }
    SealedFit {
        device: device.map(|device| Arc::clone(&device.name)),
        epoch: key.epoch,
        direction: fits.claims.direction,
        kind: fits.claims.kind,
        session: fits.session,
        session_life: fleet.map(|fleet| fleet.times.life),
        mistakes,
        plaintext: fits.plaintext,
    }
}

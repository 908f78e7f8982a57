//! Commands and control frames to sealed devices (`SEALED.md`, *Commands*).

use std::sync::PoisonError;

use super::Sender;
use super::downlink::{Downlink, is_good};
use crate::error::{DataError, Error, SessionError};
use crate::keyring::{Fleet, Sealed};
use crate::receiver::Publication;
use crate::sealed::{
    Control, Direction, FRAME_BYTES_MAX, Frame, FrameKeys, Kind, OVERHEAD_BYTES, Session, open,
};
use crate::store::DeviceSessions;

/// So many epochs may lie between what a device claims and what it has reached (E1).
const AHEAD_MAX: u16 = 3;

/// What the store gives for one frame.
struct Given {
    session: Session,
    epoch: u16,
    counter: u64,
    plaintext: Vec<u8>,
}

impl Sender {
    /// Seals what `plaintext` makes of the device's epoch, under its current session.
    pub(super) fn seal_sealed(
        &self,
        device: usize,
        sealed: &Sealed,
        kind: Kind,
        plaintext: impl Fn(u16) -> Result<Vec<u8>, Error>,
    ) -> Result<Publication, Error> {
        let fleet = self.fleet(sealed);
        let name = || self.name(device);
        if sealed.revoked {
            return Err(SessionError::Revoked { device: name() }.into());
        }
        let wall = self.clock.wall();
        let mut answer: Option<Result<Given, Error>> = None;
        // C4: the chunk is on the disk before a counter of it is used.
        self.store.transact_durably(&mut |transaction| {
            let refuse = |error: SessionError| Some(Err(error.into()));
            if !is_good(transaction.lease(&fleet.name)?, fleet, wall) {
                let fleet = fleet.name.to_string();
                answer = refuse(SessionError::NotAuthority { fleet });
                return Ok(());
            }
            let Some(current) = transaction.device_sessions(sealed.address)?.current else {
                answer = refuse(SessionError::NoDeviceSession { device: name() });
                return Ok(());
            };
            let known = transaction.sealed_device(sealed.address)?;
            // E3
            let epoch = known.map_or(sealed.minimum_epoch, |known| known.epoch);
            // What cannot be sealed uses no counter.
            let plaintext = match plaintext(epoch) {
                Ok(plaintext) => plaintext,
                Err(error) => {
                    answer = Some(Err(error));
                    return Ok(());
                }
            };
            if plaintext.len() > FRAME_BYTES_MAX - OVERHEAD_BYTES {
                let limit = FRAME_BYTES_MAX;
                answer = Some(Err(DataError::FrameTooLong { limit }.into()));
                return Ok(());
            }
            answer = match transaction.next_downlink(sealed.address)? {
                Some(counter) => Some(Ok(Given {
                    session: current.session,
                    epoch,
                    counter,
                    plaintext,
                })),
                None => refuse(SessionError::CountersExhausted { device: name() }),
            };
            Ok(())
        })?;
        let Some(given) = answer else {
            unreachable!("a transaction that succeeds runs its work")
        };
        let given = given?;
        let downlink = Downlink {
            to: sealed,
            kind,
            session: given.session,
            epoch: given.epoch,
            counter: given.counter,
        };
        let keys = self
            .keys
            .downlink(device, given.epoch, sealed.minimum_epoch);
        Ok(downlink.publication(fleet, &keys, &given.plaintext)?)
    }

    /// The tag of what a device acknowledges with this uplink, if it is one that verifies under a
    /// session of the device: for who sends beside the receiver, which alone remembers what came.
    ///
    /// # Errors
    /// [`Error::Store`]
    pub fn acknowledges(&self, payload: &[u8]) -> Result<Option<[u8; 16]>, Error> {
        Ok(match self.control_of(payload)? {
            Some((_, _, Control::Ack { tag })) => Some(tag),
            _ => None,
        })
    }

    /// The mode that the device tells with this uplink, if it verifies under a session of the
    /// device and is newer than what had come of it at the last [`Self::query_mode`]: for who
    /// sends beside the receiver, as [`Self::acknowledges`].
    ///
    /// # Errors
    /// `unknown_name`, [`Error::Store`]
    pub fn tells_mode(&self, name: &str, payload: &[u8]) -> Result<Option<u8>, Error> {
        let wanted = self.keyring.device_index(name)?;
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reached) = asked.get(&wanted).copied() else {
            return Ok(None);
        };
        drop(asked);
        Ok(match self.control_of(payload)? {
            Some((device, counter, Control::Mode { mode }))
                if device == wanted && counter > reached =>
            {
                Some(mode)
            }
            _ => None,
        })
    }

    /// The highest counter that has come of a device.
    pub(super) fn reached(&self, device: usize) -> Result<u64, Error> {
        let listed = self.keyring.devices().get(device);
        let Some(sealed) = listed.and_then(|device| device.sealed.as_ref()) else {
            return Ok(0);
        };
        let mut reached = 0;
        self.store.transact(&mut |transaction| {
            let known = transaction.sealed_device(sealed.address)?;
            reached = known.map_or(0, |known| known.window.head);
            Ok(())
        })?;
        Ok(reached)
    }

    /// What a device says with this uplink under its current session, with the counter of it.
    fn control_of(&self, payload: &[u8]) -> Result<Option<(usize, u64, Control)>, Error> {
        let Ok(frame) = Frame::parse(payload) else {
            return Ok(None);
        };
        let header = frame.header();
        let listed = self.keyring.by_address(header.address);
        let (Direction::Uplink, Kind::Control, Some(device)) =
            (header.direction, header.kind, listed)
        else {
            return Ok(None);
        };
        let (mut sessions, mut known) = (DeviceSessions::default(), None);
        self.store.transact(&mut |transaction| {
            sessions = transaction.device_sessions(header.address)?;
            known = transaction.sealed_device(header.address)?;
            Ok(())
        })?;
        // E1: a claim of a far epoch costs nothing.
        let near = known.is_some_and(|known| header.epoch.abs_diff(known.epoch) <= AHEAD_MAX);
        let key = match near {
            true => self.keyring.device_key(device, header.epoch),
            false => None,
        };
        let sessions = sessions.current.map(|current| current.session);
        let opened = key.and_then(|key| {
            let keys = FrameKeys::new(&key, Direction::Uplink);
            open(&frame, &keys, &sessions, b"")
        });
        let said = opened.and_then(|opened| Control::parse(&opened.plaintext));
        Ok(said.map(|said| (device, header.counter, said)))
    }

    pub(super) fn is_sealed_ready(&self, sealed: &Sealed) -> Result<bool, Error> {
        let fleet = self.fleet(sealed);
        let wall = self.clock.wall();
        let mut ready = false;
        self.store.transact(&mut |transaction| {
            let lease = transaction.lease(&fleet.name)?;
            let sessions = transaction.device_sessions(sealed.address)?;
            ready = is_good(lease, fleet, wall) && sessions.current.is_some();
            Ok(())
        })?;
        Ok(ready && !sealed.revoked)
    }

    /// Whether a fresh sealed frame of the device has come.
    pub(super) fn has_sealed(&self, sealed: &Sealed) -> Result<bool, Error> {
        let mut known = None;
        self.store.transact(&mut |transaction| {
            known = transaction.sealed_device(sealed.address)?;
            Ok(())
        })?;
        Ok(known.is_some())
    }

    fn fleet(&self, sealed: &Sealed) -> &Fleet {
        match self.keyring.fleets().get(sealed.fleet) {
            Some(fleet) => fleet,
            None => unreachable!("a valid keyring has it"),
        }
    }
}

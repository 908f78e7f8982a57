//! Commands and control frames to sealed devices (`SEALED.md`, *Commands*).

use super::Sender;
use super::downlink::{Downlink, is_good};
use crate::error::{DataError, Error, SessionError};
use crate::keyring::{Fleet, Sealed};
use crate::receiver::Publication;
use crate::sealed::{FRAME_BYTES_MAX, Kind, OVERHEAD_BYTES, Session};

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
        let name = || {
            let device = self.keyring.devices().get(device);
            device.map_or_else(String::new, |device| device.name.to_string())
        };
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
            kind,
            address: sealed.address,
            session: given.session,
            epoch: given.epoch,
            counter: given.counter,
        };
        let keys = self
            .keys
            .downlink(device, given.epoch, sealed.minimum_epoch);
        Ok(downlink.publication(fleet, &keys, &given.plaintext)?)
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

//! What a device must not forget, as one record (`SEALED.md`, E4 and D1).

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::key::DeviceKey;
use crate::primitives::hkdf_expand;
use crate::sealed::Address;

/// By what a provisioned key is known again, and nothing of it learnt.
pub(super) type Fingerprint = [u8; 16];

/// Epoch, key and counter ceiling, and whose they are.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) address: Address,
    /// Of the key that the device was provisioned with: another one replaces the record.
    pub(super) fingerprint: Fingerprint,
    pub(super) epoch: u16,
    pub(super) key: DeviceKey,
    /// Every counter up to this one may have been used.
    pub(super) ceiling: u64,
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRecord {
    /// Erased, cut off or changed; with what is wrong.
    Damaged(&'static str),
    /// Something else.
    Foreign,
    /// Of a version that is not known.
    Newer(u16),
}

const MAGIC: &[u8; 8] = b"\xf5espdev\n";
const VERSION: u16 = 1;
const CHECKSUM_BYTES: usize = 32;

impl Record {
    /// magic(8), version(2), length(2), sequence number(8), address(8), fingerprint(16),
    /// epoch(2), key(32), ceiling(8), SHA-256 of all before(32).
    pub(super) const BYTES: usize = 86 + CHECKSUM_BYTES;
    pub(super) const VERSION: u16 = VERSION;

    pub(super) fn to_bytes(&self, sequence: u64) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::BYTES));
        let [length_high, length_low] = match u16::try_from(Self::BYTES) {
            Ok(length) => length.to_be_bytes(),
            Err(_) => unreachable!("a record is short"),
        };
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[length_high, length_low]);
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(self.address.as_bytes());
        bytes.extend_from_slice(&self.fingerprint);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(self.key.expose());
        bytes.extend_from_slice(&self.ceiling.to_be_bytes());
        let checksum = Sha256::digest(&*bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// The record and its sequence number.
    pub(super) fn parse(bytes: &[u8]) -> Result<(u64, Self), NoRecord> {
        // A power cut or a full disk leaves zeros or nothing where a record was.
        if bytes.iter().all(|&byte| byte == 0) || bytes.iter().all(|&byte| byte == 0xff) {
            return Err(NoRecord::Damaged("it was erased"));
        }
        if !MAGIC.starts_with(bytes.get(..MAGIC.len()).unwrap_or(bytes)) {
            return Err(NoRecord::Foreign);
        }
        let mut rest = Rest(bytes);
        let cut_off = || NoRecord::Damaged("it was cut off");
        let (_, version, length): ([u8; 8], _, _) = (
            rest.take().ok_or_else(cut_off)?,
            u16::from_be_bytes(rest.take().ok_or_else(cut_off)?),
            u16::from_be_bytes(rest.take().ok_or_else(cut_off)?),
        );
        if version != VERSION {
            return Err(NoRecord::Newer(version));
        }
        if usize::from(length) != Self::BYTES || bytes.len() > Self::BYTES {
            return Err(NoRecord::Damaged("its length is wrong"));
        }
        let (covered, checksum) = bytes
            .split_at_checked(Self::BYTES - CHECKSUM_BYTES)
            .filter(|(_, checksum)| checksum.len() == CHECKSUM_BYTES)
            .ok_or_else(cut_off)?;
        if Sha256::digest(covered).as_slice() != checksum {
            return Err(NoRecord::Damaged("its checksum does not fit"));
        }
        let fields = || {
            let sequence = u64::from_be_bytes(rest.take()?);
            let address = Address::new(rest.take()?);
            let fingerprint = rest.take()?;
            let epoch = u16::from_be_bytes(rest.take()?);
            let key: Zeroizing<[u8; 32]> = Zeroizing::new(rest.take()?);
            let record = Self {
                address,
                fingerprint,
                epoch,
                key: DeviceKey::new(key.as_ref()).ok()?,
                ceiling: u64::from_be_bytes(rest.take()?),
            };
            Some((sequence, record))
        };
        let mut fields = fields;
        match fields() {
            Some(found) => Ok(found),
            None => unreachable!("the length was right"),
        }
    }
}

/// The fingerprint of a key as it was provisioned.
pub(super) fn fingerprint(key: &DeviceKey, address: Address, epoch: u16) -> Fingerprint {
    *hkdf_expand(
        key.expose(),
        &[b"state file", address.as_bytes(), &epoch.to_be_bytes()],
    )
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const BYTES: usize>(&mut self) -> Option<[u8; BYTES]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            address: Address::new([7; 8]),
            fingerprint: [9; 16],
            epoch: 3,
            key: DeviceKey::new(&[5; 32]).unwrap(),
            ceiling: 4096,
        }
    }

    #[test]
    fn round_trip() {
        let bytes = record().to_bytes(42);
        assert_eq!(bytes.len(), Record::BYTES);
        let (sequence, read) = Record::parse(&bytes).unwrap();
        assert_eq!((sequence, read.ceiling, read.epoch), (42, 4096, 3));
        assert_eq!(read.to_bytes(42), bytes);
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let bytes = record().to_bytes(42);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(Record::parse(&changed).is_err(), "byte {at}, bit {bit}");
            }
            let cut = Record::parse(&bytes[..at]).err();
            assert!(matches!(cut, Some(NoRecord::Damaged(_))), "{at}: {cut:?}");
        }
        let longer = [bytes.as_slice(), b"\0"].concat();
        assert!(Record::parse(&longer).is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let damaged = |text| Some(NoRecord::Damaged(text));
        let problem = |bytes: &[u8]| Record::parse(bytes).err();
        assert_eq!(problem(b""), damaged("it was erased"));
        assert_eq!(problem(&[0; 118]), damaged("it was erased"));
        assert_eq!(problem(&[0xff; 4096]), damaged("it was erased"));
        assert_eq!(problem(b"{\"version\": 1}"), Some(NoRecord::Foreign));
        let mut newer = record().to_bytes(1);
        newer[9] = 2;
        assert_eq!(problem(&newer), Some(NoRecord::Newer(2)));
        let mut changed = record().to_bytes(1);
        changed[60] ^= 1;
        assert_eq!(problem(&changed), damaged("its checksum does not fit"));
    }
}

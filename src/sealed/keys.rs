//! Keys out of keys (`SEALED.md`, *Keys*).

use core::fmt;

use super::address::Address;
use super::frame::Direction;
use crate::error::KeyringError;
use crate::key::{DeviceKey, FleetKey};
use crate::primitives::siv::Siv;
use crate::primitives::{hkdf, hkdf_expand};

/// A receiver-chosen nonce that a frame is bound to, 16 bytes.
pub type Session = [u8; 16];

impl DeviceKey {
    /// `DK_0 = HKDF(salt = "espseal/1", ikm = fleet key, info = "device" || address)`.
    #[must_use]
    pub fn of_fleet(fleet: &FleetKey, address: Address) -> Self {
        let info: &[&[u8]] = &[b"device", address.as_bytes()];
        of(&hkdf(b"espseal/1", fleet.expose(), info))
    }

    /// `DK_(e+1) = HKDF-Expand(DK_e, "ratchet")`.
    #[must_use]
    pub fn ratchet(&self) -> Self {
        of(&hkdf_expand::<32>(self.expose(), &[b"ratchet"]))
    }

    /// The key after so many more steps.
    #[must_use]
    pub fn ratchet_by(&self, steps: u16) -> Self {
        (0..steps).fold(self.clone(), |key, _| key.ratchet())
    }
}

fn of(bytes: &[u8; 32]) -> DeviceKey {
    let key: Result<DeviceKey, KeyringError> = DeviceKey::new(bytes);
    match key {
        Ok(key) => key,
        Err(_) => unreachable!("32 bytes"),
    }
}

/// The key of one direction in one epoch, expanded.
#[derive(Clone)]
pub struct FrameKeys {
    pub(super) direction: Direction,
    pub(super) siv: Siv,
}

impl FrameKeys {
    /// `K_uplink = HKDF-Expand(DK_e, "uplink")`, `K_downlink = HKDF-Expand(DK_e, "downlink")`.
    #[must_use]
    pub fn new(key: &DeviceKey, direction: Direction) -> Self {
        let info: &[u8] = match direction {
            Direction::Uplink => b"uplink",
            Direction::Downlink => b"downlink",
        };
        Self {
            direction,
            siv: Siv::new(&hkdf_expand(key.expose(), &[info])),
        }
    }
}

impl fmt::Debug for FrameKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameKeys {{ direction: {:?}, .. }}", self.direction)
    }
}

/// The session that a device draws: `HKDF-Expand(DK_e, "session" || counter(8) || beacon(16) ||
/// random(16), 16)`. Random bytes alone repeat after a reset, the counter after a wipe.
#[must_use]
pub fn device_session(
    key: &DeviceKey,
    counter: u64,
    beacon: &Session,
    random: &[u8; 16],
) -> Session {
    *hkdf_expand(
        key.expose(),
        &[b"session", &counter.to_be_bytes(), beacon, random],
    )
}

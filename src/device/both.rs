//! `Device`: one type for both formats.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::classic::ClassicDevice;
use super::options::{DeviceOptions, Format};
use super::provisioned::{Mqtt, Provisioned, is_json, real_path};
use super::sealed::SealedDevice;
use crate::error::{Error, FormatError};
use crate::keyring::{Keyring, Provision};
use crate::message::Message;
use crate::receiver::Publication;
use crate::sealed::Address;

/// A device's own end. One device serves any number of threads.
///
/// A sealed one is run by its publications: after each connect call [`Self::reconnected`],
/// subscribe to [`Self::subscriptions`], give the beacon's messages to [`Self::hear`] and those of
/// the down topic to [`Self::open`]; after each, and when [`Self::next_due`] says so, publish
/// what [`Self::publications`] gives. Readings go there with [`Self::send`].
pub struct Device(Inner);

enum Inner {
    Classic(Box<ClassicDevice>),
    Sealed(Box<SealedDevice>),
}

impl core::fmt::Debug for Device {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Device")
            .field("name", self.name())
            .field("format", &self.format())
            .finish_non_exhaustive()
    }
}

impl Device {
    /// Reads a device file. A sealed device's is the JSON that `espseal provision`
    /// writes; its counter, epoch and key are kept beside it in `<path>.state`, which one
    /// process uses at a time. A classic device's is TOML (`docs/keyring.md`).
    ///
    /// Never put an older copy of the state file back: it cannot be told from the last one, and
    /// counters of it were used. After a ratchet `device_key` is taken out of the JSON file.
    ///
    /// # Errors
    /// [`crate::KeyringError`], with file, line and field; [`crate::StateError`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::load_with(path, DeviceOptions::default())
    }

    /// [`Self::load`], with the state elsewhere, or on clocks and randomness that a test controls.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with(path: &Path, mut options: DeviceOptions) -> Result<Self, Error> {
        if !is_json(path) {
            let device = ClassicDevice::load(path, options.random)?;
            return Ok(Self(Inner::Classic(Box::new(device))));
        }
        let provisioned = Provisioned::load(path)?;
        let path = real_path(path);
        options.state.get_or_insert_with(|| state_beside(&path));
        let device = SealedDevice::new(provisioned, options, Some(&path))?;
        Ok(Self(Inner::Sealed(Box::new(device))))
    }

    /// A sealed device of what it was provisioned with.
    ///
    /// # Errors
    /// [`crate::StateError`]
    pub fn sealed(given: Provision, options: DeviceOptions) -> Result<Self, Error> {
        let device = SealedDevice::new(given.into(), options, None)?;
        Ok(Self(Inner::Sealed(Box::new(device))))
    }

    /// The device of this name, with its keys out of the keyring: sealed if it can be, its state
    /// in memory. For tests and simulators.
    ///
    /// # Errors
    /// `unknown_name`.
    pub fn from_keyring(keyring: &Keyring, name: &str) -> Result<Self, Error> {
        Self::from_keyring_with(keyring, name, None, DeviceOptions::default())
    }

    /// [`Self::from_keyring`] in one format, or with its state in a file, or on clocks and
    /// randomness that a test controls.
    ///
    /// # Errors
    /// `unknown_name`; `wrong_format` if the device does not send this one; [`crate::StateError`].
    pub fn from_keyring_with(
        keyring: &Keyring,
        name: &str,
        format: Option<Format>,
        options: DeviceOptions,
    ) -> Result<Self, Error> {
        let index = keyring.device_index(name)?;
        let device = keyring.device(name)?;
        let inner = match (format, &device.sealed, &device.classic) {
            (Some(Format::Sealed) | None, Some(_), _) => {
                let Some(given) = keyring.provision_at(index) else {
                    unreachable!("a valid keyring has what it takes")
                };
                Inner::Sealed(Box::new(SealedDevice::new(given.into(), options, None)?))
            }
            (Some(Format::Classic) | None, _, Some(classic)) => {
                let random = options.random;
                let device = ClassicDevice::from_keyring(keyring, device, classic, random);
                Inner::Classic(Box::new(device))
            }
            (Some(format), _, _) => {
                let hint = match format {
                    Format::Sealed => "the keyring has no `sealed = {…}` for this device",
                    Format::Classic => "the keyring has no `classic = {…}` for this device",
                };
                return Err(FormatError { hint }.into());
            }
            (None, None, None) => unreachable!("a device has a format"),
        };
        Ok(Self(inner))
    }

    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        match &self.0 {
            Inner::Classic(device) => device.name(),
            Inner::Sealed(device) => device.name(),
        }
    }

    /// Which frames it sends.
    #[must_use]
    pub const fn format(&self) -> Format {
        match &self.0 {
            Inner::Classic(_) => Format::Classic,
            Inner::Sealed(_) => Format::Sealed,
        }
    }

    /// Where its readings go, if it was told.
    #[must_use]
    pub const fn topic(&self) -> Option<&Arc<str>> {
        match &self.0 {
            Inner::Classic(device) => device.topic(),
            Inner::Sealed(device) => Some(device.up_topic()),
        }
    }

    /// Where a classic one hears session IDs, if it needs any.
    #[must_use]
    pub const fn session_topic(&self) -> Option<&Arc<str>> {
        match &self.0 {
            Inner::Classic(device) => device.session_topic(),
            Inner::Sealed(_) => None,
        }
    }

    /// What the frames of a sealed one carry.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.if_sealed().map(SealedDevice::address)
    }

    /// Where the hellos of a sealed one go.
    #[must_use]
    pub fn hello_topic(&self) -> Option<&Arc<str>> {
        self.if_sealed().map(SealedDevice::hello_topic)
    }

    /// Where the messages for [`Self::open`] come from, of a sealed one.
    #[must_use]
    pub fn down_topic(&self) -> Option<&Arc<str>> {
        self.if_sealed().map(SealedDevice::down_topic)
    }

    /// Where a sealed one hears the beacon.
    #[must_use]
    pub fn beacon_topic(&self) -> Option<&Arc<str>> {
        self.if_sealed().map(SealedDevice::beacon_topic)
    }

    /// How many ratchet steps the key of a sealed one has made.
    #[must_use]
    pub fn epoch(&self) -> Option<u16> {
        self.if_sealed().map(SealedDevice::epoch)
    }

    /// The broker that the provisioning file names, as far as it does.
    #[must_use]
    pub fn mqtt(&self) -> Option<&Mqtt> {
        self.if_sealed().map(SealedDevice::mqtt)
    }

    /// What to subscribe to after each connect.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Arc<str>> {
        match &self.0 {
            Inner::Classic(device) => device.session_topic().cloned().into_iter().collect(),
            Inner::Sealed(device) => vec![
                Arc::clone(device.beacon_topic()),
                Arc::clone(device.down_topic()),
            ],
        }
    }

    /// Takes a session ID off the session topic, or off the beacon topic; false, and ignored, if
    /// it is none. A device cannot tell a true one from a false one.
    pub fn hear(&self, payload: &[u8]) -> bool {
        match &self.0 {
            Inner::Classic(device) => device.hear(payload),
            Inner::Sealed(device) => device.hear(payload),
        }
    }

    /// Seals one reading: a classic one under the session heard last; a sealed one once it is
    /// welcomed, or has waited for that as long as [`DeviceOptions::hold`] says.
    ///
    /// # Errors
    /// `no_session`, `not_welcomed`, [`crate::DataError`], [`crate::StateError`], or `random`.
    pub fn seal(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Inner::Classic(device) => device.seal(data),
            Inner::Sealed(device) => device.seal(data),
        }
    }

    /// Seals a message of a classic node to the node `to`, under the session heard last on that
    /// node's topic.
    ///
    /// # Errors
    /// `wrong_format`, `no_session`, [`crate::DataError`], or `random`.
    pub fn seal_to(&self, to: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
        const HINT: &str = "a sealed device speaks to its host alone; seal without `to`";
        self.classic(HINT)?.seal_to(to, data)
    }

    /// Puts a reading of a sealed device into its outbox: [`Self::publications`] gives it,
    /// sealed, once the device is welcomed or has waited long enough.
    ///
    /// # Errors
    /// `wrong_format`, `frame_too_long`, `outbox_full`.
    pub fn send(&self, data: &[u8]) -> Result<(), Error> {
        match &self.0 {
            Inner::Sealed(device) => Ok(device.send(data)?),
            Inner::Classic(_) => {
                let hint = "a classic device has no outbox; `seal` the reading, and publish it";
                Err(FormatError { hint }.into())
            }
        }
    }

    /// Draws a session under which one command may come to a classic device: publish it,
    /// retained, on the device's command-session topic.
    ///
    /// # Errors
    /// `wrong_format`, `random`.
    pub fn draw_command_session(&self) -> Result<[u8; 32], Error> {
        const HINT: &str =
            "a sealed device shows its sessions in its hellos; publish what `publications` gives";
        self.classic(HINT)?.draw_command_session()
    }

    /// Opens a command of the host, or to a classic node a message of another. What a sealed
    /// device takes without handing it on (a welcome, a ratchet, a mode) is `fresh`, too, and
    /// has no data; its answer lies in [`Self::publications`]. Whatever the bytes, the answer
    /// is a verdict.
    ///
    /// # Errors
    /// [`crate::StateError`]: nothing was taken, and the payload may be given again.
    pub fn open(&self, payload: &[u8]) -> Result<Message, Error> {
        match &self.0 {
            Inner::Classic(device) => Ok(device.open(payload)),
            Inner::Sealed(device) => device.open(payload),
        }
    }

    /// What a sealed device has to publish now: acknowledgements, hellos, readings.
    ///
    /// # Errors
    /// [`crate::StateError`], or `random`; what could not be sealed is tried again.
    pub fn publications(&self) -> Result<Vec<Publication>, Error> {
        match &self.0 {
            Inner::Classic(_) => Ok(Vec::new()),
            Inner::Sealed(device) => device.publications(),
        }
    }

    /// How long until [`Self::publications`] has something; None for never.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.if_sealed().and_then(SealedDevice::next_due)
    }

    /// Says that MQTT is connected, after each connect: a sealed device greets its host.
    pub fn reconnected(&self) {
        if let Some(device) = self.if_sealed() {
            device.reconnected();
        }
    }

    /// Whether the host has welcomed a sealed device since it started.
    #[must_use]
    pub fn is_welcomed(&self) -> bool {
        self.if_sealed().is_some_and(SealedDevice::is_welcomed)
    }

    /// The mode that the host set last, 0 at first; the application says what it means.
    #[must_use]
    pub fn mode(&self) -> u8 {
        self.if_sealed().map_or(0, SealedDevice::mode)
    }

    /// Goes into a mode by itself, like one that was stored.
    ///
    /// # Errors
    /// `wrong_format`
    pub fn set_mode(&self, mode: u8) -> Result<(), Error> {
        let hint = "a classic device has no mode";
        let device = self.if_sealed().ok_or(FormatError { hint })?;
        device.set_mode(mode);
        Ok(())
    }

    /// How many verified control frames said what it does not know.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.if_sealed().map_or(0, SealedDevice::ignored)
    }

    /// What a person should do, in one sentence; None if nothing.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.if_sealed().and_then(SealedDevice::trouble)
    }

    /// Whether its calls may wait for a disk.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.if_sealed().is_some_and(SealedDevice::waits)
    }

    fn classic(&self, hint: &'static str) -> Result<&ClassicDevice, FormatError> {
        match &self.0 {
            Inner::Classic(device) => Ok(device),
            Inner::Sealed(_) => Err(FormatError { hint }),
        }
    }

    fn if_sealed(&self) -> Option<&SealedDevice> {
        match &self.0 {
            Inner::Classic(_) => None,
            Inner::Sealed(device) => Some(device),
        }
    }
}

fn state_beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".state");
    name.into()
}

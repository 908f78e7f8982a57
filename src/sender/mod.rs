//! Host to device: commands.
//!
//! `classic` seals under sessions that the nodes drew (`CLASSIC.md`, *Commands*), `sealed` under
//! those that sealed devices acknowledged (`SEALED.md`, *Commands*), each as a `downlink`.

mod classic;
mod downlink;
mod sealed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use self::downlink::{Downlink, down, lease_end};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::device::session_text;
use crate::error::{Error, FormatError, SessionError};
use crate::keyring::{Classic, Keyring, Sealed};
use crate::receiver::{KeyCache, Publication};
use crate::sealed::{Control, Kind};
use crate::store::Store;

/// Seals commands. One sender serves any number of threads.
pub struct Sender {
    keyring: Arc<Keyring>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    keys: KeyCache,
    /// Command-session topic to device.
    topics: HashMap<Box<str>, usize>,
    /// The session that each device shows, until it is used.
    sessions: Mutex<HashMap<usize, [u8; 32]>>,
    /// The counter that each device had reached when it was asked for its mode.
    asked: Mutex<HashMap<usize, u64>>,
}

impl core::fmt::Debug for Sender {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender on the operating system's clocks and randomness, for sealed devices and for
    /// classic ones whose group has a `command_topic`.
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, store: Arc<dyn Store>) -> Self {
        Self::with_clock(
            keyring,
            store,
            Arc::new(SystemClock::new()),
            Arc::new(SystemRandom),
        )
    }

    /// A sender on clocks and randomness that a test controls.
    #[must_use]
    pub fn with_clock(
        keyring: Arc<Keyring>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let mut topics = HashMap::new();
        for (index, device) in keyring.devices().iter().enumerate() {
            let topic = device.classic.as_ref().and_then(|classic| {
                let group = keyring.groups().get(classic.group)?;
                group.command_session_topic(&classic.address)
            });
            if let Some(topic) = topic {
                topics.insert(topic.into(), index);
            }
        }
        Self {
            keys: KeyCache::new(&keyring),
            keyring,
            store,
            clock,
            random,
            topics,
            sessions: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// The command-session topics: their messages go to [`Self::hear`].
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.topics.keys().map(ToString::to_string).collect();
        topics.sort_unstable();
        topics
    }

    /// Takes a message of a command-session topic; false if `topic` is none. A payload that is
    /// no session is ignored.
    pub fn hear(&self, payload: &[u8], topic: &str) -> bool {
        let Some(&device) = self.topics.get(topic) else {
            return false;
        };
        if let Some(text) = session_text(payload) {
            self.sessions().insert(device, text);
        }
        true
    }

    /// Whether a command to this device can be sealed now.
    ///
    /// # Errors
    /// `unknown_name`; [`Error::Store`].
    pub fn is_ready(&self, name: &str) -> Result<bool, Error> {
        let device = self.keyring.device_index(name)?;
        match self.format(device)? {
            Format::Classic(_) => Ok(self.sessions().contains_key(&device)),
            Format::Sealed(sealed) => self.is_sealed_ready(sealed),
        }
    }

    /// Seals a command: for a sealed device under the session that it acknowledged last; for a
    /// classic one under the session that it shows, which it uses up. A device that has both
    /// formats gets a classic command until its first sealed frame came.
    ///
    /// # Errors
    /// `unknown_name`; `no_session` until the device shows a session (of a classic device: one
    /// that was not used); [`crate::DataError`]; [`Error::Store`].
    /// Of a sealed device also `not_authority` and `revoked`; of a classic one `missing_field` if
    /// its group has no `command_topic`.
    pub fn seal(&self, name: &str, data: &[u8]) -> Result<Publication, Error> {
        let device = self.keyring.device_index(name)?;
        match self.format(device)? {
            Format::Classic(classic) => self.seal_classic(device, classic, data),
            Format::Sealed(sealed) => {
                self.seal_sealed(device, sealed, Kind::Data, |_| Ok(data.to_vec()))
            }
        }
    }

    /// Asks a sealed device to ratchet its key once (`SEALED.md`, E2): nothing changes here until
    /// its first frame of the new epoch comes.
    ///
    /// # Errors
    /// As [`Self::seal`]; `epoch_exhausted`; `wrong_format` of a classic device.
    pub fn ratchet(&self, name: &str) -> Result<Publication, Error> {
        self.control(name, |epoch| {
            let device = name.to_owned();
            match epoch.checked_add(1) {
                Some(epoch) => Ok(Control::Ratchet { epoch }),
                None => Err(SessionError::EpochExhausted { device }.into()),
            }
        })
    }

    /// Asks a sealed device for its mode: it comes with [`crate::Message::mode`], and
    /// [`Self::tells_mode`] reads the answer.
    ///
    /// # Errors
    /// As [`Self::seal`]; `wrong_format` of a classic device.
    pub fn query_mode(&self, name: &str) -> Result<Publication, Error> {
        let device = self.keyring.device_index(name)?;
        // Before it is asked: what comes later has a higher counter.
        let reached = self.reached(device)?;
        let publication = self.control(name, |_| Ok(Control::QueryMode))?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(device, reached);
        Ok(publication)
    }

    /// Puts a sealed device into a mode.
    ///
    /// # Errors
    /// As [`Self::seal`]; `wrong_format` of a classic device.
    pub fn set_mode(&self, name: &str, mode: u8) -> Result<Publication, Error> {
        self.control(name, |_| Ok(Control::SetMode { mode }))
    }

    fn control(
        &self,
        name: &str,
        say: impl Fn(u16) -> Result<Control, Error>,
    ) -> Result<Publication, Error> {
        let device = self.keyring.device_index(name)?;
        let listed = self.keyring.devices().get(device);
        let Some(sealed) = listed.and_then(|device| device.sealed.as_ref()) else {
            let hint = "only a sealed device has a ratchet and modes; this one is classic";
            return Err(FormatError { hint }.into());
        };
        self.seal_sealed(device, sealed, Kind::Control, |epoch| {
            say(epoch).map(|control| control.to_bytes())
        })
    }

    fn format(&self, device: usize) -> Result<Format<'_>, Error> {
        let listed = self.keyring.devices().get(device);
        match listed.map(|device| (&device.classic, &device.sealed)) {
            Some((Some(classic), Some(sealed))) if !self.has_sealed(sealed)? => {
                Ok(Format::Classic(classic))
            }
            Some((_, Some(sealed))) => Ok(Format::Sealed(sealed)),
            Some((Some(classic), None)) => Ok(Format::Classic(classic)),
            Some((None, None)) | None => unreachable!("a device has a format"),
        }
    }

    /// For an error.
    fn name(&self, device: usize) -> String {
        let device = self.keyring.devices().get(device);
        device.map_or_else(String::new, |device| device.name.to_string())
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<usize, [u8; 32]>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a device is commanded.
enum Format<'a> {
    Classic(&'a Classic),
    Sealed(&'a Sealed),
}

//! How a device runs, besides what it was provisioned with.

use core::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Random, SystemClock, SystemRandom};

/// Which of the two formats a device sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `CLASSIC.md`
    Classic,
    /// `SEALED.md`
    Sealed,
}

impl Format {
    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Sealed => "sealed",
        }
    }
}

/// What may be said about a device when it is made. A classic one looks at `random` alone.
#[derive(Clone)]
pub struct DeviceOptions {
    /// The file with its counter, its epoch and its key. [`crate::Device::load`] keeps it beside
    /// the provisioning file; otherwise, without one, the state ends with the process, and
    /// the next device of this key uses the same counters again.
    pub state: Option<PathBuf>,
    /// What its hello calls its firmware.
    pub firmware: String,
    /// How long readings wait for the welcome (H2).
    pub hold: Duration,
    /// How often it draws a new session (H1).
    pub hello_interval: Duration,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Arc<dyn Random>,
}

impl Default for DeviceOptions {
    fn default() -> Self {
        Self {
            state: None,
            firmware: concat!("espseal ", env!("CARGO_PKG_VERSION")).to_owned(),
            hold: Duration::from_secs(10),
            hello_interval: Duration::from_secs(600),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
        }
    }
}

impl fmt::Debug for DeviceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceOptions")
            .field("state", &self.state)
            .field("firmware", &self.firmware)
            .field("hold", &self.hold)
            .field("hello_interval", &self.hello_interval)
            .finish_non_exhaustive()
    }
}

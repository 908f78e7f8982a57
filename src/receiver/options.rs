//! How a receiver runs.

use std::sync::Arc;

use super::Delivery;
use crate::clock::{Clock, Random, SystemClock, SystemRandom};

/// What [`crate::Receiver::with_options`] takes.
#[derive(Clone)]
pub struct ReceiverOptions {
    /// Whether it publishes session IDs and beacons, welcomes and commands. One that does not
    /// follows those that it hears.
    pub authority: bool,
    /// What becomes of a reading of a sealed device when the process dies.
    pub delivery: Delivery,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub random: Arc<dyn Random>,
}

impl Default for ReceiverOptions {
    fn default() -> Self {
        Self {
            authority: true,
            delivery: Delivery::default(),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
        }
    }
}

impl core::fmt::Debug for ReceiverOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReceiverOptions")
            .field("authority", &self.authority)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

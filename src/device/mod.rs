//! A device's own end: seals readings, opens commands. For tests, simulators, Linux devices.
//!
//! [`Device`] stands in front of both formats: `classic` and `sealed`. `provisioned` is what a
//! sealed one is given, `options` how it runs, `reason` why it refuses.

mod both;
mod classic;
mod options;
mod provisioned;
mod reason;
mod sealed;

pub use both::Device;
pub use options::{DeviceOptions, Format};
pub use provisioned::Mqtt;
pub use reason::DeviceReason;

/// The text of a session ID, as it enters the MAC.
type SessionText = [u8; 32];

/// 32 lower-case hex digits, or nothing.
pub(crate) fn session_text(payload: &[u8]) -> Option<SessionText> {
    let text: SessionText = payload.try_into().ok()?;
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.iter().all(digit).then_some(text)
}

#[cfg(test)]
mod tests_classic;

//! Whether a verified frame is new (`SEALED.md`, *Window*). No store and no clock in here.

use super::reason::SealedReason;
use crate::classic::SessionId;
use crate::message::Reason;
use crate::sealed::{Place, Window};
use crate::store::SealedDevice;
use crate::verdict::Verdict;

/// What a verified frame proves of its own age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// Nothing: it is unbound.
    None,
    /// It was sealed after this beacon session was minted.
    Beacon {
        id: SessionId,
        /// Minted since the store has known everything that was accepted.
        since: bool,
    },
    /// It is bound to a session that the device drew.
    Device,
    /// It is bound to one that has expired.
    Expired,
}

/// A frame that is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct New {
    pub(super) window: Window,
    /// Above the head.
    pub(super) advanced: bool,
    /// The window opened with it.
    pub(super) opened: bool,
}

/// W1 to W3, after O9. An error is what it is instead.
pub(super) fn judge(
    known: Option<&SealedDevice>,
    counter: u64,
    binding: Binding,
    danger_first_contact: bool,
) -> Result<New, (Verdict, Reason)> {
    if binding == Binding::Expired {
        return Err((Verdict::StaleSession, Reason::Expired));
    }
    let floor = match known {
        Some(device) if device.open => return inside(device.window, counter),
        Some(device) => Some(device.window),
        None => None,
    };
    let window = match binding {
        Binding::Beacon { id, since: true } => Window::first_contact(counter, Some(id.time())),
        // Nothing but the counter tells that it is new.
        Binding::None | Binding::Beacon { .. } if danger_first_contact => {
            if let Some(floor) = floor {
                inside(Window::closed(floor.head), counter)?;
            }
            Window::first_contact(counter, None)
        }
        _ => return Err((Verdict::StaleSession, SealedReason::Unmet.into())),
    };
    let floor = floor.map_or(0, |floor| floor.head);
    Ok(New {
        window: Window::closed(window.head.max(floor)),
        advanced: true,
        opened: true,
    })
}

fn inside(window: Window, counter: u64) -> Result<New, (Verdict, Reason)> {
    let advanced = match window.place(counter) {
        Place::Above => true,
        Place::Late => false,
        Place::Taken => return Err((Verdict::Duplicate, Reason::Accepted)),
        Place::Below => return Err((Verdict::Replayed, SealedReason::Below.into())),
    };
    Ok(New {
        window: window.with(counter),
        advanced,
        opened: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: u64 = 1000;

    fn device(open: bool) -> SealedDevice {
        SealedDevice {
            window: Window {
                head: HEAD,
                bits: 0b101,
            },
            open,
            epoch: 0,
            overlap: None,
            last_seen: 0,
        }
    }

    fn beacon(since: bool) -> Binding {
        Binding::Beacon {
            id: SessionId::from_bytes([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            since,
        }
    }

    fn word(answer: Result<New, (Verdict, Reason)>) -> &'static str {
        answer.map_or_else(|(verdict, _)| verdict.code(), |_| "fresh")
    }

    #[test]
    fn only_a_new_beacon_meets_a_device() {
        for (binding, safe, danger) in [
            (Binding::None, "stale_session", "fresh"),
            (Binding::Device, "stale_session", "stale_session"),
            (Binding::Expired, "stale_session", "stale_session"),
            (beacon(false), "stale_session", "fresh"),
            (beacon(true), "fresh", "fresh"),
        ] {
            for known in [None, Some(device(false))] {
                let judged = judge(known.as_ref(), HEAD + 1, binding, false);
                assert_eq!(word(judged), safe, "{binding:?}");
                let judged = judge(known.as_ref(), HEAD + 1, binding, true);
                assert_eq!(word(judged), danger, "{binding:?}");
            }
            let open = judge(Some(&device(true)), HEAD - 1, binding, false);
            let expected = match binding {
                Binding::Expired => "stale_session",
                _ => "fresh",
            };
            assert_eq!(word(open), expected, "{binding:?}");
        }
    }

    #[test]
    fn a_window_opens_above_beacon_counter_and_floor_with_all_bits_set() {
        let head = |known: Option<&SealedDevice>, counter| {
            let new = judge(known, counter, beacon(true), false).unwrap();
            assert_eq!(new.window.bits, u64::MAX);
            assert!(new.advanced && new.opened);
            new.window.head
        };
        assert_eq!(head(None, 1), 1 << 24);
        assert_eq!(head(None, 1 << 24 | 5), 1 << 24 | 5);
        let mut floor = device(false);
        assert_eq!(head(Some(&floor), 1), 1 << 24);
        floor.window.head = 1 << 30;
        assert_eq!(head(Some(&floor), 1), 1 << 30);
        assert_eq!(head(Some(&floor), 1 << 31), 1 << 31);
    }

    /// Without a beacon nothing at or below the floor is new, whatever its bits say.
    #[test]
    fn a_floor_stays_one_where_first_contact_is_dangerous() {
        for (counter, expected) in [
            (HEAD + 1, "fresh"),
            (HEAD, "duplicate"),
            (HEAD - 1, "duplicate"),
            (HEAD - 63, "duplicate"),
            (HEAD - 64, "replayed"),
        ] {
            let judged = judge(Some(&device(false)), counter, Binding::None, true);
            assert_eq!(word(judged), expected, "{counter}");
        }
    }
}

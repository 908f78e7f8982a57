//! Which counters were accepted (`SEALED.md`, *Window*).

/// The highest counter accepted, and which of the 64 up to it were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The highest counter accepted.
    pub head: u64,
    /// Bit i stands for `head - i`.
    pub bits: u64,
}

/// Where a counter lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Above the head: it is new.
    Above,
    /// Inside, and not accepted yet: it is new, and late.
    Late,
    /// Inside, and accepted.
    Taken,
    /// Below: no one knows any more.
    Below,
}

impl Window {
    /// How many counters it remembers.
    pub const COUNTERS: u64 = 64;

    /// With all bits set: nothing at or below the head is new.
    #[must_use]
    pub const fn closed(head: u64) -> Self {
        Self {
            head,
            bits: u64::MAX,
        }
    }

    /// The window of a device that is met with a frame of this counter, bound to a beacon of this
    /// time (W2): above every counter that a wiped device may have used before.
    #[must_use]
    pub const fn first_contact(counter: u64, beacon_time: Option<u32>) -> Self {
        let least = match beacon_time {
            Some(time) => (time as u64) << 24,
            None => 0,
        };
        Self::closed(if counter > least { counter } else { least })
    }

    /// Where `counter` lies; changes nothing.
    #[must_use]
    pub const fn place(&self, counter: u64) -> Place {
        let Some(age) = self.head.checked_sub(counter) else {
            return Place::Above;
        };
        if age >= Self::COUNTERS {
            Place::Below
        } else if self.bits >> age & 1 == 1 {
            Place::Taken
        } else {
            Place::Late
        }
    }

    /// The window after `counter` was accepted. It never moves back.
    #[must_use]
    pub const fn with(self, counter: u64) -> Self {
        match self.head.checked_sub(counter) {
            None => {
                let step = counter - self.head;
                let bits = if step < Self::COUNTERS {
                    self.bits << step | 1
                } else {
                    1
                };
                Self {
                    head: counter,
                    bits,
                }
            }
            Some(age) if age < Self::COUNTERS => Self {
                head: self.head,
                bits: self.bits | 1 << age,
            },
            Some(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// Against a model that remembers everything.
        #[test]
        fn as_the_model(start in 0_u64..200, steps in prop::collection::vec(0_u64..400, 1..200)) {
            let mut window = Window::closed(start);
            let mut accepted: BTreeSet<u64> = (0..=start).collect();
            let mut head = start;
            for counter in steps {
                let expected = if counter > head {
                    Place::Above
                } else if counter + 64 <= head {
                    Place::Below
                } else if accepted.contains(&counter) {
                    Place::Taken
                } else {
                    Place::Late
                };
                prop_assert_eq!(window.place(counter), expected);
                window = window.with(counter);
                if expected != Place::Below {
                    accepted.insert(counter);
                    head = head.max(counter);
                }
                prop_assert_eq!(window.head, head);
            }
        }
    }
}

//! Topic names and filters (MQTT 5.0, 4.7).

use core::fmt;

/// A topic filter, with `+` and `#`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TopicFilter(Box<str>);

impl TopicFilter {
    /// None unless `filter` follows MQTT 5.0, 4.7.1: `+` and `#` alone on their level, `#` last.
    #[must_use]
    pub fn parse(filter: &str) -> Option<Self> {
        let mut levels = filter.split('/').rev();
        let last = levels.next()?;
        let alone = |level: &str| level == "+" || !level.contains(['+', '#']);
        let valid = (last == "#" || alone(last)) && levels.all(alone);
        (valid && is_topic_text(filter)).then(|| Self(filter.into()))
    }

    /// The filter's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a message on `topic` would be delivered (MQTT 5.0, 4.7.1 and 4.7.2).
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        // Of bytes, and not level by level: a receiver asks this for each frame.
        let (mut filter, mut topic) = (self.0.as_bytes(), topic.as_bytes());
        loop {
            let same = |(wanted, byte): &(&u8, &u8)| wanted == byte && !is_wildcard(**wanted);
            let same = filter.iter().zip(topic).take_while(same).count();
            (filter, topic) = (filter.split_at(same).1, topic.split_at(same).1);
            match (filter, topic) {
                ([], []) | ([b'#'], _) | (b"/#", []) => return true,
                ([b'+', rest @ ..], _) => {
                    let level = topic.iter().take_while(|&&byte| byte != b'/').count();
                    (filter, topic) = (rest, topic.split_at(level).1);
                }
                _ => return false,
            }
        }
    }
}

impl fmt::Debug for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicFilter({})", self.0)
    }
}

/// Whether `topic` names one topic: not empty, no wildcard, no NUL, at most 65535 bytes.
pub(crate) fn is_topic_name(topic: &str) -> bool {
    is_topic_text(topic) && !topic.contains(['+', '#'])
}

const fn is_wildcard(byte: u8) -> bool {
    matches!(byte, b'+' | b'#')
}

fn is_topic_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= usize::from(u16::MAX) && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (filter, topic, expected) in [
            ("sensors/+", "sensors/kitchen", true),
            ("sensors/+", "sensors", false),
            ("sensors/+", "sensors/", true),
            ("sensors/+", "sensors/kitchen/1", false),
            ("sensors/#", "sensors", true),
            ("sensors/#", "sensors/kitchen/1", true),
            ("#", "a/b", true),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("+/+", "/a", true),
            ("a/+/c", "a/b/c", true),
            ("a/b", "a/b", true),
            ("a/b", "a/B", false),
            ("a/b", "a/b/", false),
            ("a/b", "a", false),
            ("a/+", "ab/c", false),
            ("a/+/#", "a/b", true),
            ("a/+/#", "a", false),
            ("a/#", "a/", true),
            ("a/#", "ab", false),
            ("+/b", "a/b", true),
            ("+/b", "a/c", false),
            ("+", "", true),
            ("+/+", "a", false),
            ("a/+/c", "a/+x/c", true),
            ("a/+/c", "a//c", true),
            ("a/#", "a/#/b", true),
        ] {
            let filter = TopicFilter::parse(filter).unwrap();
            assert_eq!(filter.matches(topic), expected, "{filter:?} {topic}");
        }
    }

    #[test]
    fn invalid_filters() {
        for filter in ["", "a+", "a/#/b", "#a", "a/+b", "a\0b"] {
            assert_eq!(TopicFilter::parse(filter), None, "{filter}");
        }
    }
}

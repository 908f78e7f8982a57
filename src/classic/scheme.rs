//! How the senders of a group make their frames.

/// How a frame is written (`CLASSIC.md`, *Layouts*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Four fields of hex digits, joined by commas.
    Hex,
    /// Three fields of ciphertext and a MAC of hex digits, joined by commas.
    Raw,
    /// The second descendant's: hex digits without separators, no node ID, no session.
    Port,
}

impl Layout {
    /// Its word in the keyring and in the vectors.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Raw => "raw",
            Self::Port => "port",
        }
    }
}

/// Whether data may end in NUL bytes (`CLASSIC.md`, O5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DataMode {
    /// It may not: one MAC for each session.
    #[default]
    Text,
    /// It may: sixteen MACs for each session.
    Binary,
}

impl DataMode {
    /// Its word in the keyring and in the vectors.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}

/// What the MAC covers (`CLASSIC.md`, S5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MacOver {
    /// The values themselves, as the article's sender does.
    #[default]
    Unpadded,
    /// The zero-padded values, as a sender does that was changed to suit the article's receiver.
    Padded,
}

impl MacOver {
    /// Its word in the keyring and in the vectors.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unpadded => "unpadded",
            Self::Padded => "padded",
        }
    }
}

/// How the senders of a group make their frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// How a frame is written. To open, `Hex` and `Raw` are told apart by the bytes.
    pub layout: Layout,
    /// Whether data may end in NUL bytes.
    pub data: DataMode,
    /// What the MAC covers.
    pub mac: MacOver,
    /// Whether the empty session is allowed, which gives no freshness.
    pub danger_accept_replays: bool,
}

impl Default for Scheme {
    fn default() -> Self {
        Self {
            layout: Layout::Hex,
            data: DataMode::Text,
            mac: MacOver::Unpadded,
            danger_accept_replays: false,
        }
    }
}

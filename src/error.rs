//! What the caller did wrong: specific, with what to do. Never a key, never a plaintext.

use core::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::malformed::{Malformed, MalformedReason};
use crate::sealed::Address;

/// Everything that a public call may answer with.
#[derive(Debug, Error)]
pub enum Error {
    /// The keyring cannot be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The store failed; nothing was accepted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was given to be sealed cannot be carried by the frame.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no session to seal under.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The application is not done with what was handed over.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// A device cannot keep its counter and its key.
    #[error(transparent)]
    State(#[from] StateError),
    /// The device has another format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The operating system has no randomness to give.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Error {
    /// One stable word, the same in every language.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keyring(error) => error.problem.code(),
            Self::Store(error) => error.code(),
            Self::Data(error) => error.code(),
            Self::Session(error) => error.code(),
            Self::Delivery(_) => DeliveryError::CODE,
            Self::State(error) => error.code(),
            Self::Format(_) => FormatError::CODE,
            Self::Random(_) => "random",
        }
    }
}

/// A mistake in a keyring, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyringError {
    /// The file, if the keyring came from one.
    pub file: Option<PathBuf>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The field, with its table: `classic_group.iv_key`.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: KeyringProblem,
}

impl KeyringError {
    pub(crate) fn new(problem: KeyringProblem) -> Self {
        Self {
            file: None,
            line: None,
            field: None,
            problem,
        }
    }

    pub(crate) fn at(mut self, line: usize, field: impl Into<String>) -> Self {
        self.line = Some(line);
        self.field = Some(field.into());
        self
    }

    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for KeyringError {}

/// The mistakes that a keyring can hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyringProblem {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(String),
    /// There is no such file; with what makes one.
    #[error("there is no such file{0}")]
    NoFile(&'static str),
    /// The file to create is there already.
    #[error("is there already; move it away, or add to it with `espseal keyring add`")]
    AlreadyExists,
    /// Others than the owner can read the file.
    #[error(
        "others can read this file (mode {mode:04o}); `chmod 600` it, or say `allow_wide_permissions = true` in it"
    )]
    WidePermissions {
        /// The permission bits that were found.
        mode: u32,
    },
    /// The text is not TOML.
    #[error("not valid TOML: {0}")]
    Syntax(String),
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A keyring of another version.
    #[error("this version of espseal reads `version = 1`, not {found}")]
    UnsupportedVersion {
        /// What the file says, as far as it is a number.
        found: String,
    },
    /// A field that must be there is not.
    #[error("is missing; {hint}")]
    MissingField {
        /// What to write.
        hint: &'static str,
    },
    /// A field that does not exist.
    #[error("unknown field; known here: {}", known.join(", "))]
    UnknownField {
        /// The fields that this table may hold.
        known: Vec<&'static str>,
    },
    /// A value of the wrong kind, or out of its range.
    #[error("must be {expected}")]
    InvalidValue {
        /// What it must be.
        expected: &'static str,
    },
    /// A key of the wrong length.
    #[error("is {found} bytes long and must be {expected}")]
    WrongKeyLength {
        /// Bytes found.
        found: usize,
        /// Lengths allowed, in words.
        expected: &'static str,
    },
    /// The keys that everybody can read in the article.
    #[error(
        "this key is printed in the article and known to everyone: draw new keys, or say `allow_article_keys = true` in the table that holds `keys`"
    )]
    ArticleKeys,
    /// A name that stands twice.
    #[error("`{name}` is already the name in line {first}; names must differ")]
    DuplicateName {
        /// The name.
        name: String,
        /// The line of the first.
        first: usize,
    },
    /// An address, node ID or topic that stands twice.
    #[error("`{address}` already belongs to `{owner}` (line {first})")]
    DuplicateAddress {
        /// The address as it stands in the file.
        address: String,
        /// The device that has it.
        owner: String,
        /// The line of the first.
        first: usize,
    },
    /// A device that names no group, or one that is not there.
    #[error("there is no `[[classic_group]]` named `{group}`; {known}")]
    NoGroup {
        /// The group that was named.
        group: String,
        /// The groups that are there, in words.
        known: String,
    },
    /// A sealed device that names no fleet, or one that is not there.
    #[error("there is no `[[fleet]]` named `{fleet}`; {known}")]
    NoFleet {
        /// The fleet that was named.
        fleet: String,
        /// The fleets that are there, in words.
        known: String,
    },
    /// A device without any format.
    #[error(
        "the device is in no fleet and in no group: write `sealed = {{ fleet = \"…\", address = \"…\" }}` or `classic = {{ group = \"…\", node_id = \"…\" }}` in it"
    )]
    NoFormat,
    /// A device that has no place in a fleet.
    #[error("`{name}` is in no fleet; `espseal device add` gives it a place in one")]
    NotSealed {
        /// The device.
        name: String,
    },
    /// A device that has no place in a group.
    #[error("`{name}` is in no classic group")]
    NotClassic {
        /// The device.
        name: String,
    },
    /// A device whose frames are all refused.
    #[error("`{name}` is revoked; `espseal device revoke --undo` takes that back")]
    Revoked {
        /// The device.
        name: String,
    },
    /// A name that is asked for and not there.
    #[error("the keyring has no device named `{name}`")]
    UnknownName {
        /// The name.
        name: String,
    },
}

impl KeyringProblem {
    /// One stable word, the same in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::NoFile(_) => "no_file",
            Self::AlreadyExists => "already_exists",
            Self::WidePermissions { .. } => "wide_permissions",
            Self::Syntax(_) | Self::Json(_) => "syntax",
            Self::UnsupportedVersion { .. } => "unsupported_version",
            Self::MissingField { .. } => "missing_field",
            Self::UnknownField { .. } => "unknown_field",
            Self::InvalidValue { .. } => "invalid_value",
            Self::WrongKeyLength { .. } => "wrong_key_length",
            Self::ArticleKeys => "article_keys",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::DuplicateAddress { .. } => "duplicate_address",
            Self::NoGroup { .. } => "no_group",
            Self::NoFleet { .. } => "no_fleet",
            Self::NoFormat => "no_format",
            Self::NotSealed { .. } => "not_sealed",
            Self::NotClassic { .. } => "not_classic",
            Self::Revoked { .. } => "revoked",
            Self::UnknownName { .. } => "unknown_name",
        }
    }
}

/// Why the store failed. Nothing was accepted, and nothing that was stored is lost.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// What a store behind the trait says of itself.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The file, or the folder that it lies in, cannot be written.
    #[error(
        "{}: the store cannot be written; let this user write the file and its folder, or name another store", file.display()
    )]
    ReadOnly {
        /// The store.
        file: PathBuf,
    },
    /// The disk or a quota is full.
    #[error(
        "{}: the disk is full, or this user's quota is; free some space: what is stored is safe", file.display()
    )]
    Full {
        /// The store.
        file: PathBuf,
    },
    /// Another process does not let go of the store.
    #[error(
        "{}: another process has locked the store for seconds; end it (`fuser -v` on the file names it)", file.display()
    )]
    Locked {
        /// The store.
        file: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "{}: the store is damaged ({detail}); put a backup in its place, or move it away, its -wal and -shm too, and a new one is made", file.display()
    )]
    Corrupt {
        /// The store.
        file: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// The file has tables that this version does not know.
    #[error(
        "{}: this file was written by a newer espseal (schema {found}, known here: {known}); upgrade espseal: nothing was changed", file.display()
    )]
    NewerSchema {
        /// The store.
        file: PathBuf,
        /// The file's version.
        found: i32,
        /// The newest version known here.
        known: i32,
    },
    /// The file is something else.
    #[error("{}: is not a store of espseal but {detail}; name another file: nothing was changed", file.display())]
    NotAStore {
        /// The file.
        file: PathBuf,
        /// What it is.
        detail: String,
    },
    /// The file is no longer where it was opened: what is written there is lost.
    #[error(
        "{}: the store was moved or deleted while it was open; put it back, or start again with a new one", file.display()
    )]
    Moved {
        /// Where it was.
        file: PathBuf,
    },
    /// The operating system refused for another reason.
    #[error("{}: {detail}", file.display())]
    Io {
        /// The store.
        file: PathBuf,
        /// What it said.
        detail: String,
    },
}

impl StoreError {
    /// One stable word, the same in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Failed(_) => "store_failed",
            Self::ReadOnly { .. } => "read_only",
            Self::Full { .. } => "disk_full",
            Self::Locked { .. } => "locked",
            Self::Corrupt { .. } => "corrupt",
            Self::NewerSchema { .. } => "newer_schema",
            Self::NotAStore { .. } => "not_a_store",
            Self::Moved { .. } => "moved",
            Self::Io { .. } => "io",
        }
    }
}

/// Why a device cannot keep its counter and its key (`SEALED.md`, D1 to D3). Nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// Another process is this device.
    #[error(
        "{}: another process uses this state; two of them would use the same counters: end it (`fuser -v` on the .lock file names it)", file.display()
    )]
    InUse {
        /// The state file.
        file: PathBuf,
    },
    /// There was a state file.
    #[error(
        "{}: the state file is gone, and with it the counter and the key; put it back as it was last. If it is lost, `espseal device rekey` gives the device a new key: provision it anew, and delete {} too", file.display(), lock.display()
    )]
    Missing {
        /// The state file.
        file: PathBuf,
        /// The file beside it that says so.
        lock: PathBuf,
    },
    /// The key was taken out of the provisioning file after a ratchet, and there is no state.
    #[error(
        "{}: there is no state file, and the provisioning file holds no `device_key` any more; provision the device anew after `espseal device rekey`", file.display()
    )]
    NoKey {
        /// The state file.
        file: PathBuf,
    },
    /// Erased, cut off or changed.
    #[error(
        "{}: the state file is damaged ({detail}), and the counter that was used last cannot be told; put back what it was last. If it is lost, `espseal device rekey` gives the device a new key: provision it anew, and delete this file and {}", file.display(), lock.display()
    )]
    Damaged {
        /// The state file.
        file: PathBuf,
        /// The file beside it.
        lock: PathBuf,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// It is something else.
    #[error("{}: this is no state of a device; name another file: nothing was changed", file.display())]
    NotAState {
        /// The file.
        file: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "{}: this file was written by a newer espseal (version {found}, known here: {known}); upgrade espseal: nothing was changed", file.display()
    )]
    NewerVersion {
        /// The state file.
        file: PathBuf,
        /// The file's version.
        found: u16,
        /// The newest version known here.
        known: u16,
    },
    /// It belongs to another device.
    #[error(
        "{}: this is the state of the device {address}; move it and its .lock file away, or name another state file", file.display()
    )]
    OtherDevice {
        /// The state file.
        file: PathBuf,
        /// Whose it is.
        address: Address,
    },
    /// Somebody replaced or removed it while the device was running.
    #[error(
        "{}: the state file was replaced or removed while this device was running; put back what it was last, and start again", file.display()
    )]
    Changed {
        /// The state file.
        file: PathBuf,
    },
    /// Others than the owner can read it.
    #[error(
        "{}: others can read this file and the key in it (mode {mode:04o}); `chmod 600` it, or say `\"allow_wide_permissions\": true` in the provisioning file", file.display()
    )]
    WidePermissions {
        /// The state file.
        file: PathBuf,
        /// The permission bits that were found.
        mode: u32,
    },
    /// The process forked, and parent and child would use the same counters.
    #[error(
        "this device was made before the process forked, and both would use the same counters; make it after the fork"
    )]
    Forked,
    /// All counters are used (`SEALED.md`, S1).
    #[error("the device has used its last counter; it needs a new address: `espseal device add`")]
    CounterExhausted,
    /// The operating system refused.
    #[error("{}: {detail}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        detail: String,
    },
}

impl StateError {
    /// One stable word, the same in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "in_use",
            Self::Missing { .. } => "state_missing",
            Self::NoKey { .. } => "no_key",
            Self::Damaged { .. } => "state_damaged",
            Self::NotAState { .. } => "not_a_state",
            Self::NewerVersion { .. } => "newer_state",
            Self::OtherDevice { .. } => "other_device",
            Self::Changed { .. } => "state_changed",
            Self::WidePermissions { .. } => "wide_permissions",
            Self::Forked => "forked",
            Self::CounterExhausted => "counter_exhausted",
            Self::Io { .. } => "io",
        }
    }
}

/// What was asked for is of the other format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{hint}")]
pub struct FormatError {
    /// Why, and what to do.
    pub(crate) hint: &'static str,
}

impl FormatError {
    /// One stable word, the same in every language.
    pub const CODE: &'static str = "wrong_format";
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct RandomError(pub String);

/// Why data cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DataError {
    /// In text mode the end of such data could not be told from padding.
    #[error(
        "data that ends in a NUL byte cannot be sealed in text mode; say `data = \"binary\"` in the group"
    )]
    EndsInNul,
    /// The frame would exceed what its format allows.
    #[error("the frame would be longer than {limit} bytes; send less data")]
    FrameTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not 1 to 15 bytes, or with a NUL or a `>`.
    #[error("a node ID is 1 to 15 bytes without NUL and without `>`")]
    InvalidNodeId,
    /// The empty session gives no freshness.
    #[error("an empty session protects nothing; only `danger_accept_replays` allows it")]
    SessionRequired,
    /// No sealed frame has this kind, direction, session and counter.
    #[error("there is no such sealed frame: {0}")]
    NoSuchFrame(Malformed),
    /// Too many readings wait to be published.
    #[error(
        "{limit} readings wait in the outbox; publish what `publications` gives before you send more"
    )]
    OutboxFull {
        /// How many may wait.
        limit: usize,
    },
}

impl DataError {
    /// One stable word, the same in every language and in the vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EndsInNul => "data_ends_in_nul",
            Self::FrameTooLong { .. } => "frame_too_long",
            Self::InvalidNodeId => "invalid_node_id",
            Self::SessionRequired => "session_required",
            Self::NoSuchFrame(malformed) => match malformed.reason {
                MalformedReason::CounterZero => "invalid_counter",
                MalformedReason::UnboundControl => "session_required",
                _ => "invalid_kind",
            },
            Self::OutboxFull { .. } => "outbox_full",
        }
    }
}

/// Why there is no session to seal under.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SessionError {
    /// None was heard yet.
    #[error("no session ID has been heard on `{topic}` yet; is a receiver running?")]
    NoSession {
        /// The session topic.
        topic: String,
    },
    /// The node shows no session for a command (`CLASSIC.md`, *Commands*).
    #[error(
        "`{device}` has shown no session on `{topic}` that no command has used; is it on, and does its firmware take commands?"
    )]
    NoCommandSession {
        /// The device's name.
        device: String,
        /// Where it shows them.
        topic: String,
    },
    /// The device has not acknowledged a session (`SEALED.md`, H5).
    #[error(
        "`{device}` has no session for commands; it gets one when it says hello to a running receiver on this store"
    )]
    NoDeviceSession {
        /// The device's name.
        device: String,
    },
    /// No receiver on this store publishes the fleet's beacon (`SEALED.md`, B4).
    #[error(
        "no receiver on this store holds the fleet `{fleet}`; start one that publishes its beacon, or command where it runs"
    )]
    NotAuthority {
        /// The fleet's name.
        fleet: String,
    },
    /// The keyring says that the device is revoked.
    #[error("`{device}` is revoked in the keyring")]
    Revoked {
        /// The device's name.
        device: String,
    },
    /// The ratchet has no step left.
    #[error("`{device}` has reached its last epoch; `espseal keyring rekey` gives it a new key")]
    EpochExhausted {
        /// The device's name.
        device: String,
    },
    /// All counters are used (`SEALED.md`, S1).
    #[error("all counters of frames to `{device}` are used; give it a new address")]
    CountersExhausted {
        /// The device's name.
        device: String,
    },
    /// The host has not answered the hello yet (`SEALED.md`, H2).
    #[error(
        "the host has not welcomed this device yet; seal again in {:.1} s, or `send` the reading and it waits in the outbox", wait.as_secs_f64()
    )]
    NotWelcomed {
        /// How long readings are held at most.
        wait: Duration,
    },
}

/// Why nothing more is handed over under `at_least_once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DeliveryError {
    /// The frame was not accepted, and may be given again.
    #[error(
        "{limit} messages of this device were handed over and are not done; call `done` on each once it is stored"
    )]
    Undone {
        /// How many may be.
        limit: usize,
    },
}

impl DeliveryError {
    /// One stable word, the same in every language.
    pub const CODE: &'static str = "not_done";
}

impl SessionError {
    /// One stable word, the same in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSession { .. } | Self::NoCommandSession { .. } => "no_session",
            Self::NotWelcomed { .. } => "not_welcomed",
            Self::NoDeviceSession { .. } => "no_session",
            Self::NotAuthority { .. } => "not_authority",
            Self::Revoked { .. } => "revoked",
            Self::EpochExhausted { .. } => "epoch_exhausted",
            Self::CountersExhausted { .. } => "counter_exhausted",
        }
    }
}

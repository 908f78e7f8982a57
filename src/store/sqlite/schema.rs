//! The tables, and how an older file gets them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::problem;
use crate::error::StoreError;

/// `ESPS`, in the file's header: another program's file is not taken for a store.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"ESPS");

/// Step `n` makes version `n + 1` out of version `n`; the file's `user_version` counts them.
/// A released step never changes. An older espseal may be running on the file: a step that
/// changes what a table means renames it, so that the older one fails instead of erring.
pub(super) const STEPS: &[&str] = &[CLASSIC, SEALED];

/// What a receiver and a sender of classic frames remember.
///
/// `n` counts up within its device or group, so that the oldest is known. Nothing has to be
/// unique beyond its group: the same MAC may stand in two.
const CLASSIC: &str = "
CREATE TABLE classic_group (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    -- The time of the newest session ID that ever verified.
    newest  INTEGER CHECK (newest BETWEEN 0 AND 4294967295),
    -- The time of the newest session ID that was dropped.
    bar     INTEGER CHECK (bar BETWEEN 0 AND 4294967295)
) STRICT;

CREATE TABLE classic_device (
    id        INTEGER PRIMARY KEY,
    group_id  INTEGER NOT NULL REFERENCES classic_group,
    address   BLOB NOT NULL,
    UNIQUE (group_id, address)
) STRICT;

CREATE TABLE classic_session (
    id        INTEGER PRIMARY KEY,
    group_id  INTEGER NOT NULL REFERENCES classic_group,
    session   BLOB NOT NULL CHECK (length(session) = 16),
    -- How many rows of classic_accepted are its own: counting them would cost more each time.
    accepted  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (group_id, session)
) STRICT;

-- R2: every MAC that a session accepted.
CREATE TABLE classic_accepted (
    session_id  INTEGER NOT NULL REFERENCES classic_session ON DELETE CASCADE,
    mac         BLOB NOT NULL CHECK (length(mac) = 20),
    PRIMARY KEY (session_id, mac)
) STRICT, WITHOUT ROWID;

-- R2: the last accepted frames of each device, which outlive their session.
CREATE TABLE classic_recent (
    device_id    INTEGER NOT NULL REFERENCES classic_device,
    n            INTEGER NOT NULL,
    group_id     INTEGER NOT NULL,
    mac          BLOB NOT NULL CHECK (length(mac) = 20),
    fingerprint  BLOB NOT NULL CHECK (length(fingerprint) = 16),
    PRIMARY KEY (device_id, n),
    UNIQUE (group_id, mac)
) STRICT, WITHOUT ROWID;

-- R1: the last frames of each group that verified without a session.
CREATE TABLE classic_sessionless (
    group_id  INTEGER NOT NULL REFERENCES classic_group,
    n         INTEGER NOT NULL,
    mac       BLOB NOT NULL CHECK (length(mac) = 20),
    PRIMARY KEY (group_id, n),
    UNIQUE (group_id, mac)
) STRICT, WITHOUT ROWID;

-- The sessions of each device under which the host sent a command. Few: not worth an index on n.
CREATE TABLE classic_command_session (
    device_id  INTEGER NOT NULL REFERENCES classic_device,
    session    BLOB NOT NULL CHECK (length(session) = 32),
    n          INTEGER NOT NULL,
    PRIMARY KEY (device_id, session)
) STRICT, WITHOUT ROWID;
";

/// What a receiver and a sender of sealed frames remember.
///
/// Addresses and counters are 64 bits without a sign, kept as the number with the same bits.
const SEALED: &str = "
-- Since when everything that was accepted is known: made, or marked restored, and how many times.
CREATE TABLE sealed_contact (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    since       INTEGER NOT NULL,
    generation  INTEGER NOT NULL
) STRICT;

-- W1 to W3, E1. A row is never dropped.
CREATE TABLE sealed_device (
    address        INTEGER PRIMARY KEY,
    head           INTEGER NOT NULL,
    bits           INTEGER NOT NULL,
    open           INTEGER NOT NULL CHECK (open IN (0, 1)),
    epoch          INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 65535),
    overlap_from   INTEGER CHECK (overlap_from BETWEEN 0 AND 65535),
    overlap_until  INTEGER,
    last_seen      INTEGER NOT NULL
) STRICT;

-- C4: up to which counter frames to the device may have been sealed.
CREATE TABLE sealed_downlink (
    address  INTEGER PRIMARY KEY,
    ceiling  INTEGER NOT NULL
) STRICT;

-- H1 to H5. state: 0 current, 1 pending, 2 expired; in the order of n.
CREATE TABLE sealed_session (
    address       INTEGER NOT NULL,
    n             INTEGER NOT NULL,
    state         INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    session       BLOB NOT NULL CHECK (length(session) = 16),
    -- Of the current one: the counter of the acknowledgement.
    acknowledged  INTEGER,
    -- Of a pending one: the tags of its welcomes, one after the other.
    welcomes      BLOB CHECK (length(welcomes) % 16 = 0),
    PRIMARY KEY (address, n)
) STRICT, WITHOUT ROWID;

-- B1, B4
CREATE TABLE sealed_fleet (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    newest        INTEGER CHECK (newest BETWEEN 0 AND 4294967295),
    bar           INTEGER CHECK (bar BETWEEN 0 AND 4294967295),
    lease_holder  BLOB CHECK (length(lease_holder) = 16),
    lease_until   INTEGER
) STRICT;

CREATE TABLE sealed_beacon (
    fleet_id  INTEGER NOT NULL REFERENCES sealed_fleet,
    session   BLOB NOT NULL CHECK (length(session) = 16),
    PRIMARY KEY (fleet_id, session)
) STRICT, WITHOUT ROWID;

-- W6
CREATE TABLE sealed_held (
    address  INTEGER NOT NULL,
    tag      BLOB NOT NULL CHECK (length(tag) = 16),
    session  BLOB NOT NULL CHECK (length(session) = 16),
    PRIMARY KEY (address, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE verdict_count (
    verdict  TEXT PRIMARY KEY,
    frames   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Of the devices that the keyring lists alone: whoever sends cannot make it grow.
CREATE TABLE device_count (
    address  INTEGER NOT NULL,
    verdict  TEXT NOT NULL,
    frames   INTEGER NOT NULL,
    PRIMARY KEY (address, verdict)
) STRICT, WITHOUT ROWID;
";

/// Refuses what is no store of this version or an older one; changes nothing.
///
/// # Errors
/// `not_a_store`, `newer_schema`, or why the file cannot be read.
pub(super) fn check(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    version(file, connection, STEPS.len()).map(drop)
}

/// Brings the tables up to date, one step a transaction.
///
/// # Errors
/// `not_a_store`, `newer_schema`, or why a step failed: then the file is as it was before it.
pub(super) fn migrate(
    file: &Path,
    connection: &mut Connection,
    steps: &[&str],
) -> Result<(), StoreError> {
    let failed = |error| problem::describe(file, &error);
    while version(file, connection, steps.len())? < steps.len() {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        // Again, under the write lock: another process may have been quicker.
        let done = version(file, &transaction, steps.len())?;
        let Some(step) = steps.get(done) else { break };
        transaction
            .execute_batch(step)
            .and_then(|()| transaction.pragma_update(None, "application_id", APPLICATION_ID))
            .and_then(|()| {
                let next = i32::try_from(done + 1).unwrap_or(i32::MAX);
                transaction.pragma_update(None, "user_version", next)
            })
            .and_then(|()| transaction.commit())
            .map_err(failed)?;
    }
    Ok(())
}

/// How many steps the file has behind it.
fn version(file: &Path, connection: &Connection, known: usize) -> Result<usize, StoreError> {
    let read = connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    );
    let (application, version, tables): (i32, i32, u32) =
        read.map_err(|error| problem::describe_open(file, &error))?;
    let not_a_store = |detail: &str| StoreError::NotAStore {
        file: file.to_owned(),
        detail: detail.to_owned(),
    };
    match (application, version, tables) {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, 1.., _) => match usize::try_from(version) {
            Ok(version) if version <= known => Ok(version),
            _ => Err(StoreError::NewerSchema {
                file: file.to_owned(),
                found: version,
                known: i32::try_from(known).unwrap_or(i32::MAX),
            }),
        },
        _ => Err(not_a_store("an SQLite file of another program")),
    }
}

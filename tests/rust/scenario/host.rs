//! A host: a receiver and a sender on one store.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use espseal::classic::SessionId;
use espseal::store::MemoryStore;
use espseal::{
    Durability, Keyring, Message, Publication, Receiver, ReceiverOptions, Sender, SqliteStore,
    Store,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::outside::{Script, WallClock};

/// Where a host's store lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backing {
    Memory,
    Sqlite,
}

/// As a broker gets it.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) retain: bool,
}

pub(super) struct Host {
    authority: bool,
    place: Place,
    running: Option<Running>,
    commands: Vec<Published>,
}

struct Running {
    receiver: Receiver,
    sender: Sender,
    store: Arc<dyn Store>,
}

enum Place {
    Memory {
        store: Arc<MemoryStore>,
        saved: Option<Arc<MemoryStore>>,
    },
    Sqlite {
        folder: TempDir,
        files: u32,
        saved: Option<PathBuf>,
    },
}

impl Host {
    pub(super) fn new(authority: bool, backing: Backing) -> Self {
        let place = match backing {
            Backing::Memory => Place::Memory {
                store: Arc::default(),
                saved: None,
            },
            Backing::Sqlite => Place::Sqlite {
                folder: tempfile::tempdir().unwrap(),
                files: 0,
                saved: None,
            },
        };
        Self {
            authority,
            place,
            running: None,
            commands: Vec::new(),
        }
    }

    pub(super) fn run(
        &mut self,
        keyring: Arc<Keyring>,
        clock: Arc<WallClock>,
        script: Arc<Script>,
    ) {
        let store = self.place.store();
        let options = ReceiverOptions {
            authority: self.authority,
            clock: Arc::clone(&clock) as _,
            random: Arc::clone(&script) as _,
            ..ReceiverOptions::default()
        };
        let receiver =
            Receiver::with_options(Arc::clone(&keyring), Arc::clone(&store), options).unwrap();
        let sender = Sender::with_clock(keyring, Arc::clone(&store), clock, script);
        self.running = Some(Running {
            receiver,
            sender,
            store,
        });
    }

    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    pub(super) fn save(&mut self) {
        self.place.save();
    }

    /// Puts the saved copy back and marks it.
    pub(super) fn restore(&mut self, clock: &WallClock) {
        self.stop();
        self.place.restore();
        self.place.store().mark_restored(clock).unwrap();
    }

    pub(super) fn empty(&mut self) {
        self.stop();
        self.place.empty();
    }

    pub(super) fn open(&self, frame: &[u8], retained: bool) -> Message {
        self.running().receiver.open(frame, None, retained).unwrap()
    }

    /// Whether the session was taken: the store knows it now, and did not before.
    pub(super) fn hear(&self, session: &[u8]) -> bool {
        let Running {
            receiver, store, ..
        } = self.running();
        let before = beacons(&**store);
        assert!(
            receiver
                .hear(session, "espseal/fleet/beacon", false)
                .unwrap()
        );
        beacons(&**store) != before
    }

    pub(super) fn sender(&self) -> &Sender {
        &self.running().sender
    }

    pub(super) fn publish(&mut self, publication: Publication) {
        self.commands.push(published(publication));
    }

    pub(super) fn due(&mut self) -> Vec<Published> {
        let mut due = std::mem::take(&mut self.commands);
        if let Some(running) = &self.running {
            let publications = running.receiver.publications().unwrap();
            due.extend(publications.into_iter().map(published));
        }
        due
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }
}

impl Place {
    fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory { store, .. } => Arc::clone(store) as _,
            Self::Sqlite { folder, files, .. } => {
                let file = folder.path().join(format!("{files}.sqlite3"));
                Arc::new(SqliteStore::open(&file, Durability::Process).unwrap())
            }
        }
    }

    fn save(&mut self) {
        match self {
            Self::Memory { store, saved } => *saved = Some(Arc::new((**store).clone())),
            Self::Sqlite {
                folder,
                files,
                saved,
            } => {
                let file = folder.path().join(format!("{files}.sqlite3"));
                let copy = folder.path().join("saved.sqlite3");
                let connection = Connection::open(file).unwrap();
                connection
                    .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
                    .unwrap();
                *saved = Some(copy);
            }
        }
    }

    fn restore(&mut self) {
        match self {
            Self::Memory { store, saved } => *store = Arc::new((**saved.as_ref().unwrap()).clone()),
            Self::Sqlite {
                folder,
                files,
                saved,
            } => {
                *files += 1;
                let file = folder.path().join(format!("{files}.sqlite3"));
                std::fs::copy(saved.as_ref().unwrap(), file).unwrap();
            }
        }
    }

    fn empty(&mut self) {
        match self {
            Self::Memory { store, .. } => *store = Arc::default(),
            Self::Sqlite { files, .. } => *files += 1,
        }
    }
}

fn beacons(store: &dyn Store) -> BTreeSet<SessionId> {
    let mut known = BTreeSet::new();
    store
        .transact(&mut |transaction| {
            known = transaction.beacons("fleet")?.known.into_iter().collect();
            Ok(())
        })
        .unwrap();
    known
}

fn published(publication: Publication) -> Published {
    Published {
        topic: publication.topic.to_string(),
        payload: publication.payload,
        retain: publication.retain,
    }
}

//! `Store`.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::clock::SystemClock;
use espseal::store::{Durability, MemoryStore, SqliteStore, Store as CoreStore};
use espseal::{Error, StoreError, Verdict};
use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::errors;
use crate::receiver::number;
use crate::sealed::parse_address;

#[napi]
pub struct Store {
    pub(crate) core: Arc<dyn CoreStore>,
    path: Option<PathBuf>,
}

#[napi]
impl Store {
    #[napi(factory)]
    pub fn memory() -> Self {
        Self {
            core: Arc::new(MemoryStore::default()),
            path: None,
        }
    }

    #[napi(factory)]
    pub fn sqlite(env: &Env, path: Option<String>, durability: String) -> napi::Result<Self> {
        let durability = match durability.as_str() {
            "process" => Durability::Process,
            "power" => Durability::Power,
            _ => {
                let message = "durability must be one of process, power";
                return Err(errors::argument(env, message));
            }
        };
        let failed = |error: StoreError| errors::to_js(env, &Error::Store(error));
        let path = path.map(PathBuf::from);
        let path = path
            .map_or_else(SqliteStore::default_path, Ok)
            .map_err(failed)?;
        let store = SqliteStore::open(&path, durability).map_err(failed)?;
        Ok(Self {
            path: Some(store.file().to_owned()),
            core: Arc::new(store),
        })
    }

    #[napi]
    pub fn mark_restored(&self, env: &Env) -> napi::Result<()> {
        let marked = self.core.mark_restored(&SystemClock::new());
        marked.map_err(|error| errors::to_js(env, &Error::Store(error)))
    }

    #[napi]
    pub fn sealed_device(&self, env: &Env, address: String) -> napi::Result<Option<SealedDevice>> {
        let address = parse_address(env, &address)?;
        let mut known = None;
        let read = self.core.transact(&mut |transaction| {
            known = transaction.sealed_device(address)?;
            Ok(())
        });
        read.map_err(|error| errors::to_js(env, &Error::Store(error)))?;
        Ok(known.map(|known| SealedDevice {
            epoch: known.epoch,
            head: known.window.head.into(),
            last_seen: number(known.last_seen),
        }))
    }

    /// In the order of `verdicts()`.
    #[napi]
    pub fn counts(&self, env: &Env) -> napi::Result<Vec<f64>> {
        let mut counts = [0; Verdict::COUNT];
        let read = self.core.transact(&mut |transaction| {
            counts = transaction.counts()?;
            Ok(())
        });
        read.map_err(|error| errors::to_js(env, &Error::Store(error)))?;
        Ok(counts.map(number).to_vec())
    }

    #[napi]
    pub fn path(&self) -> Option<String> {
        self.path.as_ref().map(|path| path.display().to_string())
    }
}

#[napi(object, object_from_js = false)]
pub struct SealedDevice {
    pub epoch: u16,
    pub head: BigInt,
    /// In Unix seconds.
    pub last_seen: f64,
}

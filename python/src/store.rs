//! `Store`.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::clock::SystemClock;
use espseal::sealed::Address;
use espseal::store::{Durability, MemoryStore, SealedDevice, SqliteStore, Store as CoreStore};
use espseal::{Error, StoreError, Verdict};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors;
use crate::message::verdict;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Store {
    pub(crate) core: Arc<dyn CoreStore>,
    path: Option<PathBuf>,
}

#[pymethods]
impl Store {
    #[staticmethod]
    fn memory() -> Self {
        Self {
            core: Arc::new(MemoryStore::default()),
            path: None,
        }
    }

    #[staticmethod]
    #[pyo3(signature = (path=None, *, durability="process"))]
    fn sqlite(py: Python<'_>, path: Option<PathBuf>, durability: &str) -> PyResult<Self> {
        let durability = match durability {
            "process" => Durability::Process,
            "power" => Durability::Power,
            _ => {
                return Err(PyValueError::new_err(
                    "durability must be one of process, power",
                ));
            }
        };
        let failed = |error: StoreError| errors::to_py(py, &Error::Store(error));
        let path = path
            .map_or_else(SqliteStore::default_path, Ok)
            .map_err(failed)?;
        let store = py
            .detach(|| SqliteStore::open(&path, durability))
            .map_err(failed)?;
        Ok(Self {
            path: Some(store.file().to_owned()),
            core: Arc::new(store),
        })
    }

    fn mark_restored(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.core.mark_restored(&SystemClock::new()))
            .map_err(|error| errors::to_py(py, &Error::Store(error)))
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut counts = [0; Verdict::COUNT];
        py.detach(|| {
            self.core.transact(&mut |transaction| {
                counts = transaction.counts()?;
                Ok(())
            })
        })
        .map_err(|error| errors::to_py(py, &Error::Store(error)))?;
        by_verdict(py, &counts)
    }

    fn devices(
        &self,
        py: Python<'_>,
        addresses: Vec<String>,
    ) -> PyResult<Vec<Option<StoredDevice>>> {
        let read = |text: &String| {
            Address::parse(text).ok_or_else(|| PyValueError::new_err("an address is 16 hex digits"))
        };
        let addresses: Vec<Address> = addresses.iter().map(read).collect::<PyResult<_>>()?;
        let mut known = Vec::new();
        py.detach(|| {
            self.core.transact(&mut |transaction| {
                known.clear();
                for address in &addresses {
                    let device = transaction.sealed_device(*address)?;
                    known.push((device, transaction.device_counts(*address)?));
                }
                Ok(())
            })
        })
        .map_err(|error| errors::to_py(py, &Error::Store(error)))?;
        let entry = |(device, counts): (Option<SealedDevice>, [u64; Verdict::COUNT])| {
            let heard = device.is_some() || counts.iter().any(|count| *count > 0);
            heard.then_some(StoredDevice { device, counts })
        };
        Ok(known.into_iter().map(entry).collect())
    }

    #[getter]
    fn path(&self) -> Option<String> {
        self.path.as_ref().map(|path| path.display().to_string())
    }

    fn __repr__(&self) -> String {
        match &self.path {
            Some(path) => format!("<espseal.Store {path:?}>"),
            None => "<espseal.Store in memory>".to_owned(),
        }
    }
}

impl Store {
    /// Whether an operation waits for a disk, so that other threads should go on meanwhile.
    pub(crate) const fn waits(&self) -> bool {
        self.path.is_some()
    }
}

/// What the store knows of a sealed device.
#[pyclass(frozen, module = "espseal")]
pub(crate) struct StoredDevice {
    device: Option<SealedDevice>,
    counts: [u64; Verdict::COUNT],
}

#[pymethods]
impl StoredDevice {
    #[getter]
    fn head(&self) -> Option<u64> {
        self.device.map(|device| device.window.head)
    }

    #[getter]
    fn epoch(&self) -> Option<u16> {
        self.device.map(|device| device.epoch)
    }

    #[getter]
    fn last_seen(&self) -> Option<u64> {
        self.device.map(|device| device.last_seen)
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        by_verdict(py, &self.counts)
    }

    fn __repr__(&self) -> String {
        match self.epoch() {
            Some(epoch) => format!("<espseal.StoredDevice of epoch {epoch}>"),
            None => "<espseal.StoredDevice that never verified>".to_owned(),
        }
    }
}

fn by_verdict<'py>(
    py: Python<'py>,
    counts: &[u64; Verdict::COUNT],
) -> PyResult<Bound<'py, PyDict>> {
    let answer = PyDict::new(py);
    for (word, count) in Verdict::ALL.iter().zip(counts) {
        answer.set_item(verdict(py, *word)?, count)?;
    }
    Ok(answer)
}

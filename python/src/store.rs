//! `Store`.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::clock::SystemClock;
use espseal::store::{Durability, MemoryStore, SqliteStore, Store as CoreStore};
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
        let answer = PyDict::new(py);
        for (word, count) in Verdict::ALL.iter().zip(counts) {
            answer.set_item(verdict(py, *word)?, count)?;
        }
        Ok(answer)
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

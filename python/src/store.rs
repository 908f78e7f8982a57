//! `Store`.

use std::sync::Arc;

use espseal::store::{MemoryStore, Store as CoreStore};
use pyo3::prelude::*;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Store(pub(crate) Arc<dyn CoreStore>);

#[pymethods]
impl Store {
    #[staticmethod]
    fn memory() -> Self {
        Self(Arc::new(MemoryStore::default()))
    }

    fn __repr__(&self) -> String {
        format!("<espseal.Store {:?}>", self.0)
    }
}

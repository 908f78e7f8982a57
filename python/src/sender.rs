//! `Sender`.

use std::sync::Arc;

use espseal::{Error, Publication as CorePublication, Sender as CoreSender};
use pyo3::prelude::*;

use crate::convert::{bytes, hex};
use crate::errors;
use crate::keyring::Keyring;
use crate::receiver::Publication;
use crate::store::Store;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Sender(CoreSender);

#[pymethods]
impl Sender {
    #[new]
    fn new(keyring: &Keyring, store: &Store) -> Self {
        Self(CoreSender::new(
            Arc::clone(&keyring.0),
            Arc::clone(&store.core),
        ))
    }

    #[getter]
    fn subscriptions(&self) -> Vec<String> {
        self.0.subscriptions()
    }

    #[pyo3(signature = (payload, *, topic))]
    fn hear(&self, payload: &Bound<'_, PyAny>, topic: &str) -> PyResult<bool> {
        Ok(self.0.hear(&bytes(payload)?, topic))
    }

    fn is_ready(&self, py: Python<'_>, device: &str) -> PyResult<bool> {
        self.0
            .is_ready(device)
            .map_err(|error| errors::to_py(py, &error))
    }

    fn seal(&self, py: Python<'_>, device: &str, data: &Bound<'_, PyAny>) -> PyResult<Publication> {
        let data = bytes(data)?;
        self.run(py, |core| core.seal(device, &data))
    }

    fn ratchet(&self, py: Python<'_>, device: &str) -> PyResult<Publication> {
        self.run(py, |core| core.ratchet(device))
    }

    fn query_mode(&self, py: Python<'_>, device: &str) -> PyResult<Publication> {
        self.run(py, |core| core.query_mode(device))
    }

    fn acknowledges(&self, py: Python<'_>, payload: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
        let payload = bytes(payload)?;
        match py.detach(|| self.0.acknowledges(&payload)) {
            Ok(tag) => Ok(tag.map(|tag| hex(&tag))),
            Err(error) => Err(errors::to_py(py, &error)),
        }
    }

    fn tells_mode(
        &self,
        py: Python<'_>,
        device: &str,
        payload: &Bound<'_, PyAny>,
    ) -> PyResult<Option<u8>> {
        let payload = bytes(payload)?;
        py.detach(|| self.0.tells_mode(device, &payload))
            .map_err(|error| errors::to_py(py, &error))
    }

    fn set_mode(&self, py: Python<'_>, device: &str, mode: u8) -> PyResult<Publication> {
        self.run(py, |core| core.set_mode(device, mode))
    }
}

impl Sender {
    /// It waits for the disk now and then.
    fn run(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&CoreSender) -> Result<CorePublication, Error> + Send,
    ) -> PyResult<Publication> {
        py.detach(|| work(&self.0))
            .map(|publication| Publication::new(py, publication))
            .map_err(|error| errors::to_py(py, &error))
    }
}

//! `Device`.

use std::path::PathBuf;

use espseal::Device as CoreDevice;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::convert::bytes;
use crate::errors;
use crate::keyring::Keyring;
use crate::message::Message;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Device(CoreDevice);

#[pymethods]
impl Device {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        CoreDevice::load(&path)
            .map(Self)
            .map_err(|error| errors::keyring(py, &error))
    }

    #[staticmethod]
    fn from_keyring(py: Python<'_>, keyring: &Keyring, name: &str) -> PyResult<Self> {
        CoreDevice::from_keyring(&keyring.0, name)
            .map(Self)
            .map_err(|error| errors::keyring(py, &error))
    }

    #[getter]
    fn name(&self) -> String {
        self.0.name().to_string()
    }

    #[getter]
    fn topic(&self) -> Option<String> {
        self.0.topic().map(ToString::to_string)
    }

    #[getter]
    fn session_topic(&self) -> Option<String> {
        self.0.session_topic().map(ToString::to_string)
    }

    fn hear(&self, payload: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.0.hear(&bytes(payload)?))
    }

    #[pyo3(signature = (data, *, to=None))]
    fn seal<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        to: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let data = bytes(data)?;
        let frame = match to {
            None => self.0.seal(&data),
            Some(to) => self.0.seal_to(&bytes(to)?, &data),
        };
        frame
            .map(|frame| PyBytes::new(py, &frame))
            .map_err(|error| errors::to_py(py, &error))
    }

    fn draw_command_session<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.0
            .draw_command_session()
            .map(|text| PyBytes::new(py, &text))
            .map_err(|error| errors::to_py(py, &error))
    }

    #[pyo3(signature = (payload, *, topic=None))]
    fn open(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        topic: Option<Bound<'_, PyString>>,
    ) -> PyResult<Message> {
        Message::of_device(py, self.0.open(&bytes(payload)?), topic)
    }

    fn __repr__(&self) -> String {
        format!("<espseal.Device {:?}>", self.0.name())
    }
}

//! `Device`.

use std::path::PathBuf;
use std::time::Duration;

use espseal::{Device as CoreDevice, DeviceOptions, Error, Format};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::convert::bytes;
use crate::errors;
use crate::keyring::Keyring;
use crate::message::Message;
use crate::receiver::Publication;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Device(CoreDevice);

impl Device {
    /// Other threads go on while a state file waits for its disk.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&CoreDevice) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let answer = if self.0.waits() {
            py.detach(|| work(&self.0))
        } else {
            work(&self.0)
        };
        answer.map_err(|error| errors::to_py(py, &error))
    }
}

#[pymethods]
impl Device {
    #[staticmethod]
    #[pyo3(signature = (path, *, state=None, firmware=None, hold=10.0, hello_interval=600.0))]
    fn load(
        py: Python<'_>,
        path: PathBuf,
        state: Option<PathBuf>,
        firmware: Option<String>,
        hold: f64,
        hello_interval: f64,
    ) -> PyResult<Self> {
        let options = options(state, firmware, hold, hello_interval)?;
        py.detach(|| CoreDevice::load_with(&path, options))
            .map(Self)
            .map_err(|error| errors::to_py(py, &error))
    }

    #[staticmethod]
    #[pyo3(signature = (
        keyring,
        name,
        *,
        format=None,
        state=None,
        firmware=None,
        hold=10.0,
        hello_interval=600.0,
    ))]
    #[expect(clippy::too_many_arguments, reason = "all but two are named")]
    fn from_keyring(
        py: Python<'_>,
        keyring: &Keyring,
        name: &str,
        format: Option<&str>,
        state: Option<PathBuf>,
        firmware: Option<String>,
        hold: f64,
        hello_interval: f64,
    ) -> PyResult<Self> {
        let format = match format {
            None => None,
            Some("classic") => Some(Format::Classic),
            Some("sealed") => Some(Format::Sealed),
            Some(_) => {
                let text = "format must be \"classic\", \"sealed\" or None";
                return Err(PyValueError::new_err(text));
            }
        };
        let options = options(state, firmware, hold, hello_interval)?;
        CoreDevice::from_keyring_with(&keyring.0, name, format, options)
            .map(Self)
            .map_err(|error| errors::to_py(py, &error))
    }

    #[getter]
    fn name(&self) -> String {
        self.0.name().to_string()
    }

    #[getter]
    fn format(&self) -> &'static str {
        self.0.format().code()
    }

    #[getter]
    fn address(&self) -> Option<String> {
        self.0.address().map(|address| address.to_string())
    }

    #[getter]
    fn epoch(&self) -> Option<u16> {
        self.0.epoch()
    }

    #[getter]
    fn topic(&self) -> Option<String> {
        self.0.topic().map(ToString::to_string)
    }

    #[getter]
    fn session_topic(&self) -> Option<String> {
        self.0.session_topic().map(ToString::to_string)
    }

    #[getter]
    fn hello_topic(&self) -> Option<String> {
        self.0.hello_topic().map(ToString::to_string)
    }

    #[getter]
    fn down_topic(&self) -> Option<String> {
        self.0.down_topic().map(ToString::to_string)
    }

    #[getter]
    fn beacon_topic(&self) -> Option<String> {
        self.0.beacon_topic().map(ToString::to_string)
    }

    #[getter]
    fn subscriptions(&self) -> Vec<String> {
        let topics = self.0.subscriptions();
        topics.iter().map(ToString::to_string).collect()
    }

    #[getter]
    fn mqtt_host(&self) -> Option<&str> {
        self.0.mqtt()?.host.as_deref()
    }

    #[getter]
    fn mqtt_port(&self) -> Option<u16> {
        self.0.mqtt()?.port
    }

    #[getter]
    fn mqtt_user(&self) -> Option<&str> {
        self.0.mqtt()?.user.as_deref()
    }

    #[getter]
    fn mqtt_password(&self) -> Option<&str> {
        let password = self.0.mqtt()?.password.as_ref()?;
        Some(password.as_str())
    }

    #[getter]
    fn is_welcomed(&self) -> bool {
        self.0.is_welcomed()
    }

    #[getter]
    fn mode(&self) -> u8 {
        self.0.mode()
    }

    fn set_mode(&self, py: Python<'_>, mode: u8) -> PyResult<()> {
        self.run(py, |core| core.set_mode(mode))
    }

    #[getter]
    fn ignored(&self) -> u64 {
        self.0.ignored()
    }

    #[getter]
    fn trouble(&self) -> Option<String> {
        self.0.trouble()
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
        let to = to.map(bytes).transpose()?;
        self.run(py, |core| match &to {
            None => core.seal(&data),
            Some(to) => core.seal_to(to, &data),
        })
        .map(|frame| PyBytes::new(py, &frame))
    }

    fn send(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = bytes(data)?;
        self.run(py, |core| core.send(&data))
    }

    fn draw_command_session<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.run(py, CoreDevice::draw_command_session)
            .map(|text| PyBytes::new(py, &text))
    }

    #[pyo3(signature = (payload, *, topic=None))]
    fn open(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        topic: Option<Bound<'_, PyString>>,
    ) -> PyResult<Message> {
        let payload = bytes(payload)?;
        let message = self.run(py, |core| core.open(&payload))?;
        Message::of_device(py, message, topic)
    }

    fn publications(&self, py: Python<'_>) -> PyResult<Vec<Publication>> {
        let publications = self.run(py, CoreDevice::publications)?;
        Ok(publications
            .into_iter()
            .map(|publication| Publication::new(py, publication))
            .collect())
    }

    fn next_due(&self) -> Option<f64> {
        self.0.next_due().map(|due| due.as_secs_f64())
    }

    fn reconnected(&self) {
        self.0.reconnected();
    }

    fn __repr__(&self) -> String {
        format!("<espseal.Device {:?}>", self.0.name())
    }
}

fn options(
    state: Option<PathBuf>,
    firmware: Option<String>,
    hold: f64,
    hello_interval: f64,
) -> PyResult<DeviceOptions> {
    let defaults = DeviceOptions::default();
    Ok(DeviceOptions {
        state,
        firmware: firmware.unwrap_or(defaults.firmware),
        hold: seconds("hold", hold)?,
        hello_interval: seconds("hello_interval", hello_interval)?,
        ..defaults
    })
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{name} must be seconds, 0 or more")))
}

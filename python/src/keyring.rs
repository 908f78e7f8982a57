//! `Keyring` and its entries.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::classic::Layout;
use espseal::{Form, Keyring as CoreKeyring, Setting};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors;
use crate::sealed::DeviceKey;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Keyring(pub(crate) Arc<CoreKeyring>);

#[pymethods]
impl Keyring {
    #[staticmethod]
    #[pyo3(signature = (path=None, *, allow_wide_permissions=false))]
    fn load(py: Python<'_>, path: Option<PathBuf>, allow_wide_permissions: bool) -> PyResult<Self> {
        path.map_or_else(CoreKeyring::default_path, Ok)
            .and_then(|path| CoreKeyring::load(&path, allow_wide_permissions))
            .map(|keyring| Self(Arc::new(keyring)))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        CoreKeyring::parse(text)
            .map(|keyring| Self(Arc::new(keyring)))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[getter]
    fn path(&self) -> Option<String> {
        self.0.path().map(|path| path.display().to_string())
    }

    #[getter]
    fn devices(&self) -> Vec<DeviceEntry> {
        let own = |topic: Option<&Arc<str>>| topic.map(ToString::to_string);
        let entry = |device: &espseal::keyring::Device| {
            let classic = device.classic.as_ref();
            let group = classic.and_then(|classic| self.0.groups().get(classic.group));
            let port = group.is_some_and(|group| group.scheme.layout == Layout::Port);
            let address = classic.map(espseal::keyring::Classic::address_text);
            let sealed = device.sealed.as_ref();
            let fleet = sealed.and_then(|sealed| self.0.fleets().get(sealed.fleet));
            DeviceEntry {
                name: device.name.to_string(),
                group: group.map(|group| group.name.to_string()),
                node_id: address.clone().filter(|_| !port),
                topic: address.filter(|_| port),
                fleet: fleet.map(|fleet| fleet.name.to_string()),
                address: sealed.map(|sealed| sealed.address.to_string()),
                minimum_epoch: sealed.map(|sealed| sealed.minimum_epoch),
                revoked: sealed.is_some_and(|sealed| sealed.revoked),
                own_key: sealed.is_some_and(espseal::keyring::Sealed::has_own_key),
                up_topic: own(sealed.and_then(espseal::keyring::Sealed::own_up_topic)),
                hello_topic: own(sealed.and_then(espseal::keyring::Sealed::own_hello_topic)),
                down_topic: own(sealed.and_then(espseal::keyring::Sealed::own_down_topic)),
            }
        };
        self.0.devices().iter().map(entry).collect()
    }

    #[getter]
    fn groups(&self) -> Vec<GroupEntry> {
        let entry = |group: &espseal::keyring::Group| GroupEntry {
            name: group.name.to_string(),
            topic: group.topic.as_str().to_owned(),
            session_topic: group.session_topic.as_deref().map(str::to_owned),
            layout: group.scheme.layout.code(),
            data: group.scheme.data.code(),
            mac: group.scheme.mac.code(),
            devices: group.device_count(),
        };
        self.0.groups().iter().map(entry).collect()
    }

    #[getter]
    fn fleets(&self) -> Vec<FleetEntry> {
        let entry = |fleet: &espseal::keyring::Fleet| FleetEntry {
            name: fleet.name.to_string(),
            beacon_topic: fleet.beacon_topic.to_string(),
            up_filter: fleet.up_filter().as_str().to_owned(),
            hello_filter: fleet.hello_filter().as_str().to_owned(),
            danger_first_contact: fleet.danger_first_contact,
            devices: fleet.device_count(),
        };
        self.0.fleets().iter().map(entry).collect()
    }

    #[getter]
    fn up_filters(&self) -> Vec<String> {
        let filters = self.0.up_filters();
        filters.iter().map(ToString::to_string).collect()
    }

    fn provision(&self, py: Python<'_>, name: &str) -> PyResult<Provision> {
        self.0
            .provision(name)
            .map(Provision)
            .map_err(|error| errors::keyring(py, &error))
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }

    fn __repr__(&self) -> String {
        let (groups, fleets) = (self.0.groups().len(), self.0.fleets().len());
        let devices = self.0.devices().len();
        format!("<espseal.Keyring of {groups} groups, {fleets} fleets and {devices} devices>")
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct DeviceEntry {
    name: String,
    group: Option<String>,
    node_id: Option<String>,
    topic: Option<String>,
    fleet: Option<String>,
    address: Option<String>,
    minimum_epoch: Option<u16>,
    revoked: bool,
    own_key: bool,
    up_topic: Option<String>,
    hello_topic: Option<String>,
    down_topic: Option<String>,
}

#[pymethods]
impl DeviceEntry {
    fn __repr__(&self) -> String {
        format!("<espseal.DeviceEntry {:?}>", self.name)
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct GroupEntry {
    name: String,
    topic: String,
    session_topic: Option<String>,
    layout: &'static str,
    data: &'static str,
    mac: &'static str,
    devices: usize,
}

#[pymethods]
impl GroupEntry {
    fn __repr__(&self) -> String {
        format!("<espseal.GroupEntry {:?}>", self.name)
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct FleetEntry {
    name: String,
    beacon_topic: String,
    up_filter: String,
    hello_filter: String,
    danger_first_contact: bool,
    devices: usize,
}

#[pymethods]
impl FleetEntry {
    fn __repr__(&self) -> String {
        format!("<espseal.FleetEntry {:?}>", self.name)
    }
}

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Provision(espseal::keyring::Provision);

#[pymethods]
impl Provision {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn address(&self) -> String {
        self.0.address.to_string()
    }

    #[getter]
    fn device_key(&self) -> DeviceKey {
        DeviceKey(self.0.key.clone())
    }

    #[getter]
    const fn epoch(&self) -> u16 {
        self.0.epoch
    }

    #[getter]
    fn up_topic(&self) -> &str {
        &self.0.up_topic
    }

    #[getter]
    fn hello_topic(&self) -> &str {
        &self.0.hello_topic
    }

    #[getter]
    fn down_topic(&self) -> &str {
        &self.0.down_topic
    }

    #[getter]
    fn beacon_topic(&self) -> &str {
        &self.0.beacon_topic
    }

    #[pyo3(signature = (form, settings=None))]
    fn render(
        &self,
        py: Python<'_>,
        form: &str,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyString>> {
        let codes = Form::ALL.map(Form::code).join(", ");
        let form = Form::ALL
            .into_iter()
            .find(|each| each.code() == form)
            .ok_or_else(|| PyValueError::new_err(format!("form must be one of {codes}")))?;
        let given = settings
            .map(|settings| settings.iter())
            .into_iter()
            .flatten();
        let given: Vec<(String, Given)> = given
            .map(|(name, value)| Ok((name.extract()?, value.extract()?)))
            .collect::<PyResult<_>>()?;
        let settings: Vec<_> = given
            .iter()
            .map(|(name, value)| (name.as_str(), value.setting()))
            .collect();
        self.0
            .render(form, &settings)
            .map(|text| PyString::new(py, &text).unbind())
            .map_err(|error| errors::keyring(py, &error))
    }

    fn __repr__(&self) -> String {
        format!("<espseal.Provision of {:?}>", self.name())
    }
}

/// What a device is told.
#[derive(FromPyObject)]
enum Given {
    Text(String),
    Number(u32),
}

impl Given {
    fn setting(&self) -> Setting<'_> {
        match self {
            Self::Text(text) => Setting::Text(text),
            Self::Number(number) => Setting::Number(*number),
        }
    }
}

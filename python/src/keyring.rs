//! `Keyring` and its entries.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::Keyring as CoreKeyring;
use espseal::classic::Layout;
use pyo3::prelude::*;

use crate::errors;

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
        let entry = |device: &espseal::keyring::Device| {
            let classic = device.classic.as_ref();
            let group = classic.and_then(|classic| self.0.groups().get(classic.group));
            let port = group.is_some_and(|group| group.scheme.layout == Layout::Port);
            let address = classic.map(espseal::keyring::Classic::address_text);
            DeviceEntry {
                name: device.name.to_string(),
                group: group.map(|group| group.name.to_string()),
                node_id: address.clone().filter(|_| !port),
                topic: address.filter(|_| port),
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
    fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }

    fn __repr__(&self) -> String {
        let (groups, devices) = (self.0.groups().len(), self.0.devices().len());
        format!("<espseal.Keyring of {groups} groups and {devices} devices>")
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct DeviceEntry {
    name: String,
    group: Option<String>,
    node_id: Option<String>,
    topic: Option<String>,
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

//! `KeyringFile`.

use std::path::PathBuf;

use espseal::KeyringFile as CoreFile;
use espseal::keyring::{
    Keyring, NewAddress, NewFleet, NewGroup, Part, Policy, SealedAddress, SealedTopics,
};
use espseal::sealed::Address;
use espseal::{KeyringError, KeyringProblem};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::classic::{ClassicKeys, data_mode, layout, mac_over, one_of};
use crate::errors;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct KeyringFile(CoreFile);

#[pymethods]
impl KeyringFile {
    #[staticmethod]
    fn default_path(py: Python<'_>) -> PyResult<String> {
        Keyring::default_path()
            .map(|path| path.display().to_string())
            .map_err(|error| errors::keyring(py, &error))
    }

    #[staticmethod]
    #[pyo3(signature = (path=None))]
    fn create(py: Python<'_>, path: Option<PathBuf>) -> PyResult<Self> {
        let path = place(py, path)?;
        CoreFile::create(&path)
            .map(Self)
            .map_err(|error| errors::to_py(py, &error))
    }

    #[staticmethod]
    #[pyo3(signature = (path=None))]
    fn open(py: Python<'_>, path: Option<PathBuf>) -> PyResult<Self> {
        let path = place(py, path)?;
        CoreFile::open(&path)
            .map(Self)
            .map_err(|error| errors::keyring(py, &error))
    }

    #[getter]
    fn path(&self) -> String {
        self.0.path().display().to_string()
    }

    #[pyo3(signature = (name, *, topic, session_topic=None, layout="hex", data="text", mac="unpadded", policy="pool", session_interval=None, session_life=None, command_topic=None, command_session_topic=None, keys=None, danger_accept_replays=false, allow_article_keys=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn add_group(
        &self,
        py: Python<'_>,
        name: &str,
        topic: &str,
        session_topic: Option<&str>,
        layout: &str,
        data: &str,
        mac: &str,
        policy: &str,
        session_interval: Option<u32>,
        session_life: Option<u32>,
        command_topic: Option<&str>,
        command_session_topic: Option<&str>,
        keys: Option<&ClassicKeys>,
        danger_accept_replays: bool,
        allow_article_keys: bool,
    ) -> PyResult<()> {
        let policies = [Policy::Pool, Policy::Strict].map(|value| (value.code(), value));
        let group = NewGroup {
            name,
            topic,
            session_topic,
            command_topic,
            command_session_topic,
            layout: self::layout(layout)?,
            data: data_mode(data)?,
            mac: mac_over(mac)?,
            policy: one_of(policy, "policy", &policies)?,
            session_interval,
            session_life,
            keys: keys.map(|keys| &keys.0),
            danger_accept_replays,
            allow_article_keys,
        };
        py.detach(|| self.0.add_group(&group))
            .map_err(|error| errors::to_py(py, &error))
    }

    #[pyo3(signature = (name, *, group, node_id=None, topic=None))]
    fn add_device(
        &self,
        py: Python<'_>,
        name: &str,
        group: &str,
        node_id: Option<&str>,
        topic: Option<&str>,
    ) -> PyResult<()> {
        let address = match (node_id, topic) {
            (Some(node_id), None) => NewAddress::NodeId(node_id),
            (None, Some(topic)) => NewAddress::Topic(topic),
            (Some(_), Some(_)) | (None, None) => {
                return Err(PyValueError::new_err(
                    "give node_id, or topic where the group's layout is \"port\"",
                ));
            }
        };
        py.detach(|| self.0.add_device(name, group, address))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[pyo3(signature = (name, *, beacon_topic=None, up_topic=None, hello_topic=None, down_topic=None, beacon_interval=None, beacon_life=None, danger_first_contact=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn add_fleet(
        &self,
        py: Python<'_>,
        name: &str,
        beacon_topic: Option<&str>,
        up_topic: Option<&str>,
        hello_topic: Option<&str>,
        down_topic: Option<&str>,
        beacon_interval: Option<u32>,
        beacon_life: Option<u32>,
        danger_first_contact: bool,
    ) -> PyResult<()> {
        let fleet = NewFleet {
            name,
            key: None,
            beacon_topic,
            up_topic,
            hello_topic,
            down_topic,
            beacon_interval,
            beacon_life,
            danger_first_contact,
        };
        py.detach(|| self.0.add_fleet(&fleet))
            .map_err(|error| errors::to_py(py, &error))
    }

    #[pyo3(signature = (name, *, fleet, address=None, chip_id=None, up_topic=None, hello_topic=None, down_topic=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn add_sealed(
        &self,
        py: Python<'_>,
        name: &str,
        fleet: &str,
        address: Option<&str>,
        chip_id: Option<u32>,
        up_topic: Option<&str>,
        hello_topic: Option<&str>,
        down_topic: Option<&str>,
    ) -> PyResult<String> {
        let address = sealed_address(py, address, chip_id)?;
        let topics = SealedTopics {
            up: up_topic,
            hello: hello_topic,
            down: down_topic,
        };
        py.detach(|| self.0.add_sealed_on(name, fleet, address, &topics))
            .map(|address| address.to_string())
            .map_err(|error| errors::to_py(py, &error))
    }

    #[pyo3(signature = (name, *, up_topic=None, hello_topic=None, down_topic=None))]
    fn set_topics(
        &self,
        py: Python<'_>,
        name: &str,
        up_topic: Option<&str>,
        hello_topic: Option<&str>,
        down_topic: Option<&str>,
    ) -> PyResult<()> {
        let topics = SealedTopics {
            up: up_topic,
            hello: hello_topic,
            down: down_topic,
        };
        py.detach(|| self.0.set_topics(name, &topics))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[pyo3(signature = (name, *, address=None, chip_id=None))]
    fn set_address(
        &self,
        py: Python<'_>,
        name: &str,
        address: Option<&str>,
        chip_id: Option<u32>,
    ) -> PyResult<String> {
        let address = sealed_address(py, address, chip_id)?;
        py.detach(|| self.0.set_address(name, address))
            .map(|address| address.to_string())
            .map_err(|error| errors::to_py(py, &error))
    }

    fn rename(&self, py: Python<'_>, name: &str, new: &str) -> PyResult<()> {
        py.detach(|| self.0.rename(name, new))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[pyo3(signature = (name, *, undo=false))]
    fn revoke(&self, py: Python<'_>, name: &str, undo: bool) -> PyResult<()> {
        py.detach(|| self.0.revoke(name, !undo))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[pyo3(signature = (name, *, only=None))]
    fn remove(&self, py: Python<'_>, name: &str, only: Option<&str>) -> PyResult<()> {
        let part = match only {
            None => Part::Whole,
            Some(word) => one_of(
                word,
                "only",
                &[("classic", Part::Classic), ("sealed", Part::Sealed)],
            )?,
        };
        py.detach(|| self.0.remove(name, part))
            .map_err(|error| errors::keyring(py, &error))
    }

    #[pyo3(signature = (name, *, reached=None))]
    fn rekey(&self, py: Python<'_>, name: &str, reached: Option<u16>) -> PyResult<u16> {
        py.detach(|| self.0.rekey(name, reached))
            .map_err(|error| errors::to_py(py, &error))
    }

    fn set_minimum_epoch(&self, py: Python<'_>, name: &str, epoch: u16) -> PyResult<()> {
        py.detach(|| self.0.set_minimum_epoch(name, epoch))
            .map_err(|error| errors::keyring(py, &error))
    }

    fn __repr__(&self) -> String {
        format!("<espseal.KeyringFile {:?}>", self.path())
    }
}

fn place(py: Python<'_>, path: Option<PathBuf>) -> PyResult<PathBuf> {
    path.map_or_else(Keyring::default_path, Ok)
        .map_err(|error| errors::keyring(py, &error))
}

fn sealed_address(
    py: Python<'_>,
    address: Option<&str>,
    chip_id: Option<u32>,
) -> PyResult<SealedAddress> {
    match (address, chip_id) {
        (None, None) => Ok(SealedAddress::Drawn),
        (None, Some(chip_id)) => Ok(SealedAddress::OfChip(chip_id)),
        (Some(address), None) => match Address::parse(address) {
            Some(address) => Ok(SealedAddress::Given(address)),
            None => Err(errors::keyring(
                py,
                &KeyringError {
                    file: None,
                    line: None,
                    field: Some("device.sealed.address".to_owned()),
                    problem: KeyringProblem::InvalidValue {
                        expected: "16 hex digits",
                    },
                },
            )),
        },
        (Some(_), Some(_)) => Err(PyValueError::new_err(
            "give address, or chip_id, or neither of them",
        )),
    }
}

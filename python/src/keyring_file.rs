//! `KeyringFile`.

use std::path::PathBuf;

use espseal::KeyringFile as CoreFile;
use espseal::keyring::{Keyring, NewAddress, NewGroup};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::classic::{ClassicKeys, data_mode, layout};
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

    #[pyo3(signature = (name, *, topic, session_topic=None, layout="hex", data="text", keys=None, danger_accept_replays=false, allow_article_keys=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn add_group(
        &self,
        py: Python<'_>,
        name: &str,
        topic: &str,
        session_topic: Option<&str>,
        layout: &str,
        data: &str,
        keys: Option<&ClassicKeys>,
        danger_accept_replays: bool,
        allow_article_keys: bool,
    ) -> PyResult<()> {
        let group = NewGroup {
            name,
            topic,
            session_topic,
            layout: self::layout(layout)?,
            data: data_mode(data)?,
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

    fn __repr__(&self) -> String {
        format!("<espseal.KeyringFile {:?}>", self.path())
    }
}

fn place(py: Python<'_>, path: Option<PathBuf>) -> PyResult<PathBuf> {
    path.map_or_else(Keyring::default_path, Ok)
        .map_err(|error| errors::keyring(py, &error))
}

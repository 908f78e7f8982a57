//! `Message`.

use std::collections::HashMap;
use std::sync::Arc;

use espseal::{Keyring, Message as CoreMessage, Reason, Verdict};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

static VERDICTS: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Message {
    #[pyo3(get)]
    verdict: Py<PyAny>,
    #[pyo3(get)]
    device: Option<Py<PyString>>,
    id: Option<Arc<str>>,
    #[pyo3(get)]
    group: Option<Py<PyString>>,
    #[pyo3(get)]
    data: Option<Py<PyBytes>>,
    #[pyo3(get)]
    topic: Option<Py<PyString>>,
    #[pyo3(get)]
    retained: bool,
    #[pyo3(get)]
    replay_protected: bool,
    why: Reason,
}

impl Message {
    pub(crate) fn new(
        py: Python<'_>,
        message: CoreMessage,
        names: &Names,
        topic: Option<Bound<'_, PyString>>,
        retained: bool,
    ) -> PyResult<Self> {
        let name = |name: Option<&Arc<str>>| name.map(|name| names.to_py(py, name));
        Ok(Self {
            verdict: verdict(py, message.verdict)?,
            device: name(message.device.as_ref()),
            group: name(message.group.as_ref()),
            id: message.node_id,
            data: message.data.map(|data| PyBytes::new(py, &data).unbind()),
            topic: topic.map(Bound::unbind),
            retained,
            replay_protected: message.replay_protected,
            why: message.reason,
        })
    }
}

/// The names of a keyring as Python strings, made once: one for each message would cost more
/// than the cryptography does.
#[derive(Default)]
pub(crate) struct Names(HashMap<usize, Py<PyString>, foldhash::fast::RandomState>);

impl Names {
    pub(crate) fn of(py: Python<'_>, keyring: &Keyring) -> Self {
        let groups = keyring.groups().iter().map(|group| &group.name);
        let devices = keyring.devices().iter().map(|device| &device.name);
        let made = |name: &Arc<str>| (place(name), PyString::new(py, name).unbind());
        Self(groups.chain(devices).map(made).collect())
    }

    fn to_py(&self, py: Python<'_>, name: &Arc<str>) -> Py<PyString> {
        match self.0.get(&place(name)) {
            Some(made) => made.clone_ref(py),
            None => PyString::new(py, name).unbind(),
        }
    }
}

/// The keyring, which lives as long as the names, gives each its place.
fn place(name: &Arc<str>) -> usize {
    name.as_ptr().addr()
}

#[pymethods]
impl Message {
    #[getter]
    fn node_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    #[getter]
    fn reason(&self) -> String {
        self.why.to_string()
    }

    #[getter]
    fn text(&self, py: Python<'_>) -> Option<String> {
        let data = self.data.as_ref()?;
        Some(String::from_utf8_lossy(data.as_bytes(py)).into_owned())
    }

    /// Says how long the data is, never what.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut text = format!("Message(verdict={}", self.verdict.bind(py).str()?.repr()?);
        for (name, value) in [("device", &self.device), ("topic", &self.topic)] {
            if let Some(value) = value {
                text.push_str(&format!(", {name}={}", value.bind(py).repr()?));
            }
        }
        if let Some(data) = &self.data {
            text.push_str(&format!(", data=<{} bytes>", data.as_bytes(py).len()));
        }
        text.push(')');
        Ok(text)
    }
}

/// The member of `espseal.Verdict`.
pub(crate) fn verdict(py: Python<'_>, verdict: Verdict) -> PyResult<Py<PyAny>> {
    let members = VERDICTS.get_or_try_init(py, || members(py))?;
    match members.get(verdict.index()) {
        Some(member) => Ok(member.clone_ref(py)),
        None => unreachable!("members() has one for each verdict"),
    }
}

/// `espseal.Verdict` and the core must name the same verdicts, in the same order.
pub(crate) fn check_verdicts(py: Python<'_>) -> PyResult<()> {
    let class = py.import("espseal._verdict")?.getattr("Verdict")?;
    let names: Vec<String> = class
        .try_iter()?
        .map(|member| member?.extract())
        .collect::<PyResult<_>>()?;
    let codes: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.code()).collect();
    if names == codes {
        Ok(())
    } else {
        Err(PyImportError::new_err(
            "espseal/_verdict.py and the native module are of different versions; install espseal again",
        ))
    }
}

fn members(py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
    let class = py.import("espseal._verdict")?.getattr("Verdict")?;
    Verdict::ALL
        .iter()
        .map(|verdict| Ok(class.call1((verdict.code(),))?.unbind()))
        .collect()
}

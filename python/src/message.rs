//! `Message`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use espseal::sealed::Address;
use espseal::{
    Judged, Keyring, Kind, Message as CoreMessage, Reason, Receiver as CoreReceiver, Ticket,
    Verdict,
};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

use crate::convert::hex;
use crate::errors;

static VERDICTS: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();

/// What nearly everybody reads is made at once, the rest when it is asked for.
#[pyclass(frozen, module = "espseal")]
pub(crate) struct Message {
    #[pyo3(get)]
    verdict: Py<PyAny>,
    #[pyo3(get)]
    device: Option<Py<PyString>>,
    #[pyo3(get)]
    node_id: Option<Py<PyString>>,
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
    #[pyo3(get)]
    advanced: bool,
    #[pyo3(get)]
    session_bound: bool,
    #[pyo3(get)]
    counter: Option<u64>,
    #[pyo3(get)]
    epoch: Option<u16>,
    kind: Kind,
    address: Option<Address>,
    /// What hardly any message has: each is moved several times before it has its place.
    rare: Option<Box<Rare>>,
    why: Reason,
}

/// What control frames say, and what is handed over and not done.
#[derive(Default)]
struct Rare {
    mode: Option<u8>,
    acknowledged: Option<[u8; 16]>,
    undone: Option<Undone>,
}

impl Rare {
    fn new(rare: Self) -> Option<Box<Self>> {
        let Self {
            mode,
            acknowledged,
            undone,
        } = &rare;
        let any = mode.is_some() || acknowledged.is_some() || undone.is_some();
        any.then(|| Box::new(rare))
    }
}

/// What is handed over and not done.
pub(crate) struct Undone {
    pub(crate) receiver: Arc<CoreReceiver>,
    pub(crate) ticket: Ticket,
    done: AtomicBool,
}

impl Message {
    /// What a receiver says; `names` are those of its keyring.
    pub(crate) fn of_receiver(
        py: Python<'_>,
        judged: &mut Judged,
        receiver: &Arc<CoreReceiver>,
        names: &Names,
        topic: Option<Bound<'_, PyString>>,
        retained: bool,
    ) -> PyResult<Self> {
        let device = judged.device.and_then(|place| names.devices.get(place));
        let group = judged.group.and_then(|place| names.groups.get(place));
        let node_id = match (&judged.unlisted, device, group) {
            (Some(node_id), ..) => Some(PyString::new(py, node_id).unbind()),
            (None, Some((_, node_id)), Some(_)) => node_id.as_ref().map(|id| id.clone_ref(py)),
            (None, ..) => None,
        };
        Ok(Self {
            verdict: verdict(py, judged.verdict)?,
            device: device.map(|(name, _)| name.clone_ref(py)),
            node_id,
            group: group.map(|name| name.clone_ref(py)),
            data: judged.data().map(|data| PyBytes::new(py, data).unbind()),
            topic: topic.map(Bound::unbind),
            retained,
            replay_protected: judged.replay_protected,
            advanced: judged.advanced,
            session_bound: judged.session_bound,
            counter: judged.counter,
            epoch: judged.epoch,
            kind: judged.kind,
            address: judged.address,
            rare: Rare::new(Rare {
                mode: judged.mode,
                acknowledged: judged.acknowledged,
                undone: judged.ticket.map(|ticket| Undone {
                    receiver: Arc::clone(receiver),
                    ticket,
                    done: AtomicBool::new(false),
                }),
            }),
            why: core::mem::replace(&mut judged.reason, Reason::Fresh),
        })
    }

    /// What a device says.
    pub(crate) fn of_device(
        py: Python<'_>,
        message: CoreMessage,
        topic: Option<Bound<'_, PyString>>,
    ) -> PyResult<Self> {
        let string = |text: &str| PyString::new(py, text).unbind();
        Ok(Self {
            verdict: verdict(py, message.verdict)?,
            device: message.device.as_deref().map(string),
            node_id: message.node_id.as_deref().map(string),
            group: message.group.as_deref().map(string),
            data: message.data.map(|data| PyBytes::new(py, &data).unbind()),
            topic: topic.map(Bound::unbind),
            retained: false,
            replay_protected: message.replay_protected,
            advanced: message.advanced,
            session_bound: message.session_bound,
            counter: message.counter,
            epoch: message.epoch,
            kind: message.kind,
            address: message.address,
            rare: Rare::new(Rare {
                mode: message.mode,
                acknowledged: message.acknowledged,
                undone: None,
            }),
            why: message.reason,
        })
    }
}

/// The names of a keyring as Python strings, in its order, made once: one for each message would
/// cost more than the cryptography does.
pub(crate) struct Names {
    groups: Vec<Py<PyString>>,
    /// Each with its node ID, if it has one.
    devices: Vec<(Py<PyString>, Option<Py<PyString>>)>,
}

impl Names {
    pub(crate) fn of(py: Python<'_>, keyring: &Keyring) -> Self {
        let string = |text: &str| PyString::new(py, text).unbind();
        let groups = keyring.groups().iter().map(|group| string(&group.name));
        let devices = keyring.devices().iter().map(|device| {
            let classic = device.classic.as_ref();
            let node_id = classic.and_then(|classic| classic.node_id.as_deref());
            (string(&device.name), node_id.map(string))
        });
        Self {
            groups: groups.collect(),
            devices: devices.collect(),
        }
    }
}

impl Message {
    fn undone(&self) -> Option<&Undone> {
        self.rare.as_ref()?.undone.as_ref()
    }
}

#[pymethods]
impl Message {
    #[getter]
    const fn kind(&self) -> &'static str {
        self.kind.code()
    }

    #[getter]
    fn address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    #[getter]
    fn acknowledged(&self) -> Option<String> {
        let tag = self.rare.as_ref()?.acknowledged.as_ref()?;
        Some(hex(tag))
    }

    #[getter]
    fn mode(&self) -> Option<u8> {
        self.rare.as_ref()?.mode
    }

    /// It waits for the disk.
    fn done(&self, py: Python<'_>) -> PyResult<()> {
        let Some(undone) = self.undone() else {
            return Ok(());
        };
        py.detach(|| undone.receiver.done(undone.ticket))
            .map_err(|error| errors::to_py(py, &error))?;
        undone.done.store(true, Ordering::Release);
        Ok(())
    }

    #[getter]
    fn is_done(&self) -> bool {
        self.undone()
            .is_none_or(|undone| undone.done.load(Ordering::Acquire))
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

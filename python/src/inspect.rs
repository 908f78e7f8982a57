//! `inspect` and what it answers.

use espseal::{
    Field as CoreField, Finding as CoreFinding, Fit as CoreFit, FitSession,
    Inspection as CoreInspection, inspect as core,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::bytes;
use crate::errors;
use crate::keyring::Keyring;
use crate::store::Store;

#[pyfunction]
#[pyo3(signature = (payload, keyring=None, *, sessions=None, store=None, topic=None))]
pub(crate) fn inspect(
    py: Python<'_>,
    payload: &Bound<'_, PyAny>,
    keyring: Option<&Keyring>,
    sessions: Option<Vec<Bound<'_, PyAny>>>,
    store: Option<&Store>,
    topic: Option<&str>,
) -> PyResult<Inspection> {
    let sessions = sessions
        .unwrap_or_default()
        .iter()
        .map(|session| Ok(bytes(session)?.into_owned()))
        .collect::<PyResult<Vec<_>>>()?;
    core(
        &bytes(payload)?,
        keyring.map(|keyring| &*keyring.0),
        &sessions,
        store.map(|store| &*store.core),
        topic,
    )
    .map_err(|error| errors::to_py(py, &error))
    .and_then(|inspection| Inspection::new(py, inspection))
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Inspection {
    frame: Py<PyBytes>,
    layout: Option<&'static str>,
    fields: Vec<Py<Field>>,
    malformed: Option<&'static str>,
    offset: Option<usize>,
    reason: Option<String>,
    findings: Vec<Py<Finding>>,
}

impl Inspection {
    fn new(py: Python<'_>, inspection: CoreInspection) -> PyResult<Self> {
        let malformed = inspection.parsed.as_ref().err().copied();
        let (layout, fields) = match inspection.parsed {
            Ok(parsed) => (Some(parsed.layout.code()), parsed.fields),
            Err(_) => (None, Vec::new()),
        };
        let field = |field: CoreField| {
            let CoreField { name, offset, size } = field;
            Py::new(py, Field { name, offset, size })
        };
        let finding = |finding: CoreFinding| {
            let finding = Finding {
                group: finding.group.as_deref().map(str::to_owned),
                owner: finding.owner.as_deref().map(str::to_owned),
                fit: finding
                    .fit
                    .map(|fit| Py::new(py, Fit::new(py, &fit)))
                    .transpose()?,
            };
            Py::new(py, finding)
        };
        Ok(Self {
            frame: PyBytes::new(py, &inspection.frame).unbind(),
            layout,
            fields: fields.into_iter().map(field).collect::<PyResult<_>>()?,
            malformed: malformed.map(|malformed| malformed.reason.code()),
            offset: malformed.map(|malformed| malformed.offset),
            reason: malformed.map(|malformed| malformed.to_string()),
            findings: inspection
                .findings
                .into_iter()
                .map(finding)
                .collect::<PyResult<_>>()?,
        })
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Field {
    name: &'static str,
    offset: usize,
    size: usize,
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Finding {
    group: Option<String>,
    owner: Option<String>,
    fit: Option<Py<Fit>>,
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Fit {
    layout: &'static str,
    mode: &'static str,
    mac: &'static str,
    as_in_keyring: bool,
    session: &'static str,
    session_time: Option<u32>,
    device: Option<String>,
    node: Py<PyBytes>,
    iv: Py<PyBytes>,
    data: Py<PyBytes>,
}

impl Fit {
    fn new(py: Python<'_>, fit: &CoreFit) -> Self {
        let (session, session_time) = match fit.session {
            FitSession::Given(_) => ("given", None),
            FitSession::Stored(id) => ("stored", Some(id.time())),
            FitSession::Empty => ("empty", None),
            FitSession::None => ("none", None),
        };
        let bytes = |bytes: &[u8]| PyBytes::new(py, bytes).unbind();
        Self {
            layout: fit.scheme.layout.code(),
            mode: fit.scheme.data.code(),
            mac: fit.scheme.mac.code(),
            as_in_keyring: fit.as_in_keyring,
            session,
            session_time,
            device: fit.device.as_deref().map(str::to_owned),
            node: bytes(fit.opened.node()),
            iv: bytes(&fit.opened.iv),
            data: bytes(fit.opened.data()),
        }
    }
}

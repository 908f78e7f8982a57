//! `inspect` and what it answers.

mod classic;
mod sealed;

use espseal::{
    Field as CoreField, Inspection as CoreInspection, Parsed, inspect as core, is_sealed, tidy,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pub(crate) use self::classic::{Claims, Finding, Fit};
pub(crate) use self::sealed::{Listed, SealedFinding, SealedFit, SealedInspection};
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
    let payload = bytes(payload)?;
    let format = if is_sealed(&tidy(&payload)) {
        "sealed"
    } else {
        "classic"
    };
    core(
        &payload,
        keyring.map(|keyring| &*keyring.0),
        &sessions,
        store.map(|store| &*store.core),
        topic,
    )
    .map_err(|error| errors::to_py(py, &error))
    .and_then(|inspection| Inspection::new(py, format, inspection))
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Inspection {
    frame: Py<PyBytes>,
    format: &'static str,
    armored: bool,
    layout: Option<&'static str>,
    fields: Vec<Py<Field>>,
    malformed: Option<&'static str>,
    offset: Option<usize>,
    reason: Option<String>,
    findings: Vec<Py<Finding>>,
    sealed: Option<Py<SealedInspection>>,
}

impl Inspection {
    fn new(py: Python<'_>, format: &'static str, inspection: CoreInspection) -> PyResult<Self> {
        let malformed = inspection.parsed.as_ref().err().copied();
        let (layout, findings, sealed) = match inspection.parsed {
            Ok(Parsed::Classic { layout, findings }) => (Some(layout.code()), findings, None),
            Ok(Parsed::Sealed(sealed)) => (None, Vec::new(), Some(sealed)),
            Err(_) => (None, Vec::new(), None),
        };
        let field = |field: CoreField| {
            let CoreField { name, offset, size } = field;
            Py::new(py, Field { name, offset, size })
        };
        Ok(Self {
            frame: PyBytes::new(py, &inspection.frame).unbind(),
            format,
            armored: inspection.armored,
            layout,
            fields: inspection
                .fields
                .into_iter()
                .map(field)
                .collect::<PyResult<_>>()?,
            malformed: malformed.map(|malformed| malformed.reason.code()),
            offset: malformed.map(|malformed| malformed.offset),
            reason: malformed.map(|malformed| malformed.to_string()),
            findings: findings
                .into_iter()
                .map(|finding| Py::new(py, Finding::new(py, finding)?))
                .collect::<PyResult<_>>()?,
            sealed: sealed
                .map(|sealed| Py::new(py, SealedInspection::new(py, *sealed)?))
                .transpose()?,
        })
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Field {
    name: &'static str,
    offset: usize,
    size: usize,
}

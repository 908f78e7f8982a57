//! What came of the keys of a sealed frame.

use espseal::sealed::{Control, Hello, Kind};
use espseal::{
    Listed as CoreListed, SealedFinding as CoreFinding, SealedFit as CoreFit,
    SealedInspection as CoreInspection,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct SealedInspection {
    direction: &'static str,
    kind: &'static str,
    session_bound: bool,
    epoch: u16,
    address: String,
    counter: u64,
    listed: Option<Py<Listed>>,
    findings: Vec<Py<SealedFinding>>,
    sessions_given: usize,
    sessions_of_beacons: usize,
    sessions_of_device: usize,
}

impl SealedInspection {
    pub(super) fn new(py: Python<'_>, inspection: CoreInspection) -> PyResult<Self> {
        let header = inspection.header;
        let finding = |finding| Py::new(py, SealedFinding::new(py, finding)?);
        Ok(Self {
            direction: header.direction.code(),
            kind: header.kind.code(),
            session_bound: header.bound,
            epoch: header.epoch,
            address: header.address.to_string(),
            counter: header.counter,
            listed: inspection
                .listed
                .map(|listed| Py::new(py, Listed::from(listed)))
                .transpose()?,
            findings: inspection
                .findings
                .into_iter()
                .map(finding)
                .collect::<PyResult<_>>()?,
            sessions_given: inspection.sessions.given,
            sessions_of_beacons: inspection.sessions.beacons,
            sessions_of_device: inspection.sessions.drawn,
        })
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Listed {
    name: String,
    fleet: String,
    own_key: bool,
    revoked: bool,
    minimum_epoch: u16,
    topic: String,
    reached_epoch: Option<u16>,
    head: Option<u64>,
    last_seen: Option<u64>,
}

impl From<CoreListed> for Listed {
    fn from(listed: CoreListed) -> Self {
        let state = listed.state;
        Self {
            name: listed.name.to_string(),
            fleet: listed.fleet.to_string(),
            own_key: listed.own_key,
            revoked: listed.revoked,
            minimum_epoch: listed.minimum_epoch,
            topic: listed.topic,
            reached_epoch: state.map(|state| state.epoch),
            head: state.map(|state| state.window.head),
            last_seen: state.map(|state| state.last_seen),
        }
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct SealedFinding {
    keys_of: &'static str,
    fleet: Option<String>,
    devices: usize,
    epochs: Vec<u16>,
    fit: Option<Py<SealedFit>>,
}

impl SealedFinding {
    fn new(py: Python<'_>, finding: CoreFinding) -> PyResult<Self> {
        Ok(Self {
            keys_of: finding.of.code(),
            fleet: finding.fleet.as_deref().map(str::to_owned),
            devices: finding.devices,
            epochs: finding.epochs,
            fit: finding
                .fit
                .map(|fit| Py::new(py, SealedFit::new(py, &fit)?))
                .transpose()?,
        })
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct SealedFit {
    device: Option<String>,
    epoch: u16,
    direction: &'static str,
    kind: &'static str,
    session: &'static str,
    session_time: Option<u32>,
    session_life: Option<u64>,
    mistakes: Vec<&'static str>,
    data: Py<PyBytes>,
    body: Option<Py<PyDict>>,
}

impl SealedFit {
    fn new(py: Python<'_>, fit: &CoreFit) -> PyResult<Self> {
        Ok(Self {
            device: fit.device.as_deref().map(str::to_owned),
            epoch: fit.epoch,
            direction: fit.direction.code(),
            kind: fit.kind.code(),
            session: fit.session.code(),
            session_time: fit.session.minted(),
            session_life: fit.session_life.map(|life| life.as_secs()),
            mistakes: fit.mistakes.iter().map(|mistake| mistake.code()).collect(),
            data: PyBytes::new(py, &fit.plaintext).unbind(),
            body: body(py, fit)?.map(Bound::unbind),
        })
    }
}

/// What a hello or a control frame says; None for data, and for what does not parse.
fn body<'py>(py: Python<'py>, fit: &CoreFit) -> PyResult<Option<Bound<'py, PyDict>>> {
    let hex = |bytes: &[u8; 16]| format!("{:032x}", u128::from_be_bytes(*bytes));
    let says = PyDict::new(py);
    match fit.kind {
        Kind::Data => return Ok(None),
        Kind::Hello => {
            let Some(hello) = Hello::parse(&fit.plaintext) else {
                return Ok(None);
            };
            says.set_item("says", "hello")?;
            says.set_item("session", hex(&hello.session))?;
            says.set_item("firmware", hello.firmware)?;
        }
        Kind::Control => {
            let Some(control) = Control::parse(&fit.plaintext) else {
                return Ok(None);
            };
            says.set_item("says", control.code())?;
            match control {
                Control::Ratchet { epoch } => says.set_item("epoch", epoch)?,
                Control::Ack { tag } => says.set_item("tag", hex(&tag))?,
                Control::Welcome { floor } => says.set_item("floor", floor)?,
                Control::QueryMode => {}
                Control::SetMode { mode } | Control::Mode { mode } => {
                    says.set_item("mode", mode)?
                }
            }
        }
    }
    Ok(Some(says))
}

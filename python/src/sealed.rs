//! The stateless functions of the sealed frame, which the vectors test.

use espseal::key::{DeviceKey as CoreKey, FleetKey};
use espseal::sealed::{
    Address, Direction, Frame, FrameKeys, Kind, Sealing, Session, armor, device_session, disarm,
    open, seal,
};
use espseal::{Error, Malformed, Verdict};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::classic::one_of;
use crate::convert::bytes;
use crate::errors;
use crate::message::verdict;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct DeviceKey(pub(crate) CoreKey);

#[pymethods]
impl DeviceKey {
    #[new]
    fn new(key: &Bound<'_, PyAny>) -> PyResult<Self> {
        match CoreKey::new(&bytes(key)?) {
            Ok(key) => Ok(Self(key)),
            Err(error) => Err(errors::keyring(key.py(), &error)),
        }
    }

    #[staticmethod]
    fn of_fleet(fleet_key: &Bound<'_, PyAny>, address: &str) -> PyResult<Self> {
        match FleetKey::new(&bytes(fleet_key)?) {
            Ok(fleet) => Ok(Self(CoreKey::of_fleet(&fleet, parse_address(address)?))),
            Err(error) => Err(errors::keyring(fleet_key.py(), &error)),
        }
    }

    #[pyo3(signature = (steps=1))]
    fn ratchet(&self, steps: u16) -> Self {
        Self(self.0.ratchet_by(steps))
    }

    fn expose<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose())
    }

    #[expect(clippy::unused_self, reason = "no key in a representation")]
    fn __repr__(&self) -> &'static str {
        "<espseal.DeviceKey>"
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct SealedOpened {
    verdict: Py<PyAny>,
    kind: Option<&'static str>,
    address: Option<String>,
    epoch: Option<u16>,
    counter: Option<u64>,
    session_bound: bool,
    session: Option<usize>,
    data: Option<Py<PyBytes>>,
    malformed: Option<&'static str>,
    offset: Option<usize>,
}

#[pyfunction]
#[pyo3(signature = (frame, key, *, direction="uplink", sessions=vec![], context=None))]
pub(crate) fn sealed_open(
    py: Python<'_>,
    frame: &Bound<'_, PyAny>,
    key: &DeviceKey,
    direction: &str,
    sessions: Vec<Session>,
    context: Option<&Bound<'_, PyAny>>,
) -> PyResult<SealedOpened> {
    let direction = parse_direction(direction)?;
    let answer = |word| -> PyResult<SealedOpened> {
        Ok(SealedOpened {
            verdict: verdict(py, word)?,
            kind: None,
            address: None,
            epoch: None,
            counter: None,
            session_bound: false,
            session: None,
            data: None,
            malformed: None,
            offset: None,
        })
    };
    let bytes_given = bytes(frame)?;
    let frame = match Frame::parse(&bytes_given) {
        Ok(frame) => frame,
        Err(Malformed { reason, offset }) => {
            return Ok(SealedOpened {
                malformed: Some(reason.code()),
                offset: Some(offset),
                ..answer(Verdict::Malformed)?
            });
        }
    };
    let header = *frame.header();
    if header.direction != direction {
        return answer(Verdict::WrongDirection);
    }
    let context = context.map(bytes).transpose()?.unwrap_or_default();
    let keys = FrameKeys::new(&key.0, direction);
    let Some(opened) = open(&frame, &keys, &sessions, &context) else {
        return answer(Verdict::Forged);
    };
    Ok(SealedOpened {
        kind: Some(header.kind.code()),
        address: Some(header.address.to_string()),
        epoch: Some(header.epoch),
        counter: Some(header.counter),
        session_bound: header.bound,
        session: header.bound.then_some(opened.session),
        data: Some(PyBytes::new(py, &opened.plaintext).unbind()),
        ..answer(Verdict::Fresh)?
    })
}

#[pyfunction]
#[pyo3(signature = (key, data, *, address, counter, epoch=0, direction="uplink", kind="data", session=None, context=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn sealed_seal<'py>(
    py: Python<'py>,
    key: &DeviceKey,
    data: &Bound<'py, PyAny>,
    address: &str,
    counter: u64,
    epoch: u16,
    direction: &str,
    kind: &str,
    session: Option<Session>,
    context: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let keys = FrameKeys::new(&key.0, parse_direction(direction)?);
    let context = context.map(bytes).transpose()?.unwrap_or_default();
    let kinds = [Kind::Data, Kind::Hello, Kind::Control].map(|kind| (kind.code(), kind));
    let sealing = Sealing {
        kind: one_of(kind, "kind", &kinds)?,
        epoch,
        address: parse_address(address)?,
        counter,
        session: session.as_ref(),
        context: &context,
    };
    seal(&keys, &sealing, &bytes(data)?)
        .map(|frame| PyBytes::new(py, &frame))
        .map_err(|error| errors::to_py(py, &Error::Data(error)))
}

#[pyfunction]
pub(crate) fn sealed_armor(frame: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(armor(&bytes(frame)?))
}

#[pyfunction]
pub(crate) fn sealed_disarm<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    match disarm(&bytes(text)?) {
        Ok(frame) => Ok(PyBytes::new(py, &frame)),
        Err(malformed) => Err(PyValueError::new_err(format!("no armor: {malformed}"))),
    }
}

#[pyfunction]
pub(crate) fn sealed_device_session<'py>(
    py: Python<'py>,
    key: &DeviceKey,
    counter: u64,
    beacon: Session,
    random: [u8; 16],
) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &device_session(&key.0, counter, &beacon, &random))
}

fn parse_address(text: &str) -> PyResult<Address> {
    Address::parse(text).ok_or_else(|| {
        PyValueError::new_err("an address is 16 hex digits, such as \"0011223344556677\"")
    })
}

fn parse_direction(word: &str) -> PyResult<Direction> {
    let directions = [Direction::Uplink, Direction::Downlink].map(|value| (value.code(), value));
    one_of(word, "direction", &directions)
}

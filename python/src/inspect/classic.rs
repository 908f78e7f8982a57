//! What came of the keys of a classic frame.

use espseal::{Finding as CoreFinding, Fit as CoreFit};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Finding {
    group: Option<String>,
    owner: Option<String>,
    fit: Option<Py<Fit>>,
    iv_fits: bool,
    claims: Option<Py<Claims>>,
}

impl Finding {
    pub(super) fn new(py: Python<'_>, finding: CoreFinding) -> PyResult<Self> {
        let claims = |claims: espseal::Claims| {
            let node = PyBytes::new(py, &claims.node).unbind();
            let device = claims.device.as_deref().map(str::to_owned);
            Py::new(py, Claims { node, device })
        };
        Ok(Self {
            group: finding.group.as_deref().map(str::to_owned),
            owner: finding.owner.as_deref().map(str::to_owned),
            fit: finding
                .fit
                .map(|fit| Py::new(py, Fit::new(py, &fit)))
                .transpose()?,
            iv_fits: finding.iv_fits,
            claims: finding.claims.map(claims).transpose()?,
        })
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Claims {
    node: Py<PyBytes>,
    device: Option<String>,
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Fit {
    layout: &'static str,
    mode: &'static str,
    mac: &'static str,
    as_in_keyring: bool,
    session: &'static str,
    session_time: Option<u32>,
    session_life: Option<u64>,
    device: Option<String>,
    node: Py<PyBytes>,
    iv: Py<PyBytes>,
    data: Py<PyBytes>,
}

impl Fit {
    fn new(py: Python<'_>, fit: &CoreFit) -> Self {
        let bytes = |bytes: &[u8]| PyBytes::new(py, bytes).unbind();
        Self {
            layout: fit.scheme.layout.code(),
            mode: fit.scheme.data.code(),
            mac: fit.scheme.mac.code(),
            as_in_keyring: fit.as_in_keyring,
            session: fit.session.code(),
            session_time: fit.session.minted(),
            session_life: fit.session_life.map(|life| life.as_secs()),
            device: fit.device.as_deref().map(str::to_owned),
            node: bytes(fit.opened.node()),
            iv: bytes(&fit.opened.iv),
            data: bytes(fit.opened.data()),
        }
    }
}

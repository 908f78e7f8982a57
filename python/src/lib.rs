//! The Python binding: conversions only. What it means stands in `espseal/_native.pyi`.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    reason = "the docstrings are in the .pyi, where people read them"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "pyo3 decides these signatures"
)]

mod classic;
mod convert;
mod device;
mod errors;
mod inspect;
mod keyring;
mod keyring_file;
mod message;
mod receiver;
mod sealed;
mod sender;
mod store;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::classic::{
        ClassicKeys, ClassicOpened, classic_open, classic_seal, danger_classic_seal_with_iv,
        session_id_is_valid,
    };
    #[pymodule_export]
    use super::device::Device;
    #[pymodule_export]
    use super::inspect::{
        Claims, Field, Finding, Fit, Inspection, Listed, SealedFinding, SealedFit,
        SealedInspection, inspect,
    };
    #[pymodule_export]
    use super::keyring::{DeviceEntry, FleetEntry, GroupEntry, Keyring, Provision};
    #[pymodule_export]
    use super::keyring_file::KeyringFile;
    #[pymodule_export]
    use super::message::Message;
    #[pymodule_export]
    use super::receiver::{Publication, Receiver};
    #[pymodule_export]
    use super::sealed::{
        DeviceKey, SealedOpened, sealed_armor, sealed_device_session, sealed_disarm, sealed_open,
        sealed_seal,
    };
    #[pymodule_export]
    use super::sender::Sender;
    #[pymodule_export]
    use super::store::{Store, StoredDevice};
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        super::message::check_verdicts(module.py())
    }
}

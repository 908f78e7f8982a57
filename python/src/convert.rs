//! Python's bytes-like objects and strings to byte slices.

use std::borrow::Cow;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Any bytes-like object, or a `str` as UTF-8; `bytes` and `str` are not copied.
pub(crate) fn bytes<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(match text.to_cow()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        });
    }
    match PyBuffer::<u8>::get(value) {
        Ok(buffer) => Ok(Cow::Owned(buffer.to_vec(value.py())?)),
        Err(_) => Err(PyTypeError::new_err(format!(
            "expected bytes, bytearray, memoryview or str, not {}",
            value.get_type().name()?
        ))),
    }
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

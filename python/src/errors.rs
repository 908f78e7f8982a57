//! The whole mapping of errors to exceptions.

use espseal::{Error, KeyringError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// The exception for what the caller did wrong. The classes are those of `espseal/_errors.py`.
pub(crate) fn to_py(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Keyring(error) => return keyring(py, error),
        Error::Store(_) => class(py, &STORE, "StoreError"),
        Error::Data(_) => class(py, &DATA, "DataError"),
        Error::Session(_) => class(py, &SESSION, "SessionError"),
        Error::State(_) => class(py, &STATE, "StateError"),
        Error::Delivery(_) | Error::Format(_) | Error::Random(_) => class(py, &ERROR, "Error"),
    };
    raise(class.and_then(|class| class.call1((error.to_string(), error.code()))))
}

pub(crate) fn keyring(py: Python<'_>, error: &KeyringError) -> PyErr {
    raise(class(py, &KEYRING, "KeyringError").and_then(|class| {
        let details = PyDict::new(py);
        let file = error.file.as_ref().map(|file| file.display().to_string());
        details.set_item("file", file)?;
        details.set_item("line", error.line)?;
        details.set_item("field", &error.field)?;
        class.call((error.to_string(), error.problem.code()), Some(&details))
    }))
}

pub(crate) fn rejected(py: Python<'_>, message: Bound<'_, crate::message::Message>) -> PyErr {
    raise(class(py, &REJECTED, "Rejected").and_then(|class| class.call1((message,))))
}

static ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static KEYRING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static STORE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static DATA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static SESSION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static STATE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static REJECTED: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    name: &str,
) -> PyResult<Bound<'py, PyType>> {
    Ok(cell.import(py, "espseal._errors", name)?.clone())
}

fn raise(instance: PyResult<Bound<'_, PyAny>>) -> PyErr {
    match instance {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

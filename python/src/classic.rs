//! `ClassicKeys`, and the stateless functions that the vectors test.

use espseal::classic::{
    DataMode, Frame, Layout, MacOver, NodeField, PreparedKeys, Scheme, SessionId,
    danger_seal_with_iv, open, seal,
};
use espseal::clock::SystemRandom;
use espseal::key::{AesKey, ClassicKeys as CoreKeys, Passphrase, SessionKey, StaticIv};
use espseal::{Error, KeyringError, Verdict};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::bytes;
use crate::errors;
use crate::message::verdict;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct ClassicKeys(pub(crate) CoreKeys);

#[pymethods]
impl ClassicKeys {
    #[new]
    #[pyo3(signature = (*, iv_key, data_key, static_iv, passphrase))]
    fn new(
        iv_key: &Bound<'_, PyAny>,
        data_key: &Bound<'_, PyAny>,
        static_iv: &Bound<'_, PyAny>,
        passphrase: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        fn key<T>(
            value: &Bound<'_, PyAny>,
            field: &str,
            new: fn(&[u8]) -> Result<T, KeyringError>,
        ) -> PyResult<T> {
            new(&bytes(value)?).map_err(|error| {
                let field = Some(field.to_owned());
                errors::keyring(value.py(), &KeyringError { field, ..error })
            })
        }
        Ok(Self(CoreKeys {
            iv_key: key(iv_key, "iv_key", AesKey::new)?,
            data_key: key(data_key, "data_key", AesKey::new)?,
            static_iv: key(static_iv, "static_iv", StaticIv::new)?,
            passphrase: key(passphrase, "passphrase", Passphrase::new)?,
        }))
    }

    #[staticmethod]
    fn generate(py: Python<'_>) -> PyResult<Self> {
        CoreKeys::generate(&SystemRandom)
            .map(Self)
            .map_err(|error| errors::to_py(py, &Error::Random(error)))
    }

    #[expect(clippy::unused_self, reason = "no key in a representation")]
    fn __repr__(&self) -> &'static str {
        "<espseal.ClassicKeys>"
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct ClassicOpened {
    verdict: Py<PyAny>,
    node: Option<Py<PyBytes>>,
    data: Option<Py<PyBytes>>,
    session: Option<usize>,
    malformed: Option<&'static str>,
    offset: Option<usize>,
}

#[pyfunction]
#[pyo3(signature = (frame, keys, sessions, *, layout="hex", data="text", mac="unpadded"))]
pub(crate) fn classic_open(
    py: Python<'_>,
    frame: &Bound<'_, PyAny>,
    keys: &ClassicKeys,
    sessions: Vec<Bound<'_, PyAny>>,
    layout: &str,
    data: &str,
    mac: &str,
) -> PyResult<ClassicOpened> {
    let scheme = scheme(layout, data, mac, false)?;
    let answer = |word| -> PyResult<ClassicOpened> {
        Ok(ClassicOpened {
            verdict: verdict(py, word)?,
            node: None,
            data: None,
            session: None,
            malformed: None,
            offset: None,
        })
    };
    let frame = match Frame::parse(&bytes(frame)?, scheme.layout == Layout::Port) {
        Ok(frame) => frame,
        Err(malformed) => {
            return Ok(ClassicOpened {
                malformed: Some(malformed.reason.code()),
                offset: Some(malformed.offset),
                ..answer(Verdict::Malformed)?
            });
        }
    };
    let sessions = sessions
        .iter()
        .map(|session| Ok(bytes(session)?.into_owned()))
        .collect::<PyResult<Vec<_>>>()?;
    match open(&frame, &PreparedKeys::from(&keys.0), &sessions, &scheme) {
        None => answer(Verdict::Forged),
        Some(opened) => Ok(ClassicOpened {
            node: Some(PyBytes::new(py, opened.node()).unbind()),
            data: Some(PyBytes::new(py, opened.data()).unbind()),
            session: Some(opened.session),
            ..answer(Verdict::Fresh)?
        }),
    }
}

#[pyfunction]
#[pyo3(signature = (keys, node, data, session, *, layout="hex", mode="text", mac="unpadded", danger_accept_replays=false))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn classic_seal<'py>(
    py: Python<'py>,
    keys: &ClassicKeys,
    node: &Bound<'py, PyAny>,
    data: &Bound<'py, PyAny>,
    session: &Bound<'py, PyAny>,
    layout: &str,
    mode: &str,
    mac: &str,
    danger_accept_replays: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let scheme = scheme(layout, mode, mac, danger_accept_replays)?;
    let (node, data, session) = (bytes(node)?, bytes(data)?, bytes(session)?);
    let keys = PreparedKeys::from(&keys.0);
    let field = NodeField::parse(&node);
    seal(&keys, &scheme, field, &data, &session, &SystemRandom)
        .map(|frame| PyBytes::new(py, &frame))
        .map_err(|error| errors::to_py(py, &error))
}

#[pyfunction]
#[pyo3(signature = (keys, node, data, session, iv, *, layout="hex", mode="text", mac="unpadded", danger_accept_replays=false))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn danger_classic_seal_with_iv<'py>(
    py: Python<'py>,
    keys: &ClassicKeys,
    node: &Bound<'py, PyAny>,
    data: &Bound<'py, PyAny>,
    session: &Bound<'py, PyAny>,
    iv: [u8; 16],
    layout: &str,
    mode: &str,
    mac: &str,
    danger_accept_replays: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let scheme = scheme(layout, mode, mac, danger_accept_replays)?;
    let (node, data, session) = (bytes(node)?, bytes(data)?, bytes(session)?);
    let keys = PreparedKeys::from(&keys.0);
    danger_seal_with_iv(&keys, &scheme, NodeField::parse(&node), &data, &session, iv)
        .map(|frame| PyBytes::new(py, &frame))
        .map_err(|error| errors::to_py(py, &Error::Data(error)))
}

#[pyfunction]
pub(crate) fn session_id_is_valid(
    py: Python<'_>,
    session_key: &Bound<'_, PyAny>,
    payload: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let key = SessionKey::new(&bytes(session_key)?).map_err(|error| errors::keyring(py, &error))?;
    Ok(SessionId::verify(&key, &bytes(payload)?).is_some())
}

pub(crate) fn layout(word: &str) -> PyResult<Layout> {
    one_of(
        word,
        "layout",
        &[Layout::Hex, Layout::Raw, Layout::Port].map(|value| (value.code(), value)),
    )
}

pub(crate) fn data_mode(word: &str) -> PyResult<DataMode> {
    one_of(
        word,
        "data",
        &[DataMode::Text, DataMode::Binary].map(|value| (value.code(), value)),
    )
}

pub(crate) fn mac_over(word: &str) -> PyResult<MacOver> {
    one_of(
        word,
        "mac",
        &[MacOver::Unpadded, MacOver::Padded].map(|value| (value.code(), value)),
    )
}

fn scheme(layout: &str, data: &str, mac: &str, danger: bool) -> PyResult<Scheme> {
    Ok(Scheme {
        layout: self::layout(layout)?,
        data: data_mode(data)?,
        mac: mac_over(mac)?,
        danger_accept_replays: danger,
    })
}

pub(crate) fn one_of<T: Copy>(word: &str, name: &str, words: &[(&'static str, T)]) -> PyResult<T> {
    let found = words.iter().find(|(code, _)| *code == word);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(code, _)| *code).collect();
        PyValueError::new_err(format!("{name} must be one of {}", known.join(", ")))
    })
}

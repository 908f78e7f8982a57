//! `Receiver` and `Publication`.

use std::sync::Arc;

use espseal::{
    Delivery, Error, Judged, Publication as CorePublication, Receiver as CoreReceiver,
    ReceiverOptions, Verdict,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::convert::{bytes, hex};
use crate::errors;
use crate::keyring::Keyring;
use crate::message::{Message, Names, verdict};
use crate::store::Store;

#[pyclass(frozen, module = "espseal")]
pub(crate) struct Receiver {
    core: Arc<CoreReceiver>,
    keyring: Py<Keyring>,
    names: Names,
    waits: bool,
    delivery: Delivery,
}

impl Receiver {
    /// Other threads go on while a store waits for its disk; without a disk that costs more
    /// than it gives.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&CoreReceiver) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let answer = if self.waits {
            py.detach(|| work(&self.core))
        } else {
            work(&self.core)
        };
        answer.map_err(|error| errors::to_py(py, &error))
    }
}

#[pymethods]
impl Receiver {
    #[new]
    #[pyo3(signature = (keyring, store, *, authority=true, delivery="at_most_once"))]
    fn new(
        py: Python<'_>,
        keyring: &Bound<'_, Keyring>,
        store: &Store,
        authority: bool,
        delivery: &str,
    ) -> PyResult<Self> {
        let delivery = match delivery {
            "at_most_once" => Delivery::AtMostOnce,
            "at_least_once" => Delivery::AtLeastOnce,
            _ => {
                return Err(PyValueError::new_err(
                    "delivery must be one of at_most_once, at_least_once",
                ));
            }
        };
        let options = ReceiverOptions {
            authority,
            delivery,
            ..ReceiverOptions::default()
        };
        CoreReceiver::with_options(
            Arc::clone(&keyring.get().0),
            Arc::clone(&store.core),
            options,
        )
        .map(|core| Self {
            core: Arc::new(core),
            keyring: keyring.clone().unbind(),
            names: Names::of(py, &keyring.get().0),
            waits: store.waits(),
            delivery,
        })
        .map_err(|error| errors::to_py(py, &error))
    }

    #[pyo3(signature = (payload, *, topic=None, retained=false, raise_rejected=false))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        topic: Option<Bound<'py, PyString>>,
        retained: bool,
        raise_rejected: bool,
    ) -> PyResult<Bound<'py, Message>> {
        let payload = bytes(payload)?;
        let mut judged = Judged::default();
        {
            let name = topic.as_ref().map(|topic| topic.to_cow()).transpose()?;
            let name = name.as_deref();
            self.run(py, |core| core.judge(&payload, name, retained, &mut judged))?;
        }
        let fresh = judged.verdict == Verdict::Fresh;
        let message =
            Message::of_receiver(py, &mut judged, &self.core, &self.names, topic, retained)?;
        let message = Bound::new(py, message)?;
        if raise_rejected && !fresh {
            Err(errors::rejected(py, message))
        } else {
            Ok(message)
        }
    }

    #[pyo3(signature = (payload, *, topic, retained=false))]
    fn hear(
        &self,
        py: Python<'_>,
        payload: &Bound<'_, PyAny>,
        topic: &str,
        retained: bool,
    ) -> PyResult<bool> {
        let payload = bytes(payload)?;
        self.run(py, |core| core.hear(&payload, topic, retained))
    }

    #[getter]
    fn delivery(&self) -> &'static str {
        match self.delivery {
            Delivery::AtMostOnce => "at_most_once",
            Delivery::AtLeastOnce => "at_least_once",
        }
    }

    fn publications(&self, py: Python<'_>) -> PyResult<Vec<Publication>> {
        let publications = self.run(py, CoreReceiver::publications)?;
        Ok(publications
            .into_iter()
            .map(|publication| Publication::new(py, publication))
            .collect())
    }

    fn reconnected(&self) {
        self.core.reconnected();
    }

    fn next_due(&self) -> Option<f64> {
        self.core.next_due().map(|due| due.as_secs_f64())
    }

    #[getter]
    fn reading_filters(&self) -> Vec<String> {
        self.core.reading_filters()
    }

    #[getter]
    fn subscriptions(&self) -> Vec<String> {
        let topics = self.core.subscriptions();
        topics.iter().map(ToString::to_string).collect()
    }

    #[getter]
    fn keyring(&self, py: Python<'_>) -> Py<Keyring> {
        self.keyring.clone_ref(py)
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (word, count) in Verdict::ALL.iter().zip(self.core.counts()) {
            counts.set_item(verdict(py, *word)?, count)?;
        }
        Ok(counts)
    }

    #[getter]
    fn false_sessions(&self) -> u64 {
        self.core.false_sessions()
    }

    #[getter]
    fn unreadable_bodies(&self) -> u64 {
        self.core.unreadable_bodies()
    }

    #[getter]
    fn trouble(&self) -> Option<String> {
        self.core.trouble()
    }
}

#[pyclass(frozen, get_all, module = "espseal")]
pub(crate) struct Publication {
    topic: String,
    payload: Py<PyBytes>,
    qos: u8,
    retain: bool,
    tag: Option<String>,
}

impl Publication {
    pub(crate) fn new(py: Python<'_>, publication: CorePublication) -> Self {
        Self {
            tag: publication.tag().as_ref().map(|tag| hex(tag)),
            topic: publication.topic.to_string(),
            payload: PyBytes::new(py, &publication.payload).unbind(),
            qos: publication.qos,
            retain: publication.retain,
        }
    }
}

#[pymethods]
impl Publication {
    fn __repr__(&self, py: Python<'_>) -> String {
        let bytes = self.payload.as_bytes(py).len();
        format!(
            "Publication(topic={:?}, payload=<{bytes} bytes>)",
            self.topic
        )
    }
}

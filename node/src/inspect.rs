//! `inspect` and what it answers.

use espseal::{
    Field as CoreField, Finding as CoreFinding, Fit as CoreFit, FitSession, inspect as core,
};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;

use crate::errors;
use crate::keyring::Keyring;
use crate::store::Store;

#[napi(catch_unwind)]
pub fn inspect(
    env: &Env,
    payload: BufferSlice<'_>,
    keyring: Option<&Keyring>,
    sessions: Vec<Buffer>,
    store: Option<&Store>,
    topic: Option<String>,
) -> napi::Result<Inspection> {
    let sessions: Vec<Vec<u8>> = sessions.iter().map(|session| session.to_vec()).collect();
    let inspection = core(
        &payload,
        keyring.map(|keyring| &*keyring.core),
        &sessions,
        store.map(|store| &*store.core),
        topic.as_deref(),
    )
    .map_err(|error| errors::to_js(env, &error))?;
    let malformed = inspection.parsed.as_ref().err().copied();
    let (layout, fields) = match inspection.parsed {
        Ok(parsed) => (Some(parsed.layout.code()), parsed.fields),
        Err(_) => (None, Vec::new()),
    };
    Ok(Inspection {
        frame: inspection.frame.into(),
        layout,
        fields: fields.into_iter().map(Field::from).collect(),
        malformed: malformed.map(|malformed| malformed.reason.code()),
        offset: malformed.and_then(|malformed| u32::try_from(malformed.offset).ok()),
        reason: malformed.map(|malformed| malformed.to_string()),
        findings: inspection.findings.into_iter().map(Finding::from).collect(),
    })
}

#[napi(object, object_from_js = false)]
pub struct Inspection {
    pub frame: Buffer,
    pub layout: Option<&'static str>,
    pub fields: Vec<Field>,
    pub malformed: Option<&'static str>,
    pub offset: Option<u32>,
    pub reason: Option<String>,
    pub findings: Vec<Finding>,
}

#[napi(object, object_from_js = false)]
pub struct Field {
    pub name: &'static str,
    pub offset: u32,
    pub size: u32,
}

impl From<CoreField> for Field {
    fn from(field: CoreField) -> Self {
        // A frame that was parsed has 2048 bytes at most.
        let word = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        Self {
            name: field.name,
            offset: word(field.offset),
            size: word(field.size),
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct Finding {
    pub group: Option<String>,
    pub owner: Option<String>,
    pub fit: Option<Fit>,
}

impl From<CoreFinding> for Finding {
    fn from(finding: CoreFinding) -> Self {
        Self {
            group: finding.group.as_deref().map(str::to_owned),
            owner: finding.owner.as_deref().map(str::to_owned),
            fit: finding.fit.as_ref().map(Fit::from),
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct Fit {
    pub layout: &'static str,
    pub mode: &'static str,
    pub mac: &'static str,
    pub as_in_keyring: bool,
    pub session: &'static str,
    pub session_time: Option<u32>,
    pub device: Option<String>,
    pub node: Buffer,
    pub iv: Buffer,
    pub data: Buffer,
}

impl From<&CoreFit> for Fit {
    fn from(fit: &CoreFit) -> Self {
        let (session, session_time) = match fit.session {
            FitSession::Given(_) => ("given", None),
            FitSession::Stored(id) => ("stored", Some(id.time())),
            FitSession::Empty => ("empty", None),
            FitSession::None => ("none", None),
        };
        Self {
            layout: fit.scheme.layout.code(),
            mode: fit.scheme.data.code(),
            mac: fit.scheme.mac.code(),
            as_in_keyring: fit.as_in_keyring,
            session,
            session_time,
            device: fit.device.as_deref().map(str::to_owned),
            node: fit.opened.node().to_vec().into(),
            iv: fit.opened.iv.to_vec().into(),
            data: fit.opened.data().to_vec().into(),
        }
    }
}

//! `inspect` and what it answers.

mod classic;
mod sealed;

use espseal::{Field as CoreField, Parsed, inspect as core, is_sealed, tidy};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;

use self::classic::Finding;
use self::sealed::SealedInspection;
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
    let format = if is_sealed(&tidy(&payload)) {
        "sealed"
    } else {
        "classic"
    };
    let inspection = core(
        &payload,
        keyring.map(|keyring| &*keyring.core),
        &sessions,
        store.map(|store| &*store.core),
        topic.as_deref(),
    )
    .map_err(|error| errors::to_js(env, &error))?;
    let malformed = inspection.parsed.as_ref().err().copied();
    let (layout, findings, sealed) = match inspection.parsed {
        Ok(Parsed::Classic { layout, findings }) => (Some(layout.code()), findings, None),
        Ok(Parsed::Sealed(sealed)) => (None, Vec::new(), Some(*sealed)),
        Err(_) => (None, Vec::new(), None),
    };
    Ok(Inspection {
        frame: inspection.frame.into(),
        format,
        armored: inspection.armored,
        layout,
        fields: inspection.fields.into_iter().map(Field::from).collect(),
        malformed: malformed.map(|malformed| malformed.reason.code()),
        offset: malformed.and_then(|malformed| u32::try_from(malformed.offset).ok()),
        reason: malformed.map(|malformed| malformed.to_string()),
        findings: findings.into_iter().map(Finding::from).collect(),
        sealed: sealed.map(SealedInspection::from),
    })
}

#[napi(object, object_from_js = false)]
pub struct Inspection {
    pub frame: Buffer,
    pub format: &'static str,
    pub armored: bool,
    pub layout: Option<&'static str>,
    pub fields: Vec<Field>,
    pub malformed: Option<&'static str>,
    pub offset: Option<u32>,
    pub reason: Option<String>,
    pub findings: Vec<Finding>,
    pub sealed: Option<SealedInspection>,
}

#[napi(object, object_from_js = false)]
pub struct Field {
    pub name: &'static str,
    pub offset: u32,
    pub size: u32,
}

impl From<CoreField> for Field {
    fn from(field: CoreField) -> Self {
        Self {
            name: field.name,
            offset: count(field.offset),
            size: count(field.size),
        }
    }
}

/// Of what is in memory: none comes near.
fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

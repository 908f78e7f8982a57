//! What came of the keys of a classic frame.

use espseal::{Claims as CoreClaims, Finding as CoreFinding, Fit as CoreFit};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::receiver::number;

#[napi(object, object_from_js = false)]
pub struct Finding {
    pub group: Option<String>,
    pub owner: Option<String>,
    pub fit: Option<Fit>,
    pub iv_fits: bool,
    pub claims: Option<Claims>,
}

impl From<CoreFinding> for Finding {
    fn from(finding: CoreFinding) -> Self {
        Self {
            group: finding.group.as_deref().map(str::to_owned),
            owner: finding.owner.as_deref().map(str::to_owned),
            fit: finding.fit.as_ref().map(Fit::from),
            iv_fits: finding.iv_fits,
            claims: finding.claims.map(Claims::from),
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct Claims {
    pub node: Buffer,
    pub device: Option<String>,
}

impl From<CoreClaims> for Claims {
    fn from(claims: CoreClaims) -> Self {
        Self {
            node: claims.node.to_vec().into(),
            device: claims.device.as_deref().map(str::to_owned),
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
    pub session_life: Option<f64>,
    pub device: Option<String>,
    pub node: Buffer,
    pub iv: Buffer,
    pub data: Buffer,
}

impl From<&CoreFit> for Fit {
    fn from(fit: &CoreFit) -> Self {
        Self {
            layout: fit.scheme.layout.code(),
            mode: fit.scheme.data.code(),
            mac: fit.scheme.mac.code(),
            as_in_keyring: fit.as_in_keyring,
            session: fit.session.code(),
            session_time: fit.session.minted(),
            session_life: fit.session_life.map(|life| number(life.as_secs())),
            device: fit.device.as_deref().map(str::to_owned),
            node: fit.opened.node().to_vec().into(),
            iv: fit.opened.iv.to_vec().into(),
            data: fit.opened.data().to_vec().into(),
        }
    }
}

//! What came of the keys of a sealed frame.

use espseal::sealed::{Control, Hello, Kind};
use espseal::{
    Listed as CoreListed, SealedFinding as CoreFinding, SealedFit as CoreFit,
    SealedInspection as CoreInspection,
};
use napi::bindgen_prelude::{BigInt, Buffer};
use napi_derive::napi;

use super::count;
use crate::message::hex;
use crate::receiver::number;

#[napi(object, object_from_js = false)]
pub struct SealedInspection {
    pub direction: &'static str,
    pub kind: &'static str,
    pub session_bound: bool,
    pub epoch: u16,
    pub address: String,
    pub counter: BigInt,
    pub listed: Option<Listed>,
    pub findings: Vec<SealedFinding>,
    pub sessions_given: u32,
    pub sessions_of_beacons: u32,
    pub sessions_of_device: u32,
}

impl From<CoreInspection> for SealedInspection {
    fn from(inspection: CoreInspection) -> Self {
        let header = inspection.header;
        let findings = inspection.findings.into_iter();
        Self {
            direction: header.direction.code(),
            kind: header.kind.code(),
            session_bound: header.bound,
            epoch: header.epoch,
            address: header.address.to_string(),
            counter: header.counter.into(),
            listed: inspection.listed.map(Listed::from),
            findings: findings.map(SealedFinding::from).collect(),
            sessions_given: count(inspection.sessions.given),
            sessions_of_beacons: count(inspection.sessions.beacons),
            sessions_of_device: count(inspection.sessions.drawn),
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct Listed {
    pub name: String,
    pub fleet: String,
    pub own_key: bool,
    pub revoked: bool,
    pub minimum_epoch: u16,
    pub topic: String,
    pub reached_epoch: Option<u16>,
    pub head: Option<BigInt>,
    pub last_seen: Option<f64>,
}

impl From<CoreListed> for Listed {
    fn from(listed: CoreListed) -> Self {
        let state = listed.state;
        Self {
            name: listed.name.to_string(),
            fleet: listed.fleet.to_string(),
            own_key: listed.own_key,
            revoked: listed.revoked,
            minimum_epoch: listed.minimum_epoch,
            topic: listed.topic,
            reached_epoch: state.map(|state| state.epoch),
            head: state.map(|state| state.window.head.into()),
            last_seen: state.map(|state| number(state.last_seen)),
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct SealedFinding {
    pub keys_of: &'static str,
    pub fleet: Option<String>,
    pub devices: u32,
    pub epochs: Vec<u16>,
    pub fit: Option<SealedFit>,
}

impl From<CoreFinding> for SealedFinding {
    fn from(finding: CoreFinding) -> Self {
        Self {
            keys_of: finding.of.code(),
            fleet: finding.fleet.as_deref().map(str::to_owned),
            devices: count(finding.devices),
            epochs: finding.epochs,
            fit: finding.fit.as_ref().map(SealedFit::from),
        }
    }
}

#[napi(object, object_from_js = false)]
pub struct SealedFit {
    pub device: Option<String>,
    pub epoch: u16,
    pub direction: &'static str,
    pub kind: &'static str,
    pub session: &'static str,
    pub session_time: Option<u32>,
    pub session_life: Option<f64>,
    pub mistakes: Vec<&'static str>,
    pub data: Buffer,
    pub body: Option<Body>,
}

impl From<&CoreFit> for SealedFit {
    fn from(fit: &CoreFit) -> Self {
        Self {
            device: fit.device.as_deref().map(str::to_owned),
            epoch: fit.epoch,
            direction: fit.direction.code(),
            kind: fit.kind.code(),
            session: fit.session.code(),
            session_time: fit.session.minted(),
            session_life: fit.session_life.map(|life| number(life.as_secs())),
            mistakes: fit.mistakes.iter().map(|mistake| mistake.code()).collect(),
            data: fit.plaintext.to_vec().into(),
            body: Body::of(fit),
        }
    }
}

/// What a hello or a control frame says.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Body {
    pub says: &'static str,
    pub session: Option<String>,
    pub firmware: Option<String>,
    pub epoch: Option<u16>,
    pub tag: Option<String>,
    pub floor: Option<BigInt>,
    pub mode: Option<u8>,
}

impl Body {
    /// None for data, and for what does not parse.
    fn of(fit: &CoreFit) -> Option<Self> {
        match fit.kind {
            Kind::Data => None,
            Kind::Hello => {
                let hello = Hello::parse(&fit.plaintext)?;
                Some(Self {
                    says: "hello",
                    session: Some(hex(&hello.session)),
                    firmware: Some(hello.firmware.to_owned()),
                    ..Self::default()
                })
            }
            Kind::Control => Some(Self::of_control(Control::parse(&fit.plaintext)?)),
        }
    }

    fn of_control(control: Control) -> Self {
        let said = Self {
            says: control.code(),
            ..Self::default()
        };
        match control {
            Control::Ratchet { epoch } => Self {
                epoch: Some(epoch),
                ..said
            },
            Control::Ack { tag } => Self {
                tag: Some(hex(&tag)),
                ..said
            },
            Control::Welcome { floor } => Self {
                floor: Some(floor.into()),
                ..said
            },
            Control::QueryMode => said,
            Control::SetMode { mode } | Control::Mode { mode } => Self {
                mode: Some(mode),
                ..said
            },
        }
    }
}

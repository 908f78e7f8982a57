//! The stateless functions of the sealed frame, which the vectors test.

use espseal::key::{DeviceKey as CoreKey, FleetKey};
use espseal::sealed::{
    Address, Direction, Frame, FrameKeys, Kind, Sealing, Session, armor, device_session, disarm,
    open, seal,
};
use espseal::{Error, Malformed, Verdict};
use napi::Env;
use napi::bindgen_prelude::{BigInt, Buffer, BufferSlice};
use napi_derive::napi;

use crate::classic::one_of;
use crate::errors;

#[napi]
pub struct DeviceKey(CoreKey);

#[napi]
impl DeviceKey {
    #[napi(constructor)]
    pub fn new(env: &Env, key: BufferSlice<'_>) -> napi::Result<Self> {
        CoreKey::new(&key)
            .map(Self)
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi(factory)]
    pub fn of_fleet(env: &Env, fleet_key: BufferSlice<'_>, address: String) -> napi::Result<Self> {
        let fleet = FleetKey::new(&fleet_key).map_err(|error| errors::keyring(env, &error))?;
        Ok(Self(CoreKey::of_fleet(
            &fleet,
            parse_address(env, &address)?,
        )))
    }

    #[napi(factory)]
    pub fn ratcheted(key: &DeviceKey, steps: u16) -> Self {
        Self(key.0.ratchet_by(steps))
    }

    #[napi]
    pub fn expose(&self) -> Buffer {
        self.0.expose().to_vec().into()
    }
}

#[napi(object, object_from_js = false)]
pub struct SealedOpened {
    pub verdict: &'static str,
    pub kind: Option<&'static str>,
    pub address: Option<String>,
    pub epoch: Option<u16>,
    pub counter: Option<BigInt>,
    pub session_bound: bool,
    pub session: Option<u32>,
    pub data: Option<Buffer>,
    pub malformed: Option<&'static str>,
    pub offset: Option<u32>,
}

#[napi(catch_unwind)]
pub fn sealed_open(
    env: &Env,
    frame: BufferSlice<'_>,
    key: &DeviceKey,
    direction: String,
    sessions: Vec<Buffer>,
    context: BufferSlice<'_>,
) -> napi::Result<SealedOpened> {
    let direction = parse_direction(env, &direction)?;
    let sessions: Vec<Session> = sessions
        .iter()
        .map(|session| parse_session(env, session))
        .collect::<napi::Result<_>>()?;
    let answer = |verdict: Verdict| SealedOpened {
        verdict: verdict.code(),
        kind: None,
        address: None,
        epoch: None,
        counter: None,
        session_bound: false,
        session: None,
        data: None,
        malformed: None,
        offset: None,
    };
    let frame = match Frame::parse(&frame) {
        Ok(frame) => frame,
        Err(Malformed { reason, offset }) => {
            return Ok(SealedOpened {
                malformed: Some(reason.code()),
                offset: u32::try_from(offset).ok(),
                ..answer(Verdict::Malformed)
            });
        }
    };
    let header = *frame.header();
    if header.direction != direction {
        return Ok(answer(Verdict::WrongDirection));
    }
    let keys = FrameKeys::new(&key.0, direction);
    let Some(opened) = open(&frame, &keys, &sessions, &context) else {
        return Ok(answer(Verdict::Forged));
    };
    let session = header.bound.then_some(opened.session);
    Ok(SealedOpened {
        kind: Some(header.kind.code()),
        address: Some(header.address.to_string()),
        epoch: Some(header.epoch),
        counter: Some(header.counter.into()),
        session_bound: header.bound,
        session: session.and_then(|session| u32::try_from(session).ok()),
        data: Some(opened.plaintext.to_vec().into()),
        ..answer(Verdict::Fresh)
    })
}

/// What a frame is sealed with, but for the key and the plaintext.
#[napi(object)]
pub struct SealedHeader {
    pub address: String,
    pub counter: BigInt,
    pub epoch: u16,
    pub direction: String,
    pub kind: String,
}

#[napi]
pub fn sealed_seal(
    env: &Env,
    key: &DeviceKey,
    data: BufferSlice<'_>,
    header: SealedHeader,
    session: Option<BufferSlice<'_>>,
    context: BufferSlice<'_>,
) -> napi::Result<Buffer> {
    let keys = FrameKeys::new(&key.0, parse_direction(env, &header.direction)?);
    let kinds = [Kind::Data, Kind::Hello, Kind::Control].map(|kind| (kind.code(), kind));
    let session = session.map(|session| parse_session(env, &session));
    let session = session.transpose()?;
    let sealing = Sealing {
        kind: one_of(env, &header.kind, "kind", &kinds)?,
        epoch: header.epoch,
        address: parse_address(env, &header.address)?,
        counter: parse_counter(env, &header.counter)?,
        session: session.as_ref(),
        context: &context,
    };
    seal(&keys, &sealing, &data)
        .map(|frame| frame.to_vec().into())
        .map_err(|error| errors::to_js(env, &Error::Data(error)))
}

#[napi]
pub fn sealed_armor(frame: BufferSlice<'_>) -> String {
    armor(&frame)
}

#[napi]
pub fn sealed_disarm(env: &Env, text: BufferSlice<'_>) -> napi::Result<Buffer> {
    disarm(&text)
        .map(|frame| frame.to_vec().into())
        .map_err(|malformed| errors::argument(env, &format!("no armor: {malformed}")))
}

#[napi]
pub fn sealed_device_session(
    env: &Env,
    key: &DeviceKey,
    counter: BigInt,
    beacon: BufferSlice<'_>,
    random: BufferSlice<'_>,
) -> napi::Result<Buffer> {
    let counter = parse_counter(env, &counter)?;
    let (beacon, random) = (parse_session(env, &beacon)?, parse_session(env, &random)?);
    let session = device_session(&key.0, counter, &beacon, &random);
    Ok(session.to_vec().into())
}

pub(crate) fn parse_address(env: &Env, text: &str) -> napi::Result<Address> {
    let message = "an address is 16 hex digits, such as \"0011223344556677\"";
    Address::parse(text).ok_or_else(|| errors::argument(env, message))
}

fn parse_counter(env: &Env, counter: &BigInt) -> napi::Result<u64> {
    match counter.get_u64() {
        (false, counter, true) => Ok(counter),
        _ => Err(errors::argument(env, "a counter is from 0 to 2^64 - 1")),
    }
}

fn parse_session(env: &Env, bytes: &[u8]) -> napi::Result<Session> {
    let message = "a session, and what one is drawn from, is 16 bytes";
    bytes.try_into().map_err(|_| errors::argument(env, message))
}

fn parse_direction(env: &Env, word: &str) -> napi::Result<Direction> {
    let directions = [Direction::Uplink, Direction::Downlink].map(|value| (value.code(), value));
    one_of(env, word, "direction", &directions)
}

//! `ClassicKeys`, and the stateless functions that the vectors test.

use espseal::classic::{
    DataMode, Frame, Layout, MacOver, NodeField, PreparedKeys, Scheme, SessionId,
    danger_seal_with_iv, open, seal,
};
use espseal::clock::SystemRandom;
use espseal::key::{AesKey, ClassicKeys as CoreKeys, Passphrase, SessionKey, StaticIv};
use espseal::{Error, KeyringError};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;

use crate::errors;

#[napi]
pub struct ClassicKeys(pub(crate) CoreKeys);

#[napi]
impl ClassicKeys {
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        iv_key: BufferSlice<'_>,
        data_key: BufferSlice<'_>,
        static_iv: BufferSlice<'_>,
        passphrase: BufferSlice<'_>,
    ) -> napi::Result<Self> {
        fn key<T>(
            env: &Env,
            value: &[u8],
            field: &str,
            new: fn(&[u8]) -> Result<T, KeyringError>,
        ) -> napi::Result<T> {
            new(value).map_err(|error| {
                let field = Some(field.to_owned());
                errors::keyring(env, &KeyringError { field, ..error })
            })
        }
        Ok(Self(CoreKeys {
            iv_key: key(env, &iv_key, "ivKey", AesKey::new)?,
            data_key: key(env, &data_key, "dataKey", AesKey::new)?,
            static_iv: key(env, &static_iv, "staticIv", StaticIv::new)?,
            passphrase: key(env, &passphrase, "passphrase", Passphrase::new)?,
        }))
    }

    #[napi(factory)]
    pub fn generate(env: &Env) -> napi::Result<Self> {
        CoreKeys::generate(&SystemRandom)
            .map(Self)
            .map_err(|error| errors::to_js(env, &Error::Random(error)))
    }
}

/// How the frames of a group are made, in the keyring's words.
#[napi(object)]
pub struct Words {
    pub layout: String,
    pub data: String,
    pub mac: String,
    pub danger_accept_replays: bool,
}

#[napi(object, object_from_js = false)]
pub struct ClassicOpened {
    pub verdict: &'static str,
    pub node: Option<Buffer>,
    pub data: Option<Buffer>,
    pub session: Option<u32>,
    pub malformed: Option<&'static str>,
    pub offset: Option<u32>,
}

#[napi(catch_unwind)]
pub fn classic_open(
    env: &Env,
    frame: BufferSlice<'_>,
    keys: &ClassicKeys,
    sessions: Vec<Buffer>,
    words: Words,
) -> napi::Result<ClassicOpened> {
    let scheme = scheme(env, &words)?;
    let answer = |verdict: espseal::Verdict| ClassicOpened {
        verdict: verdict.code(),
        node: None,
        data: None,
        session: None,
        malformed: None,
        offset: None,
    };
    let frame = match Frame::parse(&frame, scheme.layout == Layout::Port) {
        Ok(frame) => frame,
        Err(malformed) => {
            return Ok(ClassicOpened {
                malformed: Some(malformed.reason.code()),
                offset: u32::try_from(malformed.offset).ok(),
                ..answer(espseal::Verdict::Malformed)
            });
        }
    };
    let sessions: Vec<&[u8]> = sessions.iter().map(|session| &**session).collect();
    Ok(
        match open(&frame, &PreparedKeys::from(&keys.0), &sessions, &scheme) {
            None => answer(espseal::Verdict::Forged),
            Some(opened) => ClassicOpened {
                node: Some(opened.node().to_vec().into()),
                session: u32::try_from(opened.session).ok(),
                data: Some(opened.data().to_vec().into()),
                ..answer(espseal::Verdict::Fresh)
            },
        },
    )
}

/// With `iv` it is as dangerous as its name in JavaScript says.
#[napi]
pub fn classic_seal(
    env: &Env,
    keys: &ClassicKeys,
    node: BufferSlice<'_>,
    data: BufferSlice<'_>,
    session: BufferSlice<'_>,
    words: Words,
    iv: Option<BufferSlice<'_>>,
) -> napi::Result<Buffer> {
    let scheme = scheme(env, &words)?;
    let keys = PreparedKeys::from(&keys.0);
    let node = NodeField::parse(&node);
    let frame = match iv {
        None => seal(&keys, &scheme, node, &data, &session, &SystemRandom),
        Some(iv) => {
            let iv: &[u8] = &iv;
            let iv = iv
                .try_into()
                .map_err(|_| errors::argument(env, "the IV must be 16 bytes"))?;
            danger_seal_with_iv(&keys, &scheme, node, &data, &session, iv).map_err(Error::Data)
        }
    };
    frame
        .map(Buffer::from)
        .map_err(|error| errors::to_js(env, &error))
}

#[napi(catch_unwind)]
pub fn session_id_is_valid(
    env: &Env,
    session_key: BufferSlice<'_>,
    payload: BufferSlice<'_>,
) -> napi::Result<bool> {
    let key = SessionKey::new(&session_key).map_err(|error| errors::keyring(env, &error))?;
    Ok(SessionId::verify(&key, &payload).is_some())
}

pub(crate) fn layout(env: &Env, word: &str) -> napi::Result<Layout> {
    let words = [Layout::Hex, Layout::Raw, Layout::Port].map(|value| (value.code(), value));
    one_of(env, word, "layout", &words)
}

pub(crate) fn data_mode(env: &Env, word: &str) -> napi::Result<DataMode> {
    let words = [DataMode::Text, DataMode::Binary].map(|value| (value.code(), value));
    one_of(env, word, "data", &words)
}

pub(crate) fn mac_over(env: &Env, word: &str) -> napi::Result<MacOver> {
    let words = [MacOver::Unpadded, MacOver::Padded].map(|value| (value.code(), value));
    one_of(env, word, "mac", &words)
}

fn scheme(env: &Env, words: &Words) -> napi::Result<Scheme> {
    Ok(Scheme {
        layout: layout(env, &words.layout)?,
        data: data_mode(env, &words.data)?,
        mac: mac_over(env, &words.mac)?,
        danger_accept_replays: words.danger_accept_replays,
    })
}

pub(crate) fn one_of<T: Copy>(
    env: &Env,
    word: &str,
    name: &str,
    words: &[(&'static str, T)],
) -> napi::Result<T> {
    let found = words.iter().find(|(code, _)| *code == word);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(code, _)| *code).collect();
        let message = format!("{name} must be one of {}", known.join(", "));
        errors::argument(env, &message)
    })
}

//! The whole mapping of errors to what JavaScript catches: an `Error` with a stable `code`.

use espseal::{Error, KeyringError};
use napi::bindgen_prelude::Object;
use napi::{Env, JsValue, Status};

pub(crate) fn to_js(env: &Env, error: &Error) -> napi::Error {
    match error {
        Error::Keyring(error) => keyring(env, error),
        Error::Store(_)
        | Error::Data(_)
        | Error::Session(_)
        | Error::State(_)
        | Error::Format(_)
        | Error::Delivery(_)
        | Error::Random(_) => thrown(env, &error.to_string(), error.code(), |_| Ok(())),
    }
}

pub(crate) fn keyring(env: &Env, error: &KeyringError) -> napi::Error {
    thrown(env, &error.to_string(), error.problem.code(), |object| {
        let file = error.file.as_ref().map(|file| file.display().to_string());
        let line = error.line.and_then(|line| u32::try_from(line).ok());
        object.set("file", file)?;
        object.set("line", line)?;
        object.set("field", error.field.clone())
    })
}

/// What cannot be an argument: said by our own JavaScript first, so a mistake of ours.
pub(crate) fn argument(env: &Env, message: &str) -> napi::Error {
    thrown(env, message, "invalid_argument", |_| Ok(()))
}

fn thrown(
    env: &Env,
    message: &str,
    code: &str,
    details: impl FnOnce(&mut Object<'_>) -> napi::Result<()>,
) -> napi::Error {
    let make = || {
        let plain = napi::Error::new(Status::GenericFailure, message.to_owned());
        let mut object = env.create_error(plain)?;
        object.set("code", code)?;
        details(&mut object)?;
        Ok(napi::Error::from(object.to_unknown()))
    };
    make().unwrap_or_else(|error| error)
}

//! `Device`.

use std::path::Path;

use espseal::Device as CoreDevice;
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;

use crate::errors;
use crate::keyring::Keyring;
use crate::message::Message;

#[napi]
pub struct Device(CoreDevice);

#[napi]
impl Device {
    #[napi(factory)]
    pub fn load(env: &Env, path: String) -> napi::Result<Self> {
        CoreDevice::load(Path::new(&path))
            .map(Self)
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi(factory)]
    pub fn from_keyring(env: &Env, keyring: &Keyring, name: String) -> napi::Result<Self> {
        CoreDevice::from_keyring(&keyring.core, &name)
            .map(Self)
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn name(&self) -> String {
        self.0.name().to_string()
    }

    #[napi]
    pub fn topic(&self) -> Option<String> {
        self.0.topic().map(ToString::to_string)
    }

    #[napi]
    pub fn session_topic(&self) -> Option<String> {
        self.0.session_topic().map(ToString::to_string)
    }

    #[napi(catch_unwind)]
    pub fn hear(&self, payload: BufferSlice<'_>) -> bool {
        self.0.hear(&payload)
    }

    #[napi]
    pub fn seal(
        &self,
        env: &Env,
        data: BufferSlice<'_>,
        to: Option<BufferSlice<'_>>,
    ) -> napi::Result<Buffer> {
        let frame = match to {
            None => self.0.seal(&data),
            Some(to) => self.0.seal_to(&to, &data),
        };
        frame
            .map(Buffer::from)
            .map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn draw_command_session(&self, env: &Env) -> napi::Result<Buffer> {
        self.0
            .draw_command_session()
            .map(|text| text.to_vec().into())
            .map_err(|error| errors::to_js(env, &error))
    }

    #[napi(catch_unwind)]
    pub fn open(&self, payload: BufferSlice<'_>) -> Message {
        self.0.open(&payload).into()
    }
}

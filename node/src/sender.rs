//! `Sender`.

use std::sync::Arc;

use espseal::{Error, Publication as CorePublication, Sender as CoreSender};
use napi::Env;
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use crate::errors;
use crate::keyring::Keyring;
use crate::message::hex;
use crate::receiver::Publication;
use crate::store::Store;

#[napi]
pub struct Sender(CoreSender);

#[napi]
impl Sender {
    #[napi(constructor)]
    pub fn new(keyring: &Keyring, store: &Store) -> Self {
        let (keyring, store) = (Arc::clone(&keyring.core), Arc::clone(&store.core));
        Self(CoreSender::new(keyring, store))
    }

    #[napi]
    pub fn subscriptions(&self) -> Vec<String> {
        self.0.subscriptions()
    }

    #[napi(catch_unwind)]
    pub fn hear(&self, payload: BufferSlice<'_>, topic: String) -> bool {
        self.0.hear(&payload, &topic)
    }

    #[napi]
    pub fn is_ready(&self, env: &Env, device: String) -> napi::Result<bool> {
        let ready = self.0.is_ready(&device);
        ready.map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn seal(
        &self,
        env: &Env,
        device: String,
        data: BufferSlice<'_>,
    ) -> napi::Result<Publication> {
        sealed(env, self.0.seal(&device, &data))
    }

    #[napi(catch_unwind)]
    pub fn acknowledges(
        &self,
        env: &Env,
        payload: BufferSlice<'_>,
    ) -> napi::Result<Option<String>> {
        let tag = self.0.acknowledges(&payload);
        let tag = tag.map_err(|error| errors::to_js(env, &error))?;
        Ok(tag.map(|tag| hex(&tag)))
    }

    #[napi]
    pub fn ratchet(&self, env: &Env, device: String) -> napi::Result<Publication> {
        sealed(env, self.0.ratchet(&device))
    }

    #[napi]
    pub fn query_mode(&self, env: &Env, device: String) -> napi::Result<Publication> {
        sealed(env, self.0.query_mode(&device))
    }

    #[napi]
    pub fn set_mode(&self, env: &Env, device: String, mode: u8) -> napi::Result<Publication> {
        sealed(env, self.0.set_mode(&device, mode))
    }
}

fn sealed(env: &Env, publication: Result<CorePublication, Error>) -> napi::Result<Publication> {
    publication
        .map(Publication::from)
        .map_err(|error| errors::to_js(env, &error))
}

//! `Sender`.

use std::sync::Arc;

use espseal::Sender as CoreSender;
use napi::Env;
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use crate::errors;
use crate::keyring::Keyring;
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
        ready.map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn seal(
        &self,
        env: &Env,
        device: String,
        data: BufferSlice<'_>,
    ) -> napi::Result<Publication> {
        self.0
            .seal(&device, &data)
            .map(Publication::from)
            .map_err(|error| errors::to_js(env, &error))
    }
}

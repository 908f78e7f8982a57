//! `KeyringFile`.

use std::path::PathBuf;

use espseal::KeyringFile as CoreFile;
use espseal::keyring::{Keyring, NewAddress, NewGroup as CoreGroup};
use napi::Env;
use napi_derive::napi;

use crate::classic::{ClassicKeys, data_mode, layout};
use crate::errors;

#[napi]
pub struct KeyringFile(CoreFile);

/// What is not in the type: the keys, which are an object of their own.
#[napi(object)]
pub struct NewGroup {
    pub name: String,
    pub topic: String,
    pub session_topic: Option<String>,
    pub layout: String,
    pub data: String,
    pub danger_accept_replays: bool,
    pub allow_article_keys: bool,
}

#[napi]
impl KeyringFile {
    #[napi]
    pub fn default_path(env: &Env) -> napi::Result<String> {
        Keyring::default_path()
            .map(|path| path.display().to_string())
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi(factory)]
    pub fn create(env: &Env, path: Option<String>) -> napi::Result<Self> {
        let path = place(env, path)?;
        CoreFile::create(&path)
            .map(Self)
            .map_err(|error| errors::to_js(env, &error))
    }

    #[napi(factory)]
    pub fn open(env: &Env, path: Option<String>) -> napi::Result<Self> {
        let path = place(env, path)?;
        CoreFile::open(&path)
            .map(Self)
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn path(&self) -> String {
        self.0.path().display().to_string()
    }

    #[napi]
    pub fn add_group(
        &self,
        env: &Env,
        group: NewGroup,
        keys: Option<&ClassicKeys>,
    ) -> napi::Result<()> {
        let group = CoreGroup {
            name: &group.name,
            topic: &group.topic,
            session_topic: group.session_topic.as_deref(),
            layout: layout(env, &group.layout)?,
            data: data_mode(env, &group.data)?,
            keys: keys.map(|keys| &keys.0),
            danger_accept_replays: group.danger_accept_replays,
            allow_article_keys: group.allow_article_keys,
        };
        self.0
            .add_group(&group)
            .map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn add_device(
        &self,
        env: &Env,
        name: String,
        group: String,
        node_id: Option<String>,
        topic: Option<String>,
    ) -> napi::Result<()> {
        let address = match (&node_id, &topic) {
            (Some(node_id), None) => NewAddress::NodeId(node_id),
            (None, Some(topic)) => NewAddress::Topic(topic),
            (Some(_), Some(_)) | (None, None) => {
                let message = "give nodeId, or topic where the group's layout is \"port\"";
                return Err(errors::argument(env, message));
            }
        };
        self.0
            .add_device(&name, &group, address)
            .map_err(|error| errors::keyring(env, &error))
    }
}

fn place(env: &Env, path: Option<String>) -> napi::Result<PathBuf> {
    path.map(PathBuf::from)
        .map_or_else(Keyring::default_path, Ok)
        .map_err(|error| errors::keyring(env, &error))
}

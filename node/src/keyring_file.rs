//! `KeyringFile`.

use std::path::PathBuf;

use espseal::KeyringFile as CoreFile;
use espseal::keyring::{
    Keyring, NewAddress, NewFleet as CoreFleet, NewGroup as CoreGroup, Part, Policy, SealedAddress,
};
use espseal::sealed::Address;
use espseal::{KeyringError, KeyringProblem};
use napi::Env;
use napi_derive::napi;

use crate::classic::{ClassicKeys, data_mode, layout, mac_over, one_of};
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
    pub mac: String,
    pub policy: String,
    pub session_interval: Option<u32>,
    pub session_life: Option<u32>,
    pub command_topic: Option<String>,
    pub command_session_topic: Option<String>,
    pub danger_accept_replays: bool,
    pub allow_article_keys: bool,
}

#[napi(object)]
pub struct NewFleet {
    pub name: String,
    pub beacon_topic: Option<String>,
    pub up_topic: Option<String>,
    pub hello_topic: Option<String>,
    pub down_topic: Option<String>,
    pub beacon_interval: Option<u32>,
    pub beacon_life: Option<u32>,
    pub danger_first_contact: bool,
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
        let policies = [Policy::Pool, Policy::Strict].map(|value| (value.code(), value));
        let group = CoreGroup {
            name: &group.name,
            topic: &group.topic,
            session_topic: group.session_topic.as_deref(),
            layout: layout(env, &group.layout)?,
            data: data_mode(env, &group.data)?,
            mac: mac_over(env, &group.mac)?,
            policy: one_of(env, &group.policy, "policy", &policies)?,
            session_interval: group.session_interval,
            session_life: group.session_life,
            command_topic: group.command_topic.as_deref(),
            command_session_topic: group.command_session_topic.as_deref(),
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

    #[napi]
    pub fn add_fleet(&self, env: &Env, fleet: NewFleet) -> napi::Result<()> {
        let fleet = CoreFleet {
            name: &fleet.name,
            key: None,
            beacon_topic: fleet.beacon_topic.as_deref(),
            up_topic: fleet.up_topic.as_deref(),
            hello_topic: fleet.hello_topic.as_deref(),
            down_topic: fleet.down_topic.as_deref(),
            beacon_interval: fleet.beacon_interval,
            beacon_life: fleet.beacon_life,
            danger_first_contact: fleet.danger_first_contact,
        };
        let added = self.0.add_fleet(&fleet);
        added.map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn add_sealed(
        &self,
        env: &Env,
        name: String,
        fleet: String,
        address: Option<String>,
        chip_id: Option<u32>,
    ) -> napi::Result<String> {
        let address = sealed_address(env, address.as_deref(), chip_id)?;
        let added = self.0.add_sealed(&name, &fleet, address);
        let address = added.map_err(|error| errors::to_js(env, &error))?;
        Ok(address.to_string())
    }

    #[napi]
    pub fn set_address(
        &self,
        env: &Env,
        name: String,
        address: Option<String>,
        chip_id: Option<u32>,
    ) -> napi::Result<String> {
        let address = sealed_address(env, address.as_deref(), chip_id)?;
        let set = self.0.set_address(&name, address);
        let address = set.map_err(|error| errors::to_js(env, &error))?;
        Ok(address.to_string())
    }

    #[napi]
    pub fn rename(&self, env: &Env, name: String, new_name: String) -> napi::Result<()> {
        let renamed = self.0.rename(&name, &new_name);
        renamed.map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn revoke(&self, env: &Env, name: String, revoked: bool) -> napi::Result<()> {
        let changed = self.0.revoke(&name, revoked);
        changed.map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn remove(&self, env: &Env, name: String, only: Option<String>) -> napi::Result<()> {
        let parts = [("classic", Part::Classic), ("sealed", Part::Sealed)];
        let part = match only {
            None => Part::Whole,
            Some(word) => one_of(env, &word, "only", &parts)?,
        };
        let removed = self.0.remove(&name, part);
        removed.map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn rekey(&self, env: &Env, name: String, reached: Option<u16>) -> napi::Result<u16> {
        let epoch = self.0.rekey(&name, reached);
        epoch.map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn set_minimum_epoch(&self, env: &Env, name: String, epoch: u16) -> napi::Result<()> {
        let set = self.0.set_minimum_epoch(&name, epoch);
        set.map_err(|error| errors::keyring(env, &error))
    }
}

fn sealed_address(
    env: &Env,
    address: Option<&str>,
    chip_id: Option<u32>,
) -> napi::Result<SealedAddress> {
    match (address, chip_id) {
        (None, None) => Ok(SealedAddress::Drawn),
        (None, Some(chip_id)) => Ok(SealedAddress::OfChip(chip_id)),
        (Some(address), None) => {
            let parsed = Address::parse(address).map(SealedAddress::Given);
            let problem = KeyringProblem::InvalidValue {
                expected: "16 hex digits",
            };
            let error = KeyringError {
                file: None,
                line: None,
                field: Some("device.sealed.address".to_owned()),
                problem,
            };
            parsed.ok_or_else(|| errors::keyring(env, &error))
        }
        (Some(_), Some(_)) => {
            let message = "give address, or chipId, or neither of them";
            Err(errors::argument(env, message))
        }
    }
}

fn place(env: &Env, path: Option<String>) -> napi::Result<PathBuf> {
    path.map(PathBuf::from)
        .map_or_else(Keyring::default_path, Ok)
        .map_err(|error| errors::keyring(env, &error))
}

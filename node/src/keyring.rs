//! `Keyring` and its entries.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::Keyring as CoreKeyring;
use espseal::classic::Layout;
use espseal::keyring::{Classic, Device, Group};
use napi::Env;
use napi_derive::napi;

use crate::errors;

#[napi]
pub struct Keyring {
    pub(crate) core: Arc<CoreKeyring>,
}

#[napi]
impl Keyring {
    #[napi(factory)]
    pub fn load(
        env: &Env,
        path: Option<String>,
        allow_wide_permissions: bool,
    ) -> napi::Result<Self> {
        path.map(PathBuf::from)
            .map_or_else(CoreKeyring::default_path, Ok)
            .and_then(|path| CoreKeyring::load(&path, allow_wide_permissions))
            .map(Self::from)
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi(factory)]
    pub fn parse(env: &Env, text: String) -> napi::Result<Self> {
        CoreKeyring::parse(&text)
            .map(Self::from)
            .map_err(|error| errors::keyring(env, &error))
    }

    #[napi]
    pub fn path(&self) -> Option<String> {
        self.core.path().map(|path| path.display().to_string())
    }

    #[napi]
    pub fn devices(&self) -> Vec<DeviceEntry> {
        let entry = |device: &Device| {
            let classic = device.classic.as_ref();
            let group = classic.and_then(|classic| self.core.groups().get(classic.group));
            let port = group.is_some_and(|group| group.scheme.layout == Layout::Port);
            let address = classic.map(Classic::address_text);
            let filled =
                |fill: fn(&Group, &[u8]) -> Option<String>| fill(group?, &classic?.address);
            DeviceEntry {
                name: device.name.to_string(),
                group: group.map(|group| group.name.to_string()),
                node_id: address.clone().filter(|_| !port),
                topic: address.filter(|_| port),
                command_topic: filled(Group::command_topic),
                command_session_topic: filled(Group::command_session_topic),
            }
        };
        self.core.devices().iter().map(entry).collect()
    }

    #[napi]
    pub fn groups(&self) -> Vec<GroupEntry> {
        let entry = |group: &Group| GroupEntry {
            name: group.name.to_string(),
            topic: group.topic.as_str().to_owned(),
            session_topic: group.session_topic.as_deref().map(str::to_owned),
            layout: group.scheme.layout.code(),
            data: group.scheme.data.code(),
            mac: group.scheme.mac.code(),
            devices: u32::try_from(group.device_count()).unwrap_or(u32::MAX),
        };
        self.core.groups().iter().map(entry).collect()
    }

    #[napi]
    pub fn warnings(&self) -> Vec<String> {
        self.core.warnings()
    }
}

impl From<CoreKeyring> for Keyring {
    fn from(core: CoreKeyring) -> Self {
        Self {
            core: Arc::new(core),
        }
    }
}

#[napi(object)]
pub struct DeviceEntry {
    pub name: String,
    pub group: Option<String>,
    pub node_id: Option<String>,
    pub topic: Option<String>,
    pub command_topic: Option<String>,
    pub command_session_topic: Option<String>,
}

#[napi(object, object_from_js = false)]
pub struct GroupEntry {
    pub name: String,
    pub topic: String,
    pub session_topic: Option<String>,
    pub layout: &'static str,
    pub data: &'static str,
    pub mac: &'static str,
    pub devices: u32,
}

//! `Keyring` and its entries.

use std::path::PathBuf;
use std::sync::Arc;

use espseal::classic::Layout;
use espseal::keyring::{Classic, Device, Fleet, Group, Sealed};
use espseal::{Form, Keyring as CoreKeyring, Setting};
use napi::Env;
use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;

use crate::classic::one_of;
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
            let sealed = device.sealed.as_ref();
            let fleet = sealed.and_then(|sealed| self.core.fleets().get(sealed.fleet));
            let filled =
                |fill: fn(&Group, &[u8]) -> Option<String>| fill(group?, &classic?.address);
            DeviceEntry {
                name: device.name.to_string(),
                group: group.map(|group| group.name.to_string()),
                node_id: address.clone().filter(|_| !port),
                topic: address.filter(|_| port),
                command_topic: filled(Group::command_topic),
                command_session_topic: filled(Group::command_session_topic),
                fleet: fleet.map(|fleet| fleet.name.to_string()),
                address: sealed.map(|sealed| sealed.address.to_string()),
                down_topic: sealed
                    .zip(fleet)
                    .map(|(sealed, fleet)| sealed.down_topic(fleet)),
                minimum_epoch: sealed.map(|sealed| sealed.minimum_epoch),
                revoked: sealed.is_some_and(|sealed| sealed.revoked),
                own_key: sealed.is_some_and(Sealed::has_own_key),
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
    pub fn fleets(&self) -> Vec<FleetEntry> {
        let entry = |fleet: &Fleet| FleetEntry {
            name: fleet.name.to_string(),
            beacon_topic: fleet.beacon_topic.to_string(),
            up_filter: fleet.up_filter().as_str().to_owned(),
            hello_filter: fleet.hello_filter().as_str().to_owned(),
            danger_first_contact: fleet.danger_first_contact,
            devices: u32::try_from(fleet.device_count()).unwrap_or(u32::MAX),
        };
        self.core.fleets().iter().map(entry).collect()
    }

    #[napi]
    pub fn hello_filters(&self) -> Vec<String> {
        texts(self.core.hello_filters())
    }

    #[napi]
    pub fn down_filters(&self) -> Vec<String> {
        texts(self.core.down_filters())
    }

    #[napi]
    pub fn provision(&self, env: &Env, name: String) -> napi::Result<Provision> {
        let provision = self.core.provision(&name);
        let provision = provision.map_err(|error| errors::keyring(env, &error))?;
        Ok(Provision {
            name: provision.name.to_string(),
            address: provision.address.to_string(),
            device_key: provision.key.expose().to_vec().into(),
            epoch: provision.epoch,
            up_topic: provision.up_topic,
            hello_topic: provision.hello_topic,
            down_topic: provision.down_topic,
            beacon_topic: provision.beacon_topic.to_string(),
        })
    }

    /// The file that a device is given; `settings` in their order.
    #[napi]
    pub fn provisioning_file(
        &self,
        env: &Env,
        name: String,
        form: String,
        settings: Vec<GivenSetting>,
    ) -> napi::Result<ProvisioningFile> {
        let form = one_of(
            env,
            &form,
            "form",
            &Form::ALL.map(|form| (form.code(), form)),
        )?;
        let settings: Vec<_> = settings.iter().map(GivenSetting::setting).collect();
        let text = self
            .core
            .provision(&name)
            .and_then(|provision| provision.render(form, &settings))
            .map_err(|error| errors::keyring(env, &error))?;
        Ok(ProvisioningFile {
            file: form.file(),
            text: text.to_string(),
        })
    }

    #[napi]
    pub fn warnings(&self) -> Vec<String> {
        self.core.warnings()
    }
}

fn texts(filters: Vec<Arc<str>>) -> Vec<String> {
    filters.iter().map(ToString::to_string).collect()
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
    pub fleet: Option<String>,
    pub address: Option<String>,
    pub down_topic: Option<String>,
    pub minimum_epoch: Option<u16>,
    pub revoked: bool,
    pub own_key: bool,
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

#[napi(object)]
pub struct FleetEntry {
    pub name: String,
    pub beacon_topic: String,
    pub up_filter: String,
    pub hello_filter: String,
    pub danger_first_contact: bool,
    pub devices: u32,
}

#[napi(object, object_from_js = false)]
pub struct Provision {
    pub name: String,
    pub address: String,
    pub device_key: Buffer,
    pub epoch: u16,
    pub up_topic: String,
    pub hello_topic: String,
    pub down_topic: String,
    pub beacon_topic: String,
}

#[napi(object, object_from_js = false)]
pub struct ProvisioningFile {
    pub file: &'static str,
    pub text: String,
}

#[napi(object, object_to_js = false)]
pub struct GivenSetting {
    pub name: String,
    pub value: Either<String, u32>,
}

impl GivenSetting {
    fn setting(&self) -> (&str, Setting<'_>) {
        let value = match &self.value {
            Either::A(text) => Setting::Text(text),
            Either::B(number) => Setting::Number(*number),
        };
        (&self.name, value)
    }
}

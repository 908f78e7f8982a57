//! What a sealed device is given: a JSON file, `version = 1`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{KeyringError, KeyringProblem};
use crate::key::DeviceKey;
use crate::keyring::{Provision, read_secret_file};
use crate::sealed::Address;
use crate::topic::is_topic_name;

/// A provisioning file.
pub(super) struct Provisioned {
    /// Who the device is; its key is None once the state file alone holds it.
    pub(super) given: Provision<Option<DeviceKey>>,
    /// How it reaches its broker, as far as it was told.
    pub(super) mqtt: Mqtt,
    /// Whether others may read its state file.
    pub(super) allow_wide_permissions: bool,
}

/// A broker, as a provisioning file names it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mqtt {
    /// Its host name or address.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The user of this device.
    pub user: Option<String>,
    /// And the password.
    pub password: Option<Zeroizing<String>>,
}

/// A password stays out of logs.
impl core::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Mqtt")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Of a device whose provision did not come in a file.
impl From<Provision> for Provisioned {
    fn from(given: Provision) -> Self {
        Self {
            given: given.map_key(Some),
            mqtt: Mqtt::default(),
            allow_wide_permissions: false,
        }
    }
}

impl Provisioned {
    /// Reads a provisioning file, as `espseal provision` writes it.
    ///
    /// # Errors
    /// [`KeyringError`], with file, line and field.
    pub(super) fn load(path: &Path) -> Result<Self, KeyringError> {
        read_secret_file(path, false, |text| {
            let read = Self::parse(text)?;
            let wide = read.allow_wide_permissions;
            Ok((read, wide))
        })
        .map(|(read, _)| read)
    }

    fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut fields = Fields::parse(text)?;
        fields.check_version()?;
        let given = Provision {
            name: fields.name()?,
            address: fields.address()?,
            key: fields.key()?,
            epoch: fields.epoch()?,
            up_topic: fields.topic("up_topic", "where its readings go")?,
            hello_topic: fields.topic("hello_topic", "where its hellos go")?,
            down_topic: fields.topic("down_topic", "where its commands come from")?,
            beacon_topic: fields
                .topic("beacon_topic", "where it hears the fleet's beacon")?
                .into(),
        };
        let read = Self {
            given,
            mqtt: Mqtt {
                host: fields.text("mqtt_host")?,
                port: fields.number("mqtt_port")?,
                user: fields.text("mqtt_user")?,
                password: fields.text("mqtt_password")?.map(Zeroizing::new),
            },
            allow_wide_permissions: fields.flag("allow_wide_permissions")?,
        };
        // A computer has its network from elsewhere, but the file may be one for boards, too.
        for field in OF_BOARDS {
            fields.text(field)?.zeroize();
        }
        fields.seconds("interval")?;
        fields.finish()?;
        Ok(read)
    }
}

/// What only a board needs: its network, and how it finds its broker there.
const OF_BOARDS: [&str; 11] = [
    "wifi_ssid",
    "wifi_password",
    "ip_address",
    "ip_gateway",
    "ip_mask",
    "ip_dns",
    "transport",
    "tls_fingerprint",
    "tls_public_key",
    "tls_ca",
    "ntp_server",
];

/// The provisioning file without its key: after a ratchet the present key could be computed
/// from it, and with that key what was sent before the device was seized.
pub(super) fn without_key(path: &Path) -> Result<Option<Zeroizing<String>>, KeyringError> {
    let (text, _) = read_secret_file(path, true, |text| {
        Ok((Zeroizing::new(text.to_owned()), true))
    })?;
    let mut fields = Fields::parse(&text).map_err(|error| error.in_file(path))?;
    if fields
        .take("device_key")
        .map(|mut key| wipe(&mut key))
        .is_none()
    {
        return Ok(None);
    }
    let rest = core::mem::take(&mut fields.rest);
    let mut rest = Value::Object(rest);
    let text = serde_json::to_string_pretty(&rest);
    wipe(&mut rest);
    match text {
        Ok(text) => Ok(Some(Zeroizing::new(text + "\n"))),
        Err(_) => unreachable!("it was read from JSON"),
    }
}

/// Whether the file is JSON rather than TOML.
pub(super) fn is_json(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 64];
    let read = File::open(path).and_then(|mut file| file.read(&mut start));
    let read = read.unwrap_or(0);
    let first = start
        .iter()
        .take(read)
        .find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'{')
}

/// The file itself, whatever leads to it: a lock and a state lie beside one file only once.
pub(super) fn real_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The fields that are not read yet. Secrets are wiped with it.
struct Fields {
    rest: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.rest.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Fields {
    fn parse(text: &str) -> Result<Self, KeyringError> {
        let rest = serde_json::from_str(text).map_err(|error| {
            let said = error.to_string();
            // It ends with the place, which stands in front already.
            let said = said.split(" at line ").next().unwrap_or_default();
            KeyringError {
                line: Some(error.line()).filter(|line| *line > 0),
                ..KeyringError::new(KeyringProblem::Json(said.to_owned()))
            }
        })?;
        let known = Vec::new();
        Ok(Self { rest, known })
    }

    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.known.push(field);
        self.rest
            .shift_remove(field)
            .filter(|value| !value.is_null())
    }

    fn required(&mut self, field: &'static str, hint: &'static str) -> Result<Value, KeyringError> {
        let missing = || KeyringError::new(KeyringProblem::MissingField { hint }).field(field);
        self.take(field).ok_or_else(missing)
    }

    fn check_version(&mut self) -> Result<(), KeyringError> {
        let version = self.required("version", "it is 1")?;
        if version.as_u64() == Some(1) {
            return Ok(());
        }
        let found = match version {
            Value::Number(number) => number.to_string(),
            _ => "something else".to_owned(),
        };
        Err(KeyringError::new(KeyringProblem::UnsupportedVersion { found }).field("version"))
    }

    fn name(&mut self) -> Result<Arc<str>, KeyringError> {
        let name = self.required("name", "what people call the device")?;
        match name {
            Value::String(name) if !name.is_empty() => Ok(name.into()),
            _ => Err(invalid("name", "a string that is not empty")),
        }
    }

    fn address(&mut self) -> Result<Address, KeyringError> {
        let address = self.required("address", "16 hex digits, as in the keyring")?;
        let address = address.as_str().and_then(Address::parse);
        address.ok_or_else(|| invalid("address", "a string of 16 hex digits"))
    }

    fn key(&mut self) -> Result<Option<DeviceKey>, KeyringError> {
        const FIELD: &str = "device_key";
        let wrong = || invalid(FIELD, "a string of 64 hex digits");
        match self.take(FIELD) {
            None => Ok(None),
            Some(Value::String(digits)) => {
                let digits = Zeroizing::new(digits);
                let mut bytes = Zeroizing::new([0; 32]);
                let read = base16ct::mixed::decode(&*digits, &mut *bytes).map_err(|_| wrong())?;
                DeviceKey::new(read).map(Some).map_err(|_| wrong())
            }
            Some(mut other) => {
                wipe(&mut other);
                Err(wrong())
            }
        }
    }

    fn topic(&mut self, field: &'static str, hint: &'static str) -> Result<String, KeyringError> {
        match self.required(field, hint)? {
            Value::String(topic) if is_topic_name(&topic) => Ok(topic),
            _ => Err(invalid(field, "one topic, without `+` and `#`")),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<Option<String>, KeyringError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(field, "a string")),
        }
    }

    fn epoch(&mut self) -> Result<u16, KeyringError> {
        let hint = "how many ratchet steps `device_key` has made";
        let missing = KeyringError::new(KeyringProblem::MissingField { hint }).field("epoch");
        self.number("epoch")?.ok_or(missing)
    }

    fn number(&mut self, field: &'static str) -> Result<Option<u16>, KeyringError> {
        let Some(value) = self.take(field) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
        number
            .map(Some)
            .ok_or_else(|| invalid(field, "a whole number from 0 to 65535"))
    }

    /// Of a board's timer; this end has none.
    fn seconds(&mut self, field: &'static str) -> Result<(), KeyringError> {
        match self.take(field) {
            None => Ok(()),
            Some(value) if value.as_u64().is_some_and(|s| (1..=86400).contains(&s)) => Ok(()),
            Some(_) => Err(invalid(field, "a whole number of seconds from 1 to 86400")),
        }
    }

    fn flag(&mut self, field: &'static str) -> Result<bool, KeyringError> {
        match self.take(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(invalid(field, "true or false")),
        }
    }

    fn finish(mut self) -> Result<(), KeyringError> {
        let Some(field) = self.rest.keys().next() else {
            return Ok(());
        };
        let field = field.escape_debug().to_string();
        self.known.sort_unstable();
        let known = core::mem::take(&mut self.known);
        Err(KeyringError::new(KeyringProblem::UnknownField { known }).field(field))
    }
}

fn invalid(field: &'static str, expected: &'static str) -> KeyringError {
    KeyringError::new(KeyringProblem::InvalidValue { expected }).field(field)
}

//! The file that a sealed device is given: one form for each firmware, and JSON.

mod arduino;
mod json;
mod literal;
mod nodemcu;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use crate::error::{KeyringError, KeyringProblem};
use crate::keyring::Provision;

/// What a device reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `config.lua` of the NodeMCU firmware.
    Nodemcu,
    /// `espseal_config.h` of a sketch.
    Arduino,
    /// The JSON that [`crate::Device::load`] reads.
    Json,
}

impl Form {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Nodemcu, Self::Arduino, Self::Json];

    /// Its word, the same in every language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nodemcu => "nodemcu",
            Self::Arduino => "arduino",
            Self::Json => "json",
        }
    }

    /// What the device wants the file to be called.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Nodemcu => "config.lua",
            Self::Arduino => "espseal_config.h",
            Self::Json => "device.json",
        }
    }
}

/// One of the things that a device is told besides who it is.
#[derive(Clone, Copy)]
pub enum Setting<'a> {
    /// A string, perhaps a password.
    Text(&'a str),
    /// A number.
    Number(u32),
}

impl Provision {
    /// The file for a device. `settings` are what it connects to, by the words of the provisioning
    /// file, like `wifi_ssid` and `mqtt_host`; what a firmware cannot do without has a place to be
    /// filled in.
    ///
    /// # Errors
    /// `invalid_value`: no setting is called so, or it stands twice.
    pub fn render(
        &self,
        form: Form,
        settings: &[(&str, Setting<'_>)],
    ) -> Result<Zeroizing<String>, KeyringError> {
        let key = Zeroizing::new(base16ct::lower::encode_string(self.key.expose()));
        let address = self.address.to_string();
        let mut fields = self.fields(&address, &key);
        for &(name, setting) in settings {
            check(name, &fields)?;
            fields.push((name, setting));
        }
        Ok(Zeroizing::new(match form {
            Form::Nodemcu => nodemcu::render(&self.name, fields),
            Form::Arduino => arduino::render(self, fields),
            Form::Json => json::render(&fields),
        }))
    }

    fn fields<'a>(&'a self, address: &'a str, key: &'a str) -> Vec<Field<'a>> {
        vec![
            ("name", Setting::Text(&self.name)),
            ("address", Setting::Text(address)),
            ("device_key", Setting::Text(key)),
            ("epoch", Setting::Number(self.epoch.into())),
            ("up_topic", Setting::Text(&self.up_topic)),
            ("hello_topic", Setting::Text(&self.hello_topic)),
            ("down_topic", Setting::Text(&self.down_topic)),
            ("beacon_topic", Setting::Text(&self.beacon_topic)),
        ]
    }
}

type Field<'a> = (&'a str, Setting<'a>);

/// A name becomes code: of Lua and of C.
fn check(name: &str, before: &[Field<'_>]) -> Result<(), KeyringError> {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
    let expected = if !starts || !name.bytes().all(word) {
        "a name of lower-case letters, digits and _"
    } else if name == "version" || before.iter().any(|(other, _)| *other == name) {
        "given once"
    } else {
        return Ok(());
    };
    Err(KeyringError::new(KeyringProblem::InvalidValue { expected }).field(name))
}

/// Adds what is not there yet.
fn add_missing<'a>(fields: &mut Vec<Field<'a>>, name: &'a str, text: &'a str) {
    if !fields.iter().any(|(other, _)| *other == name) {
        fields.push((name, Setting::Text(text)));
    }
}

//! `Device`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use espseal::{Device as CoreDevice, DeviceOptions as CoreOptions, Error, Format};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice};
use napi_derive::napi;

use crate::classic::one_of;
use crate::errors;
use crate::keyring::Keyring;
use crate::message::Message;
use crate::receiver::{Publication, number};

#[napi]
pub struct Device(CoreDevice);

/// Times in milliseconds.
#[napi(object)]
pub struct DeviceOptions {
    pub format: Option<String>,
    pub state: Option<String>,
    pub firmware: Option<String>,
    pub hold: f64,
    pub hello_interval: f64,
}

#[napi]
impl Device {
    #[napi(factory)]
    pub fn load(env: &Env, path: String, options: DeviceOptions) -> napi::Result<Self> {
        let options = core_options(env, options)?;
        CoreDevice::load_with(Path::new(&path), options)
            .map(Self)
            .map_err(|error| errors::to_js(env, &error))
    }

    #[napi(factory)]
    pub fn from_keyring(
        env: &Env,
        keyring: &Keyring,
        name: String,
        options: DeviceOptions,
    ) -> napi::Result<Self> {
        let formats = [Format::Classic, Format::Sealed].map(|format| (format.code(), format));
        let format = options.format.as_deref();
        let format = format.map(|word| one_of(env, word, "format", &formats));
        let format = format.transpose()?;
        let options = core_options(env, options)?;
        CoreDevice::from_keyring_with(&keyring.core, &name, format, options)
            .map(Self)
            .map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn name(&self) -> String {
        self.0.name().to_string()
    }

    #[napi]
    pub fn format(&self) -> &'static str {
        self.0.format().code()
    }

    #[napi]
    pub fn address(&self) -> Option<String> {
        self.0.address().map(|address| address.to_string())
    }

    #[napi]
    pub fn epoch(&self) -> Option<u16> {
        self.0.epoch()
    }

    #[napi]
    pub fn topic(&self) -> Option<String> {
        self.0.topic().map(ToString::to_string)
    }

    #[napi]
    pub fn session_topic(&self) -> Option<String> {
        self.0.session_topic().map(ToString::to_string)
    }

    #[napi]
    pub fn hello_topic(&self) -> Option<String> {
        self.0.hello_topic().map(ToString::to_string)
    }

    #[napi]
    pub fn down_topic(&self) -> Option<String> {
        self.0.down_topic().map(ToString::to_string)
    }

    #[napi]
    pub fn beacon_topic(&self) -> Option<String> {
        self.0.beacon_topic().map(ToString::to_string)
    }

    #[napi]
    pub fn subscriptions(&self) -> Vec<String> {
        let topics = self.0.subscriptions();
        topics.iter().map(ToString::to_string).collect()
    }

    #[napi]
    pub fn is_welcomed(&self) -> bool {
        self.0.is_welcomed()
    }

    #[napi]
    pub fn mode(&self) -> u8 {
        self.0.mode()
    }

    #[napi]
    pub fn set_mode(&self, env: &Env, mode: u8) -> napi::Result<()> {
        done(env, self.0.set_mode(mode))
    }

    #[napi]
    pub fn ignored(&self) -> f64 {
        number(self.0.ignored())
    }

    #[napi]
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble()
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
        done(env, frame).map(Buffer::from)
    }

    #[napi]
    pub fn send(&self, env: &Env, data: BufferSlice<'_>) -> napi::Result<()> {
        done(env, self.0.send(&data))
    }

    #[napi]
    pub fn draw_command_session(&self, env: &Env) -> napi::Result<Buffer> {
        done(env, self.0.draw_command_session()).map(|text| text.to_vec().into())
    }

    #[napi(catch_unwind)]
    pub fn open(&self, env: &Env, payload: BufferSlice<'_>) -> napi::Result<Message> {
        done(env, self.0.open(&payload)).map(Message::from)
    }

    #[napi]
    pub fn publications(&self, env: &Env) -> napi::Result<Vec<Publication>> {
        let publications = done(env, self.0.publications())?;
        Ok(publications.into_iter().map(Publication::from).collect())
    }

    /// In milliseconds.
    #[napi]
    pub fn next_due(&self) -> Option<f64> {
        self.0.next_due().map(|due| due.as_secs_f64() * 1000.0)
    }

    #[napi]
    pub fn reconnected(&self) {
        self.0.reconnected();
    }
}

fn done<T>(env: &Env, answer: Result<T, Error>) -> napi::Result<T> {
    answer.map_err(|error| errors::to_js(env, &error))
}

fn core_options(env: &Env, options: DeviceOptions) -> napi::Result<CoreOptions> {
    let defaults = CoreOptions::default();
    Ok(CoreOptions {
        state: options.state.map(PathBuf::from),
        firmware: options.firmware.unwrap_or(defaults.firmware),
        hold: milliseconds(env, "hold", options.hold)?,
        hello_interval: milliseconds(env, "helloInterval", options.hello_interval)?,
        ..defaults
    })
}

fn milliseconds(env: &Env, name: &str, value: f64) -> napi::Result<Duration> {
    Duration::try_from_secs_f64(value / 1000.0)
        .map_err(|_| errors::argument(env, &format!("{name} must be milliseconds, 0 or more")))
}

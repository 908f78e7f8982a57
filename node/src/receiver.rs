//! `Receiver` and `Publication`.

use std::sync::Arc;

use espseal::{
    Error, Message as CoreMessage, Publication as CorePublication, Receiver as CoreReceiver,
};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Uint32ArraySlice};
use napi_derive::napi;

use crate::errors;
use crate::keyring::Keyring;
use crate::message::{Message, Places, place};
use crate::store::Store;

/// Words of `answer`, the memory that `open` writes into and JavaScript reads.
const DEVICE: usize = 0;
const GROUP: usize = 1;
const LENGTH: usize = 2;
const PROTECTED: usize = 3;
/// Where the data starts, in bytes.
const DATA: usize = 16;
/// What `open` returns if the data does not fit.
const TOO_LONG: u32 = u32::MAX;

#[napi]
pub struct Receiver {
    core: CoreReceiver,
    devices: Places,
    groups: Places,
    topics: Vec<String>,
    answer: Buffer,
    last: Option<CoreMessage>,
    failure: Option<Error>,
}

#[napi]
impl Receiver {
    /// `answer`: four words and room for the data of one frame. A returned object, or a buffer
    /// for each frame, would cost more than all the rest.
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        keyring: &Keyring,
        store: &Store,
        authority: bool,
        answer: Buffer,
    ) -> napi::Result<Self> {
        let core = CoreReceiver::new(
            Arc::clone(&keyring.core),
            Arc::clone(&store.core),
            authority,
        )
        .map_err(|error| errors::to_js(env, &error))?;
        Ok(Self {
            core,
            devices: Places::devices(&keyring.core),
            groups: Places::groups(&keyring.core),
            topics: Vec::new(),
            answer,
            last: None,
            failure: None,
        })
    }

    /// A topic by number, from 1: converting the string for each frame would cost as much as
    /// opening it. `forget_topics` starts anew.
    #[napi]
    pub fn topic(&mut self, topic: String) -> u32 {
        self.topics.push(topic);
        u32::try_from(self.topics.len()).unwrap_or_default()
    }

    #[napi]
    pub fn forget_topics(&mut self) {
        self.topics.clear();
    }

    /// Opens one frame: the verdict's place; the rest is in `answer`, or in `last` if the
    /// message is not fresh.
    #[napi(catch_unwind)]
    pub fn open(
        &mut self,
        env: &Env,
        payload: BufferSlice<'_>,
        topic: u32,
        retained: bool,
    ) -> napi::Result<u32> {
        let message = self
            .core
            .open(&payload, name(&self.topics, topic), retained)
            .map_err(|error| errors::to_js(env, &error))?;
        let verdict = place(&message);
        let data = message.data.as_deref().unwrap_or_default();
        let head = [
            (DEVICE, self.devices.place(message.device.as_ref())),
            (GROUP, self.groups.place(message.group.as_ref())),
            (LENGTH, u32::try_from(data.len()).unwrap_or(TOO_LONG)),
            (PROTECTED, message.replay_protected.into()),
        ];
        let fits = match self.answer.split_at_mut_checked(DATA) {
            Some((words, room)) if data.len() <= room.len() => {
                let (words, _) = words.as_chunks_mut::<4>();
                for (at, value) in head {
                    if let Some(word) = words.get_mut(at) {
                        *word = value.to_ne_bytes();
                    }
                }
                room.iter_mut().zip(data).for_each(|(to, from)| *to = *from);
                true
            }
            _ => false,
        };
        let fresh = message.data.is_some();
        if !fresh || !fits {
            self.last = Some(message);
        }
        Ok(if fits { verdict } else { TOO_LONG })
    }

    /// The last message that was not fresh, or did not fit.
    #[napi]
    pub fn last(&mut self) -> Option<Message> {
        self.last.take().map(Message::from)
    }

    /// Opens the frames that lie end to end in `frames` (`ends` says where each ends), into
    /// columns; returns how many. After fewer than there are, `failure` throws why.
    ///
    /// `columns` holds, for n frames, n devices (places from 0, else -1), n + 1 offsets into
    /// `data`, each in four bytes, and n verdicts in one.
    #[napi(catch_unwind)]
    pub fn open_many(
        &mut self,
        env: &Env,
        frames: BufferSlice<'_>,
        ends: Uint32ArraySlice<'_>,
        topic: u32,
        retained: bool,
        mut columns: BufferSlice<'_>,
        mut data: BufferSlice<'_>,
    ) -> napi::Result<u32> {
        let mismatch = || errors::argument(env, "the columns do not fit the frames");
        let count = ends.len();
        let (words, verdicts) = columns
            .split_at_mut_checked(4 * (2 * count + 1))
            .ok_or_else(mismatch)?;
        let (words, _) = words.as_chunks_mut::<4>();
        let (devices, offsets) = words.split_at_mut_checked(count).ok_or_else(mismatch)?;
        let topic = name(&self.topics, topic);
        let mut opened = 0;
        let (mut start, mut written) = (0, 0);
        let rows = verdicts
            .iter_mut()
            .zip(devices)
            .zip(offsets.iter_mut().skip(1));
        for (&end, ((verdict, device), offset)) in ends.iter().zip(rows) {
            let end = usize::try_from(end).map_err(|_| mismatch())?;
            let frame = frames.get(start..end).ok_or_else(mismatch)?;
            start = end;
            let message = match self.core.open(frame, topic, retained) {
                Ok(message) => message,
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            };
            if let Some(plain) = &message.data {
                let after = written + plain.len();
                let room = data.get_mut(written..after).ok_or_else(mismatch)?;
                room.copy_from_slice(plain);
                written = after;
            }
            *verdict = u8::try_from(place(&message)).map_err(|_| mismatch())?;
            let place = self.devices.place(message.device.as_ref());
            *device = place.wrapping_sub(1).to_ne_bytes();
            *offset = u32::try_from(written)
                .map_err(|_| mismatch())?
                .to_ne_bytes();
            opened += 1;
        }
        Ok(opened)
    }

    /// Throws what ended the last `open_many` early.
    #[napi]
    pub fn failure(&mut self, env: &Env) -> napi::Result<()> {
        match self.failure.take() {
            Some(error) => Err(errors::to_js(env, &error)),
            None => Ok(()),
        }
    }

    #[napi(catch_unwind)]
    pub fn hear(&self, env: &Env, payload: BufferSlice<'_>, topic: String) -> napi::Result<bool> {
        let heard = self.core.hear(&payload, &topic);
        heard.map_err(|error| errors::to_js(env, &error))
    }

    #[napi]
    pub fn publications(&self, env: &Env) -> napi::Result<Vec<Publication>> {
        let publications = self.core.publications();
        let publications = publications.map_err(|error| errors::to_js(env, &error))?;
        Ok(publications.into_iter().map(Publication::from).collect())
    }

    #[napi]
    pub fn reconnected(&self) {
        self.core.reconnected();
    }

    /// In milliseconds.
    #[napi]
    pub fn next_due(&self) -> Option<f64> {
        self.core.next_due().map(|due| due.as_secs_f64() * 1000.0)
    }

    #[napi]
    pub fn subscriptions(&self) -> Vec<String> {
        let topics = self.core.subscriptions();
        topics.iter().map(ToString::to_string).collect()
    }

    /// In the order of `verdicts()`.
    #[napi]
    pub fn counts(&self) -> Vec<f64> {
        self.core.counts().map(number).to_vec()
    }

    #[napi]
    pub fn false_sessions(&self) -> f64 {
        number(self.core.false_sessions())
    }

    #[napi]
    pub fn trouble(&self) -> Option<String> {
        self.core.trouble()
    }
}

/// What an adapter publishes for the receiver or the sender.
#[napi(object)]
pub struct Publication {
    pub topic: String,
    pub payload: Buffer,
    pub qos: u8,
    pub retain: bool,
}

impl From<CorePublication> for Publication {
    fn from(publication: CorePublication) -> Self {
        Self {
            topic: publication.topic.to_string(),
            payload: publication.payload.into(),
            qos: publication.qos,
            retain: publication.retain,
        }
    }
}

fn name(topics: &[String], topic: u32) -> Option<&str> {
    let at = usize::try_from(topic).ok()?.checked_sub(1)?;
    topics.get(at).map(String::as_str)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

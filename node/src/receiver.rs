//! `Receiver` and `Publication`.

use std::collections::HashMap;
use std::sync::Arc;

use espseal::{
    Delivery, Error, Judged, Kind, Publication as CorePublication, Receiver as CoreReceiver,
    ReceiverOptions, Ticket,
};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Uint32ArraySlice};
use napi_derive::napi;

use crate::classic::one_of;
use crate::errors;
use crate::keyring::Keyring;
use crate::message::{Message, hex};
use crate::store::Store;

/// Where in `answer`, in words of four bytes, what is known of a fresh reading stands: the
/// device's place, the group's from 1, the length of the data, flags, the epoch, and the counter
/// in two words. The data follow.
const HEAD: usize = 8;
const PROTECTED: u32 = 1;
const ADVANCED: u32 = 2;
const BOUND: u32 = 4;
const SEALED: u32 = 8;
#[napi]
pub struct Receiver {
    core: CoreReceiver,
    topics: Vec<String>,
    answer: Buffer,
    /// The last frame; what it was decrypted in serves the next one.
    judged: Judged,
    failure: Option<Error>,
    undone: HashMap<u32, Ticket>,
    numbers: u32,
}

#[napi]
impl Receiver {
    /// `answer`: the head and room for the data of one frame. A returned object, or a buffer
    /// for each frame, would cost more than all the rest.
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        keyring: &Keyring,
        store: &Store,
        authority: bool,
        delivery: String,
        answer: Buffer,
    ) -> napi::Result<Self> {
        let promises = [
            ("at_most_once", Delivery::AtMostOnce),
            ("at_least_once", Delivery::AtLeastOnce),
        ];
        let options = ReceiverOptions {
            authority,
            delivery: one_of(env, &delivery, "delivery", &promises)?,
            ..ReceiverOptions::default()
        };
        let core =
            CoreReceiver::with_options(Arc::clone(&keyring.core), Arc::clone(&store.core), options)
                .map_err(|error| errors::to_js(env, &error))?;
        Ok(Self {
            core,
            topics: Vec::new(),
            answer,
            judged: Judged::default(),
            failure: None,
            undone: HashMap::new(),
            numbers: 0,
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

    /// Opens one frame: whether it is a fresh reading, which is in `answer`. Any other message is
    /// in `last`.
    #[napi(catch_unwind)]
    pub fn open(
        &mut self,
        env: &Env,
        payload: BufferSlice<'_>,
        topic: u32,
        retained: bool,
    ) -> napi::Result<bool> {
        let topic = name(&self.topics, topic);
        self.core
            .judge(&payload, topic, retained, &mut self.judged)
            .map_err(|error| errors::to_js(env, &error))?;
        let quick = self.judged.kind == Kind::Data && self.judged.ticket.is_none();
        Ok(quick && write(&mut self.answer, &self.judged))
    }

    /// The last message.
    #[napi]
    pub fn last(&mut self) -> Message {
        let undone = self.judged.ticket.take().map(|ticket| {
            self.numbers = self.numbers.wrapping_add(1);
            self.undone.insert(self.numbers, ticket);
            self.numbers
        });
        Message::of_receiver(&self.judged, self.core.keyring(), undone)
    }

    /// The message of this number is done; a second time it does nothing.
    #[napi]
    pub fn done(&mut self, env: &Env, number: u32) -> napi::Result<()> {
        let Some(ticket) = self.undone.get(&number) else {
            return Ok(());
        };
        let done = self.core.done(*ticket);
        done.map_err(|error| errors::to_js(env, &error))?;
        self.undone.remove(&number);
        Ok(())
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
            let judged = &mut self.judged;
            if let Err(error) = self.core.judge(frame, topic, retained, judged) {
                self.failure = Some(error);
                break;
            }
            if let Some(plain) = judged.data() {
                let after = written + plain.len();
                let room = data.get_mut(written..after).ok_or_else(mismatch)?;
                room.copy_from_slice(plain);
                written = after;
            }
            *verdict = u8::try_from(judged.verdict.index()).map_err(|_| mismatch())?;
            *device = judged.device.map_or(u32::MAX, word).to_ne_bytes();
            *offset = word(written).to_ne_bytes();
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
    pub fn hear(
        &self,
        env: &Env,
        payload: BufferSlice<'_>,
        topic: String,
        retained: bool,
    ) -> napi::Result<bool> {
        let heard = self.core.hear(&payload, &topic, retained);
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
    pub fn reading_filters(&self) -> Vec<String> {
        self.core.reading_filters()
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
    pub fn unreadable_bodies(&self) -> f64 {
        number(self.core.unreadable_bodies())
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
    pub tag: Option<String>,
}

impl From<CorePublication> for Publication {
    fn from(publication: CorePublication) -> Self {
        Self {
            tag: publication.tag().as_ref().map(|tag| hex(tag)),
            topic: publication.topic.to_string(),
            payload: publication.payload.into(),
            qos: publication.qos,
            retain: publication.retain,
        }
    }
}

/// False, and nothing is written, if it is no fresh reading, or too long.
fn write(answer: &mut [u8], judged: &Judged) -> bool {
    let Some(data) = judged.data() else {
        return false;
    };
    let Some((words, room)) = answer.split_at_mut_checked(4 * HEAD) else {
        return false;
    };
    let (Some(device), Some(room)) = (judged.device, room.get_mut(..data.len())) else {
        return false;
    };
    let flags = [
        (PROTECTED, judged.replay_protected),
        (ADVANCED, judged.advanced),
        (BOUND, judged.session_bound),
        (SEALED, judged.counter.is_some()),
    ];
    let flags = flags.iter().filter(|(_, set)| *set);
    let [low, high] = halves(judged.counter.unwrap_or_default());
    let head = [
        word(device),
        judged.group.map_or(0, |place| word(place + 1)),
        word(data.len()),
        flags.map(|(bit, _)| bit).sum(),
        judged.epoch.unwrap_or_default().into(),
        0,
        low,
        high,
    ];
    for (to, value) in words.as_chunks_mut::<4>().0.iter_mut().zip(head) {
        *to = value.to_ne_bytes();
    }
    room.copy_from_slice(data);
    true
}

/// As they lie in memory.
fn halves(value: u64) -> [u32; 2] {
    let bytes = value.to_ne_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    let half = |at: usize| words.get(at).copied().map_or(0, u32::from_ne_bytes);
    [half(0), half(1)]
}

/// Places and lengths of what is in memory: none comes near.
fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn name(topics: &[String], topic: u32) -> Option<&str> {
    let at = usize::try_from(topic).ok()?.checked_sub(1)?;
    topics.get(at).map(String::as_str)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

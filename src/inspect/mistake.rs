//! What makers of senders get wrong, as ways to seal that can be tried.

use aes::Aes128Enc;
use cbc::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use super::sealed_sessions::{Candidate, SealedSession};
use crate::classic::SessionId;
use crate::key::DeviceKey;
use crate::primitives::siv::Siv;
use crate::primitives::{BLOCK, hkdf_expand};
use crate::sealed::{Direction, Header};

macro_rules! mistakes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// What is wrong with a sealed frame that fits all the same: a closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mistake {
            $($(#[$doc])* $variant,)+
        }

        impl Mistake {
            /// Its word, the same in every language.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }
    };
}

mistakes! {
    /// The key is of another epoch than the header says.
    OtherEpoch = "other_epoch",
    /// The epoch stands in the header with its last byte first.
    EpochOrder = "epoch_order",
    /// The address stands in the header with its last byte first.
    AddressOrder = "address_order",
    /// The counter stands in the header with its last byte first, as far as that can be seen.
    CounterOrder = "counter_order",
    /// The key is another device's than the address.
    OtherDevice = "other_device",
    /// The key is the one that the fleet gives, but the keyring has another for this device.
    FormerKey = "former_key",
    /// The fleet's key was taken for a device key.
    FleetKey = "fleet_key",
    /// The key is that of the other direction.
    OtherDirection = "other_direction",
    /// The flags were changed after it was sealed: so a frame is reflected.
    ChangedFlags = "changed_flags",
    /// It is bound, says the header; but no session was sealed in.
    SessionLeftOut = "session_left_out",
    /// It is unbound, says the header; but a session was sealed in.
    SessionUnsaid = "session_unsaid",
    /// The session went in as its 32 hex digits.
    SessionText = "session_text",
    /// The session that went in is 16 zero bytes.
    SessionZeros = "session_zeros",
    /// The header that was sealed in has numbers in another byte order than the one that was sent.
    HeaderOrder = "header_order",
    /// S2V did not get exactly header, session and context.
    Components = "components",
    /// The topic went in as the context.
    Context = "context",
    /// The tag stands behind the ciphertext.
    TagLast = "tag_last",
    /// The first half of the key encrypts, and the second makes the tag.
    KeyHalves = "key_halves",
    /// The device key itself seals, and not what is expanded from it for the direction.
    NotExpanded = "not_expanded",
    /// Bits 31 and 63 of `V` were not cleared for CTR.
    WholeCounter = "whole_counter",
}

/// A frame to try keys on.
pub(super) struct Sample<'a> {
    pub(super) header: [u8; Header::BYTES],
    pub(super) claims: Header,
    /// What follows the header: tag and ciphertext.
    pub(super) sealed: &'a [u8],
    pub(super) topic: Option<&'a str>,
}

/// How a sample fits.
pub(super) struct Fits {
    pub(super) mistake: Option<Mistake>,
    /// The header that was sealed in; its numbers may be in any order.
    pub(super) claims: Header,
    pub(super) session: SealedSession,
    pub(super) plaintext: Vec<u8>,
}

impl Sample<'_> {
    /// Whether it is sealed under this key as the format says.
    pub(super) fn fits(&self, key: &DeviceKey, sessions: &[Candidate]) -> Option<Fits> {
        self.attempt(&Way::right(self), key, sessions)
    }

    /// Whether it is sealed under this key in one of the wrong ways.
    pub(super) fn fits_wrongly(&self, key: &DeviceKey, sessions: &[Candidate]) -> Option<Fits> {
        wrong_ways(self)
            .iter()
            .find_map(|way| self.attempt(way, key, sessions))
    }

    fn attempt(&self, way: &Way<'_>, key: &DeviceKey, sessions: &[Candidate]) -> Option<Fits> {
        let siv_key = way.key.of(key);
        let siv = Siv::new(&siv_key);
        let (tag, ciphertext) = if way.tag_last {
            let (ciphertext, tag) = self.sealed.split_last_chunk::<BLOCK>()?;
            (u128::from_be_bytes(*tag), ciphertext)
        } else {
            let (tag, ciphertext) = self.sealed.split_first_chunk::<BLOCK>()?;
            (u128::from_be_bytes(*tag), ciphertext)
        };
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        if way.whole_counter {
            ctr(&siv_key, tag, &mut plaintext);
        } else {
            siv.crypt(tag, &mut plaintext);
        }
        let verifies = |session: &[u8]| {
            let parts = way.components(session);
            let parts: Vec<_> = parts.iter().map(|part| siv.component(part)).collect();
            siv.tag(siv.mix(&parts), &plaintext) == tag
        };
        let session = match way.session {
            SessionForm::None => verifies(b"").then_some(SealedSession::None),
            SessionForm::Zeros => verifies(&[0; 16]).then_some(SealedSession::Zeros),
            SessionForm::Bytes => sessions
                .iter()
                .find_map(|(from, session)| verifies(session).then_some(*from)),
            SessionForm::Text => sessions.iter().find_map(|(from, session)| {
                verifies(&SessionId::from_bytes(*session).text()).then_some(*from)
            }),
        }?;
        Some(Fits {
            mistake: way.mistake,
            claims: way.claims,
            session,
            plaintext: plaintext.to_vec(),
        })
    }
}

/// A way to seal.
#[derive(Clone)]
struct Way<'a> {
    mistake: Option<Mistake>,
    key: KeyForm,
    header: [u8; Header::BYTES],
    claims: Header,
    session: SessionForm,
    components: Components,
    context: &'a [u8],
    tag_last: bool,
    whole_counter: bool,
}

#[derive(Clone, Copy)]
enum KeyForm {
    Expanded(Direction),
    /// The halves of the expanded key, exchanged.
    Halves(Direction),
    Itself,
}

#[derive(Clone, Copy)]
enum SessionForm {
    None,
    Bytes,
    Text,
    Zeros,
}

#[derive(Clone, Copy)]
enum Components {
    /// Header, session, context.
    Three,
    /// No context.
    Two,
    /// What is empty is left out.
    NoEmpty,
    /// One string.
    Joined,
    /// Nothing.
    Nothing,
}

impl Way<'_> {
    /// `SEALED.md`, *Sealing*.
    fn right(sample: &Sample<'_>) -> Self {
        Self {
            mistake: None,
            key: KeyForm::Expanded(sample.claims.direction),
            header: sample.header,
            claims: sample.claims,
            session: if sample.claims.bound {
                SessionForm::Bytes
            } else {
                SessionForm::None
            },
            components: Components::Three,
            context: b"",
            tag_last: false,
            whole_counter: false,
        }
    }

    fn components(&self, session: &[u8]) -> Vec<Vec<u8>> {
        let all = [&self.header[..], session, self.context].map(<[u8]>::to_vec);
        match self.components {
            Components::Three => all.to_vec(),
            Components::Two => all.into_iter().take(2).collect(),
            Components::NoEmpty => all.into_iter().filter(|part| !part.is_empty()).collect(),
            Components::Joined => vec![all.concat()],
            Components::Nothing => Vec::new(),
        }
    }
}

fn wrong_ways<'a>(sample: &Sample<'a>) -> Vec<Way<'a>> {
    let right = Way::right(sample);
    let direction = sample.claims.direction;
    let other_direction = match direction {
        Direction::Uplink => Direction::Downlink,
        Direction::Downlink => Direction::Uplink,
    };
    let wrong = |mistake| Way {
        mistake: Some(mistake),
        ..right.clone()
    };
    let with_key = |mistake, key| Way {
        key,
        ..wrong(mistake)
    };
    let with_session = |mistake, session| Way {
        session,
        ..wrong(mistake)
    };
    let mut ways = vec![
        with_key(Mistake::OtherDirection, KeyForm::Expanded(other_direction)),
        with_key(Mistake::KeyHalves, KeyForm::Halves(direction)),
        with_key(Mistake::NotExpanded, KeyForm::Itself),
        Way {
            tag_last: true,
            ..wrong(Mistake::TagLast)
        },
        Way {
            whole_counter: true,
            ..wrong(Mistake::WholeCounter)
        },
    ];
    if sample.claims.bound {
        ways.push(with_session(Mistake::SessionText, SessionForm::Text));
        ways.push(with_session(Mistake::SessionZeros, SessionForm::Zeros));
        ways.push(with_session(Mistake::SessionLeftOut, SessionForm::None));
    } else {
        ways.push(with_session(Mistake::SessionUnsaid, SessionForm::Bytes));
    }
    let few = [
        Components::Two,
        Components::NoEmpty,
        Components::Joined,
        Components::Nothing,
    ];
    ways.extend(few.map(|components| Way {
        components,
        ..wrong(Mistake::Components)
    }));
    ways.extend(orders(sample.header).map(|header| Way {
        header,
        ..wrong(Mistake::HeaderOrder)
    }));
    ways.extend(sample.topic.map(|topic| Way {
        context: topic.as_bytes(),
        ..wrong(Mistake::Context)
    }));
    ways.extend(other_flags(sample.header).map(|(header, claims)| Way {
        header,
        claims,
        key: KeyForm::Expanded(claims.direction),
        session: if claims.bound {
            SessionForm::Bytes
        } else {
            SessionForm::None
        },
        ..wrong(Mistake::ChangedFlags)
    }));
    ways
}

/// The header with the bytes of epoch, address and counter in the other order, in every
/// combination.
fn orders(header: [u8; Header::BYTES]) -> impl Iterator<Item = [u8; Header::BYTES]> {
    (1..8_u8).map(move |which| {
        let mut changed = header;
        for (bit, field) in [2..4, 4..12, 12..20].into_iter().enumerate() {
            if let (true, Some(bytes)) = (which >> bit & 1 == 1, changed.get_mut(field)) {
                bytes.reverse();
            }
        }
        changed
    })
}

/// The header with all the other flags that a frame may have.
fn other_flags(header: [u8; Header::BYTES]) -> impl Iterator<Item = ([u8; Header::BYTES], Header)> {
    let [_, sent, ..] = header;
    (0..16_u8)
        .filter(move |flags| *flags != sent)
        .filter_map(move |flags| {
            let mut changed = header;
            if let Some(at) = changed.get_mut(1) {
                *at = flags;
            }
            Header::parse(&changed).ok().map(|claims| (changed, claims))
        })
}

impl KeyForm {
    fn of(self, key: &DeviceKey) -> Zeroizing<[u8; 32]> {
        let expanded = |direction| {
            let info: &[u8] = match direction {
                Direction::Uplink => b"uplink",
                Direction::Downlink => b"downlink",
            };
            hkdf_expand::<32>(key.expose(), &[info])
        };
        match self {
            Self::Expanded(direction) => expanded(direction),
            Self::Halves(direction) => {
                let mut key = expanded(direction);
                key.rotate_left(BLOCK);
                key
            }
            Self::Itself => Zeroizing::new(*key.expose()),
        }
    }
}

/// `text xor CTR(K2, V)`, with all the bits of `V`, in place.
fn ctr(key: &[u8; 32], tag: u128, text: &mut [u8]) {
    let (_, ctr_key) = key.split_at(BLOCK);
    let Ok(cipher) = Aes128Enc::new_from_slice(ctr_key) else {
        unreachable!("half of 32 bytes")
    };
    let mut counter = tag;
    for chunk in text.chunks_mut(BLOCK) {
        let mut block = aes::Block::from(counter.to_be_bytes());
        cipher.encrypt_block(&mut block);
        chunk
            .iter_mut()
            .zip(block)
            .for_each(|(byte, key)| *byte ^= key);
        counter = counter.wrapping_add(1);
    }
}

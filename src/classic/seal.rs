//! A reading to a frame (`CLASSIC.md`, S1 to S6, P1 to P3).

use super::frame::FRAME_BYTES_MAX;
use super::keys::PreparedKeys;
use super::node::NodeField;
use super::scheme::{DataMode, Layout, MacOver, Scheme};
use crate::clock::Random;
use crate::error::{DataError, Error};
use crate::primitives::{BLOCK, aes_cbc_encrypt};

/// Seals `data` under `session`, the exact bytes that enter the MAC (none in layout `port`,
/// which has no node field either: `field` is not looked at).
///
/// # Errors
/// [`DataError`] if the frame cannot carry it, [`crate::RandomError`] if there is no randomness.
pub fn seal(
    keys: &PreparedKeys,
    scheme: &Scheme,
    field: NodeField<'_>,
    data: &[u8],
    session: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, Error> {
    // S2, P1: sixteen hex digits are what the article's `%8x%8x` draws, without its spaces.
    let mut iv = [0; BLOCK];
    random.fill(&mut iv)?;
    for byte in &mut iv {
        *byte = match *byte & 0x0f {
            digit @ 0..=9 => b'0' + digit,
            digit => b'a' - 10 + digit,
        };
    }
    if scheme.layout == Layout::Port {
        let [.., last] = &mut iv;
        *last = 1;
    }
    Ok(danger_seal_with_iv(keys, scheme, field, data, session, iv)?)
}

/// [`seal`] with an IV of the caller's. An IV that repeats shows which readings are equal:
/// only for vectors.
///
/// # Errors
/// [`DataError`] if the frame cannot carry it.
pub fn danger_seal_with_iv(
    keys: &PreparedKeys,
    scheme: &Scheme,
    field: NodeField<'_>,
    data: &[u8],
    session: &[u8],
    iv: [u8; BLOCK],
) -> Result<Vec<u8>, DataError> {
    let frame = match scheme.layout {
        Layout::Port => seal_port(keys, data, iv),
        Layout::Hex | Layout::Raw => seal_under_session(keys, scheme, field, data, session, iv)?,
    };
    // S6
    if frame.len() > FRAME_BYTES_MAX {
        return Err(DataError::FrameTooLong {
            limit: FRAME_BYTES_MAX,
        });
    }
    Ok(frame)
}

fn seal_under_session(
    keys: &PreparedKeys,
    scheme: &Scheme,
    field: NodeField<'_>,
    data: &[u8],
    session: &[u8],
    iv: [u8; BLOCK],
) -> Result<Vec<u8>, DataError> {
    // S1
    let node = field.to_bytes()?;
    if scheme.data == DataMode::Text && data.last() == Some(&0) {
        return Err(DataError::EndsInNul);
    }
    if session.is_empty() && !scheme.danger_accept_replays {
        return Err(DataError::SessionRequired);
    }
    let enc_iv = encrypt_iv(keys, iv);
    let (mut enc_node, mut enc_data) = (zero_pad(&node), zero_pad(data));
    // S5, before S4 overwrites the padded values
    let mut mac = keys.mac.start();
    match scheme.mac {
        MacOver::Unpadded => [&node, iv.as_slice(), data, session],
        MacOver::Padded => [
            enc_node.as_flattened(),
            &iv,
            enc_data.as_flattened(),
            session,
        ],
    }
    .iter()
    .for_each(|part| mac.update(part));
    let mac = base16ct::lower::encode_string(&mac.finish());
    // S4
    aes_cbc_encrypt(&keys.data_cipher, &iv, &mut enc_node);
    aes_cbc_encrypt(&keys.data_cipher, &iv, &mut enc_data);
    // S6
    let fields = [
        enc_iv.as_slice(),
        enc_node.as_flattened(),
        enc_data.as_flattened(),
    ];
    let mut frame = Vec::with_capacity(43 + mac.len() + 2 * (BLOCK * (2 + enc_data.len())));
    for field in fields {
        match scheme.layout {
            Layout::Raw => frame.extend_from_slice(field),
            Layout::Hex | Layout::Port => {
                frame.extend_from_slice(base16ct::lower::encode_string(field).as_bytes());
            }
        }
        frame.push(b',');
    }
    frame.extend_from_slice(mac.as_bytes());
    Ok(frame)
}

fn seal_port(keys: &PreparedKeys, data: &[u8], iv: [u8; BLOCK]) -> Vec<u8> {
    // P1, P2
    let enc_iv = encrypt_iv(keys, iv);
    let padding = BLOCK - data.len() % BLOCK;
    let mut enc_data = zero_pad(data);
    if padding == BLOCK {
        enc_data.push([0; BLOCK]);
    }
    for byte in enc_data.as_flattened_mut().iter_mut().rev().take(padding) {
        *byte = u8::try_from(padding).unwrap_or_default();
    }
    aes_cbc_encrypt(&keys.data_cipher, &iv, &mut enc_data);
    // P3
    let mut mac = keys.mac.start();
    mac.update(&enc_iv);
    mac.update(enc_data.as_flattened());
    [enc_iv.as_slice(), enc_data.as_flattened(), &mac.finish()]
        .map(base16ct::upper::encode_string)
        .concat()
        .into_bytes()
}

/// S3, P1
fn encrypt_iv(keys: &PreparedKeys, iv: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut enc_iv = [iv];
    aes_cbc_encrypt(&keys.iv_cipher, keys.static_iv.expose(), &mut enc_iv);
    let [enc_iv] = enc_iv;
    enc_iv
}

/// Whole blocks, NULs at the end; none for the empty string.
fn zero_pad(value: &[u8]) -> Vec<[u8; BLOCK]> {
    let mut blocks = vec![[0; BLOCK]; value.len().div_ceil(BLOCK)];
    for (to, from) in blocks.as_flattened_mut().iter_mut().zip(value) {
        *to = *from;
    }
    blocks
}

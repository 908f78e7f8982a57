//! A plaintext to its frame (`SEALED.md`, S1 to S5).

use super::address::Address;
use super::frame::{FRAME_BYTES_MAX, Header, Kind, OVERHEAD_BYTES};
use super::keys::{FrameKeys, Session};
use crate::error::DataError;

/// What a frame says besides its plaintext; the direction is the key's.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// What it is for.
    pub kind: Kind,
    /// The epoch of the key.
    pub epoch: u16,
    /// Whose it is.
    pub address: Address,
    /// Not used before by this device in this direction.
    pub counter: u64,
    /// What it is bound to, if it is.
    pub session: Option<&'a Session>,
    /// Empty, unless both ends agree on another.
    pub context: &'a [u8],
}

/// Seals a plaintext. A counter that repeats shows whether two plaintexts are equal, and the
/// receiver takes only one of them.
///
/// # Errors
/// [`DataError`] if there is no such frame.
pub fn seal(
    keys: &FrameKeys,
    sealing: &Sealing<'_>,
    plaintext: &[u8],
) -> Result<Vec<u8>, DataError> {
    let header = Header {
        direction: keys.direction,
        bound: sealing.session.is_some(),
        kind: sealing.kind,
        epoch: sealing.epoch,
        address: sealing.address,
        counter: sealing.counter,
    };
    // S1
    if let Some(problem) = header.problem() {
        return Err(DataError::NoSuchFrame(problem));
    }
    if plaintext.len() > FRAME_BYTES_MAX - OVERHEAD_BYTES {
        return Err(DataError::FrameTooLong {
            limit: FRAME_BYTES_MAX,
        });
    }
    // S2, S3
    let siv = &keys.siv;
    let header = header.to_bytes();
    let session: &[u8] = sealing.session.map_or(b"", |session| session);
    let components = [&header[..], session, sealing.context].map(|data| siv.component(data));
    let tag = siv.tag(siv.mix(&components), plaintext);
    // S4, S5
    let mut frame = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(&tag.to_be_bytes());
    frame.extend_from_slice(plaintext);
    siv.crypt(tag, frame.split_at_mut(OVERHEAD_BYTES).1);
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::super::{Direction, Frame, armor, open};
    use super::*;
    use crate::key::{DeviceKey, FleetKey};

    /// Both were computed by another implementation.
    #[test]
    fn known_answers() {
        let bytes: Vec<u8> = (0..32).collect();
        let address = Address::parse("0011223344556677").unwrap();
        let key = DeviceKey::of_fleet(&FleetKey::new(&bytes).unwrap(), address);
        let mut sealing = Sealing {
            kind: Kind::Data,
            epoch: 0,
            address,
            counter: 1,
            session: None,
            context: b"",
        };
        let uplink = FrameKeys::new(&key, Direction::Uplink);
        let frame = seal(&uplink, &sealing, b"12345678901234567890").unwrap();
        assert_eq!(
            hex(&frame),
            "f500000000112233445566770000000000000001611bb82078ad9ab653060b4cc8cd01e12b46114d3126539acc413bb7fa701b7a03cd24e3"
        );
        let session: Session = core::array::from_fn(|at| 0x20 + u8::try_from(at).unwrap());
        sealing.epoch = 1;
        sealing.counter = (1 << 40) + 5;
        sealing.session = Some(&session);
        sealing.context = b"home/relay/cmd";
        let downlink = FrameKeys::new(&key.ratchet(), Direction::Downlink);
        let frame = seal(&downlink, &sealing, b"relay=on").unwrap();
        assert_eq!(
            hex(&frame),
            "f503000100112233445566770000010000000005416ba348f3cb3e1b223cc53487e4450c93e4a0ad44e35afa"
        );
        let text = armor(&frame);
        assert!(text.starts_with("9Q"));
        let parsed = Frame::parse(text.as_bytes()).unwrap();
        let opened = open(&parsed, &downlink, [&[0; 16], &session], b"home/relay/cmd").unwrap();
        assert_eq!((opened.session, &*opened.plaintext), (1, &b"relay=on"[..]));
        assert_eq!(open(&parsed, &downlink, [&session], b""), None);
        assert_eq!(open(&parsed, &uplink, [&session], b"home/relay/cmd"), None);
    }

    fn hex(bytes: &[u8]) -> String {
        base16ct::lower::encode_string(bytes)
    }
}

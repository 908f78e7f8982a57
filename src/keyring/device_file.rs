//! The file that a device itself holds, in the keyring's own words.

use std::path::Path;
use std::sync::Arc;

use super::parse::{
    check_version, checked_name, read_keys, read_node_id, read_scheme, read_session_topic,
    read_topic_name,
};
use super::place::read_secret_file;
use super::reader::Table;
use crate::classic::{Layout, Scheme};
use crate::error::KeyringError;
use crate::key::ClassicKeys;

/// What a device file says.
pub(crate) struct DeviceFile {
    pub(crate) name: Arc<str>,
    pub(crate) address: Box<[u8]>,
    pub(crate) scheme: Scheme,
    pub(crate) topic: Arc<str>,
    pub(crate) session_topic: Option<Arc<str>>,
    pub(crate) keys: ClassicKeys,
}

/// Reads and checks a device file.
pub(crate) fn parse_device(path: &Path) -> Result<DeviceFile, KeyringError> {
    read_secret_file(path, false, parse).map(|(file, _)| file)
}

/// The device, and whether its file allows that others read it.
fn parse(text: &str) -> Result<(DeviceFile, bool), KeyringError> {
    let mut top = Table::parse(text)?;
    check_version(&mut top)?;
    let allow_wide_permissions = top.bool("allow_wide_permissions")?;
    let name = checked_name(&top.required("name", "what people call the device")?)?;
    let mut classic = top
        .required("classic", "a [classic] table says how the device sends")?
        .table()?;
    let scheme = read_scheme(&mut classic)?;
    let topic = read_topic_name(&classic.required("topic", "where the readings go")?)?;
    let session_topic = read_session_topic(&mut classic, &scheme)?;
    let address = match scheme.layout {
        Layout::Port => topic.as_bytes().into(),
        Layout::Hex | Layout::Raw => {
            let hint = "what `print(node.chipid())` says on the device";
            read_node_id(&classic.required("node_id", hint)?)?
        }
    };
    let allow_article_keys = classic.bool("allow_article_keys")?;
    let keys = classic.required("keys", "[classic.keys] holds the four keys")?;
    let (keys, _) = read_keys(keys.table()?, allow_article_keys)?;
    classic.finish()?;
    top.finish()?;
    let file = DeviceFile {
        name,
        address,
        scheme,
        topic,
        session_topic,
        keys,
    };
    Ok((file, allow_wide_permissions))
}

//! Device files: what they hold, and the sentence for each mistake.

use std::path::PathBuf;

use super::Device;
use crate::keyring::Keyring;
use crate::{MemoryStore, Receiver, Verdict};

const VALID: &str = r#"version = 1
name = "kitchen"

[classic]
node_id = "11242238"
topic = "sensors/kitchen"
session_topic = "sensors/session"

[classic.keys]
iv_key = { text = "QzWxEcRvTbYnUmIk" }
data_key = { hex = "8d0c5b7e21f94a36d8b7c01e53af6924" }
static_iv = { text = "pLoKiJuHyGtFrDeS" }
passphrase = { text = "Kd7! wvPq0: zzyx 3 words" }
"#;

#[test]
fn a_device_file_seals_what_the_keyring_with_its_keys_opens() {
    for extra in [
        "",
        "layout = 'raw'\n",
        "data = 'binary'\n",
        "mac = 'padded'\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = VALID.replace("node_id", &format!("{extra}node_id"));
        let device = Device::load(&write(&folder, &text, 0o600)).unwrap();
        assert_eq!(&**device.name(), "kitchen");
        assert_eq!(
            device.topic().map(|topic| &**topic),
            Some("sensors/kitchen")
        );
        let session_topic = device.session_topic().map(|topic| &**topic);
        assert_eq!(session_topic, Some("sensors/session"));
        let keys = &VALID[VALID.find("iv_key").unwrap()..];
        let keyring = format!(
            "version = 1\nsession_key = '{}'\n[[classic_group]]\nname = 'g'\ntopic = 'sensors/+'\n\
             session_topic = 'sensors/session'\n{extra}[classic_group.keys]\n{keys}\
             [[device]]\nname = 'kitchen'\nclassic = {{ group = 'g', node_id = '11242238' }}\n",
            "5a".repeat(32)
        );
        let keyring = Keyring::parse(&keyring).unwrap().into();
        let receiver = Receiver::new(keyring, std::sync::Arc::new(MemoryStore::default()), true);
        let receiver = receiver.unwrap();
        assert!(device.hear(&receiver.publications().unwrap()[0].payload));
        let frame = device.seal(b"21.5").unwrap();
        let message = receiver
            .open(&frame, Some("sensors/kitchen"), false)
            .unwrap();
        assert_eq!(message.verdict, Verdict::Fresh, "{extra}");
        assert_eq!(message.data.as_deref(), Some(&b"21.5"[..]));
    }
}

#[test]
fn a_port_device_needs_neither_node_id_nor_session() {
    let folder = tempfile::tempdir().unwrap();
    let text = VALID
        .replace("node_id = \"11242238\"", "layout = \"port\"")
        .replace("session_topic = \"sensors/session\"\n", "");
    let device = Device::load(&write(&folder, &text, 0o600)).unwrap();
    assert_eq!(device.session_topic(), None);
    let frame = device.seal(b"42").unwrap();
    assert_eq!(frame, frame.to_ascii_uppercase());
    assert_eq!(frame.len(), 32 + 32 + 40);
}

#[test]
fn each_mistake_has_its_sentence_and_shows_no_key() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, expected) in [
        (
            "version = 1",
            "version = 2",
            "1: version: this version of espseal reads `version = 1`, not 2",
        ),
        (
            "name = \"kitchen\"\n",
            "",
            "1: name: is missing; what people call the device",
        ),
        (
            "node_id = \"11242238\"\n",
            "",
            "4: classic.node_id: is missing; what `print(node.chipid())` says on the device",
        ),
        (
            "node_id = \"11242238\"",
            "node_id = \"1>2\"",
            "5: classic.node_id: must be a string of 1 to 15 bytes without NUL and without `>`",
        ),
        (
            "topic = \"sensors/kitchen\"\n",
            "",
            "4: classic.topic: is missing; where the readings go",
        ),
        (
            "sensors/kitchen",
            "sensors/+",
            "6: classic.topic: must be one topic, without `+` and `#`",
        ),
        (
            "session_topic = \"sensors/session\"\n",
            "",
            "4: classic.session_topic: is missing; the topic of the session IDs, like \"sensors/session\"",
        ),
        (
            "UmIk",
            "UmI",
            "10: classic.keys.iv_key: is 15 bytes long and must be 16, 24 or 32",
        ),
        (
            "GtFrDeS",
            "GtFrDe",
            "12: classic.keys.static_iv: is 15 bytes long and must be 16",
        ),
        (
            "\"Kd7! wvPq0: zzyx 3 words\"",
            "\"mypassphrase\"",
            "13: classic.keys.passphrase: this key is printed in the article and known to everyone: draw new keys, or say `allow_article_keys = true` in the table that holds `keys`",
        ),
        (
            "node_id",
            "group = \"g\"\nnode_id",
            "5: classic.group: unknown field; known here: allow_article_keys, danger_accept_replays, data, keys, layout, mac, node_id, session_topic, topic",
        ),
        (
            "version = 1",
            "version = 1\nsession_key = \"00\"",
            "2: session_key: unknown field; known here: allow_wide_permissions, classic, name, version",
        ),
    ] {
        assert!(VALID.contains(from), "{from}");
        let path = write(&folder, &VALID.replacen(from, to, 1), 0o600);
        let error = Device::load(&path).unwrap_err();
        let shown = error.to_string();
        let shown = shown.strip_prefix(&format!("{}:", path.display())).unwrap();
        assert_eq!(shown, expected);
        let debug = format!("{error:?}");
        for secret in ["QzWxEcRv", "8d0c5b7e", "pLoKiJuH", "wvPq0: z", "mypassph"] {
            assert!(
                !shown.contains(secret) && !debug.contains(secret),
                "{shown}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_device_file_that_others_can_read_is_refused_unless_it_allows_that() {
    let folder = tempfile::tempdir().unwrap();
    let error = Device::load(&write(&folder, VALID, 0o644)).unwrap_err();
    assert_eq!(error.code(), "wide_permissions");
    let text = VALID.replace("version = 1", "version = 1\nallow_wide_permissions = true");
    let device = Device::load(&write(&folder, &text, 0o644)).unwrap();
    let debug = format!("{device:?}");
    assert_eq!(debug, "Device { name: \"kitchen\", format: Classic, .. }");
}

fn write(folder: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
    let path = folder.path().join("device.toml");
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    path
}

//! Every mistake in a keyring, and the sentence that it gets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Keyring, KeyringFile, NewAddress, NewGroup, Policy};
use crate::classic::{DataMode, Layout, MacOver};
use crate::error::{Error, KeyringError, KeyringProblem};
use crate::key::{AesKey, ClassicKeys, Passphrase, StaticIv};

const VALID: &str = r#"# Whom to believe.
version = 1
session_key = "c4f1a07b93de5286b0e7449ad15f3c68720b8ed9f6134ca5e8d7920b61fa3c5d"

[[classic_group]]
name = "greenhouse" # the one behind the house
topic = "sensors/+"
session_topic = "sensors/session"

[classic_group.keys]
iv_key = { text = "QzWxEcRvTbYnUmIk" }
data_key = { hex = "8d0c5b7e21f94a36d8b7c01e53af6924" }
static_iv = { text = "pLoKiJuHyGtFrDeS" }
passphrase = { text = "Kd7! wvPq0: zzyx 3 words" }

[[device]]
name = "kitchen"
classic = { group = "greenhouse", node_id = "11242238" }

[[device]]
name = "bath"

[device.classic]
group = "greenhouse"
node_id = "11242239"

[device.classic.keys]
iv_key = { hex = "f07a63d9415c8e2b94a6d0371fbe58c2e6193d74a80b5fc2" }
data_key = { hex = "3b96e84d07fa52c1b9e06d7f2458a3ce9170bd642ef85ac3d1496b07e8fa253d" }
static_iv = { hex = "5ad4902fe86b71c3f9a0574ed83b16c7" }
passphrase = { text = "Vx9" }
"#;

/// The keys of [`VALID`] as a person wrote them; the three characters of the last are too few to
/// look for.
const SECRETS: [&str; 8] = [
    "c4f1a07b93de5286b0e7449ad15f3c68720b8ed9f6134ca5e8d7920b61fa3c5d",
    "QzWxEcRvTbYnUmIk",
    "8d0c5b7e21f94a36d8b7c01e53af6924",
    "pLoKiJuHyGtFrDeS",
    "Kd7! wvPq0: zzyx 3 words",
    "f07a63d9415c8e2b94a6d0371fbe58c2e6193d74a80b5fc2",
    "3b96e84d07fa52c1b9e06d7f2458a3ce9170bd642ef85ac3d1496b07e8fa253d",
    "5ad4902fe86b71c3f9a0574ed83b16c7",
];

#[test]
fn a_valid_keyring_says_what_it_says() {
    let keyring = Keyring::parse(VALID).unwrap();
    let [group] = keyring.groups() else { panic!() };
    assert_eq!(&*group.name, "greenhouse");
    assert_eq!(group.session_topic.as_deref(), Some("sensors/session"));
    assert_eq!(group.policy, Policy::Pool);
    assert_eq!(group.scheme, crate::classic::Scheme::default());
    assert_eq!(group.times.interval.as_secs(), 30);
    assert_eq!(group.times.life.as_secs(), 120);
    assert_eq!(group.key_sets.len(), 2);
    assert_eq!(group.device(b"11242238"), Some(0));
    assert_eq!(group.device(b"11242239"), Some(1));
    assert_eq!(
        keyring
            .device("bath")
            .unwrap()
            .classic
            .as_ref()
            .unwrap()
            .key_set,
        1
    );
    assert_eq!(keyring.warnings(), [""; 0]);
    let debug = format!("{keyring:?}");
    assert_no_key(&debug);
    let empty = Keyring::parse(&VALID[..VALID.find("\n[[").unwrap()]).unwrap();
    assert!(empty.groups().is_empty() && empty.devices().is_empty());
}

/// What replaces what in [`VALID`], and the whole sentence.
#[test]
fn each_mistake_has_its_sentence_with_line_and_field() {
    const FORM: &str =
        r#"must be written { hex = "…" } or, for the characters themselves, { text = "…" }"#;
    for (from, to, expected) in [
        // Version and session key
        (
            "version = 1\n",
            "",
            "line 1: version: is missing; write `version = 1` in the first line",
        ),
        (
            "version = 1",
            "version = 2",
            "line 2: version: this version of espseal reads `version = 1`, not 2",
        ),
        (
            "version = 1",
            "version = \"1\"",
            "line 2: version: must be a whole number: `version = 1`",
        ),
        (
            "version = 1",
            "version = 1.0",
            "line 2: version: must be a whole number: `version = 1`",
        ),
        (
            "version = 1",
            "version = -1",
            "line 2: version: must be a whole number: `version = 1`",
        ),
        (
            "version = 1",
            "version = 99999999999999999999",
            "line 2: version: must be a whole number: `version = 1`",
        ),
        (
            "session_key = ",
            "session_kez = ",
            "line 1: session_key: is missing; `espseal keyring new` makes a keyring with one",
        ),
        (
            "fa3c5d\"",
            "fa3c\"",
            "line 3: session_key: is 31 bytes long and must be 32",
        ),
        (
            "fa3c5d\"",
            "fa3c5\"",
            "line 3: session_key: must be an even number of hex digits",
        ),
        (
            "\"c4f1",
            "\"xyz1",
            "line 3: session_key: must be an even number of hex digits",
        ),
        (
            "session_key = \"",
            "session_key = 1 #\"",
            "line 3: session_key: must be a string",
        ),
        // Key lengths and forms
        (
            "UmIk",
            "UmI",
            "line 11: classic_group.keys.iv_key: is 15 bytes long and must be 16, 24 or 32",
        ),
        (
            "53af6924",
            "53af6924aa",
            "line 12: classic_group.keys.data_key: is 17 bytes long and must be 16, 24 or 32",
        ),
        (
            "GtFrDeS",
            "GtFrDeSS",
            "line 13: classic_group.keys.static_iv: is 17 bytes long and must be 16",
        ),
        (
            "\"Kd7! wvPq0: zzyx 3 words\"",
            "\"\"",
            "line 14: classic_group.keys.passphrase: is 0 bytes long and must be at least 1",
        ),
        (
            "1fbe58c2e6193d74a80b5fc2",
            "",
            "line 28: device.classic.keys.iv_key: is 12 bytes long and must be 16, 24 or 32",
        ),
        (
            "{ text = \"QzWxEcRvTbYnUmIk\" }",
            "\"QzWxEcRvTbYnUmIk\"",
            &format!("line 11: classic_group.keys.iv_key: {FORM}"),
        ),
        (
            "{ text = \"QzWxEcRvTbYnUmIk\" }",
            "{ base64 = \"QzWxEcRvTbYnUmIk\" }",
            &format!("line 11: classic_group.keys.iv_key: {FORM}"),
        ),
        (
            "{ text = \"Qz",
            "{ hex = \"00\", text = \"Qz",
            &format!("line 11: classic_group.keys.iv_key: {FORM}"),
        ),
        (
            "{ text = \"Qz",
            "{ hint = 1, text = \"Qz",
            "line 11: classic_group.keys.iv_key.hint: unknown field; known here: hex, text",
        ),
        (
            "{ text = \"QzWxEcRvTbYnUmIk\" }",
            "{ text = 5 }",
            "line 11: classic_group.keys.iv_key.text: must be a string",
        ),
        (
            "{ hex = \"8d0c5b7e21f94a36d8b7c01e53af6924\" }",
            "{ hex = \"8d0c5b7e21f94a36d8b7c01e53af692\" }",
            "line 12: classic_group.keys.data_key.hex: must be an even number of hex digits",
        ),
        (
            "static_iv = { text = \"pLoKiJuHyGtFrDeS\" }\n",
            "",
            "line 10: classic_group.keys.static_iv: is missing; write { hex = \"…\" } or { text = \"…\" }",
        ),
        // Fields of a group
        (
            "topic = \"sensors/+\"\n",
            "",
            "line 5: classic_group.topic: is missing; the readings' topic filter, like \"sensors/+\"",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors+\"",
            "line 7: classic_group.topic: must be a topic filter: `+` and `#` alone on their level, `#` last",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = [\"sensors/+\"]",
            "line 7: classic_group.topic: must be a string",
        ),
        (
            "session_topic = \"sensors/session\"\n",
            "",
            "line 5: classic_group.session_topic: is missing; the topic of the session IDs, like \"sensors/session\"",
        ),
        (
            "\"sensors/session\"",
            "\"sensors/#\"",
            "line 8: classic_group.session_topic: must be one topic, without `+` and `#`",
        ),
        (
            "name = \"greenhouse\"",
            "",
            "line 5: classic_group.name: is missing; what people call it",
        ),
        (
            "name = \"greenhouse\"",
            "name = \"\"",
            "line 6: classic_group.name: must be a name of 1 to 64 characters, none of them a control character",
        ),
        (
            "name = \"greenhouse\"",
            "name = \"green\\u001bhouse\"",
            "line 6: classic_group.name: must be a name of 1 to 64 characters, none of them a control character",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nsession_lifetime = 5",
            "line 8: classic_group.session_lifetime: unknown field; known here: allow_article_keys, command_session_topic, command_topic, danger_accept_replays, data, keys, layout, mac, name, policy, session_interval, session_life, session_memory, session_topic, topic",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\n\"a\\u001bb\" = 5",
            "line 8: classic_group: unknown field; known here: allow_article_keys, command_session_topic, command_topic, danger_accept_replays, data, keys, layout, mac, name, policy, session_interval, session_life, session_memory, session_topic, topic",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nlayout = \"csv\"",
            "line 8: classic_group.layout: must be \"hex\", \"raw\" or \"port\"",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nlayout = 1",
            "line 8: classic_group.layout: must be \"hex\", \"raw\" or \"port\"",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\ndata = \"utf8\"",
            "line 8: classic_group.data: must be \"text\" or \"binary\"",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nmac = true",
            "line 8: classic_group.mac: must be \"unpadded\" or \"padded\"",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\ndata = \"binary\"\nmac = \"padded\"",
            "line 9: classic_group.mac: must be \"unpadded\" where `data = \"binary\"`: a padded MAC does not say where the data ends",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\npolicy = \"lax\"",
            "line 8: classic_group.policy: must be \"pool\" or \"strict\"",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nallow_article_keys = \"yes\"",
            "line 8: classic_group.allow_article_keys: must be true or false",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nsession_interval = 0",
            "line 8: classic_group.session_interval: must be a number of seconds from 1 to 86400",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nsession_interval = 30.0",
            "line 8: classic_group.session_interval: must be a number of seconds from 1 to 86400",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nsession_interval = 120",
            "line 5: classic_group.session_life: must be longer than `session_interval`, so that a node always has a live session",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nsession_life = 30",
            "line 8: classic_group.session_life: must be longer than `session_interval`, so that a node always has a live session",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nsession_memory = 0",
            "line 8: classic_group.session_memory: must be a number of frames from 1 to 16777216",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\ncommand_topic = \"commands\"",
            "line 8: classic_group.command_topic: must be a topic with `{node_id}` in it, so that each node has its own",
        ),
        (
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\ncommand_topic = \"+/{node_id}\"",
            "line 8: classic_group.command_topic: must be one topic, without `+` and `#`",
        ),
        (
            "[[classic_group]]",
            "[classic_group]",
            "line 5: classic_group: must be an array of tables: head each with its name in double brackets, like `[[device]]`",
        ),
        (
            "[[classic_group]]",
            "[[classic_groups]]",
            "line 10: classic_group: must be an array of tables: head each with its name in double brackets, like `[[device]]`",
        ),
        // Devices
        (
            "name = \"kitchen\"\n",
            "",
            "line 16: device.name: is missing; what people call it",
        ),
        (
            "name = \"bath\"",
            "name = \"kitchen\"",
            "line 21: device.name: `kitchen` is already the name in line 17; names must differ",
        ),
        (
            "\"11242239\"",
            "\"11242238\"",
            "line 25: device.classic.node_id: `11242238` already belongs to `kitchen` (line 17)",
        ),
        (
            "\"11242239\"",
            "11242239",
            "line 25: device.classic.node_id: must be a string, or { hex = \"…\" }",
        ),
        (
            "\"11242239\"",
            "\"\"",
            "line 25: device.classic.node_id: must be a string of 1 to 15 bytes without NUL and without `>`",
        ),
        (
            "\"11242239\"",
            "\"1234567890123456\"",
            "line 25: device.classic.node_id: must be a string of 1 to 15 bytes without NUL and without `>`",
        ),
        (
            "\"11242239\"",
            "\"7>8\"",
            "line 25: device.classic.node_id: must be a string of 1 to 15 bytes without NUL and without `>`",
        ),
        (
            "\"11242239\"",
            "\"7\\u0000\"",
            "line 25: device.classic.node_id: must be a string of 1 to 15 bytes without NUL and without `>`",
        ),
        (
            "node_id = \"11242239\"\n",
            "",
            "line 23: device.classic.node_id: is missing; what `print(node.chipid())` says on the device",
        ),
        (
            "group = \"greenhouse\"\nnode",
            "node",
            "line 23: device.classic.group: is missing; name one of the `[[classic_group]]`s",
        ),
        (
            "group = \"greenhouse\"\nnode",
            "group = \"cellar\"\nnode",
            "line 24: device.classic.group: there is no `[[classic_group]]` named `cellar`; there is greenhouse",
        ),
        (
            "classic = { group = \"greenhouse\", node_id = \"11242238\" }\n",
            "",
            "line 16: device.sealed: the device is in no fleet and in no group: write `sealed = { fleet = \"…\", address = \"…\" }` or `classic = { group = \"…\", node_id = \"…\" }` in it",
        ),
        (
            "classic = { group = \"greenhouse\", node_id = \"11242238\" }\n",
            "classic = \"greenhouse\"\n",
            "line 18: device.classic: must be a table",
        ),
        (
            "name = \"kitchen\"\n",
            "name = \"kitchen\"\nlocation = \"house\"\n",
            "line 18: device.location: unknown field; known here: classic, name, sealed",
        ),
        (
            "node_id = \"11242238\" }",
            "node_id = \"11242238\", colour = 1 }",
            "line 18: device.classic.colour: unknown field; known here: allow_article_keys, group, keys, node_id",
        ),
        // The file as a whole
        (
            "version = 1",
            "version = 1\nvault = true",
            "line 3: vault: unknown field; known here: allow_wide_permissions, classic_group, device, fleet, session_key, version",
        ),
        (
            "version = 1",
            "version = 1\nallow_wide_permissions = 1",
            "line 3: allow_wide_permissions: must be true or false",
        ),
    ] {
        let error = mistake(from, to);
        assert_eq!(error.to_string(), expected);
        assert_no_key(&format!("{error} {error:?}"));
    }
}

#[test]
fn a_group_without_keys_needs_devices_with_their_own() {
    let start = VALID.find("[classic_group.keys]").unwrap();
    let end = VALID.find("[[device]]").unwrap();
    let text = [&VALID[..start], &VALID[end..]].concat();
    let error = Keyring::parse(&text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 12: device.classic.keys: is missing; its group has no `[classic_group.keys]`, so the device needs its own"
    );
    let kitchen = text.find("[[device]]").unwrap();
    let bath = text.rfind("[[device]]").unwrap();
    Keyring::parse(&[&text[..kitchen], &text[bath..]].concat()).unwrap();
}

#[test]
fn port_devices_are_named_by_a_topic_of_the_group() {
    let text = VALID
        .replace(
            "topic = \"sensors/+\"",
            "topic = \"sensors/+\"\nlayout = \"port\"",
        )
        .replace("session_topic = \"sensors/session\"\n", "");
    let with = |topic: &str| {
        let bath = text.find("[[device]]\nname = \"bath\"").unwrap();
        let text = text[..bath].replace("node_id = \"11242238\"", topic);
        Keyring::parse(&text).map_err(|error| error.to_string())
    };
    let keyring = with("topic = \"sensors/1\"").unwrap();
    assert_eq!(keyring.groups()[0].device(b"sensors/1"), Some(0));
    assert_eq!(
        with("node_id = \"1\"").unwrap_err(),
        "line 18: device.classic.topic: is missing; in layout \"port\" the topic names the device"
    );
    assert_eq!(
        with("topic = \"meters/1\"").unwrap_err(),
        "line 18: device.classic.topic: must be a topic that the group's filter matches"
    );
    assert_eq!(
        with("topic = \"sensors/+\"").unwrap_err(),
        "line 18: device.classic.topic: must be one topic, without `+` and `#`"
    );
}

#[test]
fn groups_that_share_a_name_are_refused() {
    let end = VALID.find("[[device]]").unwrap();
    let group = &VALID[VALID.find("[[classic_group]]").unwrap()..end];
    let text = [&VALID[..end], group].concat();
    let error = Keyring::parse(&text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 17: classic_group.name: `greenhouse` is already the name in line 6; names must differ"
    );
}

#[test]
fn the_same_node_id_may_stand_in_two_groups() {
    let end = VALID.find("[[device]]").unwrap();
    let group = VALID[VALID.find("[[classic_group]]").unwrap()..end]
        .replace("\"greenhouse\"", "\"cellar\"")
        .replace("sensors/", "cellar/");
    let device = "[[device]]\nname = \"cellar 1\"\nclassic = { group = \"cellar\", node_id = \"11242238\" }\n";
    Keyring::parse(&[VALID, &group, device].concat()).unwrap();
}

#[test]
fn each_of_the_articles_printed_keys_needs_the_allowance() {
    let sentence = "this key is printed in the article and known to everyone: draw new keys, or say `allow_article_keys = true` in the table that holds `keys`";
    for (line, field, from, to) in [
        (
            11,
            "iv_key",
            "{ text = \"QzWxEcRvTbYnUmIk\" }",
            "2345678901abcdef",
        ),
        (
            12,
            "data_key",
            "{ hex = \"8d0c5b7e21f94a36d8b7c01e53af6924\" }",
            "0123456789abcdef",
        ),
        (
            13,
            "static_iv",
            "{ text = \"pLoKiJuHyGtFrDeS\" }",
            "abcdef2345678901",
        ),
        (
            14,
            "passphrase",
            "{ text = \"Kd7! wvPq0: zzyx 3 words\" }",
            "mypassphrase",
        ),
    ] {
        let digits = base16ct::lower::encode_string(to.as_bytes());
        for form in [
            format!("{{ text = \"{to}\" }}"),
            format!("{{ hex = \"{digits}\" }}"),
        ] {
            let error = mistake(from, &form);
            assert_eq!(
                error.to_string(),
                format!("line {line}: classic_group.keys.{field}: {sentence}")
            );
            assert_eq!(error.problem, KeyringProblem::ArticleKeys);
            assert!(!format!("{error:?}").contains(to));
            let text = VALID.replace(from, &form);
            let allowed = "topic = \"sensors/+\"\nallow_article_keys = true";
            let text = text.replace("topic = \"sensors/+\"", allowed);
            let keyring = Keyring::parse(&text).unwrap();
            assert_eq!(keyring.warnings().len(), 1);
            assert!(
                keyring.warnings()[0].contains("`greenhouse` uses keys printed in the article")
            );
        }
    }
}

#[test]
fn a_device_of_its_own_keys_needs_the_allowance_itself() {
    let from = "{ hex = \"5ad4902fe86b71c3f9a0574ed83b16c7\" }";
    let to = "{ text = \"abcdef2345678901\" }";
    let error = mistake(from, to);
    assert_eq!(error.problem, KeyringProblem::ArticleKeys);
    assert_eq!(error.line, Some(30));
    assert_eq!(
        error.field.as_deref(),
        Some("device.classic.keys.static_iv")
    );
    let text = VALID.replace(from, to);
    let group = text.replace(
        "topic = \"sensors/+\"",
        "topic = \"sensors/+\"\nallow_article_keys = true",
    );
    assert!(
        Keyring::parse(&group).is_err(),
        "the group's allowance is not the device's"
    );
    let device = text.replace(
        "node_id = \"11242239\"",
        "node_id = \"11242239\"\nallow_article_keys = true",
    );
    assert_eq!(Keyring::parse(&device).unwrap().warnings().len(), 1);
}

// ---- No key in any complaint ----

#[test]
fn a_broken_line_shows_no_key() {
    for (at, line) in VALID.lines().enumerate() {
        for cut in 0..=line.len() {
            for end in [
                "", "\"", "'", " =", "\\", "\\u12", "}", "{", "\u{1}", "\u{e9}",
            ] {
                let broken = [&line[..cut], end].concat();
                let text = with_line(at, &broken);
                complain(&text);
            }
            if cut < line.len() {
                complain(&with_line(at, &[&line[..cut], &line[cut + 1..]].concat()));
                complain(&with_line(at, &[&line[..cut], "\"", &line[cut..]].concat()));
                complain(&with_line(at, &[&line[..cut], "\n", &line[cut..]].concat()));
            }
        }
    }
}

#[test]
fn a_keyring_cut_off_anywhere_shows_no_key() {
    for cut in 0..VALID.len() {
        complain(&VALID[..cut]);
        complain(&VALID[cut..]);
    }
}

#[test]
fn a_syntax_error_on_a_line_with_a_key_names_the_line_alone() {
    for secret in SECRETS {
        let line = 1 + VALID
            .lines()
            .position(|line| line.contains(secret))
            .unwrap();
        for wrong in [
            "UNQUOTED",
            "\"UNQUOTED",
            "\"UNQUOTED'",
            "\"\\qUNQUOTED\"",
            "\"UNQUOTED\" \"UNQUOTED\"",
        ] {
            let text = VALID.replace(&format!("\"{secret}\""), &wrong.replace("UNQUOTED", secret));
            let error = Keyring::parse(&text).unwrap_err();
            assert_no_key(&format!("{error} {error:?}"));
            assert_eq!(error.problem.code(), "syntax", "{error}");
            // TOML 1.1 lets an inline table go on: what is wrong may be the next thing there is.
            let next = if line == 3 { line } else { line + 2 };
            assert!((line..=next).contains(&error.line.unwrap()), "{error}");
        }
    }
}

#[test]
fn a_key_in_the_wrong_place_is_not_shown() {
    for secret in SECRETS {
        let line = VALID
            .lines()
            .position(|line| line.contains(secret))
            .unwrap();
        for wrong in [
            "SECRET",
            "\"SECRET\"",
            "{ SECRET }",
            "iv_key = { \"SECRET\" }",
            "iv_key = { \"SECRET\" = \"text\" }",
            "\"SECRET\" = \"session_key\"",
            "[\"SECRET\"]",
            "SECRET = \"session_key\"",
            "[SECRET]",
            "[[SECRET]]",
            "session_key = SECRET",
            "layout = \"SECRET\"",
            "version = \"SECRET\"",
            "data_key.SECRET = 1",
        ] {
            let wrong = wrong.replace("SECRET", secret);
            complain(&with_line(line, &wrong));
            let right = VALID.lines().nth(line).unwrap();
            complain(&with_line(line, &[right, "\n", &wrong].concat()));
        }
    }
}

// ---- Files ----

#[test]
fn an_error_of_a_file_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, &VALID.replace("version = 1", "version = 3"), 0o600);
    let error = Keyring::load(&path, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}:2: version: this version of espseal reads `version = 1`, not 3",
            path.display()
        )
    );
    let missing = folder.path().join("missing.toml");
    let error = Keyring::load(&missing, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: there is no such file; `espseal keyring new` makes one",
            missing.display()
        )
    );
    fs::write(&path, b"version = 1 # \xff").unwrap();
    let error = Keyring::load(&path, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: is not UTF-8 text", path.display())
    );
    let error = Keyring::load(folder.path(), false).unwrap_err();
    assert_eq!(error.problem.code(), "io");
    let keyring = Keyring::load(&write(&folder, VALID, 0o600), false).unwrap();
    let error = keyring.device("attic").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: the keyring has no device named `attic`",
            path.display()
        )
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused_unless_it_or_the_caller_allows_it() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let path = write(&folder, VALID, mode);
        let error = Keyring::load(&path, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{}: others can read this file (mode {mode:04o}); `chmod 600` it, or say `allow_wide_permissions = true` in it",
                path.display()
            )
        );
        assert_eq!(KeyringFile::open(&path).unwrap_err(), error);
        let warning = ["others can read this keyring, and with it every key"];
        assert_eq!(Keyring::load(&path, true).unwrap().warnings(), warning);
        let text = VALID.replace("version = 1", "version = 1\nallow_wide_permissions = true");
        let path = write(&folder, &text, mode);
        assert_eq!(Keyring::load(&path, false).unwrap().warnings(), warning);
    }
    for mode in [0o600, 0o400, 0o700] {
        let path = write(&folder, VALID, mode);
        assert_eq!(Keyring::load(&path, false).unwrap().warnings(), [""; 0]);
    }
}

#[test]
fn create_makes_folders_and_a_file_for_its_owner_alone_and_never_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folders/keyring.toml");
    let file = KeyringFile::create(&path).unwrap();
    assert_eq!(file.path(), path);
    let keyring = Keyring::load(&path, false).unwrap();
    assert!(keyring.groups().is_empty());
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
    let before = fs::read(&path).unwrap();
    let error = KeyringFile::create(&path).unwrap_err();
    assert_eq!(error.code(), "already_exists");
    assert_eq!(
        error.to_string(),
        format!(
            "{}: is there already; move it away, or add to it with `espseal keyring add`",
            path.display()
        )
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(
        entries(path.parent().unwrap()),
        ["keyring.toml"],
        "no rests"
    );
    let other = folder.path().join("other.toml");
    KeyringFile::create(&other).unwrap();
    assert_ne!(
        fs::read(&other).unwrap(),
        before,
        "each has its own session key"
    );
    KeyringFile::open(&path).unwrap();
}

#[test]
fn adding_keeps_comments_order_and_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, &[VALID, "# the end\n"].concat(), 0o400);
    let file = KeyringFile::open(&path).unwrap();
    add(&file, "attic", "greenhouse", "7").unwrap();
    file.add_group(&new_group("cellar")).unwrap();
    add(&file, "o'brien's \"box\" \\", "cellar", "\u{fc}").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let mut rest = text.as_str();
    for line in VALID.lines().chain(["# the end"]) {
        let at = rest
            .find(line)
            .unwrap_or_else(|| panic!("{line} is lost or moved"));
        rest = &rest[at + line.len()..];
    }
    let keyring = Keyring::load(&path, false).unwrap();
    let names: Vec<&str> = keyring
        .devices()
        .iter()
        .map(|device| &*device.name)
        .collect();
    assert_eq!(names, ["kitchen", "bath", "attic", "o'brien's \"box\" \\"]);
    let groups: Vec<&str> = keyring.groups().iter().map(|group| &*group.name).collect();
    assert_eq!(groups, ["greenhouse", "cellar"]);
    assert_eq!(keyring.groups()[1].device("\u{fc}".as_bytes()), Some(3));
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o400);
}

#[test]
fn a_new_group_has_what_was_asked_for_and_keys_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    let file = KeyringFile::create(&path).unwrap();
    file.add_group(&new_group("drawn")).unwrap();
    let keys = ClassicKeys {
        iv_key: AesKey::new(&[1; 16]).unwrap(),
        data_key: AesKey::new(&[2; 24]).unwrap(),
        static_iv: StaticIv::new(&[3; 16]).unwrap(),
        passphrase: Passphrase::new(b"\x00\xff\"\n").unwrap(),
    };
    file.add_group(&NewGroup {
        layout: Layout::Raw,
        data: DataMode::Binary,
        keys: Some(&keys),
        ..new_group("given")
    })
    .unwrap();
    add(&file, "a", "drawn", "1").unwrap();
    add(&file, "b", "given", "1").unwrap();
    let keyring = Keyring::load(&path, false).unwrap();
    let [drawn, given] = keyring.groups() else {
        panic!()
    };
    assert_eq!(drawn.scheme, crate::classic::Scheme::default());
    assert_eq!(
        (given.scheme.layout, given.scheme.data),
        (Layout::Raw, DataMode::Binary)
    );
    assert_eq!(given.scheme.mac, MacOver::Unpadded);
    // Sealed under the given keys, opened under those of the file.
    let node = crate::classic::NodeField::Reading(b"1");
    let sealed = crate::classic::danger_seal_with_iv(
        &(&keys).into(),
        &given.scheme,
        node,
        b"x\0",
        b"s",
        [b'1'; 16],
    )
    .unwrap();
    let frame = crate::classic::Frame::parse(&sealed, false).unwrap();
    let open = |set: &super::Group| {
        crate::classic::open(&frame, &set.key_sets[0].keys, &[b"s"], &given.scheme)
    };
    assert_eq!(open(given).unwrap().data(), b"x\0");
    assert!(open(drawn).is_none());
}

#[test]
fn a_refused_change_leaves_the_file_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, VALID, 0o600);
    let file = KeyringFile::open(&path).unwrap();
    let keys = ClassicKeys {
        iv_key: AesKey::new(b"2345678901abcdef").unwrap(),
        data_key: AesKey::new(&[2; 16]).unwrap(),
        static_iv: StaticIv::new(&[3; 16]).unwrap(),
        passphrase: Passphrase::new(b"x").unwrap(),
    };
    let article = NewGroup {
        keys: Some(&keys),
        ..new_group("article")
    };
    let wrong_topic = NewGroup {
        topic: "a+",
        ..new_group("wrong")
    };
    let long = "x".repeat(65);
    for (refused, code) in [
        (add(&file, "kitchen", "greenhouse", "1"), "duplicate_name"),
        (
            add(&file, "attic", "greenhouse", "11242238"),
            "duplicate_address",
        ),
        (add(&file, "attic", "cellar", "1"), "no_group"),
        (add(&file, "attic", "greenhouse", "7>8"), "invalid_value"),
        (
            add(&file, "attic", "greenhouse", "1234567890123456"),
            "invalid_value",
        ),
        (add(&file, "", "greenhouse", "1"), "invalid_value"),
        (add(&file, "a\u{7}", "greenhouse", "1"), "invalid_value"),
        (add(&file, &long, "greenhouse", "1"), "invalid_value"),
        (file.add_group(&new_group("greenhouse")), "duplicate_name"),
        (file.add_group(&article), "article_keys"),
        (file.add_group(&wrong_topic), "invalid_value"),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(
            error.to_string().starts_with(&path.display().to_string()),
            "{error}"
        );
        assert_no_key(&format!("{error} {error:?}"));
        assert_eq!(fs::read_to_string(&path).unwrap(), VALID);
    }
    for broken in ["version = 1\nsession_key = \"", "", "version = 2"] {
        fs::write(&path, broken).unwrap();
        add(&file, "attic", "greenhouse", "1").unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(
        add(&file, "attic", "greenhouse", "1").unwrap_err().code(),
        "no_file"
    );
    assert!(!path.exists());
    let rests: Vec<String> = entries(folder.path())
        .into_iter()
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    assert_eq!(rests, [""; 0]);
}

/// A change that is answered with success is in the file.
#[test]
fn adding_to_a_keyring_with_inline_tables_adds_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let start = VALID.find("[[device]]").unwrap();
    let head = VALID[..start].replace("version = 1", "version = 1\ndevice = [{ name = \"kitchen\", classic = { group = \"greenhouse\", node_id = \"1\" } }]");
    let no_devices = VALID[..start].replace("version = 1", "version = 1\ndevice = []");
    for (text, already) in [(head, 1), (no_devices, 0)] {
        let path = write(&folder, &text, 0o600);
        assert_eq!(
            Keyring::load(&path, false).unwrap().devices().len(),
            already
        );
        let file = KeyringFile::open(&path).unwrap();
        let answer = add(&file, "attic", "greenhouse", "7");
        let devices = Keyring::load(&path, false).unwrap().devices().len();
        match answer {
            Ok(()) => assert_eq!(devices, already + 1, "it said that it had added the device"),
            Err(_) => assert_eq!(devices, already),
        }
    }
}

#[test]
fn two_threads_that_add_at_the_same_time_lose_nothing_and_a_reader_always_reads_a_valid_keyring() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, VALID, 0o600);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let adders: Vec<_> = ["a", "b"]
            .map(|thread| {
                let path = &path;
                scope.spawn(move || {
                    let file = KeyringFile::open(path).unwrap();
                    for number in 0..20 {
                        let name = format!("{thread}{number}");
                        add(&file, &name, "greenhouse", &name).unwrap();
                    }
                })
            })
            .into();
        let reader = scope.spawn(|| {
            let mut last = 2;
            while !done.load(Ordering::Relaxed) {
                let devices = Keyring::load(&path, false).unwrap().devices().len();
                assert!(devices >= last, "{devices} after {last}");
                last = devices;
            }
        });
        for adder in adders {
            adder.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(Keyring::load(&path, false).unwrap().devices().len(), 42);
}

// ---- Helpers ----

/// The error of [`VALID`] with its first `from` replaced.
fn mistake(from: &str, to: &str) -> KeyringError {
    assert!(VALID.contains(from), "{from}");
    let text = VALID.replacen(from, to, 1);
    match Keyring::parse(&text) {
        Ok(_) => panic!("{to} is no mistake"),
        Err(error) => error,
    }
}

fn with_line(at: usize, line: &str) -> String {
    let mut lines: Vec<&str> = VALID.lines().collect();
    lines[at] = line;
    lines.join("\n")
}

/// Whatever the text: no panic, and no key in the complaint.
fn complain(text: &str) {
    if let Err(error) = Keyring::parse(text) {
        assert_no_key(&format!("{error} {error:?}"));
    }
}

/// No eight consecutive characters of any key, in either case, nor the bytes of a text as hex.
fn assert_no_key(shown: &str) {
    let shown = shown.to_ascii_lowercase();
    for secret in SECRETS {
        let digits = base16ct::lower::encode_string(secret.as_bytes());
        for form in [secret.to_ascii_lowercase(), digits] {
            for window in form.as_bytes().windows(8) {
                let window = core::str::from_utf8(window).unwrap();
                assert!(!shown.contains(window), "{window} in: {shown}");
            }
        }
    }
}

fn add(file: &KeyringFile, name: &str, group: &str, node_id: &str) -> Result<(), Error> {
    Ok(file.add_device(name, group, NewAddress::NodeId(node_id))?)
}

fn new_group(name: &str) -> NewGroup<'_> {
    NewGroup::new(name, "cellar/+", Some("cellar/session"))
}

fn write(folder: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
    let path = folder.path().join("keyring.toml");
    if path.exists() {
        fs::remove_file(&path).unwrap();
    }
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    path
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

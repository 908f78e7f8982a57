//! The `espseal_config.h` of a sketch.

use super::literal::{c, c_bytes, comment};
use super::{Field, add_missing};
use crate::keyring::Provision;

// What the sketches cannot do without, as their own examples have it.
const PLACEHOLDER: &str = "CHANGE-ME";

pub(super) fn render(provision: &Provision, mut fields: Vec<Field<'_>>) -> String {
    // A Wi-Fi without a password is an open one.
    let is_known = fields.iter().any(|(name, _)| *name == "wifi_ssid");
    let open_or_unknown = if is_known { "" } else { PLACEHOLDER };
    add_missing(&mut fields, "mqtt_host", PLACEHOLDER);
    add_missing(&mut fields, "wifi_ssid", PLACEHOLDER);
    add_missing(&mut fields, "wifi_password", open_or_unknown);
    let line = |&(name, setting): &Field<'_>| {
        let value = match name {
            "address" => c_bytes(provision.address.as_bytes()),
            "device_key" => c_bytes(provision.key.expose()),
            _ => c(setting),
        };
        format!("#define ESPSEAL_{} {value}\n", name.to_ascii_uppercase())
    };
    // A comment must not end early.
    let shown = comment(&provision.name).replace("*/", "* /");
    let lines: String = fields.iter().map(line).collect();
    format!(
        "/* {shown}, as espseal provisions it. It holds the device's key: keep it to yourself. */
#ifndef ESPSEAL_CONFIG_H
#define ESPSEAL_CONFIG_H

{lines}
#endif
"
    )
}

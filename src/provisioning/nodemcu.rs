//! The `config.lua` of the NodeMCU firmware.

use super::literal::{comment, lua};
use super::{Field, add_missing};

const BLOCKS: [&[&str]; 4] = [
    &["wifi_ssid", "wifi_password"],
    &["mqtt_host", "mqtt_port", "mqtt_user", "mqtt_password"],
    &["address", "device_key", "epoch"],
    &["beacon_topic", "up_topic", "hello_topic", "down_topic"],
];
const SENSOR: &str = "  -- What to publish, a number or a string; nil: nothing now.
  sensor = function() return adc.read(0) end,
";

pub(super) fn render(name: &str, mut fields: Vec<Field<'_>>) -> String {
    // What the firmware cannot do without, as its own example has it.
    add_missing(&mut fields, "wifi_ssid", "YOUR-WIFI");
    add_missing(&mut fields, "mqtt_host", "BROKER.EXAMPLE");
    fields.retain(|(field, _)| *field != "name");
    let mut blocks: Vec<String> = BLOCKS
        .iter()
        .map(|names| take(&mut fields, names))
        .collect();
    blocks.push(fields.iter().map(line).collect());
    blocks.push(SENSOR.to_owned());
    blocks.retain(|block| !block.is_empty());
    format!(
        "-- {}, as espseal provisions it. It holds the device's key: keep it to yourself.
-- sealed.config.example.lua has what else can be set.

return {{
{}}}
",
        comment(name),
        blocks.join("\n"),
    )
}

/// The lines of these fields, which are done then.
fn take(fields: &mut Vec<Field<'_>>, names: &[&str]) -> String {
    let found = |name: &&str| fields.iter().find(|(field, _)| field == name);
    let block = names.iter().filter_map(found).map(line).collect();
    fields.retain(|(field, _)| !names.contains(field));
    block
}

fn line(&(name, setting): &Field<'_>) -> String {
    format!("  {name} = {},\n", lua(setting))
}

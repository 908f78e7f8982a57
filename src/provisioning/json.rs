//! The JSON that a device on a computer reads, and that a QR code shows.

use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::{Field, Setting};

pub(super) fn render(fields: &[Field<'_>]) -> String {
    let version = ("version", Setting::Number(1));
    let all = [version].into_iter().chain(fields.iter().copied());
    let mut map: Map<String, Value> = all
        .map(|(name, setting)| (name.to_owned(), value(setting)))
        .collect();
    let text = serde_json::to_string_pretty(&map);
    for value in map.values_mut() {
        if let Value::String(text) = value {
            text.zeroize();
        }
    }
    match text {
        Ok(text) => text + "\n",
        Err(_) => unreachable!("a map of strings and numbers is JSON"),
    }
}

fn value(setting: Setting<'_>) -> Value {
    match setting {
        Setting::Text(text) => text.into(),
        Setting::Number(number) => number.into(),
    }
}

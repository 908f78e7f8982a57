//! Text as it stands in the source of a firmware's language.

use core::fmt::Write;

use super::Setting;

/// Lua 5.1, 2.1: `\ddd` stands for any byte.
pub(super) fn lua(setting: Setting<'_>) -> String {
    match setting {
        Setting::Number(number) => number.to_string(),
        Setting::Text(text) => quoted(text, b"\"\\", |out, byte| write!(out, "\\{byte:03}")),
    }
}

/// Octal ends after three digits (C99, 6.4.4.4); a question mark might begin a trigraph.
pub(super) fn c(setting: Setting<'_>) -> String {
    match setting {
        Setting::Number(number) => number.to_string(),
        Setting::Text(text) => quoted(text, b"\"\\?", |out, byte| write!(out, "\\{byte:03o}")),
    }
}

/// An initializer of C.
pub(super) fn c_bytes(bytes: &[u8]) -> String {
    let values: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    format!("{{{}}}", values.join(", "))
}

/// One line of a comment, whatever people call a device.
pub(super) fn comment(name: &str) -> String {
    let shown = |c: char| {
        let is_printable = c.escape_debug().len() == 1 || matches!(c, '"' | '\'' | '\\');
        if is_printable { c } else { '?' }
    };
    name.chars().map(shown).collect()
}

fn quoted(
    text: &str,
    special: &[u8],
    escape: impl Fn(&mut String, u8) -> core::fmt::Result,
) -> String {
    let mut out = String::with_capacity(4 * text.len() + 2);
    out.push('"');
    for byte in text.bytes() {
        let is_plain = (0x20..0x7f).contains(&byte) && !special.contains(&byte);
        if is_plain {
            out.push(byte.into());
        } else if escape(&mut out, byte).is_err() {
            unreachable!("a string takes whatever is written")
        }
    }
    out.push('"');
    out
}

//! The grammar of `tests/vectors`: records of `key: value` lines, blank lines between them.

#![allow(dead_code, reason = "not every runner needs all of it")]

use std::collections::BTreeMap;
use std::path::Path;

/// One record: its fields, bytes still as hex.
pub(crate) struct Record(BTreeMap<String, String>);

impl Record {
    pub(crate) fn text(&self, field: &str) -> &str {
        let value = self.0.get(field);
        value.unwrap_or_else(|| panic!("{} has no {field}", self.name()))
    }

    pub(crate) fn optional(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    pub(crate) fn bytes(&self, field: &str) -> Vec<u8> {
        let digits = self.text(field);
        base16ct::lower::decode_vec(digits).unwrap_or_else(|_| panic!("{digits} is no hex"))
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, field: &str) -> T {
        let digits = self.text(field);
        let number = digits.parse().ok();
        number.unwrap_or_else(|| panic!("{}: {digits} is no such number", self.name()))
    }

    pub(crate) fn flag(&self, field: &str) -> bool {
        self.optional(field) == Some("true")
    }

    pub(crate) fn name(&self) -> &str {
        self.0
            .get("name")
            .map_or("a record without a name", String::as_str)
    }
}

/// Every record of a file below `tests/vectors`; a file without any fails.
pub(crate) fn read(file: &str) -> Vec<Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut records = vec![Record(BTreeMap::new())];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once(':') else {
            assert_eq!(line, "", "{file}");
            records.push(Record(BTreeMap::new()));
            continue;
        };
        let fields = &mut records.last_mut().unwrap().0;
        let doubled = fields.insert(key.to_owned(), value.trim_start().to_owned());
        assert_eq!(doubled, None, "{file}: {key} twice");
    }
    records.retain(|record| !record.0.is_empty());
    assert!(!records.is_empty(), "{file} has no record");
    records
}

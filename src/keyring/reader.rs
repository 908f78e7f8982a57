//! TOML tables read field by field: every complaint names the line and the field, none the value.

use smallvec::SmallVec;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::error::{KeyringError, KeyringProblem};

type Result<T> = core::result::Result<T, KeyringError>;

/// The fields that lead to a value: `device.classic.keys.iv_key.hex` is the deepest there is.
#[derive(Clone, Copy, Default)]
struct Path([&'static str; 5]);

/// Where something stands: its offset in the text, and the fields that lead to it. Line and
/// name cost time, so they are made for complaints alone.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    text: &'a str,
    offset: usize,
    path: Path,
}

impl<'a> Place<'a> {
    fn inside(&self, field: &'static str, offset: usize) -> Self {
        let mut path = self.path;
        if let Some(free) = path.0.iter_mut().find(|each| each.is_empty()) {
            *free = field;
        }
        Self {
            text: self.text,
            offset,
            path,
        }
    }

    /// From 1.
    pub(super) fn line(&self) -> usize {
        let before = self.text.as_bytes().iter().take(self.offset);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }

    fn name(&self) -> String {
        let fields = self.path.0.split(|each| each.is_empty()).next();
        fields.unwrap_or_default().join(".")
    }

    pub(super) fn error(&self, problem: KeyringProblem) -> KeyringError {
        KeyringError::new(problem).at(self.line(), self.name())
    }

    pub(super) fn invalid(&self, expected: &'static str) -> KeyringError {
        self.error(KeyringProblem::InvalidValue { expected })
    }

    /// Puts line and field on the complaint of a constructor that knows neither.
    pub(super) fn check<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.at(self.line(), self.name()))
    }
}

/// One table, its fields taken one by one; [`Table::finish`] refuses what is left.
pub(super) struct Table<'a> {
    place: Place<'a>,
    fields: DeTable<'a>,
    known: SmallVec<[&'static str; 8]>,
}

impl<'a> Table<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let place = |offset| Place {
            text,
            offset,
            path: Path::default(),
        };
        let fields = DeTable::parse(text).map_err(|error| {
            // Of the parser's words only those that quote nothing of the text.
            let problem = KeyringProblem::Syntax(error.message().to_owned());
            let line = error.span().map(|span| place(span.start).line());
            KeyringError {
                line,
                ..KeyringError::new(problem)
            }
        })?;
        Ok(Self::new(place(0), fields.into_inner()))
    }

    fn new(place: Place<'a>, fields: DeTable<'a>) -> Self {
        Self {
            place,
            fields,
            known: SmallVec::new(),
        }
    }

    /// A complaint about a field that is not there.
    pub(super) fn error(&self, field: &'static str, problem: KeyringProblem) -> KeyringError {
        self.place.inside(field, self.place.offset).error(problem)
    }

    pub(super) fn value(&mut self, field: &'static str) -> Option<Value<'a>> {
        self.known.push(field);
        let (key, value) = self.fields.remove_entry(field)?;
        Some(Value {
            place: self.place.inside(field, key.span().start),
            value: value.into_inner(),
        })
    }

    pub(super) fn required(
        &mut self,
        field: &'static str,
        hint: &'static str,
    ) -> Result<Value<'a>> {
        match self.value(field) {
            Some(value) => Ok(value),
            None => Err(self.error(field, KeyringProblem::MissingField { hint })),
        }
    }

    pub(super) fn bool(&mut self, field: &'static str) -> Result<bool> {
        self.value(field).map_or(Ok(false), Value::bool)
    }

    /// The tables of an array of tables; none if the field is not there.
    pub(super) fn tables(&mut self, field: &'static str) -> Result<Vec<Table<'a>>> {
        self.value(field).map_or(Ok(Vec::new()), Value::tables)
    }

    /// Every field has been asked for: what is left is unknown.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.fields.iter().next() {
            None => Ok(()),
            Some((key, _)) => {
                let offset = key.span().start;
                let line = Place {
                    offset,
                    ..self.place
                }
                .line();
                self.known.sort_unstable();
                let path = self.place.name();
                // A key may have been pasted here: only what looks like a field is shown.
                let name = match (key.get_ref().as_ref(), &*path) {
                    (field, "") if is_field_name(field) => field.to_owned(),
                    (field, path) if is_field_name(field) => format!("{path}.{field}"),
                    (_, "") => "at the top".to_owned(),
                    (_, path) => path.to_owned(),
                };
                let known = self.known.into_vec();
                Err(KeyringError::new(KeyringProblem::UnknownField { known }).at(line, name))
            }
        }
    }
}

fn is_field_name(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
}

/// A field's value, and where it stands.
pub(super) struct Value<'a> {
    place: Place<'a>,
    value: DeValue<'a>,
}

impl<'a> Value<'a> {
    pub(super) const fn place(&self) -> Place<'a> {
        self.place
    }

    pub(super) fn error(&self, problem: KeyringProblem) -> KeyringError {
        self.place.error(problem)
    }

    pub(super) fn check<T>(&self, result: Result<T>) -> Result<T> {
        self.place.check(result)
    }

    pub(super) fn invalid(&self, expected: &'static str) -> KeyringError {
        self.place.invalid(expected)
    }

    pub(super) fn str(&self) -> Result<&str> {
        match &self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.invalid("a string")),
        }
    }

    pub(super) fn bool(self) -> Result<bool> {
        match self.value {
            DeValue::Boolean(value) => Ok(value),
            _ => Err(self.invalid("true or false")),
        }
    }

    /// A whole number within `range`.
    pub(super) fn integer(
        &self,
        range: core::ops::RangeInclusive<u32>,
        expected: &'static str,
    ) -> Result<u32> {
        let number = match &self.value {
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                u32::from_str_radix(&digits, number.radix()).ok()
            }
            _ => None,
        };
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.invalid(expected))
    }

    /// One word out of a closed list.
    pub(super) fn word<T: Copy>(
        &self,
        words: &[(&'static str, T)],
        expected: &'static str,
    ) -> Result<T> {
        let text = self.str().map_err(|_| self.invalid(expected))?;
        let found = words.iter().find(|(word, _)| *word == text);
        found
            .map(|&(_, value)| value)
            .ok_or_else(|| self.invalid(expected))
    }

    /// Hex digits, as bytes.
    pub(super) fn hex(&self) -> Result<Zeroizing<Vec<u8>>> {
        base16ct::mixed::decode_vec(self.str()?)
            .map(Zeroizing::new)
            .map_err(|_| self.invalid("an even number of hex digits"))
    }

    /// `{ hex = "…" }` or `{ text = "…" }`, as bytes.
    pub(super) fn key(self) -> Result<Zeroizing<Vec<u8>>> {
        const FORM: &str =
            "written { hex = \"…\" } or, for the characters themselves, { text = \"…\" }";
        let place = self.place;
        let mut table = self.table().map_err(|_| place.invalid(FORM))?;
        let bytes = match (table.value("hex"), table.value("text")) {
            (Some(hex), None) => hex.hex()?,
            (None, Some(text)) => Zeroizing::new(text.str()?.as_bytes().to_vec()),
            _ => return Err(place.invalid(FORM)),
        };
        table.finish().map(|()| bytes)
    }

    /// `{ hex = "…" }`, as bytes, and the place of the digits for who finds them wrong.
    pub(super) fn hex_key(self) -> Result<(Zeroizing<Vec<u8>>, Place<'a>)> {
        let place = self.place;
        let invalid = || place.invalid("written { hex = \"…\" }");
        let mut table = self.table().map_err(|_| invalid())?;
        let digits = table.value("hex").ok_or_else(invalid)?;
        let bytes = digits.hex()?;
        table.finish().map(|()| (bytes, digits.place))
    }

    /// A string, or `{ hex = "…" }`, as bytes.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        let digits = match &self.value {
            DeValue::String(text) => return Ok(text.as_bytes().to_vec()),
            DeValue::Table(fields) if fields.len() == 1 => fields.get("hex"),
            _ => None,
        };
        digits
            .and_then(|digits| base16ct::mixed::decode_vec(digits.get_ref().as_str()?).ok())
            .ok_or_else(|| self.invalid("a string, or { hex = \"…\" }"))
    }

    pub(super) fn table(self) -> Result<Table<'a>> {
        match self.value {
            DeValue::Table(fields) => Ok(Table::new(self.place, fields)),
            _ => Err(self.invalid("a table")),
        }
    }

    fn tables(self) -> Result<Vec<Table<'a>>> {
        let place = self.place;
        let wrong = || {
            place.invalid(
                "an array of tables: head each with its name in double brackets, like `[[device]]`",
            )
        };
        let DeValue::Array(values) = self.value else {
            return Err(wrong());
        };
        values
            .into_iter()
            .map(|value: Spanned<DeValue<'a>>| {
                let offset = value.span().start;
                match value.into_inner() {
                    DeValue::Table(fields) => Ok(Table::new(Place { offset, ..place }, fields)),
                    _ => Err(wrong()),
                }
            })
            .collect()
    }
}

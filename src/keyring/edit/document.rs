//! A keyring's document: what is where, and changes that leave people's words in place.

use toml_edit::{ArrayOfTables, Decor, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::error::{KeyringError, KeyringProblem};

/// Appends a table to an array of tables, in the long form.
pub(super) fn append(document: &mut DocumentMut, array: &str, mut table: Table) {
    table.decor_mut().set_prefix("\n");
    let item = document
        .entry(array)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    // `device = [..]` is the same in other words, but only the long form takes a table.
    if !item.is_array_of_tables() {
        let inline = item.as_array().cloned().unwrap_or_default();
        let tables = inline.iter().filter_map(Value::as_inline_table);
        *item = Item::ArrayOfTables(tables.cloned().map(InlineTable::into_table).collect());
    }
    if let Some(tables) = item.as_array_of_tables_mut() {
        tables.push(table);
    }
}

/// The table of a device, by its place among the devices.
///
/// # Errors
/// `unknown_name` if the document has no such place.
pub(super) fn device<'d>(
    document: &'d mut DocumentMut,
    index: usize,
    name: &str,
) -> Result<&'d mut dyn TableLike, KeyringError> {
    let found = match document.get_mut("device") {
        Some(Item::ArrayOfTables(tables)) => tables
            .get_mut(index)
            .map(|table| table as &mut dyn TableLike),
        Some(Item::Value(Value::Array(array))) => array
            .get_mut(index)
            .and_then(Value::as_inline_table_mut)
            .map(|table| table as &mut dyn TableLike),
        _ => None,
    };
    found.ok_or_else(|| {
        let name = name.escape_debug().to_string();
        KeyringError::new(KeyringProblem::UnknownName { name })
    })
}

/// Takes a device out, and the comments that stand right above it; those above an empty line
/// are about more than this device, and stay.
pub(super) fn remove_device(document: &mut DocumentMut, index: usize) {
    let removed = match document.get_mut("device") {
        Some(Item::ArrayOfTables(tables)) if index < tables.len() => tables.remove(index),
        Some(Item::Value(Value::Array(array))) if index < array.len() => {
            array.remove(index);
            return;
        }
        _ => return,
    };
    let comments = comments_above(&removed);
    let heads = removed.position().into_iter().chain(positions(&removed));
    let (false, Some(position)) = (comments.is_empty(), heads.max()) else {
        return;
    };
    let above = |below: Option<&str>| match below {
        None | Some("") => comments.clone(),
        Some(below) if below.starts_with('\n') => [&comments, below].concat(),
        Some(below) => [&comments, "\n", below].concat(),
    };
    match next_table(document.as_table_mut(), position) {
        Some(next) => {
            let prefix = above(next.decor().prefix().and_then(|prefix| prefix.as_str()));
            next.decor_mut().set_prefix(prefix);
        }
        None => {
            let trailing = above(document.trailing().as_str());
            document.set_trailing(trailing);
        }
    }
}

/// Sets a field; one that is there keeps its place and the comment at its end.
pub(super) fn set(table: &mut dyn TableLike, field: &str, value: impl Into<Value>) {
    let mut value = value.into();
    if let Some(old) = table.get(field).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    } else if let Some((_, Item::Value(last))) = table.iter_mut().last() {
        // In braces, the space before the closing one belongs to the value that was the last.
        let suffix = last.decor().suffix().and_then(|suffix| suffix.as_str());
        let suffix = suffix.unwrap_or_default().to_owned();
        if !suffix.is_empty() && suffix.trim().is_empty() {
            last.decor_mut().set_suffix("");
            *value.decor_mut() = Decor::new(" ", suffix);
        }
    }
    table.insert(field, Item::Value(value));
}

/// Takes a field away.
pub(super) fn unset(table: &mut dyn TableLike, field: &str) {
    let Some(removed) = table.remove(field).and_then(|item| item.into_value().ok()) else {
        return;
    };
    let suffix = removed.decor().suffix().and_then(|suffix| suffix.as_str());
    if let (Some(suffix), Some((_, Item::Value(last)))) = (suffix, table.iter_mut().last()) {
        let is_last = last.decor().suffix().and_then(|suffix| suffix.as_str()) == Some("");
        if is_last && suffix.trim().is_empty() {
            last.decor_mut().set_suffix(suffix);
        }
    }
}

/// `{ hex = "…" }`
pub(super) fn hex(key: &[u8]) -> Value {
    let mut form = InlineTable::new();
    form.insert("hex", base16ct::lower::encode_string(key).into());
    Value::InlineTable(form)
}

/// What stands above a table's head, up to the last empty line.
fn comments_above(table: &Table) -> String {
    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
    let prefix = prefix.unwrap_or_default();
    let mut kept = 0;
    let mut at = 0;
    for line in prefix.split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() {
            kept = at;
        }
    }
    let kept = prefix.get(..kept).unwrap_or_default();
    if kept.trim().is_empty() {
        String::new()
    } else {
        [kept.trim_end(), "\n"].concat()
    }
}

/// The table whose head comes next after a place in the text.
fn next_table(root: &mut Table, position: isize) -> Option<&mut Table> {
    let next = positions(root).filter(|&each| each > position).min()?;
    table_at(root, next)
}

fn positions(table: &Table) -> Box<dyn Iterator<Item = isize> + '_> {
    let inner = table.iter().flat_map(|(_, item)| tables(item));
    Box::new(inner.flat_map(|table| table.position().into_iter().chain(positions(table))))
}

fn tables(item: &Item) -> Box<dyn Iterator<Item = &Table> + '_> {
    match item {
        Item::Table(table) => Box::new(core::iter::once(table)),
        Item::ArrayOfTables(tables) => Box::new(tables.iter()),
        Item::None | Item::Value(_) => Box::new(core::iter::empty()),
    }
}

fn table_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    if table.position() == Some(position) {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(table) => table_at(table, position),
        Item::ArrayOfTables(tables) => tables.iter_mut().find_map(|each| table_at(each, position)),
        Item::None | Item::Value(_) => None,
    })
}

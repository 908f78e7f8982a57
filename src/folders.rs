//! Where a user's files lie by default (XDG Base Directory Specification).

use std::ffi::OsString;
use std::path::PathBuf;

/// An environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The folder that `name` says, else `below_home`; None without a home.
pub(crate) fn user_folder(name: &str, below_home: &str) -> Option<PathBuf> {
    let named = variable(name).map(PathBuf::from);
    named.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(below_home)))
}

//! The Node binding: conversions only. What it means stands in `lib/index.d.ts`.
#![allow(
    missing_docs,
    reason = "the documentation is in lib/index.d.ts, where people read it"
)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::too_many_arguments,
    unreachable_pub,
    reason = "napi decides these signatures"
)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "JavaScript calls it, and there is none in a Rust test"
    )
)]

mod classic;
mod device;
mod errors;
mod inspect;
mod keyring;
mod keyring_file;
mod message;
mod receiver;
mod sealed;
mod sender;
mod store;

use espseal::Verdict;
use napi_derive::napi;

/// Of the core, to be compared with the package's.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The closed list, in its order: elsewhere a verdict is its place in it.
#[napi]
pub fn verdicts() -> Vec<&'static str> {
    Verdict::ALL.iter().map(|verdict| verdict.code()).collect()
}

//! What the adapters of Amazon Web Services share: names of resources, credentials, endpoints, the HTTP client under the
//! SDK, the table of errors, and what their events look like.
//!
//! An adapter flattens [`Settings`] into its own, opens a [`Session`] from them, makes the SDK's client of a service from
//! [`Session::sdk`], and reads failures with [`Session::error`]. Settings reach the SDK by code and not by the process's
//! environment, so that flags and `<NAME>_FILE` work; the few variables that the SDK reads by itself are in `README.md`.

mod arn;
pub mod batch;
mod client;
mod credentials;
mod error;
mod event;
mod identity;
mod manifest;
mod role;
mod session;
mod settings;

pub use arn::{Arn, Region};
pub use error::from_code;
pub use event::{GoValue, body, go_struct, reply};
pub use manifest::fields;
pub use session::Session;
pub use settings::Settings;

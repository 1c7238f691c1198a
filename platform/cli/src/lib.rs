//! The parts of the `trestle` command that do no I/O: the manifest reader, what it makes, and the catalogue it reads by.
//!
//! A library only so that the reader can be fuzzed; nothing here is an interface for others.

#[doc(hidden)]
pub mod bridge;
#[doc(hidden)]
pub mod catalogue;
#[doc(hidden)]
pub mod manifest;
#[doc(hidden)]
pub mod yaml;

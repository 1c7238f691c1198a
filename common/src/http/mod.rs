//! The one HTTP client of the tree: pooled, HTTP/1.1, one pool for each runtime, redirects never followed.

mod client;
mod connector;
mod tls;

pub use client::{Client, ClientError, ClientOptions, Problem};
pub use tls::{Roots, TlsOptions};

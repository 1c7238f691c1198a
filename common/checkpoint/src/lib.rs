//! Remote stores of positions, for adapters whose container keeps no files: an S3-compatible object store, or Redis.
//!
//! A store is chosen by the URL in `CHECKPOINT_URL`, which is a secret because it may hold a password:
//!
//! - `s3://bucket/prefix`, or `s3://id:key@bucket/prefix?endpoint=https://host&region=eu-west-1&ca=/file.pem`. Without
//!   `id:key` the credentials, the region and the endpoint are those of the usual `AWS_` variables, of a web identity, of
//!   the container or of the instance. The store must keep conditional writes (`If-Match`, `If-None-Match`).
//! - `redis://user:password@host:6379/0?prefix=trestle`, with TLS `rediss://…`, and `ca=/file.pem` for a private authority.
//!   One server, or whoever answers at that address; no cluster. A server that forgets makes a source begin again from an
//!   older position, or from none: more events come twice, none is lost.
//! - `file:///folder`.

mod objects;
mod place;
mod redis;

use std::sync::Arc;

use common::{
    checkpoint::{Checkpoints, FileCheckpoints},
    config::{ConfigError, Secret},
};

use self::place::Place;

/// The variable that names a store.
pub const VARIABLE: &str = "CHECKPOINT_URL";

/// The store that a URL names; only a folder is looked at yet.
///
/// # Errors
/// When the URL names none, or the folder cannot be written. The message never holds the URL.
pub fn open(url: &Secret) -> Result<Arc<dyn Checkpoints>, ConfigError> {
    let refused = |problem: &dyn std::fmt::Display| ConfigError::new(VARIABLE, problem);
    let place = Place::parse(&url.read()).map_err(|problem| refused(&problem))?;
    Ok(match place {
        Place::Folder(folder) => Arc::new(
            FileCheckpoints::open(folder)
                .map_err(|error| refused(&format_args!("must name a folder that can be written: {error}")))?,
        ),
        Place::Objects(bucket) => Arc::new(objects::Objects::new(bucket).map_err(|_| {
            // The library's words may repeat what was given.
            refused(&"must name a bucket and settings that the S3 client takes")
        })?),
        Place::Redis(server) => Arc::new(redis::Redis::new(server)),
    })
}

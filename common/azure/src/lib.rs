//! What the adapters of Microsoft Azure share: resource names, credentials, the HTTP client, the table of errors, and blobs
//! as a store of positions.

mod blob;
mod connection;
mod credentials;
mod endpoint;
mod error;
mod home;
mod hub;
mod resource;
mod transport;

pub use blob::{Blob, Blobs};
pub use connection::ConnectionString;
pub use credentials::{DirectoryConfig, Settings};
pub use endpoint::Endpoint;
pub use error::is_stolen;
pub use home::Home;
pub use hub::{EventHub, EventHubsConfig};
pub use resource::{EventHubId, ResourceId};

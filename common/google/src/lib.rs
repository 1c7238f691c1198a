//! What the adapters of Google Cloud share: resource names, credentials, endpoints, the table of errors.

mod credentials;
mod error;
mod name;
mod pubsub;

pub use credentials::{CredentialsConfig, Identity};
pub use error::{Resource, failure};
pub use name::{ProjectName, SubscriptionName, TopicName};
pub use pubsub::{Access, PubsubConfig, bounded};

//! Sending events: one attempt to a URL, and delivery to the sink with all that belongs to it.

mod backoff;
mod outbox;
mod sender;
mod sink;

pub use backoff::Backoff;
pub use outbox::Outbox;
pub use sender::{Accepted, Authorization, Failure, Sender, SenderOptions, retry_after};
pub use sink::Sink;
pub(crate) use sink::Terms;

//! Sending events: one attempt to a URL, and delivery to the sink with all that belongs to it.

mod backoff;
mod dead_letter;
mod outbox;
mod sender;
mod sink;
mod terms;

pub use backoff::Backoff;
pub use dead_letter::dead_letter_event;
pub use outbox::Outbox;
pub use sender::{Accepted, Authorization, Failure, Sender, SenderOptions, retry_after};
pub use sink::Sink;
pub(crate) use terms::Terms;

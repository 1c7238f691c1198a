//! The frame every Trestle adapter stands in: CloudEvents, configuration, delivery, health and life cycle.
//!
//! *An adapter says what the outside system is like; the frame decides when.*

pub mod event;
mod text;

pub use event::{Event, InvalidEvent};
pub use text::Text;

//! The frame every Trestle adapter stands in: CloudEvents, configuration, delivery, health and life cycle.
//!
//! *An adapter says what the outside system is like; the frame decides when.* Retry, back-off, pacing, acknowledgement,
//! checkpoints, metrics, health, shutdown, logging and HTTP answers are written once, here.

pub mod adapter;
mod args;
pub mod checkpoint;
pub mod config;
pub mod credentials;
mod describe;
pub mod error;
pub mod event;
pub mod frame;
pub mod go_json;
mod health;
pub mod http;
pub mod info;
mod log;
pub mod memory;
pub mod metrics;
pub mod run;
pub mod send;
mod server;
mod stop;
mod text;
mod trace;
pub mod window;
pub mod worker;

pub use adapter::{
    Adapter, Answer, Assignment, BatchLimits, BatchTarget, Context, LogSource, Message, Page, PollSource,
    QueueLimits, QueueSource, Received, Record, Reply, Source, Target, WebhookSource,
};
pub use error::{Error, Fault};
pub use event::{Event, InvalidEvent};
pub use info::{Field, Info, Kind, Role, Rule, Scaling};
pub use stop::Stop;
pub use text::Text;
pub use trace::{Span, Trace};

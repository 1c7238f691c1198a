//! The language of the kind `Transformation`, known as Bumblebee: a list of operations on the attributes of an event and
//! another one on its JSON data.
//!
//! A [`Transformation`] is made once and applied to every event. What stands in its specification is checked when it is
//! made, every mistake with its place. What an event cannot take (a path that leads nowhere, a text that is no JSON) is
//! no error: the step is left out, the rest continues, and whoever calls may hear of it.
//!
//! ```
//! use bumblebee::Transformation;
//! use common::Event;
//! use serde_json::{Value, json};
//!
//! let transformation = Transformation::new(
//!     &json!([{"operation": "add", "paths": [{"key": "type", "value": "greeting"}]}]),
//!     &json!([
//!         {"operation": "store", "paths": [{"key": "$name", "value": "user.name"}]},
//!         {"operation": "add", "paths": [{"key": "text", "value": "Hello $name!"}]},
//!     ]),
//! )?;
//! let mut event = Event::new("1", "/docs", "login").expect("valid");
//! event.set_data("application/json", r#"{"user": {"name": "Ann"}}"#).expect("valid");
//! let event = transformation.apply(event).expect("possible");
//! assert_eq!(event.event_type(), "greeting");
//! assert_eq!(event.data().expect("data"), r#"{"text":"Hello Ann!","user":{"name":"Ann"}}"#);
//!
//! let problems = Transformation::new(&Value::Null, &json!([{"operation": "ad", "paths": []}])).unwrap_err();
//! assert_eq!(problems[0].to_string(), "data[0].operation is no operation: did you mean 'add'?");
//! # Ok::<(), Vec<bumblebee::Problem>>(())
//! ```
//!
//! # Order
//! `store` and `parse` come first, those of the attributes before those of the data, in the order in which they are
//! listed; then `add`, `delete` and `shift` on the attributes, then on the data. Variables belong to one event and are
//! shared between the two lists.
//!
//! # Bounds
//! Documents may be 10,000 levels deep; a deeper one is taken for no JSON. No recursion anywhere, and no more memory
//! than some twelve times the document and what the steps add to it. A step makes at most [`MAX_BYTES`] of text. An index
//! creates at most [`MAX_INDEX`] elements.

mod context;
mod number;
mod path;
mod run;
mod spec;
mod template;
mod tree;

use common::{Event, InvalidEvent, Text};
use serde_json::Value;

pub use run::{MAX_BYTES, Reason};
pub use spec::{MAX_INDEX, Problem};

use spec::Spec;

/// A compiled transformation: cheap to apply, shareable between threads.
#[derive(Debug)]
pub struct Transformation {
    spec: Spec,
}

/// Why an event cannot be transformed; the event is to blame, and another attempt has no other outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The data is not JSON by its content type.
    #[error("the content type of the event must be application/json, not '{0}'")]
    ContentType(String),
    /// No attributes were left.
    #[error("the transformation left no attributes")]
    NoAttributes,
    /// An attribute that no event can have.
    #[error("the transformed event would be invalid: {0}")]
    Attribute(InvalidEvent),
    /// The transformed data would be larger than [`MAX_BYTES`].
    #[error("the transformed data is too large")]
    TooLarge,
}

impl Error {
    fn attribute(name: &str, problem: &'static str) -> Self {
        Self::Attribute(InvalidEvent::Value { name: Text::from(name), problem })
    }
}

impl Transformation {
    /// Compiles the `spec.context` and `spec.data` of a manifest; `null` is an empty list.
    ///
    /// # Errors
    /// Every mistake, in the order of the specification.
    pub fn new(context: &Value, data: &Value) -> Result<Self, Vec<Problem>> {
        let spec = Spec::read(context, data);
        if spec.problems.is_empty() { Ok(Self { spec }) } else { Err(spec.problems) }
    }

    /// What is allowed and yet probably not what the author meant.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.spec.warnings
    }

    /// Transforms an event.
    ///
    /// # Errors
    /// When its content type is not JSON, or what became of it is no event.
    pub fn apply(&self, event: Event) -> Result<Event, Error> {
        self.apply_observed(event, |_, _| {})
    }

    /// As [`apply`](Self::apply); `unapplied` hears of every step that had no effect, by its place in the
    /// specification, such as `data[1].paths[0]`.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_observed(&self, event: Event, unapplied: impl FnMut(&str, Reason)) -> Result<Event, Error> {
        run::run(&self.spec, event, unapplied)
    }
}

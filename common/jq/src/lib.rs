//! The jq language for the data of events: [jaq](https://github.com/01mf02/jaq) with values of our own.
//!
//! What a query means is what gojq, the engine of the original, makes of it, with a few differences that the README of
//! `jq-transformation` lists. What one evaluation may cost is bounded; see [`Bounds`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use common::Event;
//! use jq::{Bounds, Query};
//!
//! let query = Arc::new(Query::new(".user | {name, by: $ce.source}")?);
//! let mut event = Event::new("1", "/docs", "login").expect("valid");
//! event.set_data("application/json", r#"{"user": {"name": "Ann", "age": 7}}"#).expect("valid");
//! assert_eq!(query.run(&event, Bounds::default()).expect("possible"), br#"{"by":"/docs","name":"Ann"}"#);
//!
//! let mistake = Query::new(".user | nam").unwrap_err();
//! assert_eq!(mistake.to_string(), "line 1, column 9: there is no function 'nam/0'");
//! # Ok::<(), jq::Mistake>(())
//! ```

mod access;
mod budget;
mod clock;
mod convert;
mod floats;
mod formats;
mod functions;
mod math;
mod query;
mod read;
mod regex;
mod texts;
mod value;
mod write;

pub use budget::{Bounds, Exceeded};
pub use query::{Failure, Mistake, Query};

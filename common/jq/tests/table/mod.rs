//! Tables of queries, inputs and what is expected.

use std::sync::Arc;

use common::Event;
use jq::{Bounds, Query};

fn event(data: &str) -> Event {
    let mut event = Event::new("7", "/orders", "com.example.order").expect("valid");
    event.set("region", "eu").expect("valid");
    event.set_data("application/json", data.to_owned()).expect("valid");
    event
}

/// The output, or what is wrong with the query, or how it failed.
fn output(query: &str, event: &Event) -> String {
    match Query::new(query) {
        Ok(query) => match Arc::new(query).run(event, Bounds::default()) {
            Ok(json) => String::from_utf8(json).expect("UTF-8"),
            Err(failure) => format!("{failure}"),
        },
        Err(mistake) => mistake.to_string(),
    }
}

/// Every query gives of its input what stands beside them.
#[track_caller]
pub fn all(cases: &[(&str, &str, &str)]) {
    let mut wrong = String::new();
    for (query, input, expected) in cases {
        let found = output(query, &event(input));
        if found != *expected {
            wrong.push_str(&format!("{query}  of {input}\n  expected {expected}\n  found    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

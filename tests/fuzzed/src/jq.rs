//! Queries in the jq language: one in the first part of the input, and in the second part the data of an event.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::Event;
use jq::{Bounds, Failure, Query};

use crate::{is_message, parts};

/// Less than what a query has in production, so that what never ends does so soon.
const BOUNDS: Bounds = Bounds { time: Duration::from_millis(100), bytes: 8 << 20 };
/// Far beyond the bound, on a machine that is busy too.
const PATIENCE: Duration = Duration::from_secs(20);

/// Compiles the query and runs it where it stands and aside, as it is and in parentheses: the result is JSON and the same.
pub fn jq(data: &[u8]) {
    let Some((text, data)) = parts(data) else { return };
    let query = match Query::new(text) {
        Ok(query) => Arc::new(query),
        Err(mistake) => {
            is_message(&mistake.message, 1000);
            assert!((1..=text.split('\n').count()).contains(&mistake.line), "{mistake:?}");
            assert!((1..=text.chars().count() + 1).contains(&mistake.column), "{mistake:?}");
            return;
        }
    };
    let mut event = Event::new("1", "/s", "t").expect("valid");
    event.set_data("application/json", data.to_owned()).expect("valid");
    let begun = Instant::now();
    let result = query.glance(&event);
    if let Some(result) = &result {
        check(result);
    } else {
        check(&query.run(&event, BOUNDS));
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    // What time it is may be asked for.
    let Some(result) = result.filter(|_| !["now", "time", "date"].iter().any(|word| text.contains(word)))
    else {
        return;
    };
    if let Ok(other) = Query::new(&format!("({text}\n)")) {
        let other = Arc::new(other);
        for found in [other.glance(&event), Some(other.run(&event, BOUNDS))] {
            assert!(found.as_ref().is_none_or(|found| is_same(found, &result)), "{found:?}, not {result:?}");
        }
    }
}

fn check(result: &Result<Vec<u8>, Failure>) {
    match result {
        Ok(json) => {
            assert!(json.len() <= BOUNDS.bytes, "{} bytes", json.len());
            let read = serde_json::from_slice::<serde::de::IgnoredAny>(json);
            assert!(read.is_ok(), "no JSON: {:?}", String::from_utf8_lossy(json));
        }
        Err(failure) => assert_ne!(*failure, Failure::Interpreter, "the library fails"),
    }
}

/// What is used up may be so a little earlier in parentheses or on a busy machine.
fn is_same(found: &Result<Vec<u8>, Failure>, expected: &Result<Vec<u8>, Failure>) -> bool {
    found == expected || matches!(found, Err(Failure::Exceeded(_)))
}

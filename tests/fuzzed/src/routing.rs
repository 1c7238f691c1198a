//! Filters, splitters and aggregators: an expression that is a path as well, and in the second part of the input the data of an event.

use common::Event;
use routing::{
    Aggregator, CeContext, Expression, Mistake, Path, Splitter, aggregator,
    filter::{Error, MAX_LENGTH},
    splitter::Spec,
};

use crate::{is_message, parts};

/// Compiles the expression and evaluates it, as it is and inside others whose value follows from its own; and splits the
/// data at the path.
pub fn routing(data: &[u8]) {
    let Some((text, data)) = parts(data) else { return };
    let mut event = Event::new("1", "/s", "t").expect("valid");
    event.set_data("application/json", data.to_owned()).expect("valid");
    expression(text, &event);
    split(text, &event);
    gather(text, &event);
}

fn expression(text: &str, event: &Event) {
    let expression = match Expression::new(text) {
        Ok(expression) => expression,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a reason");
            return mistakes.iter().for_each(|mistake| is_inside(mistake, text));
        }
    };
    let answer = expression.passes(event);
    if let Err(error) = &answer {
        is_message(&error.to_string(), 300 + text.len());
    }
    if answer == Err(Error::Late) {
        return;
    }
    for (other, expected) in [
        (format!("({text}\n)"), answer.clone()),
        (format!("!({text}\n)"), answer.clone().map(|answer| !answer)),
        (format!("({text}\n) || false"), answer.clone()),
    ] {
        // It may be too long or too deep.
        if let Ok(other) = Expression::new(&other) {
            let found = other.passes(event);
            let same = found == expected || (found.is_err() && expected.is_err());
            assert!(same || found == Err(Error::Late), "{found:?}, not {expected:?}: {other:?}");
        }
    }
}

fn split(text: &str, event: &Event) {
    if let Err(error) = text.parse::<Path>() {
        assert!(error.character <= text.chars().count(), "{error:?}");
    }
    let extensions = std::collections::BTreeMap::new();
    let context = CeContext { event_type: "part", source: "/", extensions: &extensions };
    let Ok(splitter) = Splitter::new(&Spec { path: text, context, numbered: true }) else { return };
    let Ok(parts) = splitter.split(event) else { return };
    for part in parts {
        let part = part.expect("a part is an event");
        let data = part.data().expect("a part has data");
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok(), "JSON stays JSON: {data:?}");
    }
}

fn gather(text: &str, event: &Event) {
    let extensions = std::collections::BTreeMap::new();
    let context = CeContext { event_type: "whole", source: "/", extensions: &extensions };
    let spec = aggregator::Spec {
        attributes: None,
        path: text,
        count: Some(2),
        count_attribute: None,
        index: None,
        elements: aggregator::Elements::Data,
        context,
    };
    let Ok(aggregator) = Aggregator::new(&spec) else { return };
    let Ok(part) = aggregator.part(event) else { return };
    let group = part.group.clone();
    let whole = aggregator.aggregate(&group, &mut [part.clone(), part], true).expect("an event");
    let elements: Vec<serde::de::IgnoredAny> =
        serde_json::from_slice(whole.data().expect("it has data")).expect("JSON stays JSON");
    assert_eq!(elements.len(), 2, "of one part comes one element");
}

fn is_inside(mistake: &Mistake, text: &str) {
    // A character that cannot be shown is written as its escape.
    is_message(&mistake.message, 400 + text.len().min(MAX_LENGTH * 4) * 8);
    let (line, column) = (mistake.position.line, mistake.position.column);
    assert!(line >= 1 && line <= text.matches('\n').count() + 1, "{mistake:?}");
    assert!(column >= 1 && column <= text.chars().count() + 1, "{mistake:?}");
}

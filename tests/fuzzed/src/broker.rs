//! A broker's configuration document, and its filters on an event; the second part of the input is the event as JSON.

use broker::{
    document::Document,
    filter::{Filter, Index},
};
use common::{Event, event::json::from_slice};

use crate::{is_message, parts};

/// Reads a document; the compiled filters and the index over them must agree.
pub fn broker(data: &[u8]) {
    let Some((text, event)) = parts(data) else { return };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(broken) => {
            assert!(!broken.0.is_empty(), "broken without a reason");
            assert!(broken.0.len() <= text.len() + 1, "{} problems", broken.0.len());
            // A message has the path in it, of names that are escaped.
            return broken.0.iter().for_each(|problem| is_message(problem, 700 + 12 * text.len()));
        }
    };
    document.warnings.iter().for_each(|warning| is_message(warning, 700 + 12 * text.len()));
    for trigger in &document.triggers {
        let options = &trigger.options;
        assert!(!trigger.name.is_empty() && options.retry <= 1_000_000);
        assert!(
            (1..=1_000).contains(&options.concurrency)
                && options.timeout.is_none_or(|timeout| !timeout.is_zero())
        );
        for url in [&options.url, &options.dead_letter_url].into_iter().flatten() {
            assert!(url.starts_with("http") || url.to_lowercase().starts_with("http"), "{url:?}");
        }
    }
    let Some(event) = from_slice(event.to_owned().into()).ok().or_else(default_event) else { return };
    agree(text, document, &event);
}

fn default_event() -> Option<Event> {
    Event::new("1", "/shop/berlin", "order.created").ok()
}

/// The index selects the triggers all of whose filters pass, and the dialects that hold others keep to logic.
fn agree(text: &str, document: Document, event: &Event) {
    let passing = |document: &Document| -> Vec<u32> {
        let passes = |filters: &[Filter]| filters.iter().all(|filter| filter.passes(event));
        let positions = (0..).zip(&document.triggers).filter(|(_, trigger)| passes(&trigger.filters));
        positions.map(|(position, _)| position).collect()
    };
    let asked = passing(&document);
    let again = Document::parse(text).unwrap_or_else(|error| panic!("the second time it is broken: {error}"));
    assert_eq!(passing(&again), asked);
    let index = Index::new(again.triggers.into_iter().map(|trigger| trigger.filters).collect());
    assert_eq!(index.select(event).to_vec(), asked);

    let mut turned = Vec::new();
    for filter in document.triggers.into_iter().flat_map(|trigger| trigger.filters) {
        let passes = filter.passes(event);
        let not = Filter::Not(vec![filter]);
        assert_eq!(not.passes(event), !passes);
        turned.push((passes, not));
    }
    let (passed, turned): (Vec<bool>, Vec<Filter>) = turned.into_iter().unzip();
    // Neither of the two filters passes, so that one that passed is in it.
    assert_eq!(Filter::All(turned).passes(event), !passed.contains(&true));
}

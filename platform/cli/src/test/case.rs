//! The tests of a file: what they send and what they expect, or every mistake in them at its place.

use bytes::Bytes;
use common::Event;
use common::event::json;
use serde_json::Value as Json;

use super::place::{Code, Place, Places};
use crate::manifest::{Mistakes, Node, Position, Value, unknown_keys};

/// The word for where a reply goes when the test itself sent the event.
pub const REPLY: &str = "reply";

/// One test.
#[derive(Debug)]
pub struct Case {
    pub at: Position,
    pub name: String,
    /// Where the event goes in.
    pub to: Place,
    pub event: Event,
    pub expected: Vec<Expected>,
    /// Whether the event is followed through brokers and transformations to where nothing more can be told.
    pub follow: bool,
    /// What components answer that do not run here.
    pub replies: Vec<(Place, Event)>,
    /// Components to which nothing can be delivered.
    pub failing: Vec<Place>,
}

/// An event that shall arrive.
#[derive(Debug)]
pub struct Expected {
    pub at: Position,
    pub place: Place,
    pub label: String,
    /// The trigger that brings it, when that matters.
    pub trigger: Option<String>,
    /// Attributes and `data` as in the JSON form of an event; `null` is one that must not be there.
    pub event: serde_json::Map<String, Json>,
    /// Whether there must be nothing more in it.
    pub exact: bool,
}

/// A file of tests, not looked into yet.
#[derive(Default)]
pub struct Outline<'n> {
    /// The bridge it names, and where.
    pub bridge: Option<(Position, String)>,
    tests: Vec<&'n Node>,
}

/// The parts of a file.
pub fn outline<'n>(documents: &'n [Node], mistakes: &mut Mistakes) -> Outline<'n> {
    let mut outline = Outline::default();
    let Some(root) = documents.first() else {
        if mistakes.count() == 0 {
            mistakes.add(Position::default(), "there are no tests in it: 'tests' is missing");
        }
        return outline;
    };
    if let Some(second) = documents.get(1) {
        mistakes.add(second.at, "a file of tests is one document: put these under 'tests' above");
    }
    keys(root, "", &["bridge", "tests"], mistakes);
    if let Some(bridge) = root.get("bridge") {
        outline.bridge = text(bridge, "bridge", mistakes).map(|path| (bridge.at, path));
    }
    match root.get("tests").map(|tests| (tests, &tests.value)) {
        Some((_, Value::List(tests))) if !tests.is_empty() => outline.tests = tests.iter().collect(),
        Some((node, _)) => mistakes.add(node.at, "'tests' must be a list of tests"),
        None => mistakes.add(root.at, "'tests' is missing: a list with 'name', 'send' and 'expect'"),
    }
    outline
}

/// The tests, those with mistakes left out.
pub fn read(outline: &Outline<'_>, places: &Places, mistakes: &mut Mistakes) -> Vec<Case> {
    outline.tests.iter().filter_map(|node| case(node, places, mistakes)).collect()
}

fn case(node: &Node, places: &Places, mistakes: &mut Mistakes) -> Option<Case> {
    keys(node, "", &["name", "send", "expect", "follow", "replies", "failing"], mistakes);
    let name = required(node, "name", mistakes).and_then(|name| text(name, "name", mistakes));
    let send = required(node, "send", mistakes);
    let sent = send.and_then(|send| {
        keys(send, "send", &["to", "event"], mistakes);
        let to = required(send, "to", mistakes).and_then(|to| entrance(to, places, mistakes));
        let event = required(send, "event", mistakes).and_then(|event| self::event(event, mistakes));
        Some((to?, event?))
    });
    let expected = required(node, "expect", mistakes).and_then(|list| match &list.value {
        Value::List(items) => {
            let all: Vec<_> = items.iter().map(|item| expected(item, places, mistakes)).collect();
            all.into_iter().collect::<Option<Vec<_>>>()
        }
        _ => {
            mistakes.add(
                list.at,
                format!("'expect' must be a list of events ([] for none), not {}", list.noun()),
            );
            None
        }
    });
    let follow = flag(node, "follow", mistakes);
    let mut replies = Vec::new();
    for (key, answer) in node.get("replies").map_or(&[][..], Node::entries) {
        match places.find(&key.text) {
            Ok(place) => replies.extend(event(answer, mistakes).map(|event| (place, event))),
            Err(why) => mistakes.add(key.at, why),
        }
    }
    let mut failing = Vec::new();
    if let Some(list) = node.get("failing") {
        let Value::List(items) = &list.value else {
            mistakes.add(list.at, format!("'failing' must be a list of components, not {}", list.noun()));
            return None;
        };
        failing.extend(items.iter().filter_map(|item| place(item, places, mistakes)));
    }
    if !follow && (!replies.is_empty() || !failing.is_empty()) {
        mistakes
            .add(node.at, "'replies' and 'failing' need 'follow: true': without it nothing goes that far");
    }
    let (to, event) = sent?;
    Some(Case { at: node.at, name: name?, to, event, expected: expected?, follow, replies, failing })
}

/// Where a test can send to: what can be told without running it.
fn entrance(node: &Node, places: &Places, mistakes: &mut Mistakes) -> Option<Place> {
    let place = place(node, places, mistakes)?;
    if let Place::Component(id) = &place
        && places.part(id).is_some_and(|part| matches!(part.code, Code::Other))
    {
        let message =
            format!("{id} works with something outside: tests send to brokers, triggers and transformations");
        mistakes.add(node.at, message);
        return None;
    }
    Some(place)
}

fn place(node: &Node, places: &Places, mistakes: &mut Mistakes) -> Option<Place> {
    let name = text(node, "a component", mistakes)?;
    places.find(&name).map_err(|why| mistakes.add(node.at, why)).ok()
}

fn expected(node: &Node, places: &Places, mistakes: &mut Mistakes) -> Option<Expected> {
    keys(node, "expect[]", &["to", "trigger", "event", "exact"], mistakes);
    let to = required(node, "to", mistakes)?;
    let name = text(to, "to", mistakes)?;
    let place = match places.find(&name) {
        Ok(place) => place,
        Err(_) if name == REPLY => Place::Reply,
        Err(_) if name.contains("://") => Place::Url(name),
        Err(why) => {
            mistakes.add(to.at, why);
            return None;
        }
    };
    let trigger = match node.get("trigger").map(|trigger| (trigger, trigger.scalar().unwrap_or_default())) {
        None => None,
        Some((trigger, name)) => match places.find(&format!("{}/{name}", crate::manifest::TRIGGER)) {
            Ok(_) => Some(name),
            Err(why) => {
                mistakes.add(trigger.at, why);
                return None;
            }
        },
    };
    let event = match node.get("event").map(|event| (event, event.to_json())) {
        None => serde_json::Map::new(),
        Some((_, Json::Object(map))) => map,
        Some((event, _)) => {
            mistakes.add(event.at, format!("'event' must be a mapping, not {}", event.noun()));
            return None;
        }
    };
    for (key, value) in node.get("event").map_or(&[][..], Node::entries) {
        let is_data = matches!(key.text.as_str(), "data" | "data_base64");
        if !is_data && !common::event::is_attribute_name(&key.text) && key.text != "specversion" {
            mistakes.add(
                key.at,
                format!("'{}' is no name of an attribute: lower-case letters and digits", key.text),
            );
        } else if !is_data && matches!(value.value, Value::List(_) | Value::Map(_)) {
            mistakes.add(value.at, format!("'{}' must be a single value, not {}", key.text, value.noun()));
        }
    }
    let label = places.label(&place);
    let exact = flag(node, "exact", mistakes);
    Some(Expected { at: node.at, place, label, trigger, event, exact })
}

/// An event in its JSON form; a test need not say who sent it.
fn event(node: &Node, mistakes: &mut Mistakes) -> Option<Event> {
    let Json::Object(mut map) = node.to_json() else {
        mistakes.add(node.at, format!("an event must be a mapping, not {}", node.noun()));
        return None;
    };
    for (name, default) in [("specversion", "1.0"), ("id", "1"), ("source", "test")] {
        map.entry(name).or_insert_with(|| default.into());
    }
    let text = Json::Object(map).to_string();
    json::from_slice(Bytes::from(text))
        .map_err(|error| mistakes.add(node.at, format!("no event: {error}")))
        .ok()
}

fn keys(node: &Node, path: &str, known: &[&str], mistakes: &mut Mistakes) {
    if matches!(node.value, Value::Map(_)) {
        unknown_keys(node, path, known, mistakes);
    } else {
        mistakes.add(node.at, format!("a mapping ({}) was expected, not {}", known.join(", "), node.noun()));
    }
}

fn required<'n>(node: &'n Node, key: &str, mistakes: &mut Mistakes) -> Option<&'n Node> {
    let found = node.get(key);
    if found.is_none() && matches!(node.value, Value::Map(_)) {
        mistakes.add(node.at, format!("'{key}' is missing"));
    }
    found
}

fn text(node: &Node, what: &str, mistakes: &mut Mistakes) -> Option<String> {
    let text = node.scalar();
    if text.is_none() {
        mistakes.add(node.at, format!("'{what}' must be a string, not {}", node.noun()));
    }
    text
}

fn flag(node: &Node, key: &str, mistakes: &mut Mistakes) -> bool {
    match node.get(key).map(|flag| (flag, &flag.value)) {
        None => false,
        Some((_, Value::Bool(value))) => *value,
        Some((flag, _)) => {
            mistakes.add(flag.at, format!("'{key}' must be true or false, not {}", flag.noun()));
            false
        }
    }
}

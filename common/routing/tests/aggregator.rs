//! What belongs to a group, and what becomes of it.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::collections::BTreeMap;

use common::Event;
use routing::{
    Aggregator, CeContext, Splitter,
    aggregator::{Elements, Group, Mark, Part, Problem, Refusal, Spec},
    context, splitter,
};

const NONE: BTreeMap<String, String> = BTreeMap::new();

fn spec<'a>(attributes: Option<&'a [String]>, extensions: &'a BTreeMap<String, String>) -> Spec<'a> {
    Spec {
        attributes,
        path: "",
        count: None,
        count_attribute: None,
        index: None,
        elements: Elements::Data,
        context: CeContext { event_type: "whole", source: "/aggregator", extensions },
    }
}

fn event(id: &str, attributes: &[(&str, &str)], data: Option<(&str, &[u8])>) -> Event {
    let mut event = Event::new(id.to_owned(), "/shop", "part").unwrap();
    for (name, value) in attributes {
        event.set(name, *value).unwrap();
    }
    if let Some((content_type, data)) = data {
        event.set_data(content_type, data.to_vec()).unwrap();
    }
    event
}

fn numbered<'a>(index: &'a str, count: &'a str) -> [(&'a str, &'a str); 4] {
    [("splitsource", "/shop"), ("splitid", "7"), ("splitindex", index), ("splitcount", count)]
}

fn json(data: &str) -> Option<(&str, &[u8])> {
    Some(("application/json", data.as_bytes()))
}

fn parts(aggregator: &Aggregator, events: &[Event]) -> (Group, Vec<Part>) {
    let parts: Vec<Part> = events.iter().map(|event| aggregator.part(event).unwrap()).collect();
    assert!(parts.iter().all(|part| part.group == parts[0].group));
    (parts[0].group.clone(), parts)
}

#[test]
fn what_a_splitter_makes_becomes_one_again_without_more_settings() {
    let context = CeContext { event_type: "part", source: "/splitter", extensions: &NONE };
    let splitter = Splitter::new(&splitter::Spec { path: "items", context, numbered: true }).unwrap();
    let order = event("7", &[], json(r#"{"items": [{"a": 1.0}, "two", null]}"#));
    let mut events: Vec<Event> = splitter.split(&order).unwrap().map(Result::unwrap).collect();
    events.rotate_left(1);
    let aggregator = Aggregator::new(&spec(None, &NONE)).unwrap();
    let (group, mut parts) = parts(&aggregator, &events);
    assert!(parts.iter().all(|part| part.count == 3));
    let whole = aggregator.aggregate(&group, &mut parts, true).unwrap();
    assert_eq!(&whole.data().unwrap()[..], br#"[{"a": 1.0},"two",null]"#);
    for (name, value) in [
        ("type", Some("whole")),
        ("source", Some("/aggregator")),
        ("splitid", Some("7")),
        ("splitsource", Some("/shop")),
        ("splitindex", None),
        ("aggregatecount", Some("3")),
        ("aggregatecomplete", Some("true")),
        ("datacontenttype", Some("application/json")),
        ("time", None),
    ] {
        assert_eq!(whole.get(name), value, "{name}");
    }
}

#[test]
fn the_id_is_that_of_these_parts_of_this_group() {
    let attributes = ["subject".to_owned()];
    let of = |subject: &str, events: &[(&str, Option<&str>)]| {
        let aggregator = Aggregator::new(&Spec { count: Some(2), ..spec(Some(&attributes), &NONE) }).unwrap();
        let events: Vec<Event> = events
            .iter()
            .map(|(id, index)| {
                let mut event = event(id, &[("subject", subject)], json("1"));
                index.iter().for_each(|index| event.set("splitindex", *index).unwrap());
                event
            })
            .collect();
        let (group, mut parts) = parts(&aggregator, &events);
        let whole = aggregator.aggregate(&group, &mut parts, true).unwrap();
        assert_eq!(whole.get("subject"), Some(subject));
        whole.id().to_owned()
    };
    let id = of("s", &[("a", None), ("b", None)]);
    assert_eq!(id, of("s", &[("b", None), ("a", None)]), "whatever came first");
    assert_eq!(id, "38fb9590-11b5-5f76-a736-ce8d2be7ef73", "and in whatever process");
    for other in [
        of("t", &[("a", None), ("b", None)]),
        of("s", &[("a", None), ("c", None)]),
        of("s", &[("a", None)]),
        of("s", &[("a", Some("0")), ("b", Some("1"))]),
    ] {
        assert_ne!(id, other);
    }
    assert_eq!(
        of("s", &[("a", Some("0")), ("b", Some("1"))]),
        of("s", &[("x", Some("1")), ("y", Some("0"))]),
        "with an index, ids do not matter"
    );
}

#[test]
fn parts_without_an_index_come_behind_in_the_order_in_which_they_came() {
    let aggregator = Aggregator::new(&Spec { count: Some(5), ..spec(None, &NONE) }).unwrap();
    let events: Vec<Event> =
        [("c", None), ("b", Some("10")), ("a", None), ("d", Some("-1")), ("e", Some("9"))]
            .iter()
            .map(|(id, index)| {
                let mut event =
                    event(id, &[("splitsource", "/"), ("splitid", "7")], json(&format!("\"{id}\"")));
                index.iter().for_each(|index| event.set("splitindex", *index).unwrap());
                event
            })
            .collect();
    let (group, mut parts) = parts(&aggregator, &events);
    assert_eq!(parts[0].mark, Mark::Event("/shop".into(), "c".into()));
    let whole = aggregator.aggregate(&group, &mut parts, false).unwrap();
    assert_eq!(&whole.data().unwrap()[..], br#"["d","e","b","c","a"]"#);
    assert_eq!(whole.get("aggregatecomplete"), Some("false"));
}

#[test]
fn elements_are_the_data_or_the_events() {
    for (data, expected) in [
        (Some(("application/json", &b" {\"a\": 1.0} "[..])), r#"{"a": 1.0}"#),
        (Some(("application/vnd.shop+json", b"12345678901234567890")), "12345678901234567890"),
        (Some(("text/plain", b"say \"hello\"\n")), r#""say \"hello\"\n""#),
        (Some(("application/xml", "<a>ä</a>".as_bytes())), r#""<a>ä</a>""#),
        (Some(("application/json", b"")), "null"),
        (None, "null"),
    ] {
        let part = Aggregator::new(&spec(None, &NONE)).unwrap().part(&event("1", &numbered("0", "1"), data));
        assert_eq!(&part.unwrap().element[..], expected.as_bytes());
    }
    let aggregator = Aggregator::new(&Spec { elements: Elements::Events, ..spec(None, &NONE) }).unwrap();
    let binary = event("1", &numbered("0", "1"), Some(("image/png", b"\xff\0")));
    let (group, mut parts) = parts(&aggregator, &[binary]);
    let whole = aggregator.aggregate(&group, &mut parts, true).unwrap();
    let data: serde_json::Value = serde_json::from_slice(whole.data().unwrap()).unwrap();
    assert_eq!(data[0]["data_base64"], "/wA=");
    assert_eq!(data[0]["splitindex"], "0");
    assert_eq!(whole.data_content_type(), Some("application/json"));
}

#[test]
fn a_group_may_stand_in_the_data() {
    let aggregator =
        Aggregator::new(&Spec { path: "order.id", count: Some(2), ..spec(None, &NONE) }).unwrap();
    let group = |data: &str| aggregator.part(&event("1", &[], json(data))).map(|part| part.group);
    assert_eq!(group(r#"{"order": {"id": 7}}"#), group(r#"{"order": {"id": "7"}}"#), "by its text");
    assert_ne!(group(r#"{"order": {"id": 7}}"#), group(r#"{"order": {"id": 8}}"#));
    for data in ["{}", r#"{"order": {"id": null}}"#, r#"{"order": {"id": [1]}}"#, r#"{"order": {"id": {}}}"#]
    {
        assert_eq!(group(data), Err(Refusal::NothingAtPath), "{data}");
    }
    assert!(matches!(group("{"), Err(Refusal::NotJson(_))));
    let both = ["type".to_owned()];
    let aggregator =
        Aggregator::new(&Spec { path: "id", count: Some(2), ..spec(Some(&both), &NONE) }).unwrap();
    let (group, mut parts) = parts(&aggregator, &[event("1", &[], json(r#"{"id": true}"#))]);
    let whole = aggregator.aggregate(&group, &mut parts, true).unwrap();
    assert_eq!((whole.event_type(), whole.get("id").map(str::len)), ("whole", Some(36)), "those are its own");
}

#[test]
fn what_is_no_part_is_refused() {
    let aggregator = Aggregator::new(&spec(None, &NONE)).unwrap();
    let refused = |attributes: &[(&str, &str)], data| {
        aggregator.part(&event("1", attributes, data)).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&numbered("0", "1")[1..], json("1")),
        "the event has no 'splitsource', and belongs to no group"
    );
    for count in ["0", "-1", "many", "1.5", "99999999999999999999"] {
        assert_eq!(
            refused(&numbered("0", count), json("1")),
            "'splitcount' is no number of parts from 1 on",
            "{count}"
        );
    }
    assert_eq!(refused(&numbered("0", "1")[..3], json("1")), "'splitcount' is no number of parts from 1 on");
    assert_eq!(refused(&numbered("first", "1"), json("1")), "'splitindex' is no whole number");
    assert_eq!(refused(&numbered("0", "1"), json("{")), "the data is no JSON");
    assert_eq!(refused(&numbered("0", "1"), json("1 2")), "the data is no JSON");
    assert_eq!(
        refused(&numbered("0", "1"), Some(("image/png", b"\xff"))),
        "the data is neither JSON nor text in UTF-8, and no element of an array of data"
    );
}

#[test]
fn every_mistake_is_told() {
    let extensions = BTreeMap::from([("aggregatecount".to_owned(), "1".to_owned())]);
    let attributes = ["no-dash".to_owned()];
    let wrong = Spec {
        path: "a.@sort",
        count: Some(1),
        count_attribute: Some("n"),
        ..spec(Some(&attributes), &extensions)
    };
    let problems = Aggregator::new(&wrong).unwrap_err();
    assert!(
        matches!(
            &problems[..],
            [
                Problem::Attribute(_),
                Problem::TwoCounts,
                Problem::Path(_),
                Problem::Context(context::Problem::Extension(..))
            ]
        ),
        "{problems:?}"
    );
    assert_eq!(Aggregator::new(&spec(Some(&[]), &NONE)).unwrap_err(), [Problem::NoGroup]);
}

/// What nobody should send: it is taken or refused, and what is made of it is JSON.
#[test]
fn hostile_parts() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let aggregator = Aggregator::new(&spec(None, &NONE)).unwrap();
    for (content_type, data) in [
        ("application/json", deep.as_bytes()),
        ("application/json", b"1],[2"),
        ("application/json", b"\"\\ud800\""),
        ("application/json", b"1e999999999"),
        ("application/json", b"\xff"),
        ("text/plain", b"\"]\0\x1b"),
        ("", b"]"),
    ] {
        let mut events = Vec::new();
        for (index, value) in [("0", data), ("1", b"1")] {
            let mut event = event(index, &numbered(index, "2"), None);
            if event.set("datacontenttype", content_type).is_err() {
                event.remove("datacontenttype");
            }
            event.replace_data(Some(value.to_vec().into()));
            events.push(event);
        }
        if aggregator.part(&events[0]).is_err() {
            continue;
        }
        let (group, mut parts) = parts(&aggregator, &events);
        let whole = aggregator.aggregate(&group, &mut parts, true).unwrap();
        let elements: Vec<&serde_json::value::RawValue> =
            serde_json::from_slice(whole.data().unwrap()).unwrap();
        assert_eq!(elements.len(), 2, "{content_type} {}", data.escape_ascii());
    }
}

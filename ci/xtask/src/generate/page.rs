//! The part of an adapter's README about its events: what comes in, what goes out, and the sample that a run is compared
//! with (`tests/sample.json`, clauses S12 and T11).

use serde_json::{Map, Value};

use crate::document::Description;

/// How wide data may be that stand on one line.
const WIDTH: usize = 100;
/// Attributes in the order in which people look for them; those that are not here follow, and then the data.
const ATTRIBUTES: [&str; 8] =
    ["specversion", "type", "source", "subject", "id", "time", "datacontenttype", "dataschema"];

/// Types of events and the sample.
pub fn events(description: &Description, sample: Option<&Value>) -> String {
    let mut text = format!("- In: {}.\n- Out: {}.\n", taken(description), sent(description));
    if let Some(sample) = sample {
        text += &shown(sample);
    }
    text
}

fn taken(description: &Description) -> String {
    match description.shape.as_str() {
        _ if !description.accepts.is_empty() => {
            let (any, named): (Vec<_>, Vec<_>) = description.accepts.iter().partition(|name| *name == "*");
            match (any.is_empty(), named.is_empty()) {
                (false, true) => "events of any type".to_owned(),
                (false, false) => format!("events {}, and of any other", list(&named)),
                (true, _) => format!("events {}", list(&named)),
            }
        }
        "webhook-source" => "requests of the outside system, on `PORT`".to_owned(),
        _ => "nobody calls this adapter: it fetches, or waits, by itself".to_owned(),
    }
}

fn sent(description: &Description) -> String {
    let types: Vec<&String> = description.emits.iter().collect();
    let where_to = match &*description.role {
        "source" => "to `K_SINK`, ",
        "transformation" => "to `K_SINK` or as the answer, ",
        _ => "as the answer, ",
    };
    match types.as_slice() {
        [] => "no events of its own".to_owned(),
        [any] if *any == "*" => format!("{where_to}the events that came in"),
        _ => format!("{where_to}events {}", list(&types)),
    }
}

/// Types as a sentence has them; `{NAME}` is one that a setting says.
fn list(types: &[&String]) -> String {
    let setting = |name: &str| Some(format!("`{}`", name.strip_prefix('{')?.strip_suffix('}')?));
    let settings: Vec<String> = types.iter().filter_map(|name| setting(name)).collect();
    let named: Vec<String> =
        types.iter().filter(|name| setting(name).is_none()).map(|name| format!("`{name}`")).collect();
    match (named.is_empty(), settings.is_empty()) {
        (_, true) => format!("of type {}", named.join(", ")),
        (true, false) => format!("of the type in {}", settings.join(", ")),
        (false, false) => format!("of type {}, or the one in {}", named.join(", "), settings.join(", ")),
    }
}

fn shown(sample: &Value) -> String {
    let settings: Vec<String> = sample["settings"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("`{name}={}`", value.as_str().unwrap_or_default()))
        .collect();
    let with = if settings.is_empty() { String::new() } else { format!(", with {}", settings.join(", ")) };
    let mut text = format!("\nA sample of a run, ids and times replaced{with}:\n");
    let mut part = |words: &str, block: &str| {
        text += &format!("\n{words}\n");
        if !block.is_empty() {
            text += &format!("\n{block}");
        }
    };
    let taken = &sample["takes"];
    if taken["method"].is_string() {
        part("In:", &request(taken));
    } else if taken.is_object() {
        part("In:", &json(&event(taken)));
    }
    if sample["sends"].is_object() {
        part("Out:", &json(&event(&sample["sends"])));
    }
    match &sample["delivers"] {
        Value::Null => {}
        Value::String(plain) => part("What arrives:", &fenced("", plain)),
        some if some["specversion"].is_string() => part("What arrives:", &json(&event(some))),
        some => part("What arrives:", &json(&value(some, 0))),
    }
    for (name, when) in
        [("answers", "The answer"), ("answers_always", "With `EVENTS_PAYLOAD_POLICY=always` it")]
    {
        let answer = &sample[name];
        if answer["event"].is_object() {
            part(&format!("{when} is {} and the event:", answer["status"]), &json(&event(&answer["event"])));
        } else if answer.is_object() {
            part(&format!("{when} is {}, without an event.", answer["status"]), "");
        }
    }
    text
}

fn json(text: &str) -> String {
    fenced("json", text)
}

fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}

fn request(request: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| self::value(value, 0), str::to_owned);
    let mut text = format!("{} {}\n", plain(&request["method"]), plain(&request["path"]));
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        text += &format!("{name}: {}\n", plain(value));
    }
    text += &format!("\n{}", plain(&request["body"]));
    fenced("http", &text)
}

/// An event, its attributes on a line each.
fn event(event: &Value) -> String {
    let none = Map::new();
    let members = event.as_object().unwrap_or(&none);
    let place = |name: &str| match ATTRIBUTES.iter().position(|known| *known == name) {
        Some(place) => place,
        None if name.starts_with("data") => ATTRIBUTES.len() + 1,
        None => ATTRIBUTES.len(),
    };
    let mut names: Vec<&String> = members.keys().collect();
    names.sort_by_key(|name| place(name));
    object(names.into_iter().map(|name| (name, &members[name])), 0)
}

fn object<'a>(members: impl Iterator<Item = (&'a String, &'a Value)>, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let lines: Vec<String> = members
        .map(|(name, member)| format!("{indent}{}: {}", Value::from(name.as_str()), value(member, depth + 1)))
        .collect();
    format!("{{\n{}\n{}}}", lines.join(",\n"), "  ".repeat(depth))
}

/// JSON on one line where it fits.
fn value(value: &Value, depth: usize) -> String {
    let line = spaced(value);
    if line.len() + 2 * depth <= WIDTH {
        return line;
    }
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Object(members) => object(members.iter(), depth),
        Value::Array(elements) => {
            let lines: Vec<String> = elements
                .iter()
                .map(|element| format!("{indent}{}", self::value(element, depth + 1)))
                .collect();
            format!("[\n{}\n{}]", lines.join(",\n"), "  ".repeat(depth))
        }
        _ => line,
    }
}

fn spaced(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, member)| format!("{}: {}", Value::from(name.as_str()), spaced(member)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_said_in_a_sentence() {
        let types = ["a.b".to_owned(), "{CE_TYPE}".to_owned()];
        let of = |types: &[String]| list(&types.iter().collect::<Vec<_>>());
        assert_eq!(of(&types), "of type `a.b`, or the one in `CE_TYPE`");
        assert_eq!(
            (of(&types[..1]), of(&types[1..])),
            ("of type `a.b`".into(), "of the type in `CE_TYPE`".into())
        );
    }

    #[test]
    fn an_event_has_its_attributes_first_and_its_data_last() {
        let shown = event(&json!({
            "data": {"b": [1, 2]}, "id": "1", "source": "/s", "specversion": "1.0", "type": "t", "zone": "x",
        }));
        let expected = "{\n  \"specversion\": \"1.0\",\n  \"type\": \"t\",\n  \"source\": \"/s\",\n  \"id\": \"1\",\n  \
            \"zone\": \"x\",\n  \"data\": {\"b\": [1, 2]}\n}";
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_wide_is_broken() {
        let wide = "x".repeat(90);
        let expected = format!("{{\n  \"a\": [\n    \"{wide}\",\n    \"{wide}\"\n  ]\n}}");
        assert_eq!(value(&json!({"a": [wide, wide]}), 0), expected);
    }

    #[test]
    fn a_sample_is_in_the_order_of_its_way() {
        let text = shown(&json!({
            "settings": {"A": "b"},
            "takes": {"id": "1", "type": "t"},
            "delivers": "plain",
            "answers": {"status": 202},
            "answers_always": {"status": 200, "event": {"id": "2"}},
        }));
        let parts: Vec<&str> =
            text.lines().filter(|line| line.ends_with(':') || line.ends_with('.')).collect();
        assert_eq!(
            parts,
            [
                "A sample of a run, ids and times replaced, with `A=b`:",
                "In:",
                "What arrives:",
                "The answer is 202, without an event.",
                "With `EVENTS_PAYLOAD_POLICY=always` it is 200 and the event:"
            ]
        );
    }
}

//! What the server answers, taken apart without a copy.

use broker::log::Incoming;
use bytes::Bytes;
use redis::Value;
use serde_json::json;

use super::id::Id;

/// The field of an entry that holds the event.
pub const EVENT: &str = "ce";
/// The field that says how many replies led to it.
pub const HOPS: &str = "hops";
/// The field with the `traceparent` of whoever sent it.
pub const TRACE: &str = "traceparent";

/// An entry as it stands in the stream; one that was deleted meanwhile has no fields.
pub struct Found {
    pub id: Id,
    pub fields: Option<Vec<Value>>,
}

/// The entries of `XREADGROUP` over one stream.
pub fn read(answer: Value) -> Vec<Found> {
    let streams = match answer {
        Value::Array(streams) => streams,
        // RESP3.
        Value::Map(streams) => return streams.into_iter().flat_map(|(_, found)| entries(found)).collect(),
        _ => return Vec::new(),
    };
    let of_stream = |stream: Value| match stream {
        Value::Array(mut parts) => parts.pop().map(entries).unwrap_or_default(),
        _ => Vec::new(),
    };
    streams.into_iter().flat_map(of_stream).collect()
}

/// A list of entries, as `XRANGE` gives it.
pub fn entries(list: Value) -> Vec<Found> {
    let Value::Array(list) = list else { return Vec::new() };
    list.into_iter().filter_map(entry).collect()
}

/// The consumers that a summary of `XPENDING` names.
pub fn consumers(summary: &Value) -> Vec<String> {
    let Value::Array(parts) = summary else { return Vec::new() };
    let Some(Value::Array(consumers)) = parts.get(3) else { return Vec::new() };
    let name = |consumer: &Value| match consumer {
        Value::Array(pair) => pair.first().and_then(text).map(str::to_owned),
        _ => None,
    };
    consumers.iter().filter_map(name).collect()
}

/// The entries of a list of `XPENDING`, with the consumers that have them.
pub fn pending(list: Value) -> Vec<(Id, String)> {
    let Value::Array(list) = list else { return Vec::new() };
    let one = |entry: Value| match entry {
        Value::Array(parts) => Some((id(parts.first()?)?, parts.get(1).and_then(text)?.to_owned())),
        _ => None,
    };
    list.into_iter().filter_map(one).collect()
}

/// How many there are in a list.
pub fn count(list: Value) -> u64 {
    if let Value::Array(list) = list { list.len() as u64 } else { 0 }
}

fn entry(entry: Value) -> Option<Found> {
    let Value::Array(parts) = entry else { return None };
    let mut parts = parts.into_iter();
    let id = id(&parts.next()?)?;
    let fields = match parts.next() {
        Some(Value::Array(fields)) => Some(fields),
        Some(Value::Map(fields)) => {
            Some(fields.into_iter().flat_map(|(name, value)| [name, value]).collect())
        }
        _ => None,
    };
    Some(Found { id, fields })
}

/// An id as the server writes it.
pub fn id(value: &Value) -> Option<Id> {
    text(value)?.parse().ok()
}

/// A text of an answer.
pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// A number of an answer.
pub fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => text(other)?.parse().ok(),
    }
}

/// The value of a name in a flat list of names and values, or in a map.
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(list) => {
            list.chunks_exact(2).find(|pair| text(&pair[0]) == Some(name)).map(|pair| &pair[1])
        }
        Value::Map(map) => map.iter().find(|(key, _)| text(key) == Some(name)).map(|(_, value)| value),
        _ => None,
    }
}

/// An entry for the engine.
pub fn incoming(id: Id, fields: Vec<Value>) -> Incoming<Id> {
    let mut incoming = Incoming { position: id, value: Bytes::new(), hops: 0, trace: None };
    let mut others = Vec::new();
    let mut is_there = false;
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match text(&name) {
            Some(EVENT) => {
                is_there = true;
                incoming.value = bytes(value);
            }
            Some(HOPS) => incoming.hops = number(&value).and_then(|hops| hops.try_into().ok()).unwrap_or(0),
            Some(TRACE) => incoming.trace = text(&value).map(str::to_owned),
            _ => others.push((name, value)),
        }
    }
    if !is_there {
        // No event of ours: the dead letter keeps what there is.
        let lossy = |value: Value| String::from_utf8_lossy(&bytes(value)).into_owned();
        let members = others.into_iter().map(|(name, value)| (lossy(name), json!(lossy(value))));
        let object = serde_json::Value::Object(members.collect());
        incoming.value = object.to_string().into();
    }
    incoming
}

fn bytes(value: Value) -> Bytes {
    match value {
        Value::BulkString(bytes) => bytes.into(),
        Value::SimpleString(text) => text.into(),
        Value::Int(number) => number.to_string().into(),
        _ => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn list(items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    #[test]
    fn entries_of_both_protocols_are_read() {
        let fields = || list(vec![bulk("ce"), bulk("{}"), bulk("hops"), bulk("3")]);
        let entries = || list(vec![list(vec![bulk("7-1"), fields()]), list(vec![bulk("8-0"), Value::Nil])]);
        let old = list(vec![list(vec![bulk("triggermesh"), entries()])]);
        let new = Value::Map(vec![(bulk("triggermesh"), entries())]);
        for answer in [old, new] {
            let mut found = read(answer).into_iter();
            let first = found.next().unwrap();
            let incoming = incoming(first.id, first.fields.unwrap());
            assert_eq!((incoming.position.to_string().as_str(), &incoming.value[..]), ("7-1", &b"{}"[..]));
            assert_eq!((incoming.hops, incoming.trace), (3, None));
            assert!(found.next().unwrap().fields.is_none());
        }
        assert!(read(Value::Nil).is_empty());
    }

    #[test]
    fn what_is_no_event_is_kept_whole() {
        let found = incoming(Id::at(1), vec![bulk("a"), bulk("1"), bulk("b"), bulk("2")]);
        assert_eq!(&found.value[..], br#"{"a":"1","b":"2"}"#);
    }

    #[test]
    fn who_has_entries_is_told() {
        let pair = |name: &str| list(vec![bulk(name), bulk("2")]);
        let summary = list(vec![Value::Int(4), bulk("1-0"), bulk("4-0"), list(vec![pair("a"), pair("b")])]);
        assert_eq!(consumers(&summary), ["a", "b"]);
        assert!(consumers(&list(vec![Value::Int(0), Value::Nil, Value::Nil, Value::Nil])).is_empty());
    }

    #[test]
    fn what_is_pending_has_a_holder() {
        let entry = |id: &str, name: &str| list(vec![bulk(id), bulk(name), Value::Int(7), Value::Int(1)]);
        let found = pending(list(vec![entry("1-0", "a"), entry("4-2", "b")]));
        assert_eq!(found, [(Id::at(1), "a".to_owned()), (Id { time: 4, number: 2 }, "b".to_owned())]);
    }

    #[test]
    fn members_are_found_by_name() {
        let info = list(vec![bulk("length"), Value::Int(5), bulk("last-generated-id"), bulk("9-2")]);
        assert_eq!(member(&info, "length").and_then(number), Some(5));
        assert_eq!(member(&info, "last-generated-id").and_then(id), Some("9-2".parse().unwrap()));
        assert!(member(&info, "none").is_none());
    }
}

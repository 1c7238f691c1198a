//! XML to JSON.

use crate::is_message;

/// Converts: what comes out is JSON with the first element in it, the same each time, and no more than grows with what came.
pub fn xmljson(data: &[u8]) {
    let data = data.get(..crate::LONGEST).unwrap_or(data);
    let converted = xmljson::convert(data);
    assert_eq!(converted, xmljson::convert(data), "another result");
    match converted {
        Ok(json) => {
            // Each byte may need an escape, and each piece of markup has signs of its own.
            assert!(json.len() <= 20 * data.len(), "{} bytes of {}", json.len(), data.len());
            let read = serde_json::from_slice::<serde::de::IgnoredAny>(&json);
            assert!(read.is_ok(), "no JSON: {:?}", String::from_utf8_lossy(&json));
            let is_object = json.starts_with(b"{\"") && json.ends_with(b"}\n");
            assert!(is_object, "no object: {:?}", String::from_utf8_lossy(&json));
            is_one_line(&json);
        }
        Err(invalid) => {
            assert!(invalid.at <= data.len() as u64, "{invalid:?}");
            is_message(&invalid.to_string(), 1000);
        }
    }
}

/// Nothing in it can end a line or a script.
fn is_one_line(json: &[u8]) {
    let text = std::str::from_utf8(&json[..json.len() - 1]).expect("UTF-8");
    let bad = |c: char| c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    assert!(!text.contains(bad), "{text:?}");
}

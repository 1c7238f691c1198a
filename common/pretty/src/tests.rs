//! Blocks: JSON by its text, hostile characters, what is cut.

use super::*;

fn event(content_type: Option<&str>, data: impl Into<Vec<u8>>) -> Event {
    let mut event = Event::new("1", "/me", "com.example.hello").expect("an event");
    if let Some(content_type) = content_type {
        event.set("datacontenttype", content_type).expect("a media type");
    }
    event.replace_data(Some(data.into().into()));
    event
}

fn block(event: &Event) -> String {
    Look::new(false, 4096).block(event, "10:11:12.131Z")
}

/// The lines of the data.
fn shown(content_type: Option<&str>, data: impl Into<Vec<u8>>) -> Vec<String> {
    let block = block(&event(content_type, data));
    block.lines().filter_map(|line| line.strip_prefix(MARGIN)).map(str::to_owned).collect()
}

#[test]
fn a_block_has_a_head_the_attributes_and_the_data() {
    let mut event = event(Some("application/json"), r#"{"b":[1,2.50,{}],"a":"x"}"#);
    event.set("subject", "s").expect("a subject");
    let expected = r#"10:11:12.131Z  com.example.hello  /me  1
  datacontenttype  application/json
  subject          s
  data             25 bytes
    {
      "b": [
        1,
        2.50,
        {}
      ],
      "a": "x"
    }

"#;
    assert_eq!(block(&event), expected);
    let coloured = Look::new(true, 4096).block(&event, "10:11:12.131Z");
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), expected);
}

#[test]
fn an_event_without_data_is_its_head() {
    let event = Event::new("1", "/me", "t").expect("an event");
    assert_eq!(block(&event), "10:11:12.131Z  t  /me  1\n\n");
    assert!(shown(Some("text/plain"), "").is_empty());
}

#[test]
fn json_keeps_its_numbers_order_duplicates_and_escapes() {
    for text in [
        "0",
        "\"\"",
        "[]",
        "[[],{},[{}]]",
        r#"{"z":1,"a":2,"z":3}"#,
        "[1e400,-0.0,1.10,123456789012345678901234567890,1E+2]",
        r#"{"a\"b":"\\","c":"\\\"","d":"{[,:]}","\u0041":"\ud83d\ude00"}"#,
        "[true,false,null]",
    ] {
        let spread = text.replace(',', " ,\r\n\t").replace(':', " : ");
        for json in [text, if text.contains('"') { text } else { &spread }] {
            let lines = shown(Some("application/json"), json);
            let joined: String = lines.iter().map(|line| line.trim_start().replace("\": ", "\":")).collect();
            assert_eq!(joined, text);
        }
    }
}

#[test]
fn deep_json_is_cut_and_not_widened_for_ever() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let block = block(&event(Some("application/json"), deep));
    assert!(block.contains("200000 bytes, cut"), "{block}");
    assert!(block.len() < 8192, "{}", block.len());
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let hostile = "a\u{1b}[2J\u{7}\u{8}\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200f}\u{2028}\u{feff}\u{e0041}\rb\0";
    let json = "{\"k\u{202e}\":\"a\u{7f}\u{9b}\u{e0041}\"}";
    let mut attributes = event(Some("text/plain"), hostile);
    attributes.set("subject", "a\u{202e}b\u{200f}").expect("a subject");
    for block in [
        block(&attributes),
        block(&event(Some("application/json"), hostile)),
        block(&event(Some("application/json"), json)),
        block(&event(None, hostile)),
        block(&event(Some("application/octet-stream"), hostile)),
    ] {
        assert!(!block.chars().any(|c| c != '\n' && visible::is_hostile(c)), "{block:?}");
    }
    assert_eq!(shown(Some("text/plain"), "a\u{1b}[2J\tb\r\nc\rd"), ["a\\u{1b}[2J    b", "c\\u{d}d"]);
    assert_eq!(shown(None, "\"\u{202e}\u{e0041}\""), ["\"\\u202e\\udb40\\udc41\""]);
    assert_eq!(shown(Some("text/plain"), "zażółć 👩‍🚀"), ["zażółć 👩‍🚀"]);
}

#[test]
fn data_is_what_it_looks_like() {
    for (content_type, data, note) in [
        (Some("application/json"), b"{nope".as_slice(), "5 bytes, not valid JSON\n    {nope\n"),
        (Some("application/octet-stream"), b"\x00\xff", "2 bytes, binary\n    000000  00 ff "),
        (Some("text/plain; charset=iso-8859-1"), b"caf\xe9", "4 bytes, binary\n    000000  63 61 66 e9 "),
        (Some("TEXT/plain"), b"a\x01", "2 bytes\n    a\\u{1}\n"),
        (Some("application/x-protobuf"), b"\x08\x01a", "3 bytes, binary\n"),
        (Some("é"), b"x", "1 byte\n    x\n"),
        (None, b"no json", "7 bytes\n    no json\n"),
    ] {
        let mut event = event(None, data);
        // What no event may have as a media type is left out.
        let _ = content_type.map(|content_type| event.set("datacontenttype", content_type));
        assert!(block(&event).contains(note), "{}", block(&event));
    }
}

#[test]
fn what_is_long_is_cut() {
    let mut long = event(Some("text/plain"), "é".repeat(10_000));
    long.set("subject", "x".repeat(5000)).expect("a subject");
    let block = block(&long);
    assert!(block.contains("20000 bytes, cut\n") && block.contains("xx…\n"), "{block}");
    assert!(block.len() < 4096 + ATTRIBUTE_BYTES + 500, "{}", block.len());
    assert!(self::block(&event(None, vec![0; 257])).contains("257 bytes, binary, cut\n"));
    let one = Look::new(false, 1).block(&event(Some("application/json"), "[1]"), "");
    assert!(one.contains("3 bytes, cut"), "{one}");
}

//! Documents and specifications made to hurt: too deep, too long, too many, half of them wrong. Nothing may panic, and
//! what comes out is right or what came in.

use bumblebee::{Reason, Transformation};
use common::Event;
use serde_json::{Value, json};

/// As small as the stack of any thread that may ever run this.
const STACK: usize = 256 << 10;

fn transformation(data: &Value) -> Transformation {
    Transformation::new(&Value::Null, data).expect("a good specification")
}

/// One operation of each kind.
fn every_kind() -> Transformation {
    transformation(&json!([
        {"operation": "store", "paths": [{"key": "$a", "value": "a"}, {"key": "$all", "value": "."}]},
        {"operation": "parse", "paths": [{"key": "p", "value": "json"}]},
        {"operation": "add", "paths": [
            {"key": "b[2].c", "value": "$a"}, {"key": "t", "value": "x($a)"}, {"key": "b", "value": "$a"},
        ]},
        {"operation": "delete", "paths": [{"key": "a.b"}, {"value": "gone"}, {"key": "a[0].a"}]},
        {"operation": "shift", "paths": [{"key": "a:d"}, {"key": "d[0]:e"}, {"key": "z:a[3]", "value": "$a"}]},
    ]))
}

/// The data afterwards, and how many steps had no effect.
fn apply(transformation: &Transformation, data: impl Into<Vec<u8>>) -> (Vec<u8>, Vec<Reason>) {
    let mut event = Event::new("1", "/s", "t").expect("valid");
    event.set_data("application/json", data.into()).expect("valid");
    let mut reasons = Vec::new();
    let event = transformation.apply_observed(event, |_, reason| reasons.push(reason)).expect("an event");
    (event.data().expect("data").to_vec(), reasons)
}

/// Runs on a stack on which no deep recursion could live.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(test).expect("a thread");
    assert!(thread.join().is_ok(), "it panicked");
}

#[test]
fn a_hundred_thousand_levels_pass_unchanged() {
    on_a_small_stack(|| {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
            let inner = if open == "[" { "" } else { "1" };
            for text in
                [format!("{}{inner}{}", open.repeat(100_000), close.repeat(100_000)), open.repeat(100_000)]
            {
                let (out, reasons) = apply(&every_kind(), text.clone());
                assert!(out == text.as_bytes());
                assert!(reasons.iter().all(|reason| *reason == Reason::InvalidData) && !reasons.is_empty());
            }
        }
    });
}

#[test]
fn ten_thousand_levels_are_transformed() {
    on_a_small_stack(|| {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(9_999), "}".repeat(9_999));
        let document = format!(r#"{{"x":{deep}}}"#);
        let steps = transformation(&json!([
            {"operation": "store", "paths": [{"key": "$x", "value": "x"}]},
            {"operation": "add", "paths": [{"key": "y", "value": "$x"}, {"key": "x", "value": "$x"}]},
            {"operation": "delete", "paths": [{"value": "1"}]},
            {"operation": "shift", "paths": [{"key": ".:w"}]},
        ]));
        let (out, reasons) = apply(&steps, document);
        let emptied = deep.replace(r#"{"a":1}"#, "{}");
        assert!(out == format!(r#"{{"w":{{"x":{emptied},"y":{emptied}}}}}"#).as_bytes());
        assert_eq!(reasons, []);
    });
}

#[test]
fn a_string_that_is_parsed_may_be_as_deep() {
    on_a_small_stack(|| {
        let steps =
            transformation(&json!([{"operation": "parse", "paths": [{"key": "p", "value": "json"}]}]));
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let (out, reasons) = apply(&steps, format!(r#"{{"p":"{}"}}"#, nested(10_000)));
        assert!(out == format!(r#"{{"p":{}}}"#, nested(10_000)).as_bytes());
        assert_eq!(reasons, []);
        assert_eq!(apply(&steps, format!(r#"{{"p":"{}"}}"#, nested(100_000))).1, [Reason::NotJson]);
    });
}

#[test]
fn ten_megabytes_of_text_are_moved_and_composed() {
    for character in ["x", "é\\n<", "\\u0041"] {
        let long = character.repeat((10 << 20) / character.len());
        let steps = transformation(&json!([
            {"operation": "store", "paths": [{"key": "$a", "value": "a"}]},
            {"operation": "shift", "paths": [{"key": "a:b"}]},
            {"operation": "add", "paths": [{"key": "c", "value": "$a!"}]},
        ]));
        let (out, reasons) = apply(&steps, format!(r#"{{"a":"{long}"}}"#));
        let read: Value = serde_json::from_slice(&out).expect("JSON");
        let meant: String = serde_json::from_str(&format!("\"{long}\"")).expect("a string");
        assert!(read["b"] == meant && read["c"] == format!("{meant}!") && reasons.is_empty());
    }
}

#[test]
fn a_text_beyond_the_limit_is_left_out() {
    let steps = transformation(&json!([
        {"operation": "store", "paths": [{"key": "$a", "value": "a"}]},
        {"operation": "add", "paths": [{"key": "b", "value": "$a".repeat(300)}]},
    ]));
    let document = format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20));
    let (out, reasons) = apply(&steps, document.clone());
    assert!(out == document.as_bytes());
    assert_eq!(reasons, [Reason::TooLarge]);
}

#[test]
fn wide_documents_take_no_longer_than_their_size() {
    let object = |escape: &str| {
        let members: Vec<String> =
            (0..200_000).rev().map(|n| format!(r#""{escape}{}":{n}"#, n % 150_000)).collect();
        format!("{{{}}}", members.join(","))
    };
    for escape in ["k", "\\u006b"] {
        let (out, _) = apply(&every_kind(), object(escape));
        let read: Value = serde_json::from_slice(&out).expect("JSON");
        // Of a key that stands twice the last value counts: they were written backwards.
        assert_eq!((&read["k0"], &read["k149999"]), (&json!(0), &json!(149_999)));
    }
    let list = format!(r#"{{"a":[{}]}}"#, vec!["\"gone\""; 500_000].join(","));
    let (out, _) =
        apply(&transformation(&json!([{"operation": "delete", "paths": [{"value": "gone"}]}])), list);
    assert!(out == format!(r#"{{"a":[{}]}}"#, vec!["null"; 500_000].join(",")).as_bytes());
}

#[test]
fn what_is_no_utf_8_passes_unchanged() {
    for bytes in [&b"{\"a\":\"\xff\"}"[..], b"\xff", b"{\"a\":\"\xed\xa0\x80\"}", b"\xef\xbb\xbf{}"] {
        let (out, reasons) = apply(&every_kind(), bytes);
        assert_eq!(out, bytes);
        assert!(reasons.iter().all(|reason| *reason == Reason::InvalidData));
    }
}

#[test]
fn paths_of_many_parts_are_followed() {
    on_a_small_stack(|| {
        let long = vec!["a"; 50_000].join(".");
        let steps = transformation(&json!([
            {"operation": "add", "paths": [{"key": long, "value": "x"}]},
            {"operation": "delete", "paths": [{"key": long}]},
            {"operation": "add", "paths": [{"key": long, "value": "y"}]},
            {"operation": "shift", "paths": [{"key": format!("{long}:b")}]},
            {"operation": "delete", "paths": [{"key": "a"}]},
        ]));
        assert_eq!(apply(&steps, "{}"), (br#"{"b":"y"}"#.to_vec(), vec![]));
    });
}

/// Pieces of documents, good and bad.
const PIECES: [&str; 34] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\"",
    "\"c\"",
    "\"d\"",
    "\"p\"",
    "\"z\"",
    "\"gone\"",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5e3",
    "1e99999",
    "12345678901234567890",
    "\"\"",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "\"{\\\"a\\\":[1]}\"",
    " ",
    "\n",
    "\"<\"",
    "{\"a\":",
    "[{\"a\":",
    "\"b\":",
    "\"a\":[",
    "\\",
    "\u{1}",
];

#[test]
fn random_documents_never_panic_and_stay_json() {
    let mut random = fastrand::Rng::with_seed(42);
    let transformation = every_kind();
    for _ in 0..30_000 {
        let count = random.usize(1..24);
        let text: String = (0..count).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        let (out, reasons) = apply(&transformation, text.clone());
        if reasons.contains(&Reason::InvalidData) {
            assert_eq!(out, text.as_bytes());
        } else {
            assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&out).is_ok(), "{text}");
        }
    }
}

/// A random value, and its text in the one form in which it is written.
fn value(random: &mut fastrand::Rng, depth: usize) -> Value {
    match random.u8(..if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i32(..)),
        3 => json!(["", "gone", "x<&>", "\"\\\n\u{2028}", "é😀", "[1,{\"a\":2}]"][random.usize(..6)]),
        4 => json!(f64::from(random.i16(..)) / 8.0),
        5 => (0..random.usize(..5)).map(|_| value(random, depth - 1)).collect(),
        _ => {
            let names = ["a", "b", "c", "d", "p", "z", "a.b", "é"];
            let member =
                |random: &mut fastrand::Rng| (names[random.usize(..8)].to_owned(), value(random, depth - 1));
            Value::Object((0..random.usize(..6)).map(|_| member(random)).collect())
        }
    }
}

#[test]
fn random_values_are_written_as_they_are_meant() {
    let mut random = fastrand::Rng::with_seed(7);
    let all = transformation(&json!([{"operation": "shift", "paths": [{"key": ".:w"}]}]));
    let kinds = every_kind();
    for _ in 0..20_000 {
        let document = value(&mut random, 5);
        let text = if random.bool() { document.to_string() } else { format!("{document:#}") };
        let (out, _) = apply(&all, text.clone());
        if !document.is_null() {
            let read: Value = serde_json::from_slice(&out).expect("JSON");
            assert_eq!(read["w"], document);
        }
        let (out, reasons) = apply(&kinds, text);
        assert!(serde_json::from_slice::<Value>(&out).is_ok() && !reasons.contains(&Reason::InvalidData));
    }
}

#[test]
fn random_specifications_never_panic() {
    let mut random = fastrand::Rng::with_seed(9);
    let paths = [
        "", ".", "a", "a.b", "a[0]", "[1]", "[0].[2]", "a[3].b", "$a", "b:a", "a:.", ".:b", "[0]:a[1]",
        "a:b:c", "a[-1]", "p",
    ];
    let values = ["", "x", "$a", "x($a)$b", "json", "a", ".", "p", "($a", "[1].a"];
    let operations = ["add", "delete", "shift", "store", "parse"];
    let section = |random: &mut fastrand::Rng| {
        let step = |random: &mut fastrand::Rng| {
            let separator = ["", "/", "a"][random.usize(..3)];
            json!({
                "operation": operations[random.usize(..5)],
                "paths": [{"key": paths[random.usize(..paths.len())], "value": values[random.usize(..values.len())],
                           "separator": separator}],
            })
        };
        (0..random.usize(..6)).map(|_| step(random)).collect::<Value>()
    };
    for _ in 0..20_000 {
        let (context, data) = (section(&mut random), section(&mut random));
        let Ok(transformation) = Transformation::new(&context, &data) else { continue };
        let mut event = Event::new("1", "/s", "t").expect("valid");
        event.set_data("application/json", value(&mut random, 4).to_string()).expect("valid");
        if let Ok(event) = transformation.apply(event) {
            assert!(event.data().is_some_and(|data| serde_json::from_slice::<Value>(data).is_ok()));
        }
    }
}

//! What queries give: the table of the contract, the differences between jaq and gojq that are mended, and mistakes.

mod table;

use std::sync::Arc;

use common::Event;
use jq::{Bounds, Failure, Query};
use table::all;

#[test]
fn the_contract_holds() {
    all(&[
        (".greeting | ..", r#"{"greeting": "hello"}"#, r#""hello""#),
        (
            ".[] | {first: .firstName,last: .lastName}",
            r#"[{"firstName": "A", "lastName": "B"}]"#,
            r#"{"first":"A","last":"B"}"#,
        ),
        ("", r#"{"b": 1, "a": [ ]}"#, r#"{"a":[],"b":1}"#),
        ("  ", "1", "1"),
        (".a, .b", r#"{"a": 1, "b": 2}"#, "2"),
        ("empty", "1", "null"),
        (".[]", "[]", "null"),
        (".", "", "null"),
        (".foo", r#""text""#, r#"expected an object but got: string ("text")"#),
        // All data of an object come sorted by name, as in the original.
        (".[]", r#"{"b": "second", "a": "first"}"#, r#""second""#),
        (".", "\"<a> & \u{2028}\"", r#""\u003ca\u003e \u0026 \u2028""#),
    ]);
}

#[test]
fn numbers_keep_their_digits() {
    all(&[
        (".", "12345678901234567890123", "12345678901234567890123"),
        (".", "9007199254740993", "9007199254740993"),
        (". + 1", "9007199254740993", "9007199254740994"),
        (". * 10", "9223372036854775807", "92233720368547758070"),
        (".", "[1.0, 1e3, 0.10, -0.5]", "[1.0,1e3,0.10,-0.5]"),
        (".[0] + .[1]", "[1.5, 1.5]", "3"),
        (". / 2", "4", "2"),
        (". / 2", "5", "2.5"),
        (". / 3", "123456789012345678901234567", "4.115226300411522e+25"),
        (". / 3", "123456789012345678901234569", "41152263004115226300411523"),
        (". / 0", "1", "cannot divide number (1) by: number (0)"),
        (". % 0", "1", "cannot divide number (1) by: number (0)"),
        ("5.9 % 3.2, -5 % 3", "null", "-2"),
        ("1e1000, 1e1000 + 0", "null", "1.7976931348623157e+308"),
        ("nan", "null", "null"),
        ("[nan] | sort | .[0] < 1", "null", "true"),
        ("infinite, -infinite", "null", "-1.7976931348623157e+308"),
        ("[.[] | floor, sqrt]", "[4, 2.25]", "[4,2,2,1.5]"),
        ("pow(2; 10), log2", "8", "3"),
        ("[limit(3; range(0; 10; 0.5))]", "null", "[0,0.5,1]"),
        (". == 1.0", "1", "true"),
        ("tostring", "12345678901234567890", r#""12345678901234567890""#),
        ("tonumber", r#""12345678901234567890.50""#, "12345678901234567890.50"),
        ("tonumber", r#""x""#, r#"cannot parse as number: string ("x")"#),
    ]);
}

#[test]
fn the_context_is_a_variable() {
    all(&[
        ("$ce.type, $ce.source, $ce.id, $ce.region | tostring", "1", r#""eu""#),
        ("[$ce.type, $ce.source, $ce.id, $ce.none]", "1", r#"["com.example.order","/orders","7",null]"#),
        ("$ce | keys", "1", r#"["datacontenttype","id","region","source","specversion","type"]"#),
        // An old query may use the name.
        (". as $ce | $ce", "1", "1"),
        ("def f($ce): $ce + 1; f(2)", "1", "3"),
        ("$context", "1", "line 1, column 1: there is no variable '$context'"),
    ]);
}

#[test]
fn data_are_json() {
    let query = Arc::new(Query::new(".").expect("valid"));
    let run = |content_type: Option<&str>, data: &'static [u8]| {
        let mut event = Event::new("1", "/s", "t").expect("valid");
        event.replace_data(Some(data.into()));
        if let Some(content_type) = content_type {
            event.set("datacontenttype", content_type).expect("valid");
        }
        query.run(&event, Bounds::default())
    };
    for content_type in
        [None, Some("application/json"), Some("Application/JSON; charset=utf-8"), Some("text/json")]
    {
        assert_eq!(run(content_type, b" [ 1 ] ").expect("JSON"), b"[1]", "{content_type:?}");
    }
    for content_type in ["text/plain", "application/foo+json", "application/xml", "application/jsonx"] {
        assert_eq!(run(Some(content_type), b"1"), Err(Failure::ContentType(content_type.to_owned())));
    }
    let invalid: [&[u8]; 19] = [
        b"{",
        b"[1,]",
        b"{\"a\":1,}",
        b"{a:1}",
        b"nul",
        b"01",
        b"1.",
        b"+1",
        b"NaN",
        b"\"\x01\"",
        b"\"\xff\"",
        b"'a'",
        b"1 2",
        b"// c\n1",
        b"# c\n1",
        b"b\"x\"",
        b"\"\\ud800\"",
        b"[",
        b"{\"a\"}",
    ];
    for data in invalid {
        assert!(matches!(run(None, data), Err(Failure::Data(_))), "{}", String::from_utf8_lossy(data));
    }
}

#[test]
fn mistakes_have_their_place() {
    all(&[
        (".a | nofunc", "1", "line 1, column 6: there is no function 'nofunc/0'"),
        (".a |\n  map(.b; .c)", "1", "line 2, column 3: there is no function 'map/2'"),
        ("\"ä\" + $x", "1", "line 1, column 7: there is no variable '$x'"),
        ("{a: 1", "1", "line 1, column 6: expected closing brace, but the query ends here"),
        (".a | ", "1", "line 1, column 6: expected term, but the query ends here"),
        ("if . then 1", "1", "line 1, column 12: expected else or end, but the query ends here"),
        (".a b", "1", "line 1, column 4: expected nothing, found 'b'"),
        ("\"\\q\"", "1", "line 1, column 3: expected string escape sequence, found 'q\"'"),
        ("input", "1", "line 1, column 1: there is no function 'input/0'"),
        ("import \"a\" as a; .", "1", "line 1, column 9: module loading not supported"),
        ("\u{0}", "1", "line 1, column 1: expected token, found '\\u{0}'"),
        ("break $x", "1", "line 1, column 7: there is no label '$x'"),
    ]);
}

#[test]
fn failures_say_what_the_query_said() {
    all(&[
        ("error", r#""no""#, "no"),
        ("error({a: 1})", "1", r#"object ({"a":1})"#),
        ("error(null)", "1", "null"),
        ("try error(\"x\") catch .", "1", r#""x""#),
        (".a?", "1", "null"),
        ("try (1 + \"a\") catch .", "1", r#""cannot calculate number (1) + string (\"a\")""#),
        (".[0]", "{}", "expected an array but got: object ({})"),
        (".[]", "1", "cannot iterate over: number (1)"),
        ("{(1): 2}", "1", "expected a string for object key but got: number (1)"),
        ("1, halt, 2", "1", "1"),
        ("1, halt_error", r#""bye""#, "bye"),
        ("1, error(\"late\")", "1", "late"),
        (
            "\"\\(.)\" | error",
            r#"{"a": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
            r#"{"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
        ),
        (
            ".x",
            r#""xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx""#,
            r#"expected an object but got: string ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...)"#,
        ),
    ]);
}

//! Reading and writing: what is JSON, what is not, and that what is read is written the same.

use super::*;

fn written(json: &str) -> Option<String> {
    let mut tree = Tree::default();
    let root = tree.read(json)?;
    let mut out = Vec::new();
    assert!(tree.write(root, &mut out, usize::MAX));
    Some(String::from_utf8(out).unwrap())
}

#[test]
fn json_is_written_in_one_form() {
    for (json, expected) in [
        ("null", "null"),
        (" [ ] ", "[]"),
        ("{ }", "{}"),
        (r#" { "b" : 1 , "a" : [ true , false , null ] } "#, r#"{"a":[true,false,null],"b":1}"#),
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (r#"{"b":1,"\u0061":2,"a":3,"B":4}"#, r#"{"B":4,"a":3,"b":1}"#),
        ("[1.0,1,1e400,-0,0.10,12345678901234567890123]", "[1.0,1,1e400,-0,0.10,12345678901234567890123]"),
        (r#""a<b>&\/\"\\\b\f\n\r\t\u00e9""#, r#""a\u003cb\u003e\u0026/\"\\\u0008\u000c\n\r\té""#),
        ("\"\u{2028}\u{2029}\u{2030}\u{7f}\"", "\"\\u2028\\u2029\u{2030}\u{7f}\""),
        (r#""\ud83d\ude00 \ud83d \ude00 \ud83d\u0041""#, "\"😀 \u{fffd} \u{fffd} \u{fffd}A\""),
        (r#"[[[]],[{}],{"a":{}}]"#, r#"[[[]],[{}],{"a":{}}]"#),
    ] {
        assert_eq!(written(json).as_deref(), Some(expected), "{json}");
    }
}

#[test]
fn what_is_no_json_is_not_read() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[1}",
        "{\"a\":1]",
        "1 2",
        "[] []",
        "01",
        "-",
        "+1",
        "1.",
        ".1",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "nul",
        "True",
        "'a'",
        "\"",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\u{1}\"",
        "\u{feff}1",
        "// c\n1",
        "\"\\",
    ] {
        assert_eq!(written(text), None, "{text}");
    }
}

#[test]
fn the_limit_of_depth_is_that_of_the_original() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(written(&nested(10_000)), Some(nested(10_000)));
    assert_eq!(written(&nested(10_001)), None);
}

#[test]
fn a_node_is_small() {
    assert!(size_of::<Node>() <= 16);
}

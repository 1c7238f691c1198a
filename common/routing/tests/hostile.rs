//! Events and expressions that want more than they get: none of them panics, overflows the stack or takes long.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::time::{Duration, Instant};

use common::Event;
use routing::{Expression, Path, filter::MAX_LENGTH};

fn event(data: String) -> Event {
    let mut event = Event::new("1", "/s", "t").unwrap();
    event.set_data("application/json", data).unwrap();
    event
}

fn answer(expression: &str, data: String) -> String {
    let began = Instant::now();
    let compiled =
        Expression::new(expression).unwrap_or_else(|mistakes| panic!("{expression}: {mistakes:?}"));
    let answer = compiled.passes(&event(data));
    // Generous: a loaded machine must not fail it, and what has no bound takes hours.
    assert!(began.elapsed() < Duration::from_secs(60), "{expression}");
    answer.map_or_else(|error| error.to_string(), |answer| answer.to_string())
}

#[test]
fn deep_data() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(answer("data == 1", deep(100)), "false");
    assert_eq!(answer("data == 1", deep(200)), "the data is nested deeper than 127 levels");
    assert_eq!(answer("data == 1", deep(1_000_000)), "the data is nested deeper than 127 levels");
    assert_eq!(answer("$0.0.0.0.(int64) == 0", deep(1_000_000)), "true");
    assert_eq!(answer("$a.(int64) == 0", deep(1_000_000)), "true");
    let objects = format!("{}1{}", r#"{"a":"#.repeat(500_000), "}".repeat(500_000));
    assert_eq!(answer("$a.a.a.(string) != ''", objects.clone()), "true");
    assert_eq!(answer("data.a == 1", objects), "the data is nested deeper than 127 levels");
}

#[test]
fn loops_in_loops() {
    let list = |length: usize| format!("[{}]", vec!["1"; length].join(","));
    let (long, late) = ("the data is too large for this expression", "the expression took longer than 1 s");
    for expression in [
        "data.all(a, data.all(b, data.all(c, data.all(d, a + b + c + d > 0))))",
        "data.map(a, data.map(b, data.map(c, a + b + c))).size() > 0",
        "data.filter(a, data.exists(b, data.exists(c, a + b + c > 9))).size() == 0",
        "data.exists_one(a, data.exists_one(b, data.all(c, c > 0)))",
        "data.map(x, x).all(a, data.map(x, x).all(b, [1, 2, 3].all(c, a + b + c > 0)))",
        // What is absorbed does not hide that it was cut short.
        "data.exists(a, data.all(b, data.all(c, c > 0)) || a == 1)",
    ] {
        let found = answer(expression, list(2_000));
        assert!(found == long || found == late, "{expression}: {found}");
    }
    let found = answer("data.all(a, data == data)", list(200_000));
    assert!(found == long || found == late, "a round may be long by itself: {found}");
    assert_eq!(answer("data.all(a, a == 1)", list(50_000)), "true");
}

#[test]
fn memory_that_loops_keep() {
    let data = format!(r#"{{"text": "{}", "list": [{}]}}"#, "x".repeat(100_000), vec!["1"; 2_000].join(","));
    for expression in [
        "data.list.map(a, data.text + data.text).size() > 0",
        "data.list.map(a, [data.text + 'a', data.text + 'b']).size() > 0",
        "data.list.map(a, {'k': data.text + 'a'}).size() > 0",
        "data.list.map(a, data.list).size() > 0",
        "data.list.map(a, data.list.map(b, data.text + 'a')).size() > 0",
    ] {
        let found = answer(expression, data.clone());
        assert!(
            found.starts_with("the data is too large") || found.contains("longer than"),
            "{expression}: {found}"
        );
    }
}

#[test]
fn patterns_take_linear_time() {
    assert_eq!(answer("data.matches('^(a+)+$')", format!("\"{}b\"", "a".repeat(200_000))), "false");
    assert!(
        Expression::new("ce.type.matches('(a{1000}){1000}{1000}')").is_err(),
        "a pattern that is too large"
    );
    let path: Path = format!("{}b.x", "a*".repeat(40)).parse().unwrap();
    let began = Instant::now();
    assert_eq!(path.find(&format!(r#"{{"{}": {{"x": 1}}}}"#, "a".repeat(5_000))).unwrap(), None);
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn large_and_deep_expressions() {
    for expression in [
        format!("{}true{}", "(".repeat(2_000), ")".repeat(2_000)),
        format!("{}true", "!".repeat(4_000)),
        format!("{}1 == 1", "1 + ".repeat(2_000)),
        format!("{}1 == 1", "1 + ".repeat(990)),
        format!("{}1 == 1", "1 + ".repeat(31)),
        format!("{}data == 1{}", "[1].all(x, ".repeat(8), ")".repeat(8)),
        format!("data{} == 1", ".a".repeat(990)),
        format!("data{} == 1", "[x]".repeat(990)),
        format!("{}1 == 1", "true ? true : ".repeat(990)),
        format!("{}1 == 1", "true ? ".repeat(900)),
        format!("data{} == 1", ".a".repeat(3_000)),
        format!("data{} == 1", "[0]".repeat(2_000)),
        format!("{}1{} == 1", "[".repeat(1_000), "]".repeat(1_000)),
        format!("{}1{} == 1", "{1: ".repeat(400), "}".repeat(400)),
        format!("{}true{}", "data.all(x, ".repeat(120), ")".repeat(120)),
        "a".repeat(MAX_LENGTH + 1),
        format!("${}.(int64) == 0", "a.".repeat(400)),
    ] {
        let beginning: String = expression.chars().take(30).collect();
        assert!(Expression::new(&expression).is_err(), "{beginning}");
    }
    let many = format!("{}true", "ce.id == '2' || ".repeat(200));
    assert_eq!(answer(&many, "1".to_owned()), "true");
    for deep in [
        format!("{}1 == 99", "1 + ".repeat(28)),
        format!("{}false{}", "(false ? true : ".repeat(27), ")".repeat(27)),
        format!("{}data == 1{}", "[1].all(x, ".repeat(7), ")".repeat(7)),
    ] {
        assert_eq!(answer(&deep, "2".to_owned()), "false", "{deep}");
    }
}

/// Pieces of expressions in random order: whatever comes out, it comes out.
#[test]
fn nonsense() {
    const PIECES: [&str; 40] = [
        "$",
        "a",
        ".",
        "(",
        ")",
        "int64",
        "(int64)",
        ".(string)",
        "$a.(int64)",
        "data",
        "ce",
        ".type",
        "[",
        "]",
        "0",
        "1.5",
        "'x'",
        "\"",
        "'",
        "\\",
        "==",
        "+",
        "-",
        "&&",
        "||",
        "!",
        "?",
        ":",
        ".all(x, ",
        ".map(x, ",
        ", ",
        "{",
        "}",
        "in",
        "has(",
        "matches(",
        "é",
        "\n",
        "//",
        "b'",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let data = event(r#"{"a": [1, {"b": null}]}"#.to_owned());
    let mut compiled = 0;
    for _ in 0..20_000 {
        let text: String = (0..random.usize(1..9)).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        if let Ok(expression) = Expression::new(&text) {
            compiled += 1;
            let _ = expression.passes(&data);
        }
        if let Ok(path) = text.parse::<Path>() {
            let _ = path.find(r#"{"a": [1, {"b": null}]}"#);
        }
    }
    assert!(compiled > 0, "some of them mean something");
}

/// Data that is almost JSON.
#[test]
fn broken_data() {
    let whole = r#"{"a": [1, {"b": "\u00e9x\n"}, true, null, -1.5e3], "c": {"d": "e"}}"#;
    let expression =
        Expression::new("$a.1.b.(string) == 'x' || data.a[1].b == 'x' || data.c == data").unwrap();
    let path: Path = "a.#.b".parse().unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            match random.u8(..3) {
                0 => bytes[at] = random.u8(..),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, random.u8(32..127)),
            }
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = path.find(text).map(|found| found.map(|found| found.elements().len()));
        }
        let mut event = Event::new("1", "/s", "t").unwrap();
        event.set_data("application/json", bytes).unwrap();
        let _ = expression.passes(&event);
    }
}

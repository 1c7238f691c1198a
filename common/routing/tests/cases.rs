//! Every row of section 6 of the contract (`flow-routing.md`), and what is better now.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use common::Event;
use routing::Expression;

fn event(data: &str) -> Event {
    let mut event = Event::new("7", "/shop", "com.example.order").unwrap();
    event.set("subject", "4711").unwrap();
    event.set("region", "eu").unwrap();
    event.set("time", "2026-01-02T03:04:05Z").unwrap();
    event.set_data("application/json", data.to_owned()).unwrap();
    event
}

fn mistakes(expression: &str) -> Vec<String> {
    Expression::new(expression).map_or_else(
        |mistakes| mistakes.iter().map(ToString::to_string).collect(),
        |expression| panic!("{} is taken", expression.text()),
    )
}

/// `true`, `false`, or the reason why there is no answer.
fn answer(expression: &str, event: &Event) -> String {
    let compiled =
        Expression::new(expression).unwrap_or_else(|mistakes| panic!("{expression}: {mistakes:?}"));
    compiled.passes(event).map_or_else(|error| error.to_string(), |answer| answer.to_string())
}

/// Expression, data and answer of each row.
fn all(rows: &[(&str, &str, &str)]) {
    for (expression, data, expected) in rows {
        assert_eq!(answer(expression, &event(data)), *expected, "{expression} of {data}");
    }
}

#[test]
fn valid_expressions_of_the_original() {
    let data = r#"{"id": {"first": 1, "second": -9}, "var": true}"#;
    all(&[
        ("$id.first.(int64) + $id.second.(int64) >= -8", data, "true"),
        ("$var.(bool)", data, "true"),
        ("1 > 2", data, "false"),
        ("true", data, "true"),
        ("$id.(int64) >= 8", r#"{"id": 8}"#, "true"),
        ("$id.(int64) >= 8", r#"{"id": 7}"#, "false"),
        ("$0.age.(int64) == 42", r#"[{"age": 42}]"#, "true"),
        ("$name.(string) == 'Ann' || $n.(uint64) > 3u || $d.(double) < -1.5", r#"{"d": -2}"#, "true"),
    ]);
}

#[test]
fn invalid_expressions_of_the_original_have_a_place() {
    for (expression, expected) in [
        (
            "$id.(integer) > 1",
            "line 1, column 6: unknown type 'integer': there are bool, int64, uint64, double and string",
        ),
        (
            "$id.(bytes) == b''",
            "line 1, column 6: unknown type 'bytes': there are bool, int64, uint64, double and string",
        ),
        ("$id > 1", "line 1, column 1: '$id' has no type: one was expected, such as $id.(string)"),
        ("$id.(int64", "line 1, column 5: the type of the variable has no ')' behind it"),
        ("1 + 1", "line 1, column 1: the result must be a bool, not an int"),
        ("$id.(int64)", "line 1, column 1: the result must be a bool, not an int"),
        ("  ", "line 1, column 3: an expression was expected"),
    ] {
        assert_eq!(mistakes(expression), [expected], "{expression}");
    }
    for expression in ["$var.(bool).(int64)", "1 +", "a b", "'open", "(1 == 1", "true)"] {
        assert!(!mistakes(expression).is_empty(), "{expression}");
    }
}

#[test]
fn missing_fields_are_zero_values() {
    all(&[
        ("$x.(int64) < 30", "{}", "true"),
        ("$x.(string) == ''", "{}", "true"),
        ("!$x.(bool)", "{}", "true"),
        ("$x.(double) == 0.0 && $x.(uint64) == 0u", "{}", "true"),
        ("$x.y.z.(int64) == 0", r#"{"x": 5}"#, "true"),
        ("$x.(string) == '' && $x.(int64) == 0", r#"{"x": null}"#, "true"),
        ("$5.(int64) == 0", "[1]", "true"),
    ]);
}

#[test]
fn values_are_coerced_as_gjson_does() {
    all(&[
        ("$x.(int64) == 5", r#"{"x": "5"}"#, "true"),
        ("$x.(int64) == 0", r#"{"x": "5.5"}"#, "true"),
        ("$x.(int64) == 0", r#"{"x": "five"}"#, "true"),
        ("$x.(int64) == -5", r#"{"x": -5.9}"#, "true"),
        ("$x.(int64) == 1", r#"{"x": true}"#, "true"),
        ("$x.(int64) == 0", r#"{"x": {"y": 1}}"#, "true"),
        ("$x.(int64) == 9223372036854775807", r#"{"x": 9223372036854775807}"#, "true"),
        ("$x.(uint64) == 18446744073709551615u", r#"{"x": 18446744073709551615}"#, "true"),
        ("$x.(uint64) == 0u", r#"{"x": -3}"#, "true"),
        ("$x.(double) == 5.5", r#"{"x": "5.5"}"#, "true"),
        ("$x.(string) == '5'", r#"{"x": 5}"#, "true"),
        ("$x.(string) == '5'", r#"{"x": 5.0}"#, "true"),
        ("$x.(string) == '12345678901234567890123'", r#"{"x": 12345678901234567890123}"#, "true"),
        ("$x.(string) == 'true'", r#"{"x": true}"#, "true"),
        (r#"$x.(string) == '{"y": [1, 2]}'"#, r#"{"x": {"y": [1, 2]}}"#, "true"),
        (r#"$x.(string) == "a\"b""#, r#"{"x": "a\"b"}"#, "true"),
        ("$x.(bool)", r#"{"x": "T"}"#, "true"),
        ("$x.(bool)", r#"{"x": "yes"}"#, "false"),
        ("$x.(bool)", r#"{"x": 2}"#, "true"),
        ("$x.(bool)", r#"{"x": [true]}"#, "false"),
    ]);
}

#[test]
fn the_weak_points_of_the_original_are_gone() {
    all(&[
        ("$a.(int64) > 1 && $a.(int64) < 5", r#"{"a": 3}"#, "true"),
        ("$a.(int64) == 3 && $a.(string) == '3'", r#"{"a": 3}"#, "true"),
        ("$a.b.(int64) == 1 && $a_b.(int64) == 2", r#"{"a": {"b": 1}, "a_b": 2}"#, "true"),
        ("$first-name.(string) == 'Ann'", r#"{"first-name": "Ann"}"#, "true"),
        ("$items.#.(int64) == 2", r#"{"items": [7, 8]}"#, "true"),
        (
            r#"$items.#(sku=="b c").price.(double) == 2.5"#,
            r#"{"items": [{"sku": "b c", "price": 2.5}]}"#,
            "true",
        ),
        (r"$fav\.movie.(string) == 'Alien'", r#"{"fav.movie": "Alien"}"#, "true"),
        ("$na*.(string) == 'Ann'", r#"{"name": "Ann"}"#, "true"),
        ("$n.(string) == '$5'", r#"{"n": "$5"}"#, "true"),
        ("$n.(string) == '$x.(int64)'", r#"{"n": "$x.(int64)"}"#, "true"),
        ("$n.(int64) < 2.5 // $n costs", r#"{"n": 2}"#, "true"),
        ("$n.(int64) < $d.(double)", r#"{"n": 2, "d": 2.5}"#, "true"),
        (r#"$n.(string) == r'\$' || '''it's $x''' == '' "#, r#"{"n": "\\$"}"#, "true"),
        ("1 / $n.(int64) == 0", r#"{"n": 0}"#, "division by zero"),
        ("$n.(int64) * 2 > 0", r#"{"n": 9223372036854775807}"#, "a number is too large"),
    ]);
}

#[test]
fn attributes_and_data_of_an_event() {
    let data = r#"{"amount": 12.5, "items": [{"sku": "a", "n": 2}, {"sku": "b", "n": 0}], "first name": "Ann", "big": 18446744073709551615}"#;
    all(&[
        ("ce.type == 'com.example.order' && ce.source.startsWith('/')", data, "true"),
        ("ce.region == 'eu' && ce.specversion == '1.0' && ce['id'] == '7'", data, "true"),
        ("has(ce.subject) && !has(ce.nothing)", data, "true"),
        ("'region' in ce && !('nothing' in ce)", data, "true"),
        ("ce.nothing == ''", data, "the event has nothing under the name 'nothing'"),
        ("ce.?nothing.orValue('none') == 'none'", data, "true"),
        ("timestamp(ce.time) > timestamp('2026-01-01T00:00:00Z')", data, "true"),
        ("timestamp(ce.time).getFullYear() == 2026", data, "true"),
        ("timestamp(ce.time).getHours('+01:00') == timestamp(ce.time).getHours('UTC') + 1", data, "true"),
        ("ce.type.matches('^com[.]example[.]')", data, "true"),
        ("matches(ce.type, 'order$')", data, "true"),
        ("data.amount > 10", data, "true"),
        ("data.items[1].sku == 'b' && data['first name'] == 'Ann'", data, "true"),
        ("data.items.exists(item, item.n == 0)", data, "true"),
        ("data.items.all(item, item.n > 0)", data, "false"),
        ("data.items.filter(i, i.n > 0).map(i, i.sku) == ['a']", data, "true"),
        ("data.items.exists_one(i, i.n == 2)", data, "true"),
        ("size(data.items) == 2 && data.items.size() == 2", data, "true"),
        ("has(data.amount) && !has(data.other)", data, "true"),
        ("data.big == 18446744073709551615u", data, "true"),
        ("data.other == 1", data, "the event has no data.other"),
        ("data.items[9].n == 1", data, "the event has no data.items[9].n"),
        ("has(data.other) && data.other == 1", data, "false"),
        ("data == {'a': [1, null, 'x']}", r#"{"a": [1, null, "x"]}"#, "true"),
        ("data.a", r#"{"a": 1}"#, "the result is no bool but int"),
        ("data.a == 1 || data.a > 'x'", r#"{"a": 2}"#, "'>' does not take (int, string)"),
        (
            "data.a + 1 > 0",
            r#"{"a": "secret"}"#,
            "the values in the event are not of the types that the expression wants",
        ),
    ]);
}

#[test]
fn data_that_is_no_json() {
    let mut text = event("");
    text.set_data("text/plain", "hello").unwrap();
    assert_eq!(answer("$x.(int64) == 0", &text), "true", "nothing stands at any path, as in the original");
    assert_eq!(answer("data == 'hello'", &text), "true");
    assert_eq!(answer("data.x == 1", &text), "the data is no JSON by its content type");
    let mut bytes = event("");
    bytes.set_data("application/octet-stream", vec![0xff, 0x00]).unwrap();
    assert_eq!(answer("data == b'\\xff\\x00' && $x.(string) == ''", &bytes), "true");
    let none = Event::new("1", "/s", "t").unwrap();
    assert_eq!(answer("data == null && $x.(int64) == 0", &none), "true");
    for expression in ["data.x == 1", "data == 1", "$x.(int64) == 0"] {
        assert_eq!(answer(expression, &event("{\"x\": 1")), "the data is no JSON", "{expression}");
        assert_eq!(answer(expression, &event("{\"x\": 1} {}")), "the data is no JSON", "{expression}");
    }
    assert_eq!(
        answer("ce.id == '7' || data.x == 1", &event("{")),
        "true",
        "what is not asked for is not read"
    );
}

#[test]
fn what_can_never_work_is_told_with_its_place() {
    for (expression, expected) in [
        ("type == 'a'", "line 1, column 6: a type never equals a string: did you mean ce.type?"),
        ("amount > 1", "line 1, column 1: unknown name 'amount': did you mean data.amount?"),
        (
            "subject == 'a'",
            "line 1, column 1: unknown name 'subject': did you mean ce.subject or data.subject?",
        ),
        ("ce.Type == 'a'", "line 1, column 3: no event can have an attribute 'Type': names are a-z and 0-9"),
        ("ce.type > 1", "line 1, column 9: a string and an int have no order ('>')"),
        ("true &&\n  ce.type == 5", "line 2, column 11: a string never equals an int"),
        (
            "ce.type.startWith('a')",
            "line 1, column 18: unknown function startWith(): did you mean startsWith()?",
        ),
        ("'é' == $näme.(int64)", "line 1, column 5: a string never equals an int"),
        ("'é' == 'é' &&\n 'é' == ]", "line 2, column 9: mismatched input ']'"),
        (
            "$a.(int64) + $b.(double) > 1",
            "line 1, column 12: '+' does not take an int and a double; int(), uint() and double() make one of the other",
        ),
        (
            "$a.@sort.(string) == ''",
            "line 1, column 4: the modifier '@sort' is not supported, only '@this' is",
        ),
        ("$a b.(string) == ''", "line 1, column 1: '$a' has no type: one was expected, such as $a.(string)"),
        (
            "$.(string) == ''",
            "line 1, column 1: a path was expected behind the '$'; $@this is all of the data",
        ),
        ("data.items.all(i, 5)", "line 1, column 19: a bool was expected, not an int"),
        ("ce.all(i, true)", "line 1, column 7: 'ce', the attributes has no elements to go through"),
        (
            "ce.type.matches('(')",
            "line 1, column 17: this is no regular expression: found open group without closing ')'",
        ),
        (
            "ce.type.matches(ce.id)",
            "line 1, column 16: the pattern of matches() must be a text in quotes: it is compiled once",
        ),
        (
            "timestamp(ce.time).getHours('Europe/Berlin') == 1",
            "line 1, column 28: the time zone of getHours() must be UTC or an offset such as +01:00: names of zones are not \
             known",
        ),
        ("__0 == 1", "line 1, column 1: names that begin with '__' are reserved"),
        ("data.all(data, data > 1)", "line 1, column 9: 'data' has a meaning already: take another name"),
        ("Foo{a: 1} == 1", "line 1, column 4: messages are not supported"),
    ] {
        assert_eq!(mistakes(expression).join("; "), expected, "{expression}");
    }
}

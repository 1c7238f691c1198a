//! What is valid and yet probably a mistake, and the places that messages name.

use cesql::{Expression, Position};

fn warnings(expression: &str) -> Vec<String> {
    let expression: Expression = expression.parse().unwrap_or_else(|error| panic!("{error}"));
    expression.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn operators_that_bind_unlike_sql() {
    let not =
        "NOT applies to the operand behind it only, not to the comparison; write NOT (…) to negate all of it";
    for expression in ["NOT a = 'b'", "NOT a LIKE 'b'", "NOT a IN ('b')", "NOT - a < 1"] {
        assert_eq!(warnings(expression), [format!("line 1, column 1: {not}")]);
    }
    assert_eq!(warnings("a AND\n (b OR NOT c <> 1)"), [format!("line 2, column 8: {not}")]);
    let and =
        "AND does not bind tighter than OR and XOR: they are evaluated from left to right; write parentheses";
    assert_eq!(warnings("a OR b AND c AND d"), [format!("line 1, column 8: {and}")]);
    assert_eq!(warnings("a AND b XOR c AND d"), [format!("line 1, column 15: {and}")]);
    for expression in [
        "NOT a",
        "NOT a AND b",
        "NOT EXISTS a OR b",
        "NOT (a = b)",
        "(NOT a) = b",
        "a NOT LIKE 'b' AND a NOT IN (b)",
        "a = b AND c OR d",
        "(a OR b) AND c",
        "a OR (b AND c)",
        "a OR BOOL(b AND c)",
    ] {
        assert_eq!(warnings(expression), [""; 0], "{expression}");
    }
}

#[test]
fn functions_that_do_not_exist() {
    assert_eq!(
        warnings("lenght(a) = LENGTH(a, NOT b = 1)"),
        [
            "line 1, column 1: there is no function LENGHT of 1 arguments; calling it is an error",
            "line 1, column 13: there is no function LENGTH of 2 arguments; calling it is an error",
            "line 1, column 23: NOT applies to the operand behind it only, not to the comparison; \
             write NOT (…) to negate all of it",
        ]
    );
}

#[test]
fn places_count_lines_characters_and_bytes() {
    let error = Expression::parse("type = 'é'\r\n  AND 'é' = §").unwrap_err();
    assert_eq!(error.position, Position { offset: 26, line: 2, column: 13 });
    assert_eq!(error.to_string(), "line 2, column 13: unexpected character '§'");
}

#[test]
fn errors_of_an_evaluation_are_one_short_line() {
    let long = "new\nline ".repeat(100);
    let event = [("subject", long.as_str())];
    let message = |expression: &str| {
        let expression = Expression::parse(expression).unwrap();
        expression.evaluate(&event).1.map(|error| error.to_string())
    };
    let cast = "\"new\\nline new\\nline new\\nline new\\nl\"… is not a valid Integer";
    assert_eq!(message("subject + 1").as_deref(), Some(cast));
    assert_eq!(message("Sequence + 1").as_deref(), Some("the event has no attribute \"sequence\""));
    assert_eq!(message("nope(1, 2)").as_deref(), Some("there is no function NOPE of 2 arguments"));
    assert_eq!(message("1 / 0").as_deref(), Some("division by zero"));
}

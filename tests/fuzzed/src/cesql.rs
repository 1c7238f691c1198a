//! CESQL: an expression, and in the second part of the input the attributes of an event, one `name=value` in a line.

use cesql::{EvaluationError, Expression, MAX_DEPTH, MAX_LENGTH, MAX_WORK, Position, Value};

use crate::{is_message, parts};

/// Reads and evaluates an expression, as it is and inside others whose value follows from its own.
pub fn cesql(data: &[u8]) {
    let Some((text, attributes)) = parts(data) else { return };
    let attributes: Vec<(&str, &str)> = attributes.lines().filter_map(|line| line.split_once('=')).collect();
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => {
            is_inside(error.position, text);
            return is_message(&error.message, 300 + text.len());
        }
    };
    assert_eq!((expression.source(), expression.to_string().as_str()), (text, text));
    for warning in expression.warnings() {
        is_inside(warning.position, text);
        is_message(&warning.message, 300 + text.len());
    }
    let (value, error) = expression.evaluate(attributes.as_slice());
    assert_eq!(expression.clone().evaluate(attributes.as_slice()), (value.clone(), error.clone()));
    assert_eq!(
        expression.matches(attributes.as_slice()),
        matches!((&value, &error), (Value::Boolean(true), None))
    );
    if let Value::String(text) = &value {
        assert!(text.len() <= MAX_WORK + MAX_LENGTH, "{} bytes", text.len());
    }
    if let Some(error) = &error {
        is_message(&error.to_string(), 300 + text.len());
    }

    let parentheses = format!("({text}\n)");
    let Some(inside) = evaluate(&parentheses, &attributes) else { return };
    assert_eq!(inside, (value.clone(), error.clone()), "in parentheses");
    let Some(equal) = evaluate(&format!("{parentheses} = {parentheses}"), &attributes) else { return };
    match (&error, equal) {
        (None, (Value::Boolean(true), None)) => {}
        (None, (Value::Boolean(false), Some(EvaluationError::TooMuchWork))) => {}
        (Some(_), (Value::Boolean(false), of_both)) if of_both == error => {}
        (_, other) => panic!("{value:?}, {error:?}, but compared with itself {other:?}"),
    }
    if let (Value::Boolean(truth), None) = (&value, &error) {
        let Some(turned) = evaluate(&format!("NOT {parentheses}"), &attributes) else { return };
        assert_eq!(turned, (Value::Boolean(!truth), None));
    }
}

/// What an expression gives that is made of a valid one; `None` when that makes it too long or too deep.
fn evaluate(text: &str, attributes: &[(&str, &str)]) -> Option<(Value<'static>, Option<EvaluationError>)> {
    match Expression::parse(text) {
        Ok(expression) => {
            let (value, error) = expression.evaluate(attributes);
            Some((value.into_owned(), error))
        }
        Err(error) => {
            let deep = format!("expected at most {MAX_DEPTH} levels of parentheses");
            assert!(text.len() > MAX_LENGTH || error.message == deep, "{text:?}: {error}");
            None
        }
    }
}

fn is_inside(position: Position, text: &str) {
    assert!(text.is_char_boundary(position.offset), "{position:?}");
    assert!(position.line >= 1 && position.line <= text.matches('\n').count() + 1, "{position:?}");
    assert!(position.column >= 1 && position.column <= text.chars().count() + 1, "{position:?}");
}

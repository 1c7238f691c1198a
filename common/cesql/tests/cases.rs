//! Runs every case of `tests/cases/*.txt`: the conformance suite of CESQL 1.0 (`tck-*.txt`) and cases of our own.
//!
//! A case is one line, `expression => result`. The result is a value as CESQL writes it (text between quotes, without
//! escapes) and, for an error, its kind: `0 !math`. `!parse` is an expression that cannot be read, with the message when
//! the case is about it. The lines `| name = value` before a case are attributes of its event, which otherwise has the
//! required ones only. `#` starts a comment line.

use std::{collections::BTreeMap, fs, path::Path};

use cesql::{Attributes, EvaluationError, Expression, Value};

/// Cases in the conformance suite, commit c2845a4 of its repository.
const CONFORMANCE_CASES: usize = 275;

#[derive(Clone)]
struct Event(BTreeMap<String, Value<'static>>);

impl Attributes for Event {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        self.0.get(name).cloned()
    }
}

fn base() -> Event {
    let required = [("id", "1"), ("source", "/cases"), ("specversion", "1.0"), ("type", "case")];
    Event(required.map(|(name, text)| (name.to_owned(), Value::from(text))).into())
}

fn value(text: &str) -> Value<'static> {
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            Some(text) => Value::from(text.to_owned()),
            None => Value::Integer(text.parse().expect("a value of a case")),
        },
    }
}

fn kind(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::Math(_) => "math",
        EvaluationError::Cast { .. } => "cast",
        EvaluationError::MissingAttribute(_) => "missingAttribute",
        EvaluationError::MissingFunction { .. } => "missingFunction",
        EvaluationError::Function(_) => "functionEvaluation",
        _ => "generic",
    }
}

/// What is wrong with the outcome, or `None`.
fn check(expression: &str, expected: &str, event: &Event) -> Option<String> {
    let parsed = Expression::parse(expression);
    if let Some(message) = expected.strip_prefix("!parse") {
        return match parsed {
            Ok(_) => Some("was read".to_owned()),
            Err(error) if message.is_empty() || error.to_string() == message.trim_start() => None,
            Err(error) => Some(format!("message {error}")),
        };
    }
    let expression = match parsed {
        Ok(expression) => expression,
        Err(error) => return Some(error.to_string()),
    };
    let (expected, error) = match expected.rsplit_once(" !") {
        Some((value, error)) => (value, Some(error)),
        None => (expected, None),
    };
    let outcome = expression.evaluate(event);
    let passes = expected == "true" && error.is_none();
    let right = outcome.0 == value(expected) && outcome.1.as_ref().map(kind) == error;
    (!right || expression.matches(event) != passes).then(|| format!("{outcome:?}"))
}

#[test]
fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let (mut conformance, mut wrong) = (0, vec![]);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut event = base();
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(attribute) = line.strip_prefix("| ") {
                let (attribute, text) = attribute.split_once(" = ").expect("name = value");
                event.0.insert(attribute.to_owned(), value(text));
                continue;
            }
            let (expression, expected) = line.rsplit_once(" => ").expect("expression => result");
            if let Some(problem) = check(expression, expected, &event) {
                wrong.push(format!("{name}:{}: {line}\n    {problem}", index + 1));
            }
            event = base();
            conformance += usize::from(name.starts_with("tck-"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(conformance, CONFORMANCE_CASES);
}

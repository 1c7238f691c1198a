//! Runs every case of `tests/cases/*.yaml`, each a trial of its own: specification and event in, event out.
//!
//! `row` names the part of the contract that a case belongs to: `1.4 add` and so on; `own` is ours alone. Data is JSON text,
//! compared byte for byte. `skipped` lists the steps that had no effect, with the reason, in order.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use bumblebee::Transformation;
use common::Event;
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use serde_json::Value;

/// The least number of cases, so that none is lost unseen.
const CASES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    row: String,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    data: Value,
    /// The data of the event; without it there is none.
    #[serde(rename = "in")]
    input: Option<String>,
    /// Attributes of the event, beside id `1`, source `/s`, type `t` and `application/json`; `null` takes one away.
    #[serde(default)]
    event: BTreeMap<String, Option<String>>,
    /// The data afterwards; without it they stay as they were.
    out: Option<String>,
    /// Attributes afterwards that are not as before; `null` are those that are gone, `*` any new value.
    #[serde(default)]
    becomes: BTreeMap<String, Option<String>>,
    #[serde(default)]
    skipped: Vec<String>,
    /// The event cannot be transformed.
    error: Option<String>,
    /// The specification is refused, with these problems.
    #[serde(default)]
    problems: Vec<String>,
    /// The specification is taken, with these warnings.
    #[serde(default)]
    warnings: Vec<String>,
}

type Attributes = BTreeMap<String, String>;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut trials = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let cases: Vec<Case> = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.extend(cases.into_iter().map(|case| {
            let name = format!("{file}: {} ({})", case.name, case.row);
            Trial::test(name, move || check(&case).map_err(Failed::from))
        }));
    }
    assert!(trials.len() >= CASES, "only {} cases", trials.len());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(case: &Case) -> Result<(), String> {
    let transformation = match Transformation::new(&case.context, &case.data) {
        Ok(transformation) => transformation,
        Err(problems) => return same("problems", &case.problems, &texts(&problems)),
    };
    same("problems", &case.problems, &Vec::new())?;
    same("warnings", &case.warnings, &texts(transformation.warnings()))?;
    let before = attributes(case);
    let mut event = Event::from_attributes(
        before
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .chain([("specversion".into(), "1.0".into())]),
        case.input.as_ref().map(|text| text.clone().into()),
    )
    .map_err(|error| error.to_string())?;
    // Twice with the same transformation: nothing of the first event may be left in it.
    for _ in 0..2 {
        let mut skipped = Vec::new();
        let applied = transformation.apply_observed(event.clone(), |pointer, reason| {
            skipped.push(format!("{pointer}: {}", reason.label()))
        });
        let result = match applied {
            Ok(result) => result,
            Err(error) => return same("error", &case.error, &Some(error.to_string())),
        };
        same("error", &case.error, &None)?;
        same("skipped", &case.skipped, &skipped)?;
        let data = result.data().map(|data| String::from_utf8_lossy(data).into_owned());
        same("data", case.out.as_ref().or(case.input.as_ref()), data.as_ref())?;
        same("attributes", &expected(case, &before, &result), &found(&result))?;
        event = event.clone();
    }
    Ok(())
}

fn texts(problems: &[bumblebee::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn attributes(case: &Case) -> Attributes {
    let defaults = [("id", "1"), ("source", "/s"), ("type", "t"), ("datacontenttype", "application/json")];
    let mut attributes: Attributes =
        defaults.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    change(&mut attributes, &case.event);
    attributes
}

fn change(attributes: &mut Attributes, changes: &BTreeMap<String, Option<String>>) {
    for (name, value) in changes {
        match value {
            Some(value) => drop(attributes.insert(name.clone(), value.clone())),
            None => drop(attributes.remove(name)),
        }
    }
}

fn expected(case: &Case, before: &Attributes, result: &Event) -> Attributes {
    let mut expected = before.clone();
    change(&mut expected, &case.becomes);
    for (name, value) in &mut expected {
        let found = result.get(name).filter(|found| before.get(name).map(String::as_str) != Some(*found));
        if let Some(found) = found.filter(|_| value == "*") {
            found.clone_into(value);
        }
    }
    expected
}

fn found(event: &Event) -> Attributes {
    event.attributes().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, found: T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}\nexpected {expected:?}\n   found {found:?}")) }
}

//! Tests of bridges: what passes, what a failing one says, and mistakes in the files.

use std::path::Path;

use super::*;
use crate::catalogue::EMBEDDED;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");

fn lines(text: &str) -> Vec<String> {
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let found = mistakes(&Path::new(FOLDER).join("tested.test.yaml"), text, &catalogue);
    found.iter().map(|mistake| mistake.render("t.yaml")).collect()
}

/// The report on the tests of a text, without colours.
fn report(text: &str) -> String {
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let file = Path::new(FOLDER).join("tested.test.yaml");
    let (cases, places) = read(&file, text, &catalogue).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let mut text = String::new();
    for case in &cases {
        let flow = flow::run(&places, case);
        let differences = compare::differences(case, &flow);
        text.push_str(&report::case(case, &flow, &differences, Path::new("t.yaml"), Palette::plain()));
    }
    text
}

fn expect(text: &str, start: &str, found: &str) {
    let expected: String =
        text.lines().filter_map(|line| line.strip_prefix(start)).map(|line| line.to_owned() + "\n").collect();
    assert_eq!(found, expected, "found:\n{found}");
}

#[test]
fn what_is_as_expected_passes() {
    let text = include_str!("../../tests/fixtures/tested.test.yaml");
    let report = report(text);
    assert!(report.lines().all(|line| line.starts_with("  ok ")), "{report}");
}

#[test]
fn a_failing_test_says_what_is_different() {
    let text = include_str!("../../tests/fixtures/failing.test.yaml");
    expect(text, "# => ", &report(text));
}

#[test]
fn mistakes_in_a_file_of_tests_have_their_place() {
    let text = include_str!("../../tests/fixtures/mistakes.test.yaml");
    let found: String =
        lines(text).iter().map(|line| format!("{}\n", line.trim_start_matches("t.yaml:"))).collect();
    expect(text, "# => ", &found);
    assert_eq!(lines(""), ["t.yaml: there are no tests in it: 'tests' is missing"]);
    assert_eq!(lines("tests: 5"), ["t.yaml:1:8: 'tests' must be a list of tests"]);
    assert_eq!(
        lines("tests: ["),
        ["t.yaml:2:1: not valid YAML: while parsing a node, did not find expected node content"]
    );
    let missing = lines("bridge: nowhere.yaml\ntests: [{}]");
    assert!(missing.len() == 1 && missing[0].starts_with("t.yaml:1:9: the bridge "), "{missing:?}");
}

#[test]
fn a_bridge_with_mistakes_cannot_be_tested() {
    let found = lines("bridge: mistakes-cycles.yaml\ntests: [{}]");
    assert!(found[0].contains("mistake") && found[0].ends_with("see 'trestle lint'"), "{found:?}");
}

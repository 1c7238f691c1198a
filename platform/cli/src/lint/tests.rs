//! All mistakes of a large manifest.

use std::fmt::Write as _;

use super::*;
use crate::catalogue::EMBEDDED;

/// A manifest of more than 2,000 lines with 50 mistakes, and the line of each.
fn large() -> (String, Vec<usize>) {
    const BROKER: &str =
        "apiVersion: eventing.triggermesh.io/v1alpha1\nkind: MemoryBroker\nmetadata:\n  name: b\n";
    let mut text = BROKER.to_owned();
    let mut expected = Vec::new();
    for number in 0..100 {
        let is_wrong = |remainder| number % 10 == remainder;
        let mut line = |text: &mut String, good: &str, bad: Option<&str>| {
            let _ = writeln!(text, "{}", bad.unwrap_or(good));
            if bad.is_some() {
                expected.push(text.lines().count());
            }
        };
        text.push_str("---\napiVersion: sources.triggermesh.io/v1alpha1\n");
        line(&mut text, "kind: WebhookSource", is_wrong(0).then_some("kind: WebhokSource"));
        let _ = write!(
            text,
            "metadata:\n  name: hook-{number}\nspec:\n  eventType: com.example.{number}\n  sink:\n"
        );
        text.push_str(
            "    ref:\n      apiVersion: eventing.triggermesh.io/v1alpha1\n      kind: MemoryBroker\n",
        );
        line(&mut text, "      name: b", is_wrong(1).then_some("      name: c"));
        let _ = write!(
            text,
            "---\napiVersion: eventing.triggermesh.io/v1alpha1\nkind: Trigger\nmetadata:\n  name: t-{number}\nspec:\n"
        );
        text.push_str("  broker:\n    group: eventing.triggermesh.io\n    kind: MemoryBroker\n    name: b\n  filters:\n");
        line(&mut text, "    - cesql: type = 'a'", is_wrong(2).then_some("    - cesql: type = = 'a'"));
        line(&mut text, "  delivery:", None);
        line(&mut text, "    retry: 3", is_wrong(3).then_some("    retry: many"));
        text.push_str("  target:\n");
        line(&mut text, "    uri: http://127.0.0.1:1", is_wrong(4).then_some("    uri: \"no url\""));
    }
    (text, expected)
}

#[test]
fn a_large_manifest_with_fifty_mistakes() {
    let (text, expected) = large();
    assert!(text.lines().count() >= 2000 && expected.len() == 50, "{}", text.lines().count());
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let found = manifest::read(&text, &catalogue, &|_| None).mistakes;
    let lines: Vec<usize> = found.iter().map(|mistake| mistake.at.line).collect();
    assert_eq!(lines, expected, "{found:#?}");
    // To be timed by hand: nothing here depends on how fast this machine is.
    if let Some(file) = std::env::var_os("TRESTLE_KEEP_LARGE") {
        std::fs::write(file, text).unwrap();
    }
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let found = mistakes(Path::new("/nowhere/b.yaml"), &catalogue, &|_| None);
    assert!(found[0].render("b.yaml").starts_with("b.yaml: cannot be read"));
}

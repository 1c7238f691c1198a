//! The pages: every adapter's README has its form (CONTRIBUTING.md, "The page of an adapter"), and links lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The headings of an adapter's page, in this order.
const HEADINGS: [&str; 6] =
    ["Events", "What is guaranteed", "Permissions", "Errors", "Settings", "Differences"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Pages under version control, from the root.
fn pages() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z", "*.md"]).current_dir(root()).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> = text.split_terminator('\0').map(PathBuf::from).collect();
    // A file that is deleted and not yet committed is no fault.
    let files: Vec<_> = files.into_iter().filter(|file| root().join(file).exists()).collect();
    assert!(!files.is_empty());
    files
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// The text without its blocks of code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn faults_of_page(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if text.lines().next() != Some(&format!("# {name}")) {
        faults.push(format!("the first line is not \"# {name}\""));
    }
    let parts: Vec<(&str, &str)> =
        text.split("\n## ").skip(1).filter_map(|part| part.split_once('\n')).collect();
    let known: Vec<&str> =
        parts.iter().map(|(heading, _)| *heading).filter(|heading| HEADINGS.contains(heading)).collect();
    if known != HEADINGS {
        faults.push(format!("its headings are {known:?}, not {HEADINGS:?}"));
    }
    let opening = text.split("\n## ").next().unwrap_or_default();
    if !opening.contains("```sh\n") || !opening.contains("docker run ") {
        faults.push("there is no `docker run` before the first heading".to_owned());
    }
    for (heading, part) in [("Events", "events"), ("Settings", "settings")] {
        let (open, close) = (format!("<!-- {part} -->"), format!("<!-- /{part} -->"));
        let is_there =
            |(known, body): &(&str, &str)| *known == heading && body.contains(&open) && body.contains(&close);
        if !parts.iter().any(is_there) {
            faults.push(format!("under {heading} there are no {open} and {close}"));
        }
    }
    for (heading, body) in &parts {
        if body.trim().is_empty() {
            faults.push(format!("nothing stands under {heading}"));
        }
    }
    faults
}

#[test]
fn the_page_of_an_adapter_has_its_form() {
    let mut faults = Vec::new();
    for page in pages() {
        let folder = page.parent().unwrap_or(Path::new(""));
        let Ok(name) = folder.strip_prefix("adapters") else { continue };
        let name = name.to_string_lossy();
        let found = faults_of_page(&name, &read(&page));
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", page.display())));
        if !root().join(folder).join("tests/sample.json").is_file() {
            faults.push(format!("{}: no tests/sample.json: cargo xtask sample {name}", folder.display()));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for page in pages() {
        let text = prose(&read(&page));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (path, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            if !root().join(&target).exists() {
                faults.push(format!("{}: {link} leads nowhere", page.display()));
            } else if !wanted.is_empty() {
                let headings = prose(&read(&target));
                let mut headings = headings.lines().filter(|line| line.starts_with('#')).map(anchor);
                if !headings.any(|heading| heading == wanted) {
                    faults.push(format!("{}: {link} has no such heading", page.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_page_without_form_is_seen() {
    let body: String = HEADINGS
        .iter()
        .map(|heading| {
            let part = heading.to_lowercase();
            format!("\n## {heading}\n\n<!-- {part} -->\n<!-- /{part} -->\n")
        })
        .collect();
    let good = format!("# a-source\n\nIt does.\n\n```sh\ndocker run a-source\n```\n{body}");
    assert_eq!(faults_of_page("a-source", &good), Vec::<String>::new());
    for (from, to) in [
        ("# a-source", "# another"),
        ("docker run", "podman run"),
        ("## Errors", "## Trouble"),
        ("## Permissions", "## Errors"),
        ("<!-- events -->", ""),
        ("<!-- differences -->\n<!-- /differences -->", ""),
    ] {
        assert!(!faults_of_page("a-source", &good.replacen(from, to, 1)).is_empty(), "{from}");
    }
}

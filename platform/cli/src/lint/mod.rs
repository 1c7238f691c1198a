//! `trestle lint`: every mistake in bridges and in their tests, without running or reaching anything.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::args::Format;
use crate::catalogue::Catalogue;
use crate::manifest::{self, Lookup, Mistake, Position, Severity};
use crate::test;

#[cfg(test)]
mod tests;

/// Prints the mistakes of these files; exit code 1 when there is one that is more than a warning.
pub fn run(files: &[PathBuf], format: Format, catalogue: &Catalogue) -> ExitCode {
    let environment = |name: &str| std::env::var(name).ok();
    let found: Vec<(&PathBuf, Vec<Mistake>)> =
        files.iter().map(|file| (file, mistakes(file, catalogue, &environment))).collect();
    let count = |severity: Severity| {
        found.iter().flat_map(|(_, mistakes)| mistakes).filter(|mistake| mistake.severity == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let text = match format {
        Format::Text => {
            let lines = found.iter().flat_map(|(file, mistakes)| {
                mistakes.iter().map(|mistake| mistake.render(&file.display().to_string()) + "\n")
            });
            lines.chain([format!("{}\n", summary(files.len(), errors, warnings))]).collect()
        }
        Format::Json => {
            let all = found.iter().flat_map(|(file, mistakes)| mistakes.iter().map(|m| entry(file, m)));
            format!("{:#}\n", all.collect::<serde_json::Value>())
        }
    };
    // A reader that has gone (head) is no failure.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is wrong with one file.
fn mistakes(file: &Path, catalogue: &Catalogue, environment: Lookup<'_>) -> Vec<Mistake> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot be read: {error}");
            return vec![Mistake { at: Position::default(), severity: Severity::Error, message }];
        }
    };
    if test::is_tests(file) {
        return test::mistakes(file, &text, catalogue);
    }
    manifest::read(&text, catalogue, environment).mistakes
}

fn entry(file: &Path, mistake: &Mistake) -> serde_json::Value {
    let severity = match mistake.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "file": file.display().to_string(),
        "line": mistake.at.line,
        "column": mistake.at.column,
        "severity": severity,
        "message": mistake.message,
    })
}

fn summary(files: usize, errors: usize, warnings: usize) -> String {
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    format!("{}: {}, {}", count(files, "file"), count(errors, "mistake"), count(warnings, "warning"))
}

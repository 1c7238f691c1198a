//! `trestle test`: the tests of bridges. What adapters do at run time is done here by the same code, with no process and no
//! network: filters of triggers and steps of transformations.

mod case;
mod compare;
mod flow;
mod place;
mod report;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::catalogue::Catalogue;
use crate::manifest::{self, Mistake, Mistakes, Position, Severity};
use crate::style::Palette;
use case::Case;
use flow::Flow;
use place::Places;

/// How the files with tests end.
const ENDING: &str = ".test.yaml";

/// What stands in for a secret that is not there: tests have none, and nothing of them leaves this process.
const SECRET: &str = "secret";

/// Runs the tests of these bridges, files of tests and folders; exit code 1 when one fails.
pub fn run(paths: &[PathBuf], catalogue: &Catalogue) -> ExitCode {
    let palette = Palette::of_stdout();
    let (mut passed, mut failed) = (0, 0);
    let mut text = String::new();
    for file in paths.iter().flat_map(|path| files(path)) {
        match file.and_then(|file| tests(&file, catalogue).map(|tests| (file, tests))) {
            Ok((file, tests)) => {
                text.push_str(&format!("{}\n", file.display()));
                for (case, flow) in &tests {
                    let differences = compare::differences(case, flow);
                    let counter = if differences.is_empty() { &mut passed } else { &mut failed };
                    *counter += 1;
                    text.push_str(&report::case(case, flow, &differences, &file, palette));
                }
            }
            Err(mistakes) => {
                failed += 1;
                text.push_str(&mistakes);
            }
        }
    }
    let summary = format!("{passed} passed, {failed} failed");
    let is_good = failed == 0;
    let summary = if is_good { palette.good(&summary) } else { palette.bad(&summary) };
    // A reader that has gone (head) is no failure.
    let _ = std::io::stdout().lock().write_all(format!("{text}{summary}\n").as_bytes());
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a file holds tests, by its name.
pub fn is_tests(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
}

/// The mistakes of a file of tests; those of its bridge are the bridge's.
pub fn mistakes(file: &Path, text: &str, catalogue: &Catalogue) -> Vec<Mistake> {
    read(file, text, catalogue).err().unwrap_or_default()
}

/// The files of tests that an argument means.
fn files(path: &Path) -> Vec<Result<PathBuf, String>> {
    if path.is_dir() {
        let mut found = Vec::new();
        walk(path, &mut found);
        found.sort();
        if found.is_empty() {
            return vec![Err(format!("{}: there is no *{ENDING} in it\n", path.display()))];
        }
        return found.into_iter().map(Ok).collect();
    }
    if is_tests(path) {
        return vec![Ok(path.to_owned())];
    }
    let beside = path.with_extension(ENDING.trim_start_matches('.'));
    if path.is_file() && !beside.is_file() {
        return vec![Err(format!("{}: no tests; they would be in {}\n", path.display(), beside.display()))];
    }
    vec![Ok(beside)]
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Not through links, which can lead in a circle.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&path, found),
            Ok(_) if is_tests(&path) => found.push(path),
            _ => {}
        }
    }
}

/// The tests of a file, done; or the lines that say what is wrong with it.
fn tests(file: &Path, catalogue: &Catalogue) -> Result<Vec<(Case, Flow)>, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("{}: cannot be read: {error}\n", file.display()))?;
    let (cases, places) = read(file, &text, catalogue).map_err(|mistakes| {
        mistakes.iter().map(|mistake| mistake.render(&file.display().to_string()) + "\n").collect::<String>()
    })?;
    Ok(cases
        .into_iter()
        .map(|case| (flow::run(&places, &case), case))
        .map(|(flow, case)| (case, flow))
        .collect())
}

/// The tests of a file and the bridge they are about.
fn read(file: &Path, text: &str, catalogue: &Catalogue) -> Result<(Vec<Case>, Places), Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    let yaml = manifest::read_yaml(text, &mut mistakes);
    let outline = case::outline(&yaml.documents, &mut mistakes);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = name.strip_suffix(ENDING).map(|stem| file.with_file_name(format!("{stem}.yaml")));
    let (at, path) = match &outline.bridge {
        Some((at, path)) => (*at, file.with_file_name(path)),
        None => (Position::default(), beside.unwrap_or_default()),
    };
    match places(&path, catalogue) {
        Ok(places) => {
            let cases = case::read(&outline, &places, &mut mistakes);
            if mistakes.count() == 0 {
                return Ok((cases, places));
            }
        }
        Err(why) => mistakes.add(at, why),
    }
    Err(mistakes.into_sorted())
}

/// The bridge, ready to be asked what it would do.
fn places(path: &Path, catalogue: &Catalogue) -> Result<Places, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the bridge {} cannot be read: {error}", path.display()))?;
    let secret = |name: &str| std::env::var(name).ok().or_else(|| Some(SECRET.to_owned()));
    let reading = manifest::read(&text, catalogue, &secret);
    match reading.bridge {
        Some(bridge) => Places::new(bridge),
        None => {
            let errors = reading.mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
            let count = errors.count();
            Err(format!(
                "the bridge {} has {count} mistake{}: see 'trestle lint'",
                path.display(),
                if count == 1 { "" } else { "s" }
            ))
        }
    }
}

//! `gen`: everything that is derived from what the adapters say of themselves.

mod crd;
mod migration;
mod page;
mod triggermesh;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::chart;
use crate::clauses;
use crate::cli::{Failure, say};
use crate::document::Description;
use crate::markdown;
use crate::workspace::Workspace;

/// A file and what it should hold.
struct Generated {
    path: PathBuf,
    text: String,
}

/// Builds the adapters, asks each for its description, and writes or checks the files made from them.
pub fn run(workspace: &Workspace, check: bool) -> Result<(), Failure> {
    let names = workspace.adapters()?;
    let binaries = workspace.build(&names)?;
    let mut found = Found::default();
    for name in &names {
        match describe(&binaries.join(name), name) {
            Ok((description, text)) => {
                found.files.push(Generated { path: workspace.adapter(name).join("describe.json"), text });
                found.descriptions.push(description);
            }
            Err(failure) => found.problems.push(format!("adapters/{name}: {failure}")),
        }
    }
    found.derive(workspace, check)
}

/// Writes or checks what is made from the descriptions that are committed.
pub fn derived(workspace: &Workspace, check: bool) -> Result<(), Failure> {
    let mut found = Found::default();
    for name in workspace.adapters()? {
        // Who is still being written has none.
        if let Ok(text) = std::fs::read_to_string(workspace.adapter(&name).join("describe.json")) {
            found.descriptions.push(serde_json::from_str(&text)?);
        }
    }
    found.derive(workspace, check)
}

/// Lets the conformance trials write the samples of these adapters, and puts them into their READMEs.
pub fn samples(workspace: &Workspace, names: &[String]) -> Result<(), Failure> {
    let names = if names.is_empty() { workspace.adapters()? } else { names.to_vec() };
    workspace.build(&names)?;
    for name in &names {
        let write = [("TRESTLE_SAMPLES", "write")];
        let is_source = workspace.trials(&format!("{name}::S12"), &write)?;
        if !is_source && !workspace.trials(&format!("{name}::T11"), &write)? {
            return Err(format!("no trial of {name} writes a sample").into());
        }
    }
    let mut found = Found::default();
    for name in &names {
        found.page(workspace, &described(workspace, name)?)?;
    }
    found.finish(workspace, false)
}

/// The committed description of an adapter.
fn described(workspace: &Workspace, name: &str) -> Result<Description, Failure> {
    let file = workspace.adapter(name).join("describe.json");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// What the adapters say, what follows from it, and what stands in the way.
#[derive(Default)]
struct Found {
    descriptions: Vec<Description>,
    files: Vec<Generated>,
    problems: Vec<String>,
}

impl Found {
    /// All that is made from the descriptions.
    fn derive(mut self, workspace: &Workspace, check: bool) -> Result<(), Failure> {
        let descriptions = std::mem::take(&mut self.descriptions);
        for description in &descriptions {
            self.page(workspace, description)?;
        }
        let page = |name: &str| workspace.root.join(name);
        self.markdown(workspace, page("README.md"), &[("adapters", markdown::adapters(&descriptions))]);
        // The same for all of them.
        if let Some(any) = descriptions.first() {
            let settings = markdown::variables(&any.frame);
            self.markdown(workspace, page("docs/settings.md"), &[("shared-settings", settings)]);
        }
        let parts =
            [("kinds", migration::replaced(&descriptions)), ("missing", migration::missing(&descriptions))];
        self.markdown(workspace, page("docs/migrating-from-triggermesh.md"), &parts);
        let clauses = format!("\n{}\n", clauses::markdown());
        self.markdown(workspace, page("CONTRIBUTING.md"), &[("clauses", clauses)]);
        self.descriptions = descriptions;
        self.charts(workspace)?;
        self.finish(workspace, check)
    }

    /// The README of an adapter.
    fn page(&mut self, workspace: &Workspace, description: &Description) -> Result<(), Failure> {
        let readme = workspace.adapter(&description.name).join("README.md");
        let parts =
            [("settings", markdown::settings(description)), ("events", events(workspace, description)?)];
        self.markdown(workspace, readme, &parts);
        Ok(())
    }

    /// What the charts have of the adapters.
    fn charts(&mut self, workspace: &Workspace) -> Result<(), Failure> {
        for (path, text) in chart::files(&self.descriptions)? {
            self.files.push(Generated { path: workspace.root.join(path), text });
        }
        for (path, text) in crd::files(&self.descriptions)? {
            self.files.push(Generated { path: workspace.root.join(path), text });
        }
        let values = chart::markdown()?;
        self.markdown(workspace, workspace.root.join("charts/trestle/README.md"), &[("values", values)]);
        Ok(())
    }

    /// A Markdown file with its generated parts.
    fn markdown(&mut self, workspace: &Workspace, path: PathBuf, parts: &[(&str, String)]) {
        let text = std::fs::read_to_string(&path).map_err(Failure::from);
        let text = text.and_then(|text| {
            parts.iter().try_fold(text, |text, (name, body)| markdown::replace(&text, name, body))
        });
        match text {
            Ok(text) => self.files.push(Generated { path, text }),
            Err(failure) => self.problems.push(format!("{}: {failure}", shown(workspace, &path))),
        }
    }

    /// Writes what differs, or says so.
    fn finish(self, workspace: &Workspace, check: bool) -> Result<(), Failure> {
        for problem in &self.problems {
            say(&format!("error: {problem}"));
        }
        let stale: Vec<_> = self.files.iter().filter(|file| !is_current(file)).collect();
        for file in &stale {
            let name = shown(workspace, &file.path);
            if check {
                say(&format!("{name} differs: {}", difference(file)));
            } else {
                if let Some(folder) = file.path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&file.path, &file.text)?;
                say(&format!("{name} written"));
            }
        }
        match (self.problems.len(), stale.len()) {
            (0, count) if check && count > 0 => {
                Err(format!("generated files that are stale: {count}; run cargo xtask gen").into())
            }
            (0, _) => Ok(()),
            (count, _) => Err(format!("adapters or files that could not be generated: {count}").into()),
        }
    }
}

/// The part of a README about events.
fn events(workspace: &Workspace, description: &Description) -> Result<String, Failure> {
    let file = workspace.adapter(&description.name).join("tests/sample.json");
    // Who is still being written has none; `tests/repo` sees to it that all others do.
    let sample = match std::fs::read_to_string(&file) {
        Ok(text) => {
            Some(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?)
        }
        Err(_) => None,
    };
    Ok(page::events(description, sample.as_ref()))
}

fn shown<'a>(workspace: &Workspace, path: &'a Path) -> std::path::Display<'a> {
    path.strip_prefix(&workspace.root).unwrap_or(path).display()
}

/// The description of a binary, and the text it came in.
fn describe(binary: &Path, name: &str) -> Result<(Description, String), Failure> {
    let output = Command::new(binary)
        .arg("--describe")
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    if !output.status.success() {
        return Err(format!("--describe ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let description: Description =
        serde_json::from_str(&text).map_err(|error| format!("--describe is not as expected: {error}"))?;
    if description.name != name {
        return Err(format!("it calls itself {}", description.name).into());
    }
    Ok((description, text))
}

fn is_current(file: &Generated) -> bool {
    std::fs::read_to_string(&file.path).is_ok_and(|text| text == file.text)
}

/// The first line in which the file is not what it should be.
fn difference(file: &Generated) -> String {
    let Ok(found) = std::fs::read_to_string(&file.path) else { return "it does not exist".to_owned() };
    let (mut found, mut wanted) = (found.lines(), file.text.lines());
    for number in 1.. {
        match (found.next(), wanted.next()) {
            (None, None) => break,
            (left, right) if left == right => {}
            (left, right) => {
                let (left, right) = (left.unwrap_or("(end)"), right.unwrap_or("(end)"));
                return format!("line {number}\n  - {left}\n  + {right}");
            }
        }
    }
    "in its line ends".to_owned()
}

//! `gen`: everything that is derived from what the adapters say of themselves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    let mut files = Vec::new();
    let mut descriptions = Vec::new();
    let mut problems = Vec::new();
    for name in &names {
        match adapter(workspace, &binaries, name) {
            Ok((description, mut own)) => {
                descriptions.push(description);
                files.append(&mut own);
            }
            Err(failure) => problems.push(format!("adapters/{name}: {failure}")),
        }
    }
    match root(workspace, &descriptions) {
        Ok(file) => files.push(file),
        Err(failure) => problems.push(failure.to_string()),
    }
    for problem in &problems {
        say(&format!("error: {problem}"));
    }
    let stale = files.iter().filter(|file| !is_current(file)).collect::<Vec<_>>();
    for file in &stale {
        let shown = file.path.strip_prefix(&workspace.root).unwrap_or(&file.path).display();
        if check {
            say(&format!("{shown} differs: {}", difference(file)));
        } else {
            std::fs::write(&file.path, &file.text)?;
            say(&format!("{shown} written"));
        }
    }
    match (problems.len(), stale.len()) {
        (0, 0) => Ok(()),
        (0, _) if !check => Ok(()),
        (0, count) => Err(format!("{count} generated files are stale: run cargo xtask gen").into()),
        (count, _) => Err(format!("{count} adapters or files could not be generated").into()),
    }
}

fn adapter(
    workspace: &Workspace,
    binaries: &Path,
    name: &str,
) -> Result<(Description, Vec<Generated>), Failure> {
    let text = describe(&binaries.join(name))?;
    let description: Description =
        serde_json::from_str(&text).map_err(|error| format!("--describe is not as expected: {error}"))?;
    if description.name != name {
        return Err(format!("it calls itself {}", description.name).into());
    }
    let folder = workspace.adapter(name);
    let readme = marked(folder.join("README.md"), "settings", &markdown::settings(&description))?;
    let json = Generated { path: folder.join("describe.json"), text };
    Ok((description, vec![json, readme]))
}

/// The root README: the table of adapters and, where it has a place for them, the settings that all share.
fn root(workspace: &Workspace, descriptions: &[Description]) -> Result<Generated, Failure> {
    let path = workspace.root.join("README.md");
    let file = marked(path.clone(), "adapters", &markdown::adapters(descriptions))?;
    let Some(any) = descriptions.first() else { return Ok(file) };
    let text = match markdown::replace(&file.text, "shared-settings", &markdown::variables(&any.frame)) {
        Ok(text) => text,
        Err(_) => file.text,
    };
    Ok(Generated { path, text })
}

fn marked(path: PathBuf, name: &str, body: &str) -> Result<Generated, Failure> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
    let text = markdown::replace(&text, name, body).map_err(|error| format!("{file}: {error}"))?;
    Ok(Generated { path, text })
}

fn describe(binary: &Path) -> Result<String, Failure> {
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
    Ok(String::from_utf8(output.stdout)?)
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

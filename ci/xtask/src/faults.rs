//! `faults`: runs the fault tests and writes what they saw as a table.

use std::fs;
use std::process::Command;

use crate::cli::{Failure, say};
use crate::markdown;
use crate::workspace::Workspace;

const HEAD: &str = "| adapter | what happened to it | how often | messages | lost | came twice | allowed |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n";

/// Runs them against real binaries and replaces the table in their README.
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    workspace.build(&[])?;
    let mut tests = Command::new("cargo");
    tests.args(["test", "--workspace", "--test", "faults"]).current_dir(&workspace.root);
    let output = tests.output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let rows = rows(&printed);
    if !output.status.success() {
        say(&printed);
        return Err("a fault test failed".into());
    }
    let path = workspace.root.join("tests/faults/README.md");
    let text = markdown::replace(&fs::read_to_string(&path)?, "faults", &format!("{HEAD}{rows}"))?;
    fs::write(&path, text)?;
    say(&rows);
    Ok(())
}

/// The rows that the tests printed, sorted, without their seeds.
fn rows(printed: &str) -> String {
    let rows =
        printed.lines().filter(|line| line.starts_with("| ")).filter_map(|line| line.split_once(" seed "));
    let mut rows: Vec<_> = rows.map(|(row, _)| format!("{row}\n")).collect();
    rows.sort();
    rows.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_stands_between_bars_without_the_seed() {
        let printed = "running 2 tests\n| b | killed | 22 | 2000 | 0 | 64 | 1100 | seed 24 |\ntest x ... ok\n\
                       | a | killed | 1 | 9 | 0 | 0 | 5 | seed 7 |\n";
        assert_eq!(
            rows(printed),
            "| a | killed | 1 | 9 | 0 | 0 | 5 |\n| b | killed | 22 | 2000 | 0 | 64 | 1100 |\n"
        );
    }
}

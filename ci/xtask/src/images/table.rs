//! What was built, for people.

use std::io::Write;
use std::path::PathBuf;

use super::Platform;
use super::context::Context;
use crate::cli::Failure;

/// One image.
pub struct Row {
    /// The adapter.
    pub name: String,
    /// What it runs on.
    pub platform: Platform,
    /// What is in it.
    pub context: Context,
    /// Bytes that it may have, where that is limited.
    pub limit: Option<u64>,
    /// Its names.
    pub tags: Vec<String>,
    /// Its bill of materials.
    pub bill: Option<PathBuf>,
}

/// Prints a line.
pub fn print(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// Prints a table with a line for each image.
pub fn show(rows: &[Row]) -> Result<(), Failure> {
    let head =
        ["adapter", "platform", "image", "limit", "binary", "bill of materials", "names"].map(str::to_owned);
    let lines = rows.iter().map(|row| {
        [
            row.name.clone(),
            row.platform.name().to_owned(),
            megabytes(row.context.size),
            row.limit.map(megabytes).unwrap_or_default(),
            megabytes(row.context.binary),
            row.bill.as_ref().map_or_else(|| "none".to_owned(), |bill| bill.display().to_string()),
            row.tags.join(" "),
        ]
    });
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(lines).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column))).collect();
        print(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// A megabyte is a million bytes.
pub fn megabytes(bytes: u64) -> String {
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_so_that_a_limit_is_seen() {
        assert_eq!(megabytes(5_999_999), "6.00 MB");
        assert_eq!(megabytes(6_000_001), "6.01 MB");
        assert_eq!(megabytes(5_790_000), "5.79 MB");
        assert_eq!(megabytes(0), "0.00 MB");
    }
}

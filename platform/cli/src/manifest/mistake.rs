//! Mistakes in a manifest: where, what, and what was probably meant.

use std::fmt;

/// A place in the manifest; both count from 1. Line 0 is the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The bridge cannot run.
    Error,
    /// It runs, and probably not as its author thinks.
    Warning,
}

/// One thing the author has to change, or to think about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    pub at: Position,
    pub severity: Severity,
    pub message: String,
}

impl Mistake {
    /// `bridge.yaml:12:3: message`, as compilers write it, so that editors can jump there. What a message repeats of the
    /// manifest cannot do anything to a terminal, or add a line.
    pub fn render(&self, file: &str) -> String {
        let mut message = match self.severity {
            Severity::Error => String::new(),
            Severity::Warning => "warning: ".to_owned(),
        };
        for c in self.message.chars() {
            if c.is_control() {
                message.extend(c.escape_unicode());
            } else {
                message.push(c);
            }
        }
        if self.at.line == 0 {
            return format!("{file}: {message}");
        }
        format!("{file}:{}:{}: {message}", self.at.line, self.at.column)
    }
}

/// The mistakes found so far.
#[derive(Default)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Notes one more.
    pub fn add(&mut self, at: Position, message: impl Into<String>) {
        self.0.push(Mistake { at, severity: Severity::Error, message: message.into() });
    }

    /// Notes something that is no mistake and yet odd.
    pub fn warn(&mut self, at: Position, message: impl Into<String>) {
        self.0.push(Mistake { at, severity: Severity::Warning, message: message.into() });
    }

    /// How many there are, warnings left out.
    pub fn count(&self) -> usize {
        self.0.iter().filter(|mistake| mistake.severity == Severity::Error).count()
    }

    /// In the order of the file, each once.
    pub fn into_sorted(mut self) -> Vec<Mistake> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

/// `; did you mean 'x'?` when a candidate is near enough, else empty.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> impl fmt::Display {
    match nearest(word, candidates) {
        Some(candidate) => format!("; did you mean '{candidate}'?"),
        None => String::new(),
    }
}

/// The same, or where there are only a few candidates and none is near, all of them.
pub fn choices<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> String {
    const FEW: usize = 9;
    let hint = suggestion(word, candidates.clone()).to_string();
    let all: Vec<&str> = candidates.take(FEW + 1).collect();
    if hint.is_empty() && !all.is_empty() && all.len() <= FEW {
        return format!("; there are {}", all.join(", "));
    }
    hint
}

/// The candidate a misspelt word most likely stands for.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    // A third of the letters may differ: more is another word.
    let allowed = |candidate: &str| candidate.chars().count() / 3;
    candidates
        .into_iter()
        // The distance is at least the difference in length, which tells at once that a long word is none of them.
        .filter(|candidate| length.abs_diff(candidate.chars().count()) <= allowed(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

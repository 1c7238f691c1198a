//! From the text of a path to its steps.

use std::str::FromStr;

use super::{Comparison, MAX_LENGTH, MAX_STEPS, Path, Pattern, Query, Step, Wild};

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// The number of the character, counted from 0.
    pub character: usize,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

impl FromStr for Path {
    type Err = PathError;

    /// The empty path is the whole of the data.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return Ok(Self::root());
        }
        let mut reader = Reader { text: &characters, at: 0, steps: 0 };
        if characters.len() > MAX_LENGTH {
            return Err(reader.error(format!("the path has more than {MAX_LENGTH} characters")));
        }
        if text.starts_with("..") {
            return Err(reader.error("JSON lines ('..') are not supported".to_owned()));
        }
        let mut stages = vec![Vec::new()];
        loop {
            let step = reader.step()?;
            reader.steps += 1;
            if reader.steps > MAX_STEPS {
                return Err(reader.error(format!("the path has more than {MAX_STEPS} parts")));
            }
            if let Some(stage) = stages.last_mut() {
                stage.push(step);
            }
            match reader.next() {
                Some('|') => stages.push(Vec::new()),
                Some('.') => {}
                Some(_) => {
                    reader.at -= 1;
                    return Err(reader.error("a '.' or '|' was expected here".to_owned()));
                }
                None => break,
            }
        }
        for stage in &mut stages {
            // At the end it counts; before something it means every element.
            let last = stage.len() - 1;
            for (number, step) in stage.iter_mut().enumerate() {
                if *step == Step::Count && number < last {
                    *step = Step::Each;
                }
            }
        }
        Ok(Self { stages })
    }
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    steps: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += 1;
        next
    }

    fn error(&self, message: String) -> PathError {
        PathError { character: self.at.min(self.text.len()), message }
    }

    fn at_end_of_part(&self, at: usize) -> bool {
        matches!(self.text.get(at), None | Some('.' | '|'))
    }

    fn step(&mut self) -> Result<Step, PathError> {
        match self.peek() {
            Some('@') => self.modifier(),
            Some(bracket @ ('{' | '[')) => {
                Err(self.error(format!("paths that make new data ('{bracket}') are not supported")))
            }
            Some('!') => Err(self.error("literals ('!') are not supported".to_owned())),
            Some('#') if self.at_end_of_part(self.at + 1) => {
                self.at += 1;
                Ok(Step::Count)
            }
            Some('#') if matches!(self.text.get(self.at + 1), Some('(' | '[')) => self.query(),
            _ => self.part(),
        }
    }

    fn modifier(&mut self) -> Result<Step, PathError> {
        let begin = self.at;
        while !self.at_end_of_part(self.at) {
            self.at += 1;
        }
        let name: String = self.text.get(begin..self.at).unwrap_or_default().iter().collect();
        if name == "@this" {
            return Ok(Step::This);
        }
        self.at = begin;
        Err(self.error(format!("the modifier '{name}' is not supported, only '@this' is")))
    }

    fn part(&mut self) -> Result<Step, PathError> {
        let mut wild = Vec::new();
        while !self.at_end_of_part(self.at) {
            match self.next() {
                Some('\\') => match self.next() {
                    Some(escaped) => wild.push(Wild::Character(escaped)),
                    None => return Err(self.error("something was expected after the '\\'".to_owned())),
                },
                Some('*') => wild.push(Wild::Any),
                Some('?') => wild.push(Wild::One),
                Some(other) => wild.push(Wild::Character(other)),
                None => {}
            }
        }
        let plain = |wild: &Wild| match wild {
            Wild::Character(c) => Some(*c),
            Wild::One | Wild::Any => None,
        };
        let Some(name) = wild.iter().map(plain).collect::<Option<String>>() else {
            return Ok(Step::Pattern(Pattern(wild)));
        };
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let index = if is_number { name.parse().ok() } else { None };
        Ok(Step::Part { name, index })
    }

    /// `#(path op value)` or the same with `[]`, and `#` behind it for all.
    fn query(&mut self) -> Result<Step, PathError> {
        let begin = self.at;
        self.at += 1;
        let close = if self.next() == Some('(') { ')' } else { ']' };
        let inner = self.at;
        let mut depth = 0_usize;
        let mut quoted = false;
        loop {
            match self.next() {
                Some('\\') => self.at += 1,
                Some('"') => quoted = !quoted,
                _ if quoted && self.at <= self.text.len() => {}
                Some('(' | '[') => depth += 1,
                Some(c) if c == close && depth == 0 => break,
                Some(')' | ']') => depth = depth.saturating_sub(1),
                Some(_) => {}
                None => {
                    self.at = begin;
                    return Err(self.error(format!("the query has no '{close}' at its end")));
                }
            }
        }
        let text = self.text.get(inner..self.at - 1).unwrap_or_default();
        let query = query(text, inner)?;
        if self.peek() == Some('#') {
            self.at += 1;
            return Ok(Step::All(query));
        }
        Ok(Step::First(query))
    }
}

/// Reads what stands between the brackets, which begin at that character of the path.
fn query(text: &[char], begin: usize) -> Result<Query, PathError> {
    let operator = text.iter().scan((0_usize, false), |(depth, escaped), c| {
        // Brackets of a query inside the path belong to it.
        let here = *depth == 0 && !*escaped && "=!<>%".contains(*c);
        match c {
            _ if *escaped => {}
            '(' | '[' => *depth += 1,
            ')' | ']' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        *escaped = *c == '\\' && !*escaped;
        Some(here)
    });
    let split = operator.into_iter().position(|here| here);
    let (left, rest) = text.split_at(split.unwrap_or(text.len()));
    let left: String = left.iter().collect();
    let path = match left.trim() {
        "" => Vec::new(),
        path => {
            let place = |error: PathError| PathError {
                character: begin + error.character + left.chars().take_while(|c| c.is_whitespace()).count(),
                ..error
            };
            let mut stages = path.parse::<Path>().map_err(place)?.stages;
            if stages.len() > 1 {
                let message = "a '|' in a query is not supported".to_owned();
                return Err(PathError { character: begin, message });
            }
            stages.pop().unwrap_or_default()
        }
    };
    let rest: String = rest.iter().collect();
    let operators = [
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("!%", Comparison::NotLike),
        ("=", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
        ("%", Comparison::Like),
    ];
    if rest.is_empty() {
        return Ok(Query { path, test: None });
    }
    let found = operators.iter().find_map(|(sign, comparison)| Some((comparison, rest.strip_prefix(sign)?)));
    let Some((comparison, value)) = found else {
        let message = "the operators of a query are ==, !=, <, <=, >, >=, % and !%".to_owned();
        return Err(PathError { character: begin + split.unwrap_or_default(), message });
    };
    Ok(Query { path, test: Some((*comparison, unquoted(value.trim()))) })
}

/// What a value in a query means: quotes around it are left away.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    match inner {
        Some(inner) if value.len() > 1 => serde_json::from_str(value).unwrap_or_else(|_| inner.to_owned()),
        _ => value.to_owned(),
    }
}

impl Pattern {
    /// That of a text, as in a query with `%`.
    pub(super) fn of(text: &str) -> Self {
        let mut wild = Vec::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            wild.push(match c {
                '\\' => Wild::Character(characters.next().unwrap_or('\\')),
                '*' => Wild::Any,
                '?' => Wild::One,
                other => Wild::Character(other),
            });
        }
        Self(wild)
    }
}

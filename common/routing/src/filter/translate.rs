//! The typed variables of the original, `$path.(type)`, become names that CEL knows, each as long as what it stands for, so
//! that every position stays what it was.

use crate::{Mistake, Path, Position};

/// How the value at a path is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int64`
    Int,
    /// `uint64`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
}

/// A typed variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// As it was written.
    pub text: String,
    /// Where its value stands.
    pub path: Path,
    /// What it becomes.
    pub kind: Type,
}

/// What names that stand for variables begin with; nobody else's may.
pub const RESERVED: &str = "__";

/// Replaces the variables of an expression.
///
/// # Errors
/// All that is wrong with them.
pub fn translate(text: &str) -> Result<(String, Vec<Variable>), Vec<Mistake>> {
    let characters: Vec<char> = text.chars().collect();
    let mut scanner = Scanner {
        text: &characters,
        at: 0,
        out: String::with_capacity(text.len()),
        variables: Vec::new(),
        mistakes: Vec::new(),
    };
    scanner.run();
    if scanner.mistakes.is_empty() {
        return Ok((scanner.out, scanner.variables));
    }
    let place = |(character, message): (usize, String)| Mistake::new(Position::of(text, character), &message);
    Err(scanner.mistakes.into_iter().map(place).collect())
}

/// The variable that a name in the translated text stands for.
pub fn number(name: &str) -> Option<usize> {
    name.strip_prefix(RESERVED)?.trim_end_matches('_').parse().ok()
}

struct Scanner<'a> {
    text: &'a [char],
    at: usize,
    out: String,
    variables: Vec<Variable>,
    mistakes: Vec<(usize, String)>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        let mut before = ' ';
        while let Some(c) = self.peek(0) {
            match c {
                '$' => self.variable(),
                '"' | '\'' => self.literal(before),
                '/' if self.peek(1) == Some('/') => self.comment(),
                _ if is_name(c) && !is_name(before) => self.name(before),
                _ => self.copy(1),
            }
            before = self.text.get(self.at.saturating_sub(1)).copied().unwrap_or(' ');
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn copy(&mut self, count: usize) {
        let end = (self.at + count).min(self.text.len());
        self.out.extend(self.text.get(self.at..end).unwrap_or_default());
        self.at = end;
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.copy(1);
        }
    }

    /// A string or bytes literal, in one or three quotes, perhaps raw.
    fn literal(&mut self, before: char) {
        let quote = self.peek(0);
        let is_long = self.peek(1) == quote && self.peek(2) == quote;
        let width = if is_long { 3 } else { 1 };
        let begin = self.at.saturating_sub(2);
        let prefix = self.text.get(begin..self.at).unwrap_or_default();
        let is_raw = matches!(before, 'r' | 'R')
            || (matches!(before, 'b' | 'B') && matches!(prefix.first(), Some('r' | 'R')));
        self.copy(width);
        while let Some(c) = self.peek(0) {
            if c == '\\' && !is_raw {
                self.copy(2);
            } else if (0..width).all(|ahead| self.peek(ahead) == quote) {
                return self.copy(width);
            } else if c == '\n' && !is_long {
                return;
            } else {
                self.copy(1);
            }
        }
    }

    fn name(&mut self, before: char) {
        let length = self.text.iter().skip(self.at).take_while(|c| is_name(**c)).count();
        let name = self.text.get(self.at..self.at + length).unwrap_or_default();
        // A member of the data may have any name.
        if before != '.' && name.starts_with(&['_', '_']) {
            self.mistakes.push((self.at, format!("names that begin with '{RESERVED}' are reserved")));
        }
        self.copy(length);
    }

    fn variable(&mut self) {
        let begin = self.at;
        match self.read_variable() {
            Ok((variable, end)) => {
                let known = self.variables.iter().position(|known| *known == variable);
                let number = known.unwrap_or_else(|| {
                    self.variables.push(variable);
                    self.variables.len() - 1
                });
                let length = end - begin;
                self.out.push_str(&format!("{:_<length$}", format!("{RESERVED}{number}")));
                self.at = end;
            }
            Err((character, message)) => {
                self.mistakes.push((character, message));
                self.at += 1;
            }
        }
    }

    /// The variable that begins here, and where it ends.
    fn read_variable(&self) -> Result<(Variable, usize), (usize, String)> {
        let begin = self.at + 1;
        let rest = self.text.get(begin..).unwrap_or_default();
        let all = rest.windows(2).position(|pair| matches!(pair, ['.', '(']));
        // What ends a path that has no type: the rest of an expression.
        let bare: String = rest.iter().take_while(|c| is_name(**c) || **c == '.').collect();
        let untyped = || {
            let name = bare.trim_end_matches('.');
            (self.at, format!("'${name}' has no type: one was expected, such as ${name}.(string)"))
        };
        let length = all.ok_or_else(untyped)?;
        let path = rest.get(..length).unwrap_or_default();
        if let Some(stray) = stray(path) {
            if stray == bare.chars().count() {
                return Err(untyped());
            }
            let what = path.get(stray).copied().unwrap_or_default();
            let message = format!("'{}' cannot stand in a path, unless behind a '\\'", what.escape_debug());
            return Err((begin + stray, message));
        }
        if path.is_empty() {
            return Err((
                self.at,
                "a path was expected behind the '$'; $@this is all of the data".to_owned(),
            ));
        }
        let type_at = begin + length + 2;
        let name = self.text.get(type_at..).unwrap_or_default();
        let Some(end) = name.iter().position(|c| *c == ')') else {
            return Err((type_at - 1, "the type of the variable has no ')' behind it".to_owned()));
        };
        let name: String = name.get(..end).unwrap_or_default().iter().collect();
        let kind = match name.as_str() {
            "bool" => Type::Bool,
            "int64" => Type::Int,
            "uint64" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::String,
            other => {
                let hint = match other {
                    "int" => ": did you mean 'int64'?",
                    "uint" => ": did you mean 'uint64'?",
                    "float" | "float64" | "number" => ": did you mean 'double'?",
                    "boolean" => ": did you mean 'bool'?",
                    _ => ": there are bool, int64, uint64, double and string",
                };
                return Err((type_at, format!("unknown type '{other}'{hint}")));
            }
        };
        let text: String = path.iter().collect();
        let path = text.parse::<Path>().map_err(|error| (begin + error.character, error.message))?;
        let text = format!("${text}.({name})");
        Ok((Variable { text, path, kind }, type_at + end + 1))
    }
}

/// The first character of a path that belongs to the rest of an expression instead; inside of a query anything goes.
fn stray(path: &[char]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (number, c) in path.iter().enumerate() {
        match c {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '\\' => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' if depth > 0 || number.checked_sub(1).and_then(|at| path.get(at)) == Some(&'#') => {
                depth += 1;
            }
            ')' | ']' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '$' | '<' | '>' | '=' | '&' | '(' | ')' | '[' | ']' | '"' | '\'' | '+' | ',' | ';' => {
                return Some(number);
            }
            c if c.is_whitespace() => return Some(number),
            _ => {}
        }
    }
    None
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

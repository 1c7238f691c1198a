//! `LIKE` patterns (section 3.4.3): `%` is any text, `_` any one character, `\` makes either of them literal.
//!
//! A pattern is cut at its `%`s. Each part in between has a fixed number of characters, so taking the leftmost place
//! for every part is enough and no choice is ever taken back.

use crate::{error::EvaluationError, evaluate::Work};

/// A piece of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Exactly this text; never empty.
    Text(String),
    /// So many characters, whatever they are; at least one.
    Any(usize),
}

/// What stands between two `%`s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    pieces: Vec<Piece>,
}

/// A pattern, ready to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// How the text begins; without a `%`, all of it.
    first: Part,
    /// What stands behind each `%`.
    others: Vec<Part>,
}

impl Part {
    fn push(&mut self, character: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(character),
            _ => self.pieces.push(Piece::Text(character.into())),
        }
    }

    fn push_any(&mut self) {
        match self.pieces.last_mut() {
            Some(Piece::Any(count)) => *count += 1,
            _ => self.pieces.push(Piece::Any(1)),
        }
    }

    /// What is left of the text behind this part, when the text begins with it.
    fn strip<'t>(&self, text: &'t str, work: &mut Work) -> Result<Option<&'t str>, EvaluationError> {
        strip(&self.pieces, text, work)
    }

    /// What is left of the text behind the leftmost place of this part.
    fn find<'t>(&self, text: &'t str, work: &mut Work) -> Result<Option<&'t str>, EvaluationError> {
        // "%_x" is "_%x": free characters in front move away, and what remains starts with something to search for.
        let (skipped, pieces) = match self.pieces.split_first() {
            Some((Piece::Any(count), pieces)) => (*count, pieces),
            _ => (0, self.pieces.as_slice()),
        };
        let Some(mut text) = skip(text, skipped) else { return Ok(None) };
        let Some((Piece::Text(start), behind)) = pieces.split_first() else { return Ok(Some(text)) };
        while let Some(index) = text.find(start.as_str()) {
            work.spend(index)?;
            let rest = text.get(index + start.len()..).unwrap_or_default();
            if let Some(rest) = strip(behind, rest, work)? {
                return Ok(Some(rest));
            }
            work.spend(start.len())?;
            text = text.get(index..).and_then(|text| skip(text, 1)).unwrap_or_default();
        }
        Ok(None)
    }

    /// Whether the text ends with this part.
    fn ends(&self, text: &str, work: &mut Work) -> Result<bool, EvaluationError> {
        let characters: usize = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.chars().count(),
                Piece::Any(count) => *count,
            })
            .sum();
        work.spend(characters)?;
        let Some(last) = characters.checked_sub(1) else { return Ok(true) };
        let Some((start, _)) = text.char_indices().rev().nth(last) else { return Ok(false) };
        let end = text.get(start..).unwrap_or_default();
        Ok(self.strip(end, work)?.is_some_and(str::is_empty))
    }
}

fn skip(text: &str, characters: usize) -> Option<&str> {
    let Some(last) = characters.checked_sub(1) else { return Some(text) };
    let (index, character) = text.char_indices().nth(last)?;
    text.get(index + character.len_utf8()..)
}

fn strip<'t>(
    pieces: &[Piece],
    mut text: &'t str,
    work: &mut Work,
) -> Result<Option<&'t str>, EvaluationError> {
    for piece in pieces {
        let rest = match piece {
            Piece::Text(expected) => {
                work.spend(expected.len())?;
                text.strip_prefix(expected.as_str())
            }
            Piece::Any(count) => {
                work.spend(*count)?;
                skip(text, *count)
            }
        };
        let Some(rest) = rest else { return Ok(None) };
        text = rest;
    }
    Ok(Some(text))
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut parts = vec![];
        let mut part = Part::default();
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '%' if !parts.is_empty() && part.pieces.is_empty() => {}
                '%' => parts.push(std::mem::take(&mut part)),
                '_' => part.push_any(),
                '\\' => part.push(characters.next_if(|next| matches!(next, '%' | '_')).unwrap_or('\\')),
                other => part.push(other),
            }
        }
        parts.push(part);
        let first = parts.remove(0);
        Self { first, others: parts }
    }

    /// Whether all of the text has this form.
    pub(crate) fn matches(&self, text: &str, work: &mut Work) -> Result<bool, EvaluationError> {
        work.spend(text.len())?;
        let Some(mut rest) = self.first.strip(text, work)? else { return Ok(false) };
        let Some((last, middle)) = self.others.split_last() else { return Ok(rest.is_empty()) };
        for part in middle {
            let Some(behind) = part.find(rest, work)? else { return Ok(false) };
            rest = behind;
        }
        last.ends(rest, work)
    }
}

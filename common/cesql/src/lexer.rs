//! Splits the text of an expression into tokens.

use std::{borrow::Cow, fmt};

use crate::{
    ast::{Arithmetic, Binary, Comparison, Logic},
    error::{ParseError, Position},
};

/// How much of a name or a number an error message shows, in characters.
const EXCERPT: usize = 32;

/// The smallest unit of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'s> {
    End,
    /// A name: letters, digits and underscores that are not all digits and not a keyword.
    Word(&'s str),
    /// Decimal digits without a sign.
    Integer(&'s str),
    /// What stands between the quotes, with the escaped delimiters resolved.
    Text(Cow<'s, str>),
    Binary(Binary),
    Not,
    Like,
    Exists,
    In,
    Boolean(bool),
    Open,
    Close,
    Comma,
}

/// For "found …" in error messages.
impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Word(word) | Self::Integer(word) => {
                let shown: String = word.chars().take(EXCERPT).collect();
                let ellipsis = if shown.len() < word.len() { "…" } else { "" };
                return write!(f, "{shown}{ellipsis}");
            }
            Self::End => "the end of the expression",
            Self::Text(_) => "a string",
            Self::Binary(operator) => symbol(*operator),
            Self::Not => "NOT",
            Self::Like => "LIKE",
            Self::Exists => "EXISTS",
            Self::In => "IN",
            Self::Boolean(true) => "TRUE",
            Self::Boolean(false) => "FALSE",
            Self::Open => "\"(\"",
            Self::Close => "\")\"",
            Self::Comma => "\",\"",
        };
        f.write_str(name)
    }
}

fn symbol(operator: Binary) -> &'static str {
    match operator {
        Binary::Logic(Logic::And) => "AND",
        Binary::Logic(Logic::Or) => "OR",
        Binary::Logic(Logic::Xor) => "XOR",
        Binary::Comparison(Comparison::Equal) => "\"=\"",
        Binary::Comparison(Comparison::NotEqual) => "\"!=\"",
        Binary::Comparison(Comparison::Less) => "\"<\"",
        Binary::Comparison(Comparison::LessOrEqual) => "\"<=\"",
        Binary::Comparison(Comparison::Greater) => "\">\"",
        Binary::Comparison(Comparison::GreaterOrEqual) => "\">=\"",
        Binary::Arithmetic(Arithmetic::Add) => "\"+\"",
        Binary::Arithmetic(Arithmetic::Subtract) => "\"-\"",
        Binary::Arithmetic(Arithmetic::Multiply) => "\"*\"",
        Binary::Arithmetic(Arithmetic::Divide) => "\"/\"",
        Binary::Arithmetic(Arithmetic::Remainder) => "\"%\"",
    }
}

/// Reads tokens from left to right.
pub(crate) struct Lexer<'s> {
    source: &'s str,
    /// Where the next token is looked for; always between two characters.
    offset: usize,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, offset: 0 }
    }

    /// Where the last token ended, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn error(&self, offset: usize, message: impl Into<String>) -> ParseError {
        ParseError { position: Position::at(self.source, offset), message: message.into() }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.offset..).unwrap_or_default()
    }

    /// The next token and the byte it starts at.
    pub(crate) fn next(&mut self) -> Result<(usize, Token<'s>), ParseError> {
        let blank = |c| matches!(c, ' ' | '\t' | '\r' | '\n');
        self.offset = self.source.len() - self.rest().trim_start_matches(blank).len();
        let start = self.offset;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((start, Token::End)) };
        let second = rest.as_bytes().get(1).copied();
        let comparison = |operator| Token::Binary(Binary::Comparison(operator));
        let arithmetic = |operator| Token::Binary(Binary::Arithmetic(operator));
        let (length, token) = match (first, second) {
            ('\'' | '"', _) => return Ok((start, Token::Text(self.text(first)?))),
            (c, _) if c.is_ascii_alphanumeric() || c == '_' => self.word(),
            ('(', _) => (1, Token::Open),
            (')', _) => (1, Token::Close),
            (',', _) => (1, Token::Comma),
            ('!', Some(b'=')) | ('<', Some(b'>')) => (2, comparison(Comparison::NotEqual)),
            ('<', Some(b'=')) => (2, comparison(Comparison::LessOrEqual)),
            ('>', Some(b'=')) => (2, comparison(Comparison::GreaterOrEqual)),
            ('=', Some(b'=')) => return Err(self.error(start, "unknown operator \"==\"; equality is \"=\"")),
            ('=', _) => (1, comparison(Comparison::Equal)),
            ('<', _) => (1, comparison(Comparison::Less)),
            ('>', _) => (1, comparison(Comparison::Greater)),
            ('+', _) => (1, arithmetic(Arithmetic::Add)),
            ('-', _) => (1, arithmetic(Arithmetic::Subtract)),
            ('*', _) => (1, arithmetic(Arithmetic::Multiply)),
            ('/', _) => (1, arithmetic(Arithmetic::Divide)),
            ('%', _) => (1, arithmetic(Arithmetic::Remainder)),
            (other, _) => return Err(self.error(start, format!("unexpected character {other:?}"))),
        };
        self.offset = start + length;
        Ok((start, token))
    }

    /// A name, a keyword or a number, and its length.
    fn word(&self) -> (usize, Token<'s>) {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return (end, Token::Integer(word));
        }
        let keywords = [
            ("and", Token::Binary(Binary::Logic(Logic::And))),
            ("or", Token::Binary(Binary::Logic(Logic::Or))),
            ("xor", Token::Binary(Binary::Logic(Logic::Xor))),
            ("not", Token::Not),
            ("like", Token::Like),
            ("exists", Token::Exists),
            ("in", Token::In),
            ("true", Token::Boolean(true)),
            ("false", Token::Boolean(false)),
        ];
        let keyword = keywords.into_iter().find(|(keyword, _)| word.eq_ignore_ascii_case(keyword));
        (end, keyword.map_or(Token::Word(word), |(_, token)| token))
    }

    /// A string literal. A backslash is skipped together with the character behind it, so that `\'` does not end the
    /// literal; only an escaped delimiter loses its backslash.
    fn text(&mut self, quote: char) -> Result<Cow<'s, str>, ParseError> {
        let start = self.offset;
        let inside = self.rest().get(1..).unwrap_or_default();
        let mut characters = inside.char_indices();
        let mut escaped_quote = false;
        while let Some((index, character)) = characters.next() {
            if character == '\\' {
                escaped_quote |= characters.next().is_some_and(|(_, next)| next == quote);
            } else if character == quote {
                let text = inside.get(..index).unwrap_or_default();
                self.offset = start + index + 2;
                if self.rest().starts_with(quote) {
                    let message = format!("a quote inside a string is written \\{quote}");
                    return Err(self.error(self.offset, message));
                }
                return Ok(if escaped_quote {
                    Cow::Owned(unescape(text, quote))
                } else {
                    Cow::Borrowed(text)
                });
            }
        }
        Err(self.error(start, format!("this string never ends: expected a closing {quote}")))
    }
}

fn unescape(text: &str, quote: char) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.as_str().chars().next()) {
            ('\\', Some(next)) => {
                characters.next();
                if next != quote {
                    plain.push(character);
                }
                plain.push(next);
            }
            _ => plain.push(character),
        }
    }
    plain
}

//! The value of `add`: text in which variables are replaced, and groups in brackets that vanish with their variables.

use std::ops::Range;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands.
    Text(String),
    /// A variable and its name.
    Variable(usize, String),
    /// What stands between two brackets around a variable; the brackets are parts of their own.
    Group(Vec<Part>),
}

/// A text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    /// Without variables.
    Text(String),
    /// A variable alone, whose value keeps its type, and its name.
    Variable(usize, String),
    /// Several parts.
    Parts(Vec<Part>),
}

/// Brackets as they are found beside variables.
#[derive(Debug, PartialEq)]
enum Token {
    Text(String),
    Variable(usize, String),
    Open { escaped: bool },
    Close { escaped: bool },
}

impl Template {
    /// Reads a text; `names` are those of all variables. The longest name is looked for first.
    pub(crate) fn parse(text: &str, names: &[String]) -> Self {
        if let Some(variable) = names.iter().position(|name| name == text) {
            return Self::Variable(variable, text.to_owned());
        }
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(names.get(*index).map_or(0, String::len)));
        let mut tokens = vec![Token::Text(text.to_owned())];
        for index in order {
            if let Some(name) = names.get(index).filter(|name| !name.is_empty()) {
                tokens = tokens.into_iter().flat_map(|token| split(token, index, name)).collect();
            }
        }
        if !tokens.iter().any(|token| matches!(token, Token::Variable(..))) {
            return Self::Text(text.to_owned());
        }
        let tokens: Vec<Token> = tokens.into_iter().flat_map(brackets).collect();
        Self::Parts(grouped(&tokens))
    }
}

/// Cuts a text at every occurrence of a name.
fn split(token: Token, index: usize, name: &str) -> Vec<Token> {
    let Token::Text(text) = token else { return vec![token] };
    let mut parts = Vec::new();
    for (number, piece) in text.split(name).enumerate() {
        if number > 0 {
            parts.push(Token::Variable(index, name.to_owned()));
        }
        if !piece.is_empty() {
            parts.push(Token::Text(piece.to_owned()));
        }
    }
    parts
}

/// Cuts a text at its brackets.
fn brackets(token: Token) -> Vec<Token> {
    let Token::Text(text) = token else { return vec![token] };
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, bracket) in text.match_indices(['(', ')']) {
        let before = text.get(from..at).unwrap_or_default();
        let escaped = before.ends_with('\\');
        if !before.is_empty() {
            parts.push(Token::Text(before.to_owned()));
        }
        parts.push(if bracket == "(" { Token::Open { escaped } } else { Token::Close { escaped } });
        from = at + 1;
    }
    if from < text.len() {
        parts.push(Token::Text(text.get(from..).unwrap_or_default().to_owned()));
    }
    parts
}

/// Makes groups of what stands between two brackets that hold a variable and no other bracket.
fn grouped(tokens: &[Token]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some(inner) = group_at(tokens, at) {
            at = inner.end + 1;
            parts.push(Part::Group(tokens.get(inner).unwrap_or_default().iter().map(part).collect()));
        } else {
            parts.push(part(token));
            at += 1;
        }
    }
    parts
}

/// What stands inside the group that begins here, if one does.
fn group_at(tokens: &[Token], open: usize) -> Option<Range<usize>> {
    if tokens.get(open)? != &(Token::Open { escaped: false }) {
        return None;
    }
    let is_bracket = |token: &Token| matches!(token, Token::Open { .. } | Token::Close { .. });
    let length = tokens.get(open + 1..)?.iter().position(is_bracket)?;
    let inner = open + 1..open + 1 + length;
    let closes = tokens.get(inner.end)? == &(Token::Close { escaped: false });
    let has_variable = tokens.get(inner.clone())?.iter().any(|token| matches!(token, Token::Variable(..)));
    (closes && has_variable).then_some(inner)
}

fn part(token: &Token) -> Part {
    match token {
        Token::Text(text) => Part::Text(text.clone()),
        Token::Variable(index, name) => Part::Variable(*index, name.clone()),
        Token::Open { .. } => Part::Text("(".to_owned()),
        Token::Close { .. } => Part::Text(")".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parts: &[Part]) -> String {
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(_, name) => format!("<{name}>"),
            Part::Group(parts) => format!("[{}]", shown(parts)),
        };
        parts.iter().map(show).collect()
    }

    #[test]
    fn variables_and_groups_are_found() {
        let names = ["$id", "$id2", "$a", "$b", "$f(x)"].map(str::to_owned);
        for (text, expected) in [
            ("plain (text)", "plain (text)"),
            ("$id", "<<$id>>"),
            ("$id2", "<<$id2>>"),
            ("$id2$id", "<$id2><$id>"),
            ("($a)", "[<$a>]"),
            ("$a(.$b)", "<$a>[.<$b>]"),
            ("($a-$b)", "[<$a>-<$b>]"),
            (r"\($a)", r"\(<$a>)"),
            (r"($a\)", r"(<$a>\)"),
            ("(x) $a (y)", "(x) <$a> (y)"),
            ("(x ($a))", "(x [<$a>])"),
            ("($a", "(<$a>"),
            ("$a)", "<$a>)"),
            ("($f(x))!", "[<$f(x)>]!"),
            ("$c $a", "$c <$a>"),
        ] {
            let found = match Template::parse(text, &names) {
                Template::Text(text) => text,
                Template::Variable(_, name) => format!("<<{name}>>"),
                Template::Parts(parts) => shown(&parts),
            };
            assert_eq!(found, expected, "{text}");
        }
    }
}

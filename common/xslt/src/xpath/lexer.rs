//! The words of an expression (XPath 1.0, section 3.7).

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Number(f64),
    Literal(String),
    /// `$name`.
    Variable(String),
    /// A name, `p:name`, `p:*` or `*`, where no operator can stand.
    Name(String),
    /// An operator or a sign.
    Sign(&'static str),
}

const SIGNS: [&str; 22] = [
    "::", "..", "//", "!=", "<=", ">=", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "=", "<", ">",
    "*", "$",
];
const WORDS: [&str; 4] = ["and", "or", "div", "mod"];

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}') || ('\u{300}'..='\u{36f}').contains(&c)
}

/// The words, each with its place in the text in bytes.
pub fn words(text: &str) -> Result<Vec<(Token, usize)>, String> {
    let mut found: Vec<(Token, usize)> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) =
            if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
                number(rest)
            } else if matches!(c, '"' | '\'') {
                let end = rest[1..].find(c).ok_or("a literal has no end")?;
                (Token::Literal(rest[1..=end].to_owned()), end + 2)
            } else if is_name_start(c) {
                name(rest, after_operand(found.last().map(|(token, _)| token)))
            } else if c == '$' {
                let length = qualified(&rest[1..]);
                if length == 0 {
                    return Err("'$' has no name".to_owned());
                }
                (Token::Variable(rest[1..=length].to_owned()), length + 1)
            } else {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("'{c}' has no meaning here"))?;
                if *sign == "*" && !after_operand(found.last().map(|(token, _)| token)) {
                    (Token::Name("*".to_owned()), 1)
                } else {
                    (Token::Sign(sign), sign.len())
                }
            };
        found.push((token, at));
        at += length;
    }
    Ok(found)
}

/// Whether an operator can follow.
fn after_operand(token: Option<&Token>) -> bool {
    match token {
        None => false,
        Some(Token::Sign(sign)) => matches!(*sign, ")" | "]" | "." | ".."),
        Some(_) => true,
    }
}

fn number(text: &str) -> (Token, usize) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(text);
    if text[length..].starts_with('.') {
        length += 1 + digits(&text[length + 1..]);
    }
    (Token::Number(text[..length].parse().unwrap_or(f64::NAN)), length)
}

fn local(text: &str) -> usize {
    if !text.starts_with(is_name_start) {
        return 0;
    }
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

/// The length of a name with or without a prefix.
fn qualified(text: &str) -> usize {
    let first = local(text);
    match text[first..].strip_prefix(':') {
        Some(rest) if first > 0 && local(rest) > 0 => first + 1 + local(rest),
        _ => first,
    }
}

fn name(text: &str, operator: bool) -> (Token, usize) {
    if operator {
        let length = local(text);
        if let Some(word) = WORDS.iter().find(|word| **word == &text[..length]) {
            return (Token::Sign(word), length);
        }
    }
    let mut length = qualified(text);
    if text[length..].starts_with(":*") {
        length += 2;
    }
    (Token::Name(text[..length].to_owned()), length)
}

//! Values of expressions and what becomes of them as text, number and truth (XPath 1.0, sections 3 and 4).

use std::{ops::Deref, rc::Rc};

use crate::{budget::Charge, tree::Id};

/// A node of one of the trees of a run; the order is that of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    pub tree: u32,
    pub id: Id,
}

/// Something whose memory is counted while it lives.
#[derive(Debug)]
pub struct Held<T> {
    it: T,
    _charge: Charge,
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.it
    }
}

/// Nodes that are held together.
pub type Nodes = Rc<Held<Vec<Node>>>;

/// Nodes in the order in which they are given.
pub fn in_order(nodes: Vec<Node>) -> Nodes {
    let _charge = Charge::new(nodes.capacity() * size_of::<Node>());
    Rc::new(Held { it: nodes, _charge })
}

/// The value of an expression.
#[derive(Clone, Debug)]
pub enum Value {
    /// In the order of the document, none twice.
    Nodes(Nodes),
    Truth(bool),
    Number(f64),
    Text(Rc<Held<Box<str>>>),
    /// The root of what a body made (a result tree fragment).
    Fragment(Node),
}

impl Value {
    pub fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self::Text(Rc::new(Held { it: text.into(), _charge: Charge::new(text.len()) }))
    }

    /// Puts nodes into order.
    pub fn nodes(mut nodes: Vec<Node>) -> Self {
        if !nodes.is_sorted() {
            nodes.sort_unstable();
        }
        nodes.dedup();
        Self::Nodes(in_order(nodes))
    }
}

/// A number as text, as libxml2 writes it.
pub fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number.abs() < f64::from(i32::MAX) && number.trunc() == number {
        return format!("{}", number as i32);
    }
    let size = number.abs();
    if !(1e-5..=1e9).contains(&size) {
        let text = format!("{number:.14e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.abs());
    }
    let places = size.log10() as i32;
    let fraction = if places > 0 { 15 - places - 1 } else { 15 - places };
    trimmed(&format!("{number:.*}", fraction.max(0) as usize)).to_owned()
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// White space of XML.
pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Where one of these ASCII letters stands first outside of literals, which are in quotes of either kind.
pub fn unquoted(text: &str, wanted: &[char]) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, c)| {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => return wanted.contains(&c).then_some(at),
        }
        None
    })
}

/// Whether a letter can stand in XML (XML 1.0, section 2.2).
pub fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The number that a text is; libxml2 takes exponents too.
pub fn text_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).map_or((digits, None), |(m, e)| (m, Some(e)));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let good = is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let good_exponent = exponent.is_none_or(|text| {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        !text.is_empty() && is_digits(text)
    });
    if good && good_exponent { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

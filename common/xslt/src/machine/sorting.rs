//! Sorting (XSLT 1.0, section 10): texts by their letters' numbers, as libxslt does where no language is given; with a language
//! or an order of case by the alphabet.

use std::cmp::Ordering;

use super::{Machine, Place};
use crate::{
    Failure,
    budget::Charge,
    style::{
        Avt, Sort,
        sorts::{CASE_ORDERS, DATA_TYPES, ORDERS, is_language, letters},
    },
    value::{Node, Nodes, in_order},
};

enum Key {
    Text(String),
    Number(f64),
    /// Without case and signs, and as it is.
    Letters(String, String),
}

/// How keys are compared.
struct Rule {
    numeric: bool,
    descending: bool,
    alphabetic: bool,
    upper_first: bool,
}

impl Key {
    /// What is no number comes first.
    fn compare(&self, other: &Self, rule: &Rule) -> Ordering {
        let order = match (self, other) {
            (Self::Number(one), Self::Number(other)) => match (one.is_nan(), other.is_nan()) {
                (false, false) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
                (one, other) => other.cmp(&one),
            },
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Letters(one, one_text), Self::Letters(other, other_text)) => {
                // The numbers of the letters have capitals first.
                let by_case =
                    || if rule.upper_first { one_text.cmp(other_text) } else { other_text.cmp(one_text) };
                one.cmp(other).then_with(by_case)
            }
            _ => Ordering::Equal,
        };
        if rule.descending { order.reverse() } else { order }
    }
}

impl<'s> Machine<'s> {
    pub fn sort(&mut self, nodes: Nodes, sorts: &'s [Sort], place: Place) -> Result<Nodes, Failure> {
        if sorts.is_empty() {
            return Ok(nodes);
        }
        let mut rules = Vec::new();
        for sort in sorts {
            rules.push(self.sort_rule(sort, place)?);
        }
        let size = nodes.len();
        let mut charge = Charge::new(size * (size_of::<(Vec<Key>, Node)>() + sorts.len() * size_of::<Key>()));
        self.clock.room(0)?;
        let mut keyed = Vec::with_capacity(size);
        for (index, node) in nodes.iter().copied().enumerate() {
            let place = Place { node, position: index + 1, size, current: node };
            let mut keys = Vec::with_capacity(sorts.len());
            for (sort, rule) in sorts.iter().zip(&rules) {
                if rule.numeric {
                    keys.push(Key::Number(self.number(&sort.select, place)?));
                    continue;
                }
                let text = self.text(&sort.select, place)?;
                charge.grow(text.len());
                keys.push(if rule.alphabetic {
                    let letters = letters(&text);
                    charge.grow(letters.len());
                    Key::Letters(letters, text)
                } else {
                    Key::Text(text)
                });
            }
            keyed.push((keys, node));
        }
        keyed.sort_by(|(one, _), (other, _)| {
            let mut pairs = one.iter().zip(other).zip(&rules);
            let found = pairs.find_map(|((one, other), rule)| match one.compare(other, rule) {
                Ordering::Equal => None,
                order => Some(order),
            });
            found.unwrap_or(Ordering::Equal)
        });
        Ok(in_order(keyed.into_iter().map(|(_, node)| node).collect()))
    }

    fn sort_rule(&mut self, sort: &'s Sort, place: Place) -> Result<Rule, Failure> {
        let in_list = |list: &'static [&str]| move |word: &str| list.contains(&word);
        Ok(Rule {
            numeric: self.word(sort.numeric.as_ref(), in_list(&DATA_TYPES), place)? == "number",
            descending: self.word(sort.order.as_ref(), in_list(&ORDERS), place)? == "descending",
            alphabetic: sort.lang.is_some() || sort.case_order.is_some(),
            upper_first: {
                self.word(sort.lang.as_ref(), is_language, place)?;
                self.word(sort.case_order.as_ref(), in_list(&CASE_ORDERS), place)? == "upper-first"
            },
        })
    }

    /// What an attribute says, if it is there.
    fn word(
        &mut self,
        avt: Option<&'s Avt>,
        good: impl Fn(&str) -> bool,
        place: Place,
    ) -> Result<String, Failure> {
        let Some(avt) = avt else { return Ok(String::new()) };
        let word = self.filled(avt, place)?;
        if good(&word) { Ok(word) } else { Err(Failure::new(format!("xsl:sort: '{word}' is not there"))) }
    }
}

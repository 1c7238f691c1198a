//! Sorting (XSLT 1.0, section 10): texts by their letters' numbers, as libxslt does where no language is given.

use std::cmp::Ordering;

use super::{Machine, Place};
use crate::{Failure, style::Sort, value::Node};

enum Key {
    Text(String),
    Number(f64),
}

impl Key {
    /// What is no number comes first.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => match (one.is_nan(), other.is_nan()) {
                (false, false) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
                (one, other) => other.cmp(&one),
            },
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        }
    }
}

impl<'s> Machine<'s> {
    pub fn sort(&mut self, nodes: &mut Vec<Node>, sorts: &'s [Sort], place: Place) -> Result<(), Failure> {
        if sorts.is_empty() {
            return Ok(());
        }
        let mut rules = Vec::new();
        for sort in sorts {
            let mut word = |avt: &'s Option<crate::style::Avt>| match avt {
                Some(avt) => self.filled(avt, place),
                None => Ok(String::new()),
            };
            let numeric = word(&sort.numeric)? == "number";
            let descending = word(&sort.order)? == "descending";
            rules.push((numeric, descending));
        }
        let size = nodes.len();
        let mut keyed = Vec::with_capacity(size);
        for (index, node) in nodes.iter().copied().enumerate() {
            let place = Place { node, position: index + 1, size, current: node };
            let mut keys = Vec::with_capacity(sorts.len());
            for (sort, (numeric, _)) in sorts.iter().zip(&rules) {
                keys.push(match numeric {
                    true => Key::Number(self.number(&sort.select, place)?),
                    false => Key::Text(self.text(&sort.select, place)?),
                });
            }
            keyed.push((keys, node));
        }
        keyed.sort_by(|(one, _), (other, _)| {
            let pairs = one.iter().zip(other).zip(&rules);
            let orders = pairs.map(|((one, other), (_, descending))| {
                let order = one.compare(other);
                if *descending { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        *nodes = keyed.into_iter().map(|(_, node)| node).collect();
        Ok(())
    }
}

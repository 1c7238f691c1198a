//! Arithmetic of values: `+`, `-`, `*`, `/`, `%`.

use std::{
    collections::BTreeSet,
    ops::{Add, Div, Mul, Neg, Rem, Sub},
    rc::Rc,
};

use jaq_core::ops::Math;
use jaq_json::Num;

use crate::{
    budget::{self, Exceeded},
    value::{Error, List, ValR, Value},
};

/// The longest whole number that arithmetic makes; longer ones would take more than their share of time.
const MAX_BITS: u64 = 1 << 15;

impl Add for Value {
    type Output = ValR;

    fn add(self, other: Self) -> ValR {
        budget::step();
        match (self, other) {
            (Self::Null, value) | (value, Self::Null) => Ok(value),
            (Self::Num(left), Self::Num(right)) => {
                number(&left, &right, |bits, more| bits.max(more) + 1).map(|()| Self::Num(left + right))
            }
            (Self::Text(left), Self::Text(right)) => Ok(Self::Text(left.with(right.as_str()))),
            (Self::List(mut left), Self::List(right)) => {
                let items = Rc::make_mut(&mut left);
                right.items().iter().for_each(|item| items.push(item.clone()));
                Ok(Self::List(left))
            }
            (Self::Object(mut left), Self::Object(right)) => {
                let members = Rc::make_mut(&mut left);
                right.members().iter().for_each(|(name, value)| members.insert(name.clone(), value.clone()));
                Ok(Self::Object(left))
            }
            (left, right) => Err(Error::math(left, Math::Add, right)),
        }
    }
}

impl Sub for Value {
    type Output = ValR;

    fn sub(self, other: Self) -> ValR {
        budget::step();
        match (self, other) {
            (Self::Num(left), Self::Num(right)) => {
                number(&left, &right, |bits, more| bits.max(more) + 1).map(|()| Self::Num(left - right))
            }
            (Self::List(mut left), Self::List(right)) => {
                let unwanted: BTreeSet<&Self> = right.items().iter().collect();
                Rc::make_mut(&mut left).retain(|item| !unwanted.contains(item));
                Ok(Self::List(left))
            }
            (left, right) => Err(Error::math(left, Math::Sub, right)),
        }
    }
}

impl Mul for Value {
    type Output = ValR;

    fn mul(self, other: Self) -> ValR {
        budget::step();
        match (self, other) {
            (Self::Num(left), Self::Num(right)) => {
                number(&left, &right, |bits, more| bits + more).map(|()| Self::Num(left * right))
            }
            (Self::Text(text), Self::Num(count)) | (Self::Num(count), Self::Text(text)) => {
                let count = float(&count);
                // As in jq: less than one time is nothing at all.
                if count.is_nan() || count <= 0.0 {
                    return Ok(Self::Null);
                }
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
                let count = count.max(1.0) as usize;
                let bytes = text.as_str().len().saturating_mul(count);
                // Counted before it is made.
                drop(crate::budget::Charge::new(bytes));
                Ok(Self::text(text.as_str().repeat(count)))
            }
            (Self::Object(mut left), Self::Object(right)) => {
                Rc::make_mut(&mut left).merge(&right);
                Ok(Self::Object(left))
            }
            (left, right) => Err(Error::math(left, Math::Mul, right)),
        }
    }
}

impl Div for Value {
    type Output = ValR;

    fn div(self, other: Self) -> ValR {
        budget::step();
        match (self, other) {
            (Self::Num(left), Self::Num(right)) if float(&right) != 0.0 => {
                Ok(Self::Num(quotient(left, right)))
            }
            (Self::Text(text), Self::Text(separator)) => {
                let (text, separator) = (text.as_str(), separator.as_str());
                let mut parts = List::default();
                if text.is_empty() {
                } else if separator.is_empty() {
                    text.chars().for_each(|c| parts.push(Self::text(c)));
                } else {
                    text.split(separator).for_each(|part| parts.push(Self::text(part)));
                }
                Ok(Self::list(parts))
            }
            (left @ Self::Num(_), right @ Self::Num(_)) => Err(by_zero(&left, &right)),
            (left, right) => Err(Error::math(left, Math::Div, right)),
        }
    }
}

impl Rem for Value {
    type Output = ValR;

    fn rem(self, other: Self) -> ValR {
        budget::step();
        match (self, other) {
            (Self::Num(left), Self::Num(right)) => {
                // Of whole numbers, as in jq.
                let (left, right) = (whole(left), whole(right));
                if float(&right) == 0.0 {
                    return Err(by_zero(&Self::Num(left), &Self::Num(right)));
                }
                Ok(Self::Num(left % right))
            }
            (left, right) => Err(Error::math(left, Math::Rem, right)),
        }
    }
}

impl Neg for Value {
    type Output = ValR;

    fn neg(self) -> ValR {
        budget::step();
        match self {
            Self::Num(number) => Ok(Self::Num(-number)),
            other => Err(Error::typ(other, "number")),
        }
    }
}

/// The number as a float of 64 bits.
pub(crate) fn float(number: &Num) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "that is what is asked for")]
    match number {
        Num::Int(int) => *int as f64,
        Num::Float(float) => *float,
        // Both are of bounded length.
        Num::BigInt(_) | Num::Dec(_) => number.to_string().parse().unwrap_or(f64::NAN),
    }
}

/// Sees to it that the result will be no longer than allowed.
fn number(left: &Num, right: &Num, bits: impl Fn(u64, u64) -> u64) -> ValR<()> {
    let of = |number: &Num| match number {
        Num::BigInt(big) => big.bits(),
        _ => 64,
    };
    if !matches!((left, right), (Num::BigInt(_), _) | (_, Num::BigInt(_))) {
        return Ok(());
    }
    let bits = bits(of(left), of(right));
    budget::steps(bits / 64);
    if bits > MAX_BITS { budget::end(Exceeded::Memory) } else { Ok(()) }
}

/// Whole where both are and nothing is left over, as in gojq.
fn quotient(left: Num, right: Num) -> Num {
    let is_whole = |number: &Num| matches!(number, Num::Int(_) | Num::BigInt(_));
    if let (Num::Int(left), Num::Int(right)) = (&left, &right)
        && left.checked_rem(*right) == Some(0)
    {
        return Num::Int(left / right);
    }
    if is_whole(&left) && is_whole(&right) && left.clone() % right.clone() == Num::Int(0) {
        // Both are exact here, unlike their quotient as floats.
        if let (Num::BigInt(left), Num::BigInt(right)) = (big(&left), big(&right)) {
            return Num::big_int(&*left / &*right);
        }
    }
    left / right
}

fn big(number: &Num) -> Num {
    match number {
        Num::Int(int) => Num::big_int((*int).into()),
        other => other.clone(),
    }
}

fn whole(number: Num) -> Num {
    match number {
        Num::Int(_) | Num::BigInt(_) => number,
        other => {
            let float = float(&other);
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            if float.is_nan() { Num::Float(float) } else { Num::Int(float as isize) }
        }
    }
}

fn by_zero(left: &Value, right: &Value) -> Error {
    Error::str(format_args!("cannot divide {left} by: {right}"))
}

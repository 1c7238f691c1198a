//! Functions of floats of 64 bits, by the names that C gives them.

use jaq_core::{
    Cv, DataT, RunPtr,
    native::{Filter, bome, v},
};

use jaq_json::Num;

use crate::value::{Error, ValR, Value};

macro_rules! functions {
    ($($name:literal $of:expr),+ $(,)?) => {
        [$(($name, v(0), |cv| bome(number(&cv.1).map(|x| Value::from($of(x)))))),+]
    };
}

macro_rules! functions_of_two {
    ($($name:literal $of:expr),+ $(,)?) => {
        [$(($name, v(2), |cv| {
            let [x, y] = arguments(cv);
            bome(number(&x).and_then(|x| Ok(Value::from($of(x, number(&y)?)))))
        })),+]
    };
}

pub(crate) fn list<D: for<'a> DataT<V<'a> = Value>>() -> Vec<Filter<RunPtr<D>>> {
    let of_one: Box<[Filter<RunPtr<D>>]> = Box::new(functions![
        "acos" f64::acos, "acosh" f64::acosh, "asin" f64::asin, "asinh" f64::asinh, "atan" f64::atan,
        "atanh" f64::atanh, "cbrt" f64::cbrt, "cos" f64::cos, "cosh" f64::cosh, "exp" f64::exp, "exp2" f64::exp2,
        "exp10" |x| 10_f64.powf(x), "expm1" f64::exp_m1, "fabs" f64::abs, "log" f64::ln, "log10" f64::log10,
        "log1p" f64::ln_1p, "log2" f64::log2, "nearbyint" f64::round_ties_even, "rint" f64::round_ties_even,
        "sin" f64::sin, "sinh" f64::sinh, "sqrt" f64::sqrt, "tan" f64::tan, "tanh" f64::tanh, "trunc" f64::trunc,
        "lgamma" libm::lgamma, "tgamma" libm::tgamma, "j0" libm::j0, "j1" libm::j1, "y0" libm::y0, "y1" libm::y1,
        "float_exponent" |x| f64::from(libm::ilogb(x)),
    ]);
    let of_two: Box<[Filter<RunPtr<D>>]> = Box::new(functions_of_two![
        "atan2" f64::atan2, "copysign" f64::copysign, "fdim" |x: f64, y: f64| if x > y { x - y } else { 0.0 },
        "fmax" f64::max, "fmin" f64::min, "fmod" |x: f64, y: f64| x % y, "hypot" f64::hypot,
        "nextafter" libm::nextafter, "pow" f64::powf, "remainder" libm::remainder, "ldexp" scaled,
        "jn" |n, x| of_order(libm::jn, n, x),
        "yn" |n, x| of_order(libm::yn, n, x),
    ]);
    let mut all = of_one.into_vec();
    all.extend(of_two.into_vec());
    all.push(("floor", v(0), |cv| bome(rounded(cv.1, f64::floor))));
    all.push(("ceil", v(0), |cv| bome(rounded(cv.1, f64::ceil))));
    all.push(("round", v(0), |cv| bome(rounded(cv.1, f64::round))));
    all.push(("frexp", v(0), |cv| bome(number(&cv.1).map(|x| pair(libm::frexp(x))))));
    all.push(("modf", v(0), |cv| {
        bome(number(&cv.1).map(|x| [x - x.trunc(), x.trunc()].into_iter().map(Value::from).collect()))
    }));
    all.push(("fma", v(3), |mut cv| {
        let (z, y, x) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
        bome(number(&x).and_then(|x| Ok(Value::from(x.mul_add(number(&y)?, number(&z)?)))))
    }));
    all
}

fn arguments<D: for<'a> DataT<V<'a> = Value>>(mut cv: Cv<'_, D>) -> [Value; 2] {
    let y = cv.0.pop_var();
    [cv.0.pop_var(), y]
}

fn number(value: &Value) -> ValR<f64> {
    match value {
        Value::Num(number) => Ok(crate::math::float(number)),
        other => Err(Error::typ(other.clone(), "number")),
    }
}

/// What is whole stays as it is, however large.
fn rounded(value: Value, round: fn(f64) -> f64) -> ValR {
    match value {
        Value::Num(Num::Int(_) | Num::BigInt(_)) => Ok(value),
        other => number(&other).map(|x| Value::from(round(x))),
    }
}

fn pair((fraction, exponent): (f64, i32)) -> Value {
    [Value::from(fraction), Value::from(exponent as isize)].into_iter().collect()
}

fn scaled(x: f64, exponent: f64) -> f64 {
    libm::ldexp(x, whole(exponent))
}

/// A function that takes as long as its order is large.
fn of_order(function: fn(i32, f64) -> f64, order: f64, x: f64) -> f64 {
    if order.abs() > 100_000.0 { f64::NAN } else { function(whole(order), x) }
}

fn whole(number: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let whole = number as i32;
    whole
}

//! The operators and functions that there are, and what comes out of each.
//!
//! Facts: CEL language definition, "List of Standard Definitions"; the crate `cel` has all of them but those of messages.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::Type;

/// Names that are types.
pub const TYPES: [&str; 11] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint", "optional_type"];

/// Parts of a date or a time.
const PARTS: [&str; 10] = [
    "getFullYear",
    "getMonth",
    "getDayOfYear",
    "getDayOfMonth",
    "getDate",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
];

/// All others.
const NAMES: [&str; 23] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "string",
    "timestamp",
    "type",
    "uint",
    "has",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "orValue",
    "hasValue",
];

/// Whether the expression is the long name of a type.
pub fn is_type_name(expression: &IdedExpr) -> bool {
    matches!(dotted(expression).as_deref(), Some("google.protobuf.Timestamp" | "google.protobuf.Duration"))
}

/// Whether `optional.of` and the like are called: no member of anything.
pub fn is_namespace(target: &IdedExpr, function: &str) -> bool {
    matches!(&target.expr, Expr::Ident(name) if name == "optional")
        && matches!(function, "of" | "none" | "ofNonZeroValue")
}

fn dotted(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            Some(format!("{}.{}", dotted(&select.operand)?, select.field))
        }
        _ => None,
    }
}

/// What a call gives.
///
/// # Errors
/// Why it never works.
pub fn result(name: &str, call: &CallExpr, target: Option<Type>, arguments: &[Type]) -> Result<Type, String> {
    if name.starts_with(['_', '-', '@', '!']) {
        return operator(name, arguments);
    }
    // Both `size(x)` and `x.size()`.
    let all: Vec<Type> = target.into_iter().chain(arguments.iter().copied()).collect();
    let is_member = target.is_some();
    match (name, all.as_slice()) {
        ("size", [only]) => {
            fits(name, *only, &[Type::String, Type::Bytes, Type::List, Type::Map]).map(|()| Type::Int)
        }
        ("contains" | "startsWith" | "endsWith", [text, part]) if is_member => {
            fits(name, *text, &[Type::String])?;
            fits(name, *part, &[Type::String]).map(|()| Type::Bool)
        }
        ("matches", [text, _]) => {
            fits(name, *text, &[Type::String])?;
            match call.args.last().map(|pattern| &pattern.expr) {
                Some(Expr::Literal(LiteralValue::String(_))) => Ok(Type::Bool),
                _ => Err("the pattern of matches() must be a text in quotes: it is compiled once".to_owned()),
            }
        }
        ("bool", [_]) if !is_member => Ok(Type::Bool),
        ("bytes", [_]) if !is_member => Ok(Type::Bytes),
        ("double", [_]) if !is_member => Ok(Type::Double),
        ("duration", [_]) if !is_member => Ok(Type::Duration),
        ("dyn", [_]) if !is_member => Ok(Type::Any),
        ("int", [_]) if !is_member => Ok(Type::Int),
        ("string", [_]) if !is_member => Ok(Type::String),
        ("timestamp", [_]) if !is_member => Ok(Type::Timestamp),
        ("type", [_]) if !is_member => Ok(Type::Meta),
        ("uint", [_]) if !is_member => Ok(Type::Uint),
        ("of" | "ofNonZeroValue", [_]) | ("none", []) => Ok(Type::Optional),
        ("hasValue", [optional]) if is_member => {
            fits(name, *optional, &[Type::Optional]).map(|()| Type::Bool)
        }
        ("value", [optional]) | ("orValue", [optional, _]) if is_member => {
            fits(name, *optional, &[Type::Optional]).map(|()| Type::Any)
        }
        ("or", [optional, other]) if is_member => {
            fits(name, *optional, &[Type::Optional])?;
            fits(name, *other, &[Type::Optional]).map(|()| Type::Optional)
        }
        (part, [time] | [time, _]) if is_member && PARTS.contains(&part) => {
            fits(name, *time, &[Type::Timestamp, Type::Duration])?;
            match call.args.first().map(|zone| &zone.expr) {
                Some(Expr::Literal(LiteralValue::String(zone))) if !is_zone(zone.inner()) => Err(format!(
                    "the time zone of {name}() must be UTC or an offset such as +01:00: names of zones are not known"
                )),
                _ => Ok(Type::Int),
            }
        }
        _ => {
            let known = || NAMES.iter().chain(&PARTS).copied();
            if known().any(|known| known == name) {
                return Err(format!("{name}() is not called like this"));
            }
            let near = known().min_by_key(|known| strsim::damerau_levenshtein(known, name));
            let near = near.filter(|near| strsim::damerau_levenshtein(near, name) <= 2);
            let hint = near.map(|near| format!(": did you mean {near}()?")).unwrap_or_default();
            Err(format!("unknown function {name}(){hint}"))
        }
    }
}

/// Whether the crate knows a time zone without the tables of all of them, which are larger than the crate.
fn is_zone(zone: &str) -> bool {
    zone.is_empty() || zone == "UTC" || zone.contains(':')
}

fn fits(name: &str, found: Type, wanted: &[Type]) -> Result<(), String> {
    if found.is(wanted) {
        return Ok(());
    }
    let nouns: Vec<_> = wanted.iter().map(|wanted| wanted.noun()).collect();
    Err(format!("{name}() takes {}, not {}", nouns.join(" or "), found.noun()))
}

fn operator(name: &str, arguments: &[Type]) -> Result<Type, String> {
    let sign = name.trim_matches(['_', '@']);
    match (name, arguments) {
        (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
            let same =
                left == right || left.is(&[]) || right.is(&[]) || (left.is_number() && right.is_number());
            // Anything can be compared with null.
            if same || *left == Type::Null || *right == Type::Null {
                return Ok(Type::Bool);
            }
            Err(format!("{} never equals {}", left.noun(), right.noun()))
        }
        (
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
            [left, right],
        ) => {
            let ordered = [
                Type::Bool,
                Type::Int,
                Type::Uint,
                Type::Double,
                Type::String,
                Type::Bytes,
                Type::Timestamp,
                Type::Duration,
            ];
            let same =
                left == right || left.is(&[]) || right.is(&[]) || (left.is_number() && right.is_number());
            if same && left.is(&ordered) && right.is(&ordered) {
                return Ok(Type::Bool);
            }
            Err(format!("{} and {} have no order ('{sign}')", left.noun(), right.noun()))
        }
        (operators::IN, [_, container]) => {
            if container.is(&[Type::List, Type::Map, Type::Attributes]) {
                return Ok(Type::Bool);
            }
            Err(format!("'in' takes a list or a map on its right, not {}", container.noun()))
        }
        (operators::INDEX, [container, _]) => match container {
            Type::Attributes => Ok(Type::String),
            other if other.is(&[Type::List, Type::Map, Type::Optional]) => Ok(Type::Any),
            other => Err(format!("{} has no elements", other.noun())),
        },
        (operators::OPT_INDEX | operators::OPT_SELECT, [_, _]) => Ok(Type::Optional),
        (operators::NEGATE, [only]) => {
            if only.is(&[Type::Int, Type::Double, Type::Duration]) {
                return Ok(*only);
            }
            Err(format!("{} has no negative", only.noun()))
        }
        (_, [left, right]) => arithmetic(name, sign, *left, *right),
        _ => Ok(Type::Any),
    }
}

fn arithmetic(name: &str, sign: &str, left: Type, right: Type) -> Result<Type, String> {
    use Type::{Any, Bytes, Double, Duration, Int, List, String, Timestamp, Uint};
    let found = match (name, left, right) {
        (_, Any, Any) => Some(Any),
        (operators::ADD | operators::SUBSTRACT, Timestamp, Duration) => Some(Timestamp),
        (operators::ADD, Duration, Timestamp) => Some(Timestamp),
        (operators::SUBSTRACT, Timestamp, Timestamp) => Some(Duration),
        (operators::ADD | operators::SUBSTRACT, Duration | Timestamp, Any)
        | (operators::ADD | operators::SUBSTRACT, Any, Duration | Timestamp) => Some(Any),
        (operators::ADD | operators::SUBSTRACT, Duration, Duration) => Some(Duration),
        (operators::ADD, String | Bytes | List, other) if other == left || other == Any => Some(left),
        (operators::ADD, Any, String | Bytes | List) => Some(right),
        (operators::MODULO, Double, _) | (operators::MODULO, _, Double) => None,
        (_, Int | Uint | Double, other) if other == left || other == Any => Some(left),
        (_, Any, Int | Uint | Double) => Some(right),
        _ => None,
    };
    found.ok_or_else(|| {
        let hint = if left.is_number() && right.is_number() && left != right {
            "; int(), uint() and double() make one of the other"
        } else {
            ""
        };
        format!("'{sign}' does not take {} and {}{hint}", left.noun(), right.noun())
    })
}

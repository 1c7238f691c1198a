//! Finds what can never work before anything is evaluated: names nobody knows, types that do not fit, and a result that is
//! no bool. What comes out of the data can be anything, so it fits everywhere until it is seen.
//!
//! Facts: CEL language definition, sections "Macros", "Functions" and "List of Standard Definitions".

mod functions;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};

use super::translate::{self, Type as Taken, Variable};

/// Deepest nesting that is taken. The crate `cel` takes some 45 kB of stack for each level in debug builds, and threads have
/// 2 MB. Long chains of `&&` and `||` are balanced trees.
const MAX_DEPTH: usize = 30;
/// What a loop counts beside itself, for what makes it take from the budget.
const LOOP_DEPTH: usize = 2;

/// What is known of the type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Null,
    List,
    Map,
    Timestamp,
    Duration,
    /// A type itself.
    Meta,
    Optional,
    /// `ce`.
    Attributes,
    /// Anything.
    Any,
}

impl Type {
    fn noun(self) -> &'static str {
        match self {
            Self::Bool => "a bool",
            Self::Int => "an int",
            Self::Uint => "a uint",
            Self::Double => "a double",
            Self::String => "a string",
            Self::Bytes => "bytes",
            Self::Null => "null",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::Meta => "a type",
            Self::Optional => "an optional value",
            Self::Attributes => "'ce', the attributes",
            Self::Any => "anything",
        }
    }

    fn is(self, one_of: &[Type]) -> bool {
        self == Self::Any || one_of.contains(&self)
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }
}

/// The number of no node: what is wrong is the expression as a whole.
const WHOLE: u64 = 0;

/// The nodes that are wrong, and why.
pub fn check(expression: &IdedExpr, variables: &[Variable]) -> Vec<(u64, String)> {
    let mut checker = Checker { variables, scope: Vec::new(), mistakes: Vec::new(), depth: 0 };
    let result = checker.infer(expression);
    if !result.is(&[Type::Bool]) && checker.mistakes.is_empty() {
        let message = format!("the result must be a bool, not {}", result.noun());
        checker.mistakes.push((WHOLE, message));
    }
    checker.mistakes
}

struct Checker<'a> {
    variables: &'a [Variable],
    /// Names of macros, the innermost last.
    scope: Vec<(String, Type)>,
    mistakes: Vec<(u64, String)>,
    depth: usize,
}

impl Checker<'_> {
    fn wrong(&mut self, expression: &IdedExpr, message: String) -> Type {
        self.mistakes.push((expression.id, message));
        Type::Any
    }

    fn infer(&mut self, expression: &IdedExpr) -> Type {
        if self.depth >= MAX_DEPTH {
            // Said once: who is deeper is not looked at.
            let known = self.mistakes.iter().any(|(_, message)| message.starts_with("nested"));
            if !known {
                self.wrong(expression, format!("nested deeper than {MAX_DEPTH} levels"));
            }
            return Type::Any;
        }
        self.depth += 1;
        let found = self.kind(expression);
        self.depth -= 1;
        found
    }

    fn kind(&mut self, expression: &IdedExpr) -> Type {
        match &expression.expr {
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Type::Bool,
                LiteralValue::Bytes(_) => Type::Bytes,
                LiteralValue::Double(_) => Type::Double,
                LiteralValue::Int(_) => Type::Int,
                LiteralValue::Null => Type::Null,
                LiteralValue::String(_) => Type::String,
                LiteralValue::UInt(_) => Type::Uint,
            },
            Expr::Ident(name) => self.name(expression, name),
            Expr::Select(select) => self.select(expression, select),
            Expr::Call(call) => self.call(expression, call),
            Expr::Comprehension(comprehension) => self.comprehension(expression, comprehension),
            Expr::List(list) => {
                for element in &list.elements {
                    self.infer(element);
                }
                Type::List
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    match &entry.expr {
                        EntryExpr::MapEntry(entry) => {
                            self.infer(&entry.key);
                            self.infer(&entry.value);
                        }
                        EntryExpr::StructField(_) => {
                            self.wrong(expression, "messages are not supported".to_owned());
                        }
                    }
                }
                Type::Map
            }
            Expr::Struct(_) => self.wrong(expression, "messages are not supported".to_owned()),
            Expr::Unspecified => self.wrong(expression, "this is no expression".to_owned()),
        }
    }

    fn name(&mut self, expression: &IdedExpr, name: &str) -> Type {
        if let Some((_, known)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            return *known;
        }
        if let Some(variable) = translate::number(name).and_then(|number| self.variables.get(number)) {
            return match variable.kind {
                Taken::Bool => Type::Bool,
                Taken::Int => Type::Int,
                Taken::Uint => Type::Uint,
                Taken::Double => Type::Double,
                Taken::String => Type::String,
            };
        }
        match name.trim_start_matches('.') {
            "data" => Type::Any,
            "ce" => Type::Attributes,
            name if functions::TYPES.contains(&name) => Type::Meta,
            _ => {
                let hint = match name {
                    "id" | "source" | "subject" | "time" | "datacontenttype" | "dataschema"
                    | "specversion" => {
                        format!(": did you mean ce.{name} or data.{name}?")
                    }
                    _ => format!(": did you mean data.{name}?"),
                };
                self.wrong(expression, format!("unknown name '{name}'{hint}"))
            }
        }
    }

    fn select(&mut self, expression: &IdedExpr, select: &SelectExpr) -> Type {
        if functions::is_type_name(expression) {
            return Type::Meta;
        }
        let operand = self.infer(&select.operand);
        let found = match operand {
            Type::Attributes
                if common::event::is_attribute_name(&select.field) || select.field == "specversion" =>
            {
                Type::String
            }
            Type::Attributes => {
                let message = match select.field.as_str() {
                    "data" => "the data is not in 'ce': it is 'data'".to_owned(),
                    field => format!("no event can have an attribute '{field}': names are a-z and 0-9"),
                };
                self.wrong(expression, message)
            }
            Type::Map | Type::Any => Type::Any,
            Type::Optional => Type::Optional,
            other => self.wrong(expression, format!("{} has no members", other.noun())),
        };
        if select.test { Type::Bool } else { found }
    }

    fn comprehension(&mut self, expression: &IdedExpr, loops: &ComprehensionExpr) -> Type {
        let range = self.infer(&loops.iter_range);
        if !range.is(&[Type::List, Type::Map]) {
            self.wrong(expression, format!("{} has no elements to go through", range.noun()));
        }
        if matches!(loops.iter_var.as_str(), "data" | "ce") {
            self.wrong(expression, format!("'{}' has a meaning already: take another name", loops.iter_var));
        }
        let accumulated = self.infer(&loops.accu_init);
        let before = self.scope.len();
        self.scope.push((loops.iter_var.clone(), Type::Any));
        if let Some(second) = &loops.iter_var2 {
            self.scope.push((second.clone(), Type::Any));
        }
        self.scope.push((loops.accu_var.clone(), accumulated));
        self.infer(&loops.loop_cond);
        self.depth += LOOP_DEPTH;
        self.infer(&loops.loop_step);
        self.depth -= LOOP_DEPTH;
        self.scope.truncate(before);
        self.scope.push((loops.accu_var.clone(), accumulated));
        let result = self.infer(&loops.result);
        self.scope.truncate(before);
        result
    }

    fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Type {
        let target = match &call.target {
            Some(target) if functions::is_namespace(target, &call.func_name) => None,
            Some(target) => Some(self.infer(target)),
            None => None,
        };
        let arguments: Vec<Type> = call.args.iter().map(|argument| self.infer(argument)).collect();
        let result = match (call.func_name.as_str(), target, arguments.as_slice()) {
            (operators::CONDITIONAL, _, [condition, yes, no]) => {
                self.must_be_bool(call, 0, *condition);
                Ok(if yes == no { *yes } else { Type::Any })
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR, _, [left, right]) => {
                self.must_be_bool(call, 0, *left);
                self.must_be_bool(call, 1, *right);
                Ok(Type::Bool)
            }
            (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, _, [only]) => {
                self.must_be_bool(call, 0, *only);
                Ok(Type::Bool)
            }
            (name, target, arguments) => functions::result(name, call, target, arguments),
        };
        result.unwrap_or_else(|message| {
            let is_type = |argument: &IdedExpr| matches!(&argument.expr, Expr::Ident(name) if name == "type");
            let hint = if call.args.iter().any(is_type) { ": did you mean ce.type?" } else { "" };
            self.wrong(expression, message + hint)
        })
    }

    fn must_be_bool(&mut self, call: &CallExpr, number: usize, found: Type) {
        if let Some(argument) = call.args.get(number)
            && !found.is(&[Type::Bool])
        {
            self.wrong(argument, format!("a bool was expected, not {}", found.noun()));
        }
    }
}

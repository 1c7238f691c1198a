//! Makes the parsed expression one that counts what it costs, reads no more of the data than it must, and compiles its
//! regular expressions once.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::bound::{BUDGET, KEPT, Pattern, ROUND};
use super::translate;
use crate::path::{Path, Step};

/// What the data is called.
pub const DATA: &str = "data";
/// What the attributes are called.
pub const ATTRIBUTES: &str = "ce";

/// What evaluation needs beside the expression.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Places in the data that are read: as it was written, and where.
    pub places: Vec<(String, Path)>,
    /// Compiled patterns.
    pub patterns: Vec<Pattern>,
    /// The nodes that are wrong, and why.
    pub mistakes: Vec<(u64, String)>,
}

/// A name in a prepared expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Budget,
    Attributes,
    /// All of the data.
    Data,
    /// A typed variable.
    Variable(usize),
    /// A place in the data.
    Place(usize),
    Pattern(usize),
}

const VARIABLE: char = '$';
const PLACE: char = '#';
const PATTERN: char = '~';

impl Name {
    pub fn read(name: &str) -> Option<Self> {
        let number = |prefix| name.strip_prefix(prefix).and_then(|number: &str| number.parse().ok());
        match name {
            BUDGET => Some(Self::Budget),
            ATTRIBUTES => Some(Self::Attributes),
            DATA => Some(Self::Data),
            _ => number(VARIABLE)
                .map(Self::Variable)
                .or_else(|| number(PLACE).map(Self::Place))
                .or_else(|| number(PATTERN).map(Self::Pattern)),
        }
    }
}

/// Rewrites an expression that was checked.
pub fn prepare(expression: &mut IdedExpr) -> Prepared {
    let mut prepared = Prepared::default();
    prepared.rewrite(expression);
    prepared
}

impl Prepared {
    fn rewrite(&mut self, expression: &mut IdedExpr) {
        if let Some((text, steps)) = chain(expression)
            && !steps.is_empty()
        {
            let path = Path::chain(steps);
            let known = self.places.iter().position(|(_, known)| *known == path);
            let number = known.unwrap_or_else(|| {
                self.places.push((text, path));
                self.places.len() - 1
            });
            expression.expr = Expr::Ident(format!("{PLACE}{number}"));
            return;
        }
        match &mut expression.expr {
            Expr::Ident(name) => {
                if let Some(number) = translate::number(name) {
                    *name = format!("{VARIABLE}{number}");
                }
            }
            Expr::Select(select) => self.rewrite(&mut select.operand),
            Expr::Call(call) => {
                if let Some(target) = &mut call.target {
                    self.rewrite(target);
                }
                if call.func_name == "matches" {
                    self.pattern(call);
                }
                call.args.iter_mut().for_each(|argument| self.rewrite(argument));
            }
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.rewrite(element)),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.rewrite(&mut entry.key);
                        self.rewrite(&mut entry.value);
                    }
                }
            }
            Expr::Comprehension(loops) => {
                self.rewrite(&mut loops.iter_range);
                self.rewrite(&mut loops.accu_init);
                self.rewrite(&mut loops.loop_cond);
                self.rewrite(&mut loops.loop_step);
                self.rewrite(&mut loops.result);
                bind(loops);
            }
            Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
        }
    }

    fn pattern(&mut self, call: &mut CallExpr) {
        let Some(argument) = call.args.last_mut() else { return };
        let Expr::Literal(LiteralValue::String(text)) = &argument.expr else { return };
        match regex_lite::Regex::new(text.inner()) {
            Ok(pattern) => {
                self.patterns.push(Pattern(pattern));
                argument.expr = Expr::Ident(format!("{PATTERN}{}", self.patterns.len() - 1));
            }
            Err(error) => {
                // The last line says what, those before it show where.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.mistakes.push((argument.id, format!("this is no regular expression: {reason}")));
            }
        }
    }
}

/// The steps of `data.a.b[0]["c"]`, and how it reads; none for `data` itself.
fn chain(expression: &IdedExpr) -> Option<(String, Vec<Step>)> {
    match &expression.expr {
        Expr::Ident(name) if name == DATA => Some((DATA.to_owned(), Vec::new())),
        Expr::Select(select) if !select.test => {
            let (text, mut steps) = chain(&select.operand)?;
            steps.push(Step::Key(select.field.clone()));
            Some((format!("{text}.{}", select.field), steps))
        }
        Expr::Call(CallExpr { func_name, target: None, args }) if func_name == operators::INDEX => {
            let [container, index] = args.as_slice() else { return None };
            let (text, mut steps) = chain(container)?;
            let Expr::Literal(index) = &index.expr else { return None };
            let (text, step) = match index {
                LiteralValue::String(name) => {
                    (format!("{text}[\"{}\"]", name.inner()), Step::Key(name.inner().to_owned()))
                }
                LiteralValue::Int(index) => {
                    let index = usize::try_from(*index.inner()).ok()?;
                    (format!("{text}[{index}]"), Step::Index(index))
                }
                _ => return None,
            };
            steps.push(step);
            Some((text, steps))
        }
        _ => None,
    }
}

/// Makes a loop take from the budget with every round.
fn bind(loops: &mut ComprehensionExpr) {
    // `map` and `filter`: the crate appends in place where it knows the form, so that form must stay.
    if let Some((guard, kept)) = appended(&mut loops.loop_step) {
        match guard {
            Some(guard) => guarded(guard),
            None => guarded(kept),
        }
        let value = std::mem::take(kept);
        *kept = call(value.id, KEPT, vec![ident(value.id, BUDGET), value]);
        return;
    }
    guarded(&mut loops.loop_cond);
}

/// The condition and the element of `@result + [element]` or `condition ? @result + [element] : @result`.
fn appended(step: &mut IdedExpr) -> Option<(Option<&mut IdedExpr>, &mut IdedExpr)> {
    let Expr::Call(call) = &mut step.expr else { return None };
    match (call.func_name.as_str(), call.args.as_mut_slice()) {
        (operators::ADD, [_, list]) => Some((None, element(list)?)),
        (operators::CONDITIONAL, [guard, step, _]) => {
            let Expr::Call(call) = &mut step.expr else { return None };
            match (call.func_name.as_str(), call.args.as_mut_slice()) {
                (operators::ADD, [_, list]) => Some((Some(guard), element(list)?)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn element(list: &mut IdedExpr) -> Option<&mut IdedExpr> {
    match &mut list.expr {
        Expr::List(list) => list.elements.first_mut(),
        _ => None,
    }
}

/// `@round(@budget) ? expression : false`: what is behind the question mark is not evaluated when nothing is left.
fn guarded(expression: &mut IdedExpr) {
    let inner = std::mem::take(expression);
    let id = inner.id;
    let round = call(id, ROUND, vec![ident(id, BUDGET)]);
    let no = IdedExpr { id, expr: Expr::Literal(LiteralValue::Boolean(false.into())) };
    *expression = call(id, operators::CONDITIONAL, vec![round, inner, no]);
}

fn call(id: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr { id, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) }
}

fn ident(id: u64, name: &str) -> IdedExpr {
    IdedExpr { id, expr: Expr::Ident(name.to_owned()) }
}

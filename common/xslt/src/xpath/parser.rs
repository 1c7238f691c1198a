//! From words to an expression (XPath 1.0, sections 2 and 3).

use std::sync::Arc;

use super::{
    Axis, Calculation, Comparison, Expression, Start, Step, Test,
    lexer::{Token, words},
};
use crate::tree::{Name, Text};

/// The deepest nesting of an expression.
const MAX_DEPTH: usize = 100;

/// The most operators in an expression: each is nested in the next.
const MAX_OPERATORS: usize = 2000;

/// What prefixes mean where an expression stands.
pub type Scope = Arc<[(Text, Text)]>;

/// Reads an expression, and adds the variables that it asks for.
pub fn parse(text: &str, scope: &Scope, variables: &mut Vec<Name>) -> Result<Expression, String> {
    let mut parser = Parser { words: words(text)?, next: 0, depth: 0, operators: 0, scope, variables };
    let expression = parser.or()?;
    if parser.next < parser.words.len() {
        let at = parser.words[parser.next].1;
        return Err(format!("'{}' is not expected", text[at..].chars().take(20).collect::<String>()));
    }
    Ok(expression)
}

pub(super) struct Parser<'s> {
    words: Vec<(Token, usize)>,
    pub(super) next: usize,
    depth: usize,
    operators: usize,
    pub(super) scope: &'s Scope,
    pub(super) variables: &'s mut Vec<Name>,
}

pub(super) type Parsed = Result<Expression, String>;

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.words.get(self.next).map(|(token, _)| token)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("'{sign}' is missing")) }
    }

    /// Operators of one rank, from the left.
    fn chain<T: Copy>(
        &mut self,
        operators: &[(&str, T)],
        operand: impl Fn(&mut Self) -> Parsed,
        join: impl Fn(T, Box<Expression>, Box<Expression>) -> Expression,
    ) -> Parsed {
        let mut left = operand(self)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.is(sign)) {
            self.next += 1;
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(format!("it has more than {MAX_OPERATORS} operators"));
            }
            let right = operand(self)?;
            left = join(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    pub(super) fn or(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let found = self.chain(
            &[("or", ())],
            |this| this.chain(&[("and", ())], Self::equality, |(), left, right| Expression::And(left, right)),
            |(), left, right| Expression::Or(left, right),
        );
        self.depth -= 1;
        found
    }

    fn equality(&mut self) -> Parsed {
        use Comparison::{AtLeast, AtMost, Equal, Less, More, Unequal};
        let relation = |this: &mut Self| {
            let operators = [("<=", AtMost), (">=", AtLeast), ("<", Less), (">", More)];
            this.chain(&operators, Self::sum, Expression::Compare)
        };
        self.chain(&[("=", Equal), ("!=", Unequal)], relation, Expression::Compare)
    }

    fn sum(&mut self) -> Parsed {
        use Calculation::{Divided, Minus, Modulo, Plus, Times};
        let product = |this: &mut Self| {
            let operators = [("*", Times), ("div", Divided), ("mod", Modulo)];
            this.chain(&operators, Self::negative, Expression::Calculate)
        };
        self.chain(&[("+", Plus), ("-", Minus)], product, Expression::Calculate)
    }

    fn negative(&mut self) -> Parsed {
        let mut signs = 0;
        while self.take("-") {
            signs += 1;
        }
        let found = self.chain(&[("|", ())], Self::path, |(), left, right| Expression::Union(left, right))?;
        Ok(match signs {
            0 => found,
            _ if signs % 2 == 0 => Expression::Negative(Box::new(Expression::Negative(Box::new(found)))),
            _ => Expression::Negative(Box::new(found)),
        })
    }

    fn path(&mut self) -> Parsed {
        if self.take("/") {
            let steps = if self.is_step() { self.steps()? } else { Vec::new() };
            return Ok(Expression::Path(Start::Root, steps));
        }
        if self.take("//") {
            let steps = self.steps_after(vec![anywhere()])?;
            return Ok(Expression::Path(Start::Root, steps));
        }
        if !self.is_filter() {
            return Ok(Expression::Path(Start::Here, self.steps()?));
        }
        let mut found = self.primary()?;
        let predicates = self.predicates()?;
        if !predicates.is_empty() {
            found = Expression::Filter(Box::new(found), predicates);
        }
        if self.take("/") {
            return Ok(Expression::Path(Start::From(Box::new(found)), self.steps()?));
        }
        if self.take("//") {
            return Ok(Expression::Path(Start::From(Box::new(found)), self.steps_after(vec![anywhere()])?));
        }
        Ok(found)
    }

    fn is_step(&self) -> bool {
        matches!(self.peek(), Some(Token::Name(_) | Token::Sign("." | ".." | "@")))
    }

    fn is_filter(&self) -> bool {
        match self.peek() {
            Some(Token::Name(name)) => {
                let call = matches!(self.words.get(self.next + 1), Some((Token::Sign("("), _)));
                call && !matches!(name.as_str(), "node" | "text" | "comment" | "processing-instruction")
            }
            Some(Token::Sign(sign)) => *sign == "(",
            Some(_) => true,
            None => false,
        }
    }

    fn steps(&mut self) -> Result<Vec<Step>, String> {
        self.steps_after(Vec::new())
    }

    fn steps_after(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>, String> {
        loop {
            steps.push(self.step()?);
            if self.take("//") {
                steps.push(anywhere());
            } else if !self.take("/") {
                return Ok(steps);
            }
        }
    }

    fn step(&mut self) -> Result<Step, String> {
        let plain = |axis| Step { axis, test: Test::Any, predicates: Vec::new() };
        if self.take(".") {
            return Ok(plain(Axis::Itself));
        }
        if self.take("..") {
            return Ok(plain(Axis::Parent));
        }
        let axis = self.axis()?;
        let test = self.test(axis)?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn axis(&mut self) -> Result<Axis, String> {
        if self.take("@") {
            return Ok(Axis::Attribute);
        }
        if !matches!(self.words.get(self.next + 1), Some((Token::Sign("::"), _))) {
            return Ok(Axis::Child);
        }
        let Some(Token::Name(name)) = self.peek() else { return Err("an axis is missing".to_owned()) };
        let axis = match name.as_str() {
            "ancestor" => Axis::Ancestor,
            "ancestor-or-self" => Axis::AncestorOrSelf,
            "attribute" => Axis::Attribute,
            "child" => Axis::Child,
            "descendant" => Axis::Descendant,
            "descendant-or-self" => Axis::DescendantOrSelf,
            "following" => Axis::Following,
            "following-sibling" => Axis::FollowingSibling,
            "namespace" => return Err("the axis of namespaces is not there".to_owned()),
            "parent" => Axis::Parent,
            "preceding" => Axis::Preceding,
            "preceding-sibling" => Axis::PrecedingSibling,
            "self" => Axis::Itself,
            other => return Err(format!("'{other}' is no axis")),
        };
        self.next += 2;
        Ok(axis)
    }

    fn test(&mut self, axis: Axis) -> Result<Test, String> {
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Err(format!("a name is missing after {axis:?}").to_lowercase());
        };
        self.next += 1;
        if self.is("(") {
            self.next += 1;
            let argument = match self.peek() {
                Some(Token::Literal(text)) if name == "processing-instruction" => {
                    Some(Text::from(text.as_str()))
                }
                _ => None,
            };
            self.next += usize::from(argument.is_some());
            self.expect(")")?;
            return match name.as_str() {
                "node" => Ok(Test::Any),
                "text" => Ok(Test::Text),
                "comment" => Ok(Test::Comment),
                "processing-instruction" => Ok(Test::Instruction(argument)),
                other => Err(format!("'{other}()' is no test of nodes")),
            };
        }
        if name == "*" {
            return Ok(Test::All(None));
        }
        match name.strip_suffix(":*") {
            Some(prefix) => Ok(Test::All(Some(self.uri(prefix)?))),
            None => self.resolve(&name).map(Test::Named),
        }
    }

    fn predicates(&mut self) -> Result<Vec<Expression>, String> {
        let mut found = Vec::new();
        while self.take("[") {
            found.push(self.or()?);
            self.expect("]")?;
        }
        Ok(found)
    }
}

fn anywhere() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: Test::Any, predicates: Vec::new() }
}

//! Builds the tree of an expression: precedence climbing over the binary operators (sections 2 and 3.6).

use crate::{
    ast::{Arithmetic, Binary, Level, Logic, Node, Prefix, Test, TestKind},
    error::{ParseError, Position, Warning},
    functions::Function,
    lexer::{Lexer, Token},
    like::Pattern,
    names,
    value::Value,
};

/// The longest expression that is read, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;

/// How deep parentheses may be nested, those of functions and `IN` included.
pub const MAX_DEPTH: usize = 64;

/// How many warnings are kept; more of them help nobody.
const MAX_WARNINGS: usize = 16;

const NOT_BINDS_TIGHTER: &str =
    "NOT applies to the operand behind it only, not to the comparison; write NOT (…) to negate all of it";
const AND_AFTER_OR: &str = "AND does not bind tighter than OR and XOR: they are evaluated from left to right; \
                            write parentheses";

/// Reads a whole expression.
pub(crate) fn parse(source: &str) -> Result<(Node, Vec<Warning>), ParseError> {
    let lexer = Lexer::new(source);
    if source.len() > MAX_LENGTH {
        let length = source.len();
        let message = format!("the expression has {length} bytes, expected at most {MAX_LENGTH}");
        return Err(lexer.error(0, message));
    }
    let mut parser = Parser { source, lexer, token: Token::End, start: 0, depth: 0, warnings: vec![] };
    parser.advance()?;
    let root = parser.binary(Level::Logic)?;
    if parser.token != Token::End {
        return Err(parser.expected("an operator or the end of the expression"));
    }
    parser.warnings.sort_by_key(|warning| warning.position.offset);
    Ok((root, parser.warnings))
}

struct Parser<'s> {
    source: &'s str,
    lexer: Lexer<'s>,
    /// The token to look at, and where it starts.
    token: Token<'s>,
    start: usize,
    depth: usize,
    warnings: Vec<Warning>,
}

impl<'s> Parser<'s> {
    /// Takes the token and reads the next one.
    fn advance(&mut self) -> Result<Token<'s>, ParseError> {
        let (start, token) = self.lexer.next()?;
        self.start = start;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn expected(&self, what: &str) -> ParseError {
        self.lexer.error(self.start, format!("expected {what}, found {}", self.token))
    }

    fn warn(&mut self, offset: usize, message: impl Into<String>) {
        if self.warnings.len() < MAX_WARNINGS {
            let position = Position::at(self.source, offset);
            self.warnings.push(Warning { position, message: message.into() });
        }
    }

    /// Operands joined by operators of at least this precedence.
    fn binary(&mut self, minimum: Level) -> Result<Node, ParseError> {
        let (mut left, mut not) = self.tests()?;
        let mut open = Level::Operand;
        let mut alternative = false;
        while let Token::Binary(operator) = self.token
            && operator.level() >= minimum
        {
            let level = operator.level();
            if let Some(offset) = not.take()
                && level > Level::Logic
            {
                self.warn(offset, NOT_BINDS_TIGHTER);
            }
            if alternative && operator == Binary::Logic(Logic::And) {
                self.warn(self.start, AND_AFTER_OR);
            }
            alternative = level == Level::Logic && operator != Binary::Logic(Logic::And);
            self.advance()?;
            let right = self.binary(level.above())?;
            match &mut left {
                Node::Chain(_, rest) if open == level => rest.push((operator, right)),
                _ => left = Node::Chain(Box::new(left), vec![(operator, right)]),
            }
            open = level;
        }
        Ok(left)
    }

    /// An operand with the `LIKE`s and `IN`s behind it; where it is a bare `NOT …`, also the place of the `NOT`.
    fn tests(&mut self) -> Result<(Node, Option<usize>), ParseError> {
        let (operand, not) = self.prefixed()?;
        let mut tests = vec![];
        loop {
            let negated = self.token == Token::Not;
            if negated {
                self.advance()?;
            }
            let kind = match self.token {
                Token::Like => self.pattern()?,
                Token::In => TestKind::In(self.set()?),
                _ if negated => return Err(self.expected("LIKE or IN after NOT")),
                _ => break,
            };
            tests.push(Test { negated, kind });
        }
        if tests.is_empty() {
            return Ok((operand, not));
        }
        if let Some(offset) = not {
            self.warn(offset, NOT_BINDS_TIGHTER);
        }
        Ok((Node::Tests(Box::new(operand), tests), None))
    }

    /// `LIKE` and the literal behind it.
    fn pattern(&mut self) -> Result<TestKind, ParseError> {
        self.advance()?;
        let Token::Text(pattern) = &self.token else {
            return Err(self.expected("a string literal after LIKE"));
        };
        let pattern = Pattern::new(pattern);
        self.advance()?;
        Ok(TestKind::Like(pattern))
    }

    /// `IN` and the elements behind it.
    fn set(&mut self) -> Result<Vec<Node>, ParseError> {
        self.advance()?;
        if self.token != Token::Open {
            return Err(self.expected("\"(\" after IN"));
        }
        self.advance()?;
        self.list()
    }

    /// An operand with the `NOT`s and signs in front of it, and the place of the first `NOT`.
    fn prefixed(&mut self) -> Result<(Node, Option<usize>), ParseError> {
        let mut operators = vec![];
        let mut not = None;
        let operand = loop {
            let start = self.start;
            match self.token {
                Token::Not => {
                    not = not.or(Some(start));
                    operators.push(Prefix::Not);
                }
                Token::Binary(Binary::Arithmetic(sign @ (Arithmetic::Add | Arithmetic::Subtract))) => {
                    self.advance()?;
                    // A sign that touches the digits belongs to the literal, or -2147483648 could not be written.
                    if matches!(self.token, Token::Integer(_)) && self.start == start + 1 {
                        break self.integer(start)?;
                    }
                    if sign == Arithmetic::Add {
                        return Err(self.lexer.error(start, "expected a value, found \"+\""));
                    }
                    operators.push(Prefix::Negate);
                    continue;
                }
                _ => break self.operand()?,
            }
            self.advance()?;
        };
        if operators.is_empty() {
            return Ok((operand, None));
        }
        Ok((Node::Prefix(operators, Box::new(operand)), not))
    }

    /// The Integer literal that ends with this token and starts at `start`, where its sign is.
    fn integer(&mut self, start: usize) -> Result<Node, ParseError> {
        let number = self.source.get(start..self.lexer.offset()).unwrap_or_default().parse();
        let Ok(number) = number else {
            let message =
                format!("expected an Integer between {} and {}, found {}", i32::MIN, i32::MAX, self.token);
            return Err(self.lexer.error(start, message));
        };
        self.advance()?;
        Ok(Node::Literal(Value::Integer(number)))
    }

    /// A literal, an attribute, a call, `EXISTS`, or an expression in parentheses.
    fn operand(&mut self) -> Result<Node, ParseError> {
        match self.token {
            Token::Integer(_) => self.integer(self.start),
            Token::Text(_) | Token::Boolean(_) => self.literal(),
            Token::Exists => self.exists(),
            Token::Word(name) => self.named(name),
            Token::Open => self.parenthesised(),
            _ => Err(self.expected("a value")),
        }
    }

    fn literal(&mut self) -> Result<Node, ParseError> {
        Ok(Node::Literal(match self.advance()? {
            Token::Text(text) => Value::from(text.into_owned()),
            token => Value::Boolean(token == Token::Boolean(true)),
        }))
    }

    fn exists(&mut self) -> Result<Node, ParseError> {
        self.advance()?;
        let Token::Word(name) = self.token else {
            return Err(self.expected("an attribute name after EXISTS"));
        };
        let name = self.attribute(self.start, name)?;
        self.advance()?;
        Ok(Node::Exists(name))
    }

    fn named(&mut self, name: &str) -> Result<Node, ParseError> {
        let start = self.start;
        self.advance()?;
        if self.token != Token::Open {
            return Ok(Node::Attribute(self.attribute(start, name)?));
        }
        let name = names::function(name).map_err(|(at, message)| self.lexer.error(start + at, message))?;
        self.advance()?;
        let arguments = if self.token == Token::Close {
            self.advance()?;
            vec![]
        } else {
            self.list()?
        };
        Ok(self.call(start, name, arguments))
    }

    fn parenthesised(&mut self) -> Result<Node, ParseError> {
        self.descend(self.start)?;
        self.advance()?;
        let inside = self.binary(Level::Logic)?;
        if self.token != Token::Close {
            return Err(self.expected("an operator or \")\""));
        }
        self.depth -= 1;
        self.advance()?;
        Ok(inside)
    }

    fn attribute(&self, start: usize, name: &str) -> Result<String, ParseError> {
        names::attribute(name).map_err(|(at, message)| self.lexer.error(start + at, message))
    }

    fn call(&mut self, start: usize, name: String, arguments: Vec<Node>) -> Node {
        let count = arguments.len();
        if let Some(function) = Function::find(&name, count) {
            return Node::Call(function, arguments);
        }
        self.warn(start, format!("there is no function {name} of {count} arguments; calling it is an error"));
        Node::UnknownCall { name, arguments: count }
    }

    /// Expressions between commas up to the closing parenthesis; the opening one is behind.
    fn list(&mut self) -> Result<Vec<Node>, ParseError> {
        self.descend(self.start)?;
        let mut list = vec![];
        loop {
            list.push(self.binary(Level::Logic)?);
            match self.token {
                Token::Comma => self.advance()?,
                Token::Close => break,
                _ => return Err(self.expected("an operator, \",\" or \")\"")),
            };
        }
        self.depth -= 1;
        self.advance()?;
        Ok(list)
    }

    fn descend(&mut self, offset: usize) -> Result<(), ParseError> {
        if self.depth == MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} levels of parentheses");
            return Err(self.lexer.error(offset, message));
        }
        self.depth += 1;
        Ok(())
    }
}

//! From words to expressions: precedence and names.

mod functions;

use super::CelError;
use super::lexer::{Token, Word, words};
use super::syntax::{Expression, Kind, Operator, Variable};

/// How deep expressions may stand in each other, each level being read in two steps; and how many operators of one rank
/// may stand in a row. Every pass over an expression calls itself as deep as it is.
const MAX_DEPTH: usize = 32;

/// How many parts an expression may have.
const MAX_PARTS: usize = 512;

const RELATIONS: [Operator; 7] = [
    Operator::LessOrEqual,
    Operator::GreaterOrEqual,
    Operator::Less,
    Operator::Greater,
    Operator::Equal,
    Operator::Unequal,
    Operator::In,
];
const SUMS: [Operator; 2] = [Operator::Add, Operator::Subtract];
const PRODUCTS: [Operator; 3] = [Operator::Multiply, Operator::Divide, Operator::Remainder];

pub(super) fn parse(text: &str) -> Result<Expression, CelError> {
    let mut parser = Parser {
        words: words(text)?.into_iter().peekable(),
        end: text.chars().count() + 1,
        depth: 0,
        parts: 0,
        local: None,
    };
    let expression = parser.expression()?;
    match parser.next() {
        Word { token: Token::End, .. } => Ok(expression),
        Word { at, .. } => Err(CelError::new(
            at,
            "the expression goes on where it should end; an operator is missing",
        )),
    }
}

struct Parser {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
    end: usize,
    depth: usize,
    parts: usize,
    /// The variable of the loop that is being read.
    local: Option<String>,
}

impl Parser {
    fn next(&mut self) -> Word {
        self.words.next().unwrap_or(Word {
            at: self.end,
            token: Token::End,
        })
    }

    fn at(&mut self) -> usize {
        self.words.peek().map_or(self.end, |word| word.at)
    }

    fn is_next(&mut self, symbol: &str) -> bool {
        matches!(self.words.peek(), Some(Word { token: Token::Symbol(next), .. }) if *next == symbol)
    }

    fn skip(&mut self, symbol: &str) -> bool {
        let is_next = self.is_next(symbol);
        if is_next {
            self.next();
        }
        is_next
    }

    fn expect(&mut self, symbol: &str) -> Result<(), CelError> {
        let at = self.at();
        if self.skip(symbol) {
            Ok(())
        } else {
            Err(CelError::new(at, format!("here should be {symbol}")))
        }
    }

    fn make(&mut self, at: usize, kind: Kind) -> Result<Expression, CelError> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(CelError::new(
                at,
                format!("the expression has more than {MAX_PARTS} parts"),
            ));
        }
        Ok(Expression { at, kind })
    }

    /// One step further in; for what calls itself, directly or by others.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, CelError>) -> Result<T, CelError> {
        if self.depth >= 2 * MAX_DEPTH {
            let at = self.at();
            return Err(CelError::new(
                at,
                format!("the expression is nested more than {MAX_DEPTH} deep"),
            ));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn expression(&mut self) -> Result<Expression, CelError> {
        self.deeper(|parser| {
            let condition = parser.any()?;
            let at = parser.at();
            if !parser.skip("?") {
                return Ok(condition);
            }
            let yes = parser.any()?;
            parser.expect(":")?;
            let no = parser.expression()?;
            parser.make(at, Kind::Conditional(Box::new(condition), Box::new(yes), Box::new(no)))
        })
    }

    fn any(&mut self) -> Result<Expression, CelError> {
        self.several("||", Kind::Any, Self::all)
    }

    fn all(&mut self) -> Result<Expression, CelError> {
        self.several("&&", Kind::All, Self::relation)
    }

    fn several(
        &mut self,
        symbol: &str,
        kind: impl FnOnce(Vec<Expression>) -> Kind,
        read: impl Fn(&mut Self) -> Result<Expression, CelError>,
    ) -> Result<Expression, CelError> {
        let at = self.at();
        let first = read(self)?;
        if !self.is_next(symbol) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.skip(symbol) {
            operands.push(read(self)?);
        }
        self.make(at, kind(operands))
    }

    fn relation(&mut self) -> Result<Expression, CelError> {
        self.binary(&RELATIONS, Self::sum)
    }

    fn sum(&mut self) -> Result<Expression, CelError> {
        self.binary(&SUMS, Self::product)
    }

    fn product(&mut self) -> Result<Expression, CelError> {
        self.binary(&PRODUCTS, Self::unary)
    }

    /// Operators of one rank, from left to right. Each stands in the next, so their number is bounded like depth.
    fn binary(
        &mut self,
        operators: &[Operator],
        read: impl Fn(&mut Self) -> Result<Expression, CelError>,
    ) -> Result<Expression, CelError> {
        let mut left = read(self)?;
        let mut chained = 0;
        loop {
            let at = self.at();
            let mut known = operators.iter().copied();
            let Some(operator) = known.find(|operator| self.is_next(operator.symbol())) else {
                return Ok(left);
            };
            self.next();
            chained += 1;
            if chained > MAX_DEPTH {
                return Err(CelError::new(
                    at,
                    format!("more than {MAX_DEPTH} operators in a row; shorten the expression"),
                ));
            }
            let right = read(self)?;
            left = self.make(at, Kind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn unary(&mut self) -> Result<Expression, CelError> {
        self.deeper(|parser| {
            let at = parser.at();
            if parser.skip("!") {
                let operand = parser.unary()?;
                return parser.make(at, Kind::Not(Box::new(operand)));
            }
            if parser.skip("-") {
                let operand = parser.unary()?;
                return parser.make(at, Kind::Negate(Box::new(operand)));
            }
            parser.member()
        })
    }

    /// Fields, keys and methods of something. Each stands in the next.
    fn member(&mut self) -> Result<Expression, CelError> {
        let mut operand = self.primary()?;
        let mut chained = 0;
        loop {
            let at = self.at();
            chained += 1;
            if chained > MAX_DEPTH {
                return Err(CelError::new(at, format!("more than {MAX_DEPTH} fields in a row")));
            }
            if self.skip("[") {
                let key = self.expression()?;
                self.expect("]")?;
                operand = self.make(at, Kind::Index(Box::new(operand), Box::new(key)))?;
            } else if self.skip(".") {
                let name = self.name()?;
                operand = if self.skip("(") {
                    self.method(at, operand, &name)?
                } else {
                    self.make(at, Kind::Field(Box::new(operand), name))?
                };
            } else {
                return Ok(operand);
            }
        }
    }

    fn name(&mut self) -> Result<String, CelError> {
        match self.next() {
            Word {
                token: Token::Name(name),
                ..
            } => Ok(name),
            Word { at, .. } => Err(CelError::new(
                at,
                "here should be a name; write [\"...\"] for one that holds other characters",
            )),
        }
    }

    fn primary(&mut self) -> Result<Expression, CelError> {
        let Word { at, token } = self.next();
        match token {
            Token::Literal(literal) => self.make(at, Kind::Literal(literal)),
            Token::Symbol("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("[") => {
                let mut elements = Vec::new();
                while !self.skip("]") {
                    elements.push(self.expression()?);
                    if !self.skip(",") {
                        self.expect("]")?;
                        break;
                    }
                }
                self.make(at, Kind::List(elements))
            }
            Token::Symbol("{") => Err(CelError::new(at, "maps are not supported here")),
            Token::Name(name) if self.skip("(") => self.function(at, &name),
            Token::Name(name) => self.variable(at, &name),
            Token::Symbol(_) | Token::End => Err(CelError::new(at, "here should be a value")),
        }
    }

    fn variable(&mut self, at: usize, name: &str) -> Result<Expression, CelError> {
        let kind = match name {
            _ if self.local.as_deref() == Some(name) => Kind::Local,
            "claims" => Kind::Variable(Variable::Claims),
            "request" => Kind::Variable(Variable::Request),
            "service" => Kind::Variable(Variable::Service),
            _ => {
                let problem = format!("{name} is no variable; there are: claims, request, service");
                return Err(CelError::new(at, problem));
            }
        };
        self.make(at, kind)
    }
}

//! Functions, methods and loops: which there are, and what each takes.

use super::Parser;
use crate::cel::CelError;
use crate::cel::lexer::{Token, Word};
use crate::cel::syntax::{Conversion, Expression, Kind, Literal, Quantifier, TextFunction};
use crate::matching::Pattern;

impl Parser {
    fn arguments(&mut self) -> Result<Vec<Expression>, CelError> {
        let mut arguments = Vec::new();
        while !self.skip(")") {
            arguments.push(self.expression()?);
            if !self.skip(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(arguments)
    }

    fn only_argument(&mut self, at: usize, name: &str) -> Result<Box<Expression>, CelError> {
        let mut arguments = self.arguments()?;
        match (arguments.pop(), arguments.is_empty()) {
            (Some(argument), true) => Ok(Box::new(argument)),
            _ => Err(CelError::new(at, format!("{name} takes one argument"))),
        }
    }

    pub(super) fn function(&mut self, at: usize, name: &str) -> Result<Expression, CelError> {
        let kind = match name {
            "has" => match *self.only_argument(at, name)? {
                Expression {
                    kind: Kind::Field(operand, field),
                    ..
                } => Kind::Has(operand, field),
                _ => return Err(CelError::new(at, "has asks for a field; write has(claims.name)")),
            },
            "size" => Kind::Size(self.only_argument(at, name)?),
            "int" => Kind::Convert(Conversion::Int, self.only_argument(at, name)?),
            "double" => Kind::Convert(Conversion::Double, self.only_argument(at, name)?),
            "string" => Kind::Convert(Conversion::String, self.only_argument(at, name)?),
            _ => {
                let problem = format!("{name} is no function; there are: has, size, int, double, string");
                return Err(CelError::new(at, problem));
            }
        };
        self.make(at, kind)
    }

    pub(super) fn method(&mut self, at: usize, operand: Expression, name: &str) -> Result<Expression, CelError> {
        let operand = Box::new(operand);
        let text = |function| (function, name);
        let (function, name) = match name {
            "startsWith" => text(TextFunction::StartsWith),
            "endsWith" => text(TextFunction::EndsWith),
            "contains" => text(TextFunction::Contains),
            "size" => {
                self.expect(")")?;
                return self.make(at, Kind::Size(operand));
            }
            "matches" => {
                let pattern = self.pattern()?;
                return self.make(at, Kind::Matches(operand, pattern));
            }
            "all" => return self.quantified(at, Quantifier::All, operand),
            "exists" => return self.quantified(at, Quantifier::Exists, operand),
            "exists_one" => return self.quantified(at, Quantifier::ExistsOne, operand),
            _ => {
                let problem = format!(
                    "{name} is no method; there are: startsWith, endsWith, contains, matches, size, all, exists, exists_one"
                );
                return Err(CelError::new(at, problem));
            }
        };
        let argument = self.only_argument(at, name)?;
        self.make(at, Kind::Text(function, operand, argument))
    }

    /// A regular expression stands in the configuration: one that a request could choose would cost what it likes.
    fn pattern(&mut self) -> Result<Pattern, CelError> {
        let Word { at, token } = self.next();
        let Token::Literal(Literal::String(source)) = token else {
            return Err(CelError::new(at, "matches takes a string that is written here"));
        };
        self.expect(")")?;
        let error = |error: crate::matching::PatternError| CelError::new(at, error.to_string());
        Pattern::new(&source).map_err(error)?;
        // The language matches anywhere in the text, a pattern from its beginning to its end.
        Pattern::new(&format!("(?s:.*)(?:{source})(?s:.*)")).map_err(error)
    }

    fn quantified(
        &mut self,
        at: usize,
        quantifier: Quantifier,
        range: Box<Expression>,
    ) -> Result<Expression, CelError> {
        if self.local.is_some() || range.has_loop() {
            return Err(CelError::new(
                at,
                "a loop within a loop has no bound on its cost; there may be one at a time",
            ));
        }
        let name_at = self.at();
        let name = self.name()?;
        if ["claims", "request", "service"].contains(&name.as_str()) {
            return Err(CelError::new(
                name_at,
                format!("{name} has a meaning already; choose another name"),
            ));
        }
        self.expect(",")?;
        self.local = Some(name);
        let condition = self.expression();
        self.local = None;
        let condition = condition?;
        self.expect(")")?;
        self.make(at, Kind::Loop(quantifier, range, Box::new(condition)))
    }
}

impl Expression {
    /// Whether there is a loop anywhere in it.
    fn has_loop(&self) -> bool {
        match &self.kind {
            Kind::Loop(..) => true,
            Kind::Literal(_) | Kind::Variable(_) | Kind::Local => false,
            Kind::List(parts) | Kind::All(parts) | Kind::Any(parts) => parts.iter().any(Self::has_loop),
            Kind::Field(part, _)
            | Kind::Has(part, _)
            | Kind::Not(part)
            | Kind::Negate(part)
            | Kind::Size(part)
            | Kind::Convert(_, part)
            | Kind::Matches(part, _) => part.has_loop(),
            Kind::Index(one, other) | Kind::Binary(_, one, other) | Kind::Text(_, one, other) => {
                one.has_loop() || other.has_loop()
            }
            Kind::Conditional(condition, yes, no) => condition.has_loop() || yes.has_loop() || no.has_loop(),
        }
    }
}

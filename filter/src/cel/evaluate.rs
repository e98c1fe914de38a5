//! Evaluates expressions. Every step is paid for, and what costs more than the budget is an error.

use std::borrow::Cow;

use super::Facts;
use super::operators::{add, calculate, compare, equal, negate};
use super::syntax::{Conversion, Expression, Kind, Operator, Quantifier, TextFunction, Variable};
use super::value::{List, Value};

/// How many steps one evaluation may take. A step is a part of the expression looked at, an element compared, or 64 bytes
/// of text.
const BUDGET: u32 = 10_000;

/// The longest list that a loop goes over.
const MAX_LOOP: usize = 256;

/// The longest text that a regular expression is held against, and that `+` makes, in bytes.
pub(super) const MAX_STRING: usize = 8192;

/// Why an expression has no value for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A field, key or element that is not there.
    #[error("there is no such field, key or element")]
    Missing,
    /// Values of types that don't go together.
    #[error("these values don't go together")]
    Types,
    /// A number that its type can't hold, or a division by zero.
    #[error("there is no such number")]
    Number,
    /// A header that is no text.
    #[error("a header is not UTF-8")]
    NoText,
    /// It takes too long, or would take too much memory.
    #[error("it takes too long")]
    TooLong,
}

type Evaluated<'v> = Result<Value<'v>, EvaluationError>;

/// Whether an expression holds.
pub(super) fn evaluate(expression: &Expression, facts: &dyn Facts) -> Result<bool, EvaluationError> {
    let mut evaluation = Evaluation {
        facts,
        budget: BUDGET,
        local: None,
    };
    let value = evaluation.value(expression);
    // `&&`, `||` and loops pass over errors that don't matter; that the budget is spent always does.
    if evaluation.budget == 0 {
        return Err(EvaluationError::TooLong);
    }
    truth(&value?)
}

fn truth(value: &Value<'_>) -> Result<bool, EvaluationError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        _ => Err(EvaluationError::Types),
    }
}

struct Evaluation<'v> {
    facts: &'v dyn Facts,
    budget: u32,
    /// The loop's variable.
    local: Option<Value<'v>>,
}

impl<'v> Evaluation<'v> {
    fn pay(&mut self, steps: usize) -> Result<(), EvaluationError> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.budget = self.budget.saturating_sub(steps);
        if self.budget == 0 {
            return Err(EvaluationError::TooLong);
        }
        Ok(())
    }

    fn value(&mut self, expression: &'v Expression) -> Evaluated<'v> {
        self.pay(1)?;
        match &expression.kind {
            Kind::Literal(literal) => Ok(Value::literal(literal)),
            Kind::List(elements) => {
                let elements: Result<Vec<_>, _> = elements.iter().map(|element| self.value(element)).collect();
                Ok(Value::List(List::Written(elements?)))
            }
            Kind::Variable(Variable::Claims) => self.facts.claims().map(Value::Map).ok_or(EvaluationError::Missing),
            Kind::Variable(Variable::Request) => Ok(Value::Request),
            Kind::Variable(Variable::Service) => Ok(Value::Service),
            Kind::Local => self.local.clone().ok_or(EvaluationError::Missing),
            Kind::Field(operand, name) => {
                let operand = self.value(operand)?;
                self.field(&operand, name)?.ok_or(EvaluationError::Missing)
            }
            Kind::Has(operand, name) => {
                let operand = self.value(operand)?;
                // A header that is no text is there all the same.
                match self.field(&operand, name) {
                    Err(EvaluationError::NoText) => Ok(Value::Bool(true)),
                    field => Ok(Value::Bool(field?.is_some())),
                }
            }
            Kind::Index(operand, key) => self.element(operand, key),
            Kind::Not(operand) => Ok(Value::Bool(!truth(&self.value(operand)?)?)),
            Kind::Negate(operand) => negate(&self.value(operand)?),
            Kind::All(operands) => self.first(operands, false),
            Kind::Any(operands) => self.first(operands, true),
            Kind::Binary(operator, one, other) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                self.binary(*operator, &one, &other)
            }
            Kind::Conditional(condition, yes, no) => {
                let chosen = if truth(&self.value(condition)?)? { yes } else { no };
                self.value(chosen)
            }
            Kind::Size(operand) => self.size(operand),
            Kind::Convert(conversion, operand) => convert(*conversion, self.value(operand)?),
            Kind::Text(function, operand, argument) => self.text(*function, operand, argument),
            Kind::Matches(operand, pattern) => {
                let Value::String(text) = self.value(operand)? else {
                    return Err(EvaluationError::Types);
                };
                if text.len() > MAX_STRING {
                    return Err(EvaluationError::TooLong);
                }
                self.pay(text.len())?;
                Ok(Value::Bool(pattern.matches(text.as_bytes())))
            }
            Kind::Loop(quantifier, range, condition) => self.quantified(*quantifier, range, condition),
        }
    }

    /// `&&` and `||`: one operand that settles the matter does so wherever it stands, also beside an error, as the language
    /// has it. An operand that is evaluated in vain has no effect but its cost.
    fn first(&mut self, operands: &'v [Expression], settles: bool) -> Evaluated<'v> {
        let mut failed = None;
        for operand in operands {
            match self.value(operand).and_then(|value| truth(&value)) {
                Ok(flag) if flag == settles => return Ok(Value::Bool(settles)),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Value::Bool(!settles)), Err)
    }

    fn field(&self, operand: &Value<'v>, name: &str) -> Result<Option<Value<'v>>, EvaluationError> {
        Ok(match (operand, name) {
            (Value::Map(members), name) => members.get(name).map(Value::of),
            (Value::Headers, name) => match self.facts.header(name) {
                Some(value) => Some(string(value)?),
                None => None,
            },
            (Value::Request, "method") => Some(string(self.facts.method())?),
            (Value::Request, "path") => Some(Value::String(Cow::Borrowed(self.facts.path()))),
            (Value::Request, "headers") => Some(Value::Headers),
            (Value::Service, "name") => Some(Value::String(Cow::Borrowed(self.facts.service()))),
            _ => return Err(EvaluationError::Types),
        })
    }

    fn element(&mut self, operand: &'v Expression, key: &'v Expression) -> Evaluated<'v> {
        match (self.value(operand)?, self.value(key)?) {
            (Value::List(list), Value::Int(index)) => usize::try_from(index).ok().and_then(|index| list.get(index)),
            (operand @ (Value::Map(_) | Value::Headers), Value::String(name)) => self.field(&operand, &name)?,
            _ => return Err(EvaluationError::Types),
        }
        .ok_or(EvaluationError::Missing)
    }

    fn binary(&mut self, operator: Operator, one: &Value<'v>, other: &Value<'v>) -> Evaluated<'v> {
        match operator {
            Operator::Equal => Ok(Value::Bool(self.equal(one, other)?)),
            Operator::Unequal => Ok(Value::Bool(!self.equal(one, other)?)),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                compare(operator, one, other)
            }
            Operator::In => self.is_in(one, other),
            Operator::Add => add(one, other),
            Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                calculate(operator, one, other)
            }
        }
    }

    fn equal(&mut self, one: &Value<'v>, other: &Value<'v>) -> Result<bool, EvaluationError> {
        equal(one, other, &mut |steps| self.pay(steps))
    }

    fn is_in(&mut self, wanted: &Value<'v>, range: &Value<'v>) -> Evaluated<'v> {
        let found = match (wanted, range) {
            (_, Value::List(list)) => {
                let mut found = false;
                for element in list.iter() {
                    self.pay(1)?;
                    found = found || self.equal(wanted, &element)?;
                }
                found
            }
            (Value::String(name), Value::Map(members)) => members.contains(name),
            (Value::String(name), Value::Headers) => self.facts.header(name).is_some(),
            _ => return Err(EvaluationError::Types),
        };
        Ok(Value::Bool(found))
    }

    /// The number of a text's code points, a list's elements or a map's members.
    fn size(&mut self, operand: &'v Expression) -> Evaluated<'v> {
        let size = match self.value(operand)? {
            Value::String(text) => {
                self.pay(text.len() / 64)?;
                text.chars().count()
            }
            Value::List(list) => list.len(),
            Value::Map(members) => members.len(),
            _ => return Err(EvaluationError::Types),
        };
        i64::try_from(size).map(Value::Int).map_err(|_| EvaluationError::Number)
    }

    fn text(&mut self, function: TextFunction, operand: &'v Expression, argument: &'v Expression) -> Evaluated<'v> {
        let (Value::String(text), Value::String(part)) = (self.value(operand)?, self.value(argument)?) else {
            return Err(EvaluationError::Types);
        };
        self.pay(text.len() / 64)?;
        Ok(Value::Bool(match function {
            TextFunction::StartsWith => text.starts_with(&*part),
            TextFunction::EndsWith => text.ends_with(&*part),
            TextFunction::Contains => text.contains(&*part),
        }))
    }

    /// Loops go over lists, and over the names of a map's members.
    fn quantified(
        &mut self,
        quantifier: Quantifier,
        range: &'v Expression,
        condition: &'v Expression,
    ) -> Evaluated<'v> {
        let range: Vec<Value<'v>> = match self.value(range)? {
            Value::List(list) if list.len() <= MAX_LOOP => list.iter().collect(),
            Value::Map(members) if members.len() <= MAX_LOOP => members
                .iter()
                .map(|(name, _)| Value::String(Cow::Borrowed(name)))
                .collect(),
            Value::List(_) | Value::Map(_) => return Err(EvaluationError::TooLong),
            _ => return Err(EvaluationError::Types),
        };
        let (mut found, mut failed) = (0_usize, None);
        let mut settled = None;
        for element in range {
            self.local = Some(element);
            match (self.value(condition).and_then(|value| truth(&value)), quantifier) {
                (Ok(false), Quantifier::All) => settled = Some(false),
                (Ok(true), Quantifier::Exists) => settled = Some(true),
                (Ok(true), Quantifier::ExistsOne) => found += 1,
                (Ok(_), _) => {}
                (Err(error), _) => failed = failed.or(Some(error)),
            }
            if settled.is_some() {
                break;
            }
        }
        self.local = None;
        match (settled, failed, quantifier) {
            (Some(flag), _, _) => Ok(Value::Bool(flag)),
            (None, Some(error), _) => Err(error),
            (None, None, Quantifier::All) => Ok(Value::Bool(true)),
            (None, None, Quantifier::Exists) => Ok(Value::Bool(false)),
            (None, None, Quantifier::ExistsOne) => Ok(Value::Bool(found == 1)),
        }
    }
}

fn string(bytes: &[u8]) -> Evaluated<'_> {
    let text = std::str::from_utf8(bytes).map_err(|_| EvaluationError::NoText)?;
    Ok(Value::String(Cow::Borrowed(text)))
}

#[allow(clippy::cast_precision_loss, reason = "the nearest double is what double() means")]
#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn convert(conversion: Conversion, value: Value<'_>) -> Evaluated<'_> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let none = EvaluationError::Number;
    Ok(match (conversion, value) {
        (Conversion::Int, value @ Value::Int(_))
        | (Conversion::Double, value @ Value::Double(_))
        | (Conversion::String, value @ Value::String(_)) => value,
        (Conversion::Int, Value::Uint(number)) => Value::Int(i64::try_from(number).map_err(|_| none)?),
        (Conversion::Int, Value::Double(number)) if number.abs() < LIMIT => Value::Int(number.trunc() as i64),
        (Conversion::Int, Value::Double(_)) => return Err(none),
        (Conversion::Int, Value::String(text)) => Value::Int(text.parse().map_err(|_| none)?),
        (Conversion::Double, Value::Int(number)) => Value::Double(number as f64),
        (Conversion::Double, Value::Uint(number)) => Value::Double(number as f64),
        (Conversion::Double, Value::String(text)) => {
            let number: f64 = text.parse().map_err(|_| none)?;
            Value::Double(Some(number).filter(|number| number.is_finite()).ok_or(none)?)
        }
        (Conversion::String, Value::Int(number)) => Value::String(number.to_string().into()),
        (Conversion::String, Value::Uint(number)) => Value::String(number.to_string().into()),
        (Conversion::String, Value::Bool(flag)) => Value::String(flag.to_string().into()),
        _ => return Err(EvaluationError::Types),
    })
}

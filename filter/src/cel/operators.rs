//! Equality, order and arithmetic. Nothing overflows, wraps or divides by zero: those are errors.

use std::cmp::Ordering;

use super::evaluate::{EvaluationError, MAX_STRING};
use super::syntax::Operator;
use super::value::{List, Value};

/// How deep values are compared. Claims can be nested deeper than any that mean something.
const MAX_DEPTH: usize = 16;

/// Whether two values are equal: numbers by value, whatever their types; values of other types that differ are not. Each
/// element that is compared is paid for, and so is long text.
pub(super) fn equal(
    one: &Value<'_>,
    other: &Value<'_>,
    pay: &mut impl FnMut(usize) -> Result<(), EvaluationError>,
) -> Result<bool, EvaluationError> {
    equal_within(one, other, MAX_DEPTH, pay)
}

fn equal_within(
    one: &Value<'_>,
    other: &Value<'_>,
    depth: usize,
    pay: &mut impl FnMut(usize) -> Result<(), EvaluationError>,
) -> Result<bool, EvaluationError> {
    let depth = depth.checked_sub(1).ok_or(EvaluationError::TooLong)?;
    match (one, other) {
        (Value::Null, Value::Null) => Ok(true),
        (Value::String(one), Value::String(other)) => {
            pay(one.len().min(other.len()) / 64)?;
            Ok(one == other)
        }
        (Value::List(one), Value::List(other)) => {
            if one.len() != other.len() {
                return Ok(false);
            }
            for (one, other) in List::iter(one).zip(other.iter()) {
                pay(1)?;
                if !equal_within(&one, &other, depth, pay)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.len() != other.len() {
                return Ok(false);
            }
            for (name, value) in one.iter() {
                // Finding a member takes a look at each.
                pay(other.len())?;
                let Some(counterpart) = other.get(name) else {
                    return Ok(false);
                };
                if !equal_within(&Value::of(value), &Value::of(counterpart), depth, pay)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (one, other) => Ok(one.order(other) == Some(Ordering::Equal)),
    }
}

pub(super) fn compare(
    operator: Operator,
    one: &Value<'_>,
    other: &Value<'_>,
) -> Result<Value<'static>, EvaluationError> {
    let order = one.order(other).ok_or(EvaluationError::Types)?;
    Ok(Value::Bool(match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        _ => order.is_ge(),
    }))
}

/// `+`, which also joins texts.
pub(super) fn add<'v>(one: &Value<'v>, other: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    let (Value::String(one), Value::String(other)) = (one, other) else {
        return calculate(Operator::Add, one, other);
    };
    if one.len() + other.len() > MAX_STRING {
        return Err(EvaluationError::TooLong);
    }
    Ok(Value::String(format!("{one}{other}").into()))
}

/// Arithmetic of two numbers of one type.
pub(super) fn calculate<'v>(
    operator: Operator,
    one: &Value<'v>,
    other: &Value<'v>,
) -> Result<Value<'v>, EvaluationError> {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => match operator {
            Operator::Add => one.checked_add(*other),
            Operator::Subtract => one.checked_sub(*other),
            Operator::Multiply => one.checked_mul(*other),
            Operator::Divide => one.checked_div(*other),
            _ => one.checked_rem(*other),
        }
        .map(Value::Int)
        .ok_or(EvaluationError::Number),
        (Value::Uint(one), Value::Uint(other)) => match operator {
            Operator::Add => one.checked_add(*other),
            Operator::Subtract => one.checked_sub(*other),
            Operator::Multiply => one.checked_mul(*other),
            Operator::Divide => one.checked_div(*other),
            _ => one.checked_rem(*other),
        }
        .map(Value::Uint)
        .ok_or(EvaluationError::Number),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(match operator {
            Operator::Add => one + other,
            Operator::Subtract => one - other,
            Operator::Multiply => one * other,
            Operator::Divide => one / other,
            // The language has none for doubles.
            _ => return Err(EvaluationError::Types),
        })),
        _ => Err(EvaluationError::Types),
    }
}

pub(super) fn negate<'v>(value: &Value<'v>) -> Result<Value<'v>, EvaluationError> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(EvaluationError::Number),
        Value::Double(number) => Ok(Value::Double(-number)),
        _ => Err(EvaluationError::Types),
    }
}

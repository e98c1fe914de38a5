//! What expressions are about while they are evaluated: claims as they stand in the token, and what is made of them.

use std::borrow::Cow;
use std::cmp::Ordering;

use jose::json::{Number, Object, Value as Json};

use super::syntax::Literal;

/// A value. Nothing of a token is copied.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Cow<'v, str>),
    List(List<'v>),
    Map(&'v Object),
    /// `request`
    Request,
    /// `request.headers`
    Headers,
    /// `service`
    Service,
}

#[derive(Debug, Clone)]
pub(super) enum List<'v> {
    Claim(&'v [Json]),
    Written(Vec<Value<'v>>),
}

impl<'v> List<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Claim(elements) => elements.len(),
            Self::Written(elements) => elements.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'v>> {
        match self {
            Self::Claim(elements) => elements.get(index).map(Value::of),
            Self::Written(elements) => elements.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Value<'v>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'v> Value<'v> {
    /// A claim. Whole numbers are `int` where they fit, `uint` where they are larger, all others `double`.
    pub(super) fn of(claim: &'v Json) -> Self {
        match claim {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(Number::Unsigned(number)) => i64::try_from(*number).map_or(Self::Uint(*number), Self::Int),
            Json::Number(Number::Negative(number)) => Self::Int(*number),
            Json::Number(Number::Float(number)) => Self::Double(*number),
            Json::String(text) => Self::String(Cow::Borrowed(text)),
            Json::Array(elements) => Self::List(List::Claim(elements)),
            Json::Object(members) => Self::Map(members),
        }
    }

    pub(super) fn literal(literal: &'v Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(flag) => Self::Bool(*flag),
            Literal::Int(number) => Self::Int(*number),
            Literal::Uint(number) => Self::Uint(*number),
            Literal::Double(number) => Self::Double(*number),
            Literal::String(text) => Self::String(Cow::Borrowed(text)),
        }
    }

    /// How they are ordered; `None` where the language has no order for them. Numbers of all types have one.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::String(one), Self::String(other)) => Some(one.cmp(other)),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(other),
            (Self::Double(one), other) => Some(order_with_double(other.whole()?, *one)?.reverse()),
            (one, Self::Double(other)) => order_with_double(one.whole()?, *other),
            (one, other) => Some(one.whole()?.cmp(&other.whole()?)),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some((*number).into()),
            Self::Uint(number) => Some((*number).into()),
            _ => None,
        }
    }
}

/// The order of a whole number and a double, by their exact values.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn order_with_double(whole: i128, double: f64) -> Option<Ordering> {
    // Beyond what any `int` or `uint` can be.
    const LIMIT: f64 = 1e20;
    if double.is_nan() {
        return None;
    }
    if double >= LIMIT {
        return Some(Ordering::Less);
    }
    if double <= -LIMIT {
        return Some(Ordering::Greater);
    }
    let floor = double.floor();
    let order = whole.cmp(&(floor as i128));
    Some(if order == Ordering::Equal && double > floor {
        Ordering::Less
    } else {
        order
    })
}

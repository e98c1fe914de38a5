//! Conditions on single claims.

use jose::json::{Number, Object, Value};

use crate::headers::ClaimPath;
use crate::matching::Pattern;

/// A condition on a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimCondition {
    /// The claim.
    pub claim: ClaimPath,
    /// What is asked of it.
    pub test: ClaimTest,
}

/// What is asked of a claim. One that is `null` is absent.
#[derive(Debug, Clone, PartialEq)]
pub enum ClaimTest {
    /// It is one of these strings, numbers or booleans.
    OneOf(Vec<Value>),
    /// It is a list, and this string, number or boolean is in it.
    Contains(Value),
    /// It is a string, and the whole of it matches.
    Matches(Pattern),
    /// It is there.
    Present,
    /// It is not.
    Absent,
}

impl ClaimCondition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, claims: &Object) -> bool {
        let claim = self.claim.find(claims).filter(|claim| **claim != Value::Null);
        match (&self.test, claim) {
            (ClaimTest::Absent, claim) => claim.is_none(),
            (_, None) => false,
            (ClaimTest::Present, Some(_)) => true,
            (ClaimTest::OneOf(wanted), Some(claim)) => wanted.iter().any(|wanted| same(wanted, claim)),
            (ClaimTest::Contains(wanted), Some(claim)) => {
                let mut elements = claim.as_array().unwrap_or_default().iter();
                elements.any(|element| same(wanted, element))
            }
            (ClaimTest::Matches(pattern), Some(claim)) => {
                claim.as_str().is_some_and(|text| pattern.matches(text.as_bytes()))
            }
        }
    }
}

/// Whether two scalars are the same. A string never equals a number that looks like it, and numbers are compared by value:
/// 1 is 1.0, and no two large integers are one because a double can't tell them apart.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => match (whole(*one), whole(*other)) {
            (Some(one), Some(other)) => one == other,
            (None, None) => one == other,
            _ => false,
        },
        _ => false,
    }
}

/// The number as an integer, if it is one that fits.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn whole(number: Number) -> Option<i128> {
    const LIMIT: f64 = 1e30;
    match number {
        Number::Unsigned(number) => Some(number.into()),
        Number::Negative(number) => Some(number.into()),
        Number::Float(number) if number.fract() == 0.0 && number.abs() < LIMIT => Some(number as i128),
        Number::Float(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    fn value(json: &str) -> Value {
        jose::json::parse(format!("[{json}]").as_bytes())
            .unwrap()
            .as_array()
            .unwrap()[0]
            .clone()
    }

    #[test]
    fn claims_are_compared_by_type_and_value() {
        let one_of = |values: &[&str]| ClaimTest::OneOf(values.iter().map(|json| value(json)).collect());
        let contains = |json: &str| ClaimTest::Contains(value(json));
        let matches = |text: &str| ClaimTest::Matches(Pattern::new(text).unwrap());
        for (path, test, claims, expected) in [
            ("plan", one_of(&[r#""gold""#]), r#"{"plan":"gold"}"#, true),
            ("plan", one_of(&[r#""gold""#]), r#"{"plan":"Gold"}"#, false),
            ("plan", one_of(&[r#""gold""#]), r#"{"plan":["gold"]}"#, false),
            ("plan", one_of(&[r#""gold""#]), "{}", false),
            ("plan", one_of(&[r#""tin""#, r#""gold""#]), r#"{"plan":"gold"}"#, true),
            ("level", one_of(&["1"]), r#"{"level":1}"#, true),
            ("level", one_of(&["1"]), r#"{"level":1.0}"#, true),
            ("level", one_of(&["1"]), r#"{"level":"1"}"#, false),
            ("level", one_of(&["1"]), r#"{"level":true}"#, false),
            ("level", one_of(&["1.5"]), r#"{"level":1.5}"#, true),
            ("level", one_of(&["-1"]), r#"{"level":-1.0}"#, true),
            ("id", one_of(&["9007199254740993"]), r#"{"id":9007199254740992}"#, false),
            (
                "id",
                one_of(&["9007199254740993"]),
                r#"{"id":9007199254740992.0}"#,
                false,
            ),
            ("id", one_of(&["1e300"]), r#"{"id":1e300}"#, true),
            ("staff", one_of(&["true"]), r#"{"staff":true}"#, true),
            ("staff", one_of(&["true"]), r#"{"staff":"true"}"#, false),
            ("staff", one_of(&["false"]), r#"{"staff":null}"#, false),
            ("a.b", one_of(&["1"]), r#"{"a":{"b":1}}"#, true),
            ("a.b", one_of(&["1"]), r#"{"a.b":1}"#, false),
            ("roles", contains(r#""admin""#), r#"{"roles":["user","admin"]}"#, true),
            ("roles", contains(r#""admin""#), r#"{"roles":["administrator"]}"#, false),
            ("roles", contains(r#""admin""#), r#"{"roles":"admin"}"#, false),
            ("roles", contains(r#""admin""#), r#"{"roles":{"admin":true}}"#, false),
            ("roles", contains("7"), r#"{"roles":[7.0]}"#, true),
            (
                "email",
                matches(r".+@corp\.example"),
                r#"{"email":"a@corp.example"}"#,
                true,
            ),
            (
                "email",
                matches(r".+@corp\.example"),
                r#"{"email":"a@corp.example.evil"}"#,
                false,
            ),
            ("email", matches(".*"), r#"{"email":7}"#, false),
            ("email", matches(".*"), "{}", false),
            ("email", ClaimTest::Present, r#"{"email":""}"#, true),
            ("email", ClaimTest::Present, r#"{"email":null}"#, false),
            ("email", ClaimTest::Present, "{}", false),
            ("email", ClaimTest::Absent, "{}", true),
            ("email", ClaimTest::Absent, r#"{"email":null}"#, true),
            ("email", ClaimTest::Absent, r#"{"email":"a"}"#, false),
        ] {
            let document = value(claims);
            let condition = ClaimCondition {
                claim: ClaimPath::dotted(path),
                test,
            };
            assert_eq!(
                condition.holds(document.as_object().unwrap()),
                expected,
                "{condition:?} {claims}"
            );
        }
    }
}

//! The claims set (RFC 7519 section 4): the registered claims by type, all others as they stand.

#[cfg(test)]
mod tests;

use std::fmt;

use super::TokenError;
use super::numeric_date::{Limit, NumericDate, Rounding};
use crate::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, JWT_ID, NOT_BEFORE, SUBJECT};
use crate::json::{Object, Value};

/// Claims whose registered members have the types that RFC 7519 section 4.1 gives them. A registered claim that is
/// `null` is refused: to one reader it is absent, to another it is wrong.
#[derive(Clone)]
pub struct Claims {
    issuer: Option<usize>,
    subject: Option<usize>,
    audience: Option<usize>,
    jwt_id: Option<usize>,
    expires_at: Option<NumericDate>,
    not_before: Option<NumericDate>,
    issued_at: Option<NumericDate>,
    raw: Object,
}

impl Claims {
    /// `iss`
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.string_at(self.issuer)
    }

    /// `sub`
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.string_at(self.subject)
    }

    /// `aud`: none, one or several, whether it is written as a string or as a list.
    pub fn audience(&self) -> impl Iterator<Item = &str> + Clone {
        let value = self.audience.and_then(|position| self.raw.at(position));
        let values = match value {
            Some(Value::Array(audiences)) => audiences.as_slice(),
            Some(audience) => std::slice::from_ref(audience),
            None => &[],
        };
        values.iter().filter_map(Value::as_str)
    }

    /// `exp`; a fraction of a second is cut off, so that no token lives longer than it says.
    #[must_use]
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.expires_at
    }

    /// `nbf`; a fraction of a second is rounded up, so that no token lives earlier than it says.
    #[must_use]
    pub fn not_before(&self) -> Option<NumericDate> {
        self.not_before
    }

    /// `iat`; a fraction of a second is cut off.
    #[must_use]
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.issued_at
    }

    /// `jti`
    #[must_use]
    pub fn jwt_id(&self) -> Option<&str> {
        self.string_at(self.jwt_id)
    }

    /// Any claim by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.raw.get(name)
    }

    /// All claims.
    #[must_use]
    pub fn raw(&self) -> &Object {
        &self.raw
    }

    fn string_at(&self, position: Option<usize>) -> Option<&str> {
        self.raw.at(position?).and_then(Value::as_str)
    }
}

impl TryFrom<Object> for Claims {
    type Error = TokenError;

    fn try_from(raw: Object) -> Result<Self, TokenError> {
        Ok(Self {
            issuer: string(&raw, ISSUER)?,
            subject: string(&raw, SUBJECT)?,
            audience: audience(&raw)?,
            jwt_id: string(&raw, JWT_ID)?,
            expires_at: date(&raw, EXPIRES_AT, Rounding::Down, Limit::Signed)?,
            not_before: date(&raw, NOT_BEFORE, Rounding::Up, Limit::Signed)?,
            issued_at: date(&raw, ISSUED_AT, Rounding::Down, Limit::Unsigned)?,
            raw,
        })
    }
}

/// Claims name people; they are for decisions, not for logs.
impl fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Claims").finish_non_exhaustive()
    }
}

fn string(raw: &Object, name: &'static str) -> Result<Option<usize>, TokenError> {
    typed(raw, name, |value| matches!(value, Value::String(_)))
}

fn audience(raw: &Object) -> Result<Option<usize>, TokenError> {
    typed(raw, AUDIENCE, |value| match value {
        Value::String(_) => true,
        Value::Array(audiences) => audiences.iter().all(|audience| matches!(audience, Value::String(_))),
        _ => false,
    })
}

/// Where a claim stands, if it is there and passes.
fn typed(raw: &Object, name: &'static str, passes: impl Fn(&Value) -> bool) -> Result<Option<usize>, TokenError> {
    let Some(position) = raw.position(name) else {
        return Ok(None);
    };
    if raw.at(position).is_some_and(passes) {
        Ok(Some(position))
    } else {
        Err(TokenError::ClaimType(name))
    }
}

fn date(raw: &Object, name: &'static str, rounding: Rounding, limit: Limit) -> Result<Option<NumericDate>, TokenError> {
    let Some(value) = raw.get(name) else { return Ok(None) };
    let number = value.as_number().ok_or(TokenError::ClaimType(name))?;
    NumericDate::rounded(number, rounding, limit)
        .map(Some)
        .ok_or(TokenError::ClaimRange(name))
}

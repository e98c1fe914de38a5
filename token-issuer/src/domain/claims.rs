//! The claims of the tokens that this issuer makes. Names come from RFC 7519 and RFC 9068; `token_type` and `user_id`
//! are what Django REST services with `SimpleJWT` look for.

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    lifetime::Lifetime,
    refresh_family::FamilyId,
    token_id::TokenId,
    user::{Identity, UserId},
};

/// Who issues, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    /// The `iss` of every token; refresh tokens also have it as their `aud`.
    pub(crate) issuer: String,
    /// The `aud` of access tokens.
    pub(crate) audience: String,
}

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Debug, Serialize)]
pub(crate) struct AccessClaims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: String,
    token_type: &'static str,
    user_id: String,
    username: &'a str,
    scope: String,
}

impl<'a> AccessClaims<'a> {
    /// Says of a user what an access token says.
    pub(crate) fn new(
        parties: &'a Parties,
        identity: &'a Identity,
        id: &TokenId,
        now: OffsetDateTime,
        lifetime: Lifetime,
    ) -> Self {
        Self {
            iss: &parties.issuer,
            sub: identity.id.to_string(),
            aud: &parties.audience,
            exp: (now + lifetime.duration()).unix_timestamp(),
            iat: now.unix_timestamp(),
            jti: id.as_str().to_owned(),
            token_type: jose::claims::ACCESS_TOKEN_TYPE,
            user_id: identity.id.to_string(),
            username: identity.username.as_str(),
            scope: identity.scope.to_string(),
        }
    }
}

/// The claims of a refresh token. It is addressed to the issuer itself, so no service that checks `aud` takes it for an
/// access token.
#[derive(Debug, Serialize)]
pub(crate) struct RefreshClaims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: String,
    token_type: &'static str,
    user_id: String,
    fid: String,
}

impl<'a> RefreshClaims<'a> {
    /// Binds a refresh token to its user and family.
    pub(crate) fn new(
        parties: &'a Parties,
        user: UserId,
        family: FamilyId,
        id: &TokenId,
        now: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Self {
        Self {
            iss: &parties.issuer,
            sub: user.to_string(),
            aud: &parties.issuer,
            exp: expires_at.unix_timestamp(),
            iat: now.unix_timestamp(),
            jti: id.as_str().to_owned(),
            token_type: jose::claims::REFRESH_TOKEN_TYPE,
            user_id: user.to_string(),
            fid: family.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::username::Username;

    fn parties() -> Parties {
        Parties {
            issuer: "https://gate.example".into(),
            audience: "bank".into(),
        }
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_900_000_000).unwrap()
    }

    #[test]
    fn an_access_token_says_who_may_do_what_for_how_long() {
        let identity = Identity {
            id: UserId(Uuid::from_u128(7)),
            username: Username::parse("alice").unwrap(),
            scope: "bank.read bank.write".parse().unwrap(),
        };
        let parties = parties();
        let id = TokenId::from_random([1; 16]);
        let claims = AccessClaims::new(&parties, &identity, &id, now(), "5m".parse().unwrap());
        assert_eq!(
            serde_json::to_value(claims).unwrap(),
            json!({
                "iss": "https://gate.example",
                "sub": "00000000-0000-0000-0000-000000000007",
                "aud": "bank",
                "exp": 1_700_000_300,
                "iat": 1_700_000_000,
                "jti": "01010101010101010101010101010101",
                "token_type": "access",
                "user_id": "00000000-0000-0000-0000-000000000007",
                "username": "alice",
                "scope": "bank.read bank.write",
            })
        );
    }

    #[test]
    fn a_refresh_token_is_addressed_to_the_issuer_and_carries_no_rights() {
        let parties = parties();
        let claims = RefreshClaims::new(
            &parties,
            UserId(Uuid::from_u128(7)),
            FamilyId(Uuid::from_u128(9)),
            &TokenId::from_random([1; 16]),
            now(),
            now() + time::Duration::DAY,
        );
        assert_eq!(
            serde_json::to_value(claims).unwrap(),
            json!({
                "iss": "https://gate.example",
                "sub": "00000000-0000-0000-0000-000000000007",
                "aud": "https://gate.example",
                "exp": 1_700_086_400,
                "iat": 1_700_000_000,
                "jti": "01010101010101010101010101010101",
                "token_type": "refresh",
                "user_id": "00000000-0000-0000-0000-000000000007",
                "fid": "00000000-0000-0000-0000-000000000009",
            })
        );
    }
}

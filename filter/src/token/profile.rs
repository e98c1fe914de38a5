//! Which kinds of token a provider takes for access tokens.
//!
//! An issuer signs many things with the same keys: refresh tokens, logout notices, proofs of possession. Where each is
//! accepted must be said by its kind (RFC 8725, section 3.11).

use jose::UnverifiedToken;
use jose::claims::{REFRESH_TOKEN_TYP, REFRESH_TOKEN_TYPE, TOKEN_TYPE};

/// `typ` values that never mean an access token: refresh tokens, back-channel logout (`OpenID` Connect Back-Channel Logout,
/// section 2.4), proofs of possession (RFC 9449, section 4.2), security events (RFC 8417, section 2.3), status lists and
/// introspection answers (RFC 9701, section 5).
const NEVER_ACCESS: [&str; 6] = [
    REFRESH_TOKEN_TYP,
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "token-introspection+jwt",
];

/// A provider's entry in `token_profiles`. Without one, any token passes that does not call itself something else than
/// an access token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenProfile {
    /// The accepted values of the header's `typ`; `None` accepts all but those that never mean an access token.
    pub typ: Option<Vec<String>>,
    /// The accepted values of the claim `token_type`; `None` accepts all but `refresh`.
    pub token_type: Option<Vec<String>>,
}

impl TokenProfile {
    /// Whether the token is of a kind that is accepted.
    #[must_use]
    pub fn accepts(&self, token: &UnverifiedToken) -> bool {
        let header = token.header_unverified();
        let typ = match &self.typ {
            Some(accepted) => accepted.iter().any(|typ| header.is_of_type(typ)),
            None => !NEVER_ACCESS.iter().any(|typ| header.is_of_type(typ)),
        };
        let claim = token.claims_unverified().get(TOKEN_TYPE);
        let named = |name: &str| {
            claim
                .and_then(jose::json::Value::as_str)
                .is_some_and(|value| value == name)
        };
        let token_type = match &self.token_type {
            Some(accepted) => accepted.iter().any(|name| named(name)),
            None => !named(REFRESH_TOKEN_TYPE),
        };
        typ && token_type
    }
}

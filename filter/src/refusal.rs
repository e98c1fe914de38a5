//! Every refusal, in one table: what it is called, how it is answered, what it tells whom.
//!
//! No text here repeats anything of a request. What a caller sees is what the log says and what the metric counts, so that
//! one code leads from a client's complaint to the line that explains it.

mod answer;
mod challenge;
mod entry;

pub(crate) use answer::request_id;
pub use answer::{Answer, Detail, health, render};
pub use entry::{Challenge, Entry, GrpcStatus, Needs, Severity};
use entry::{hopeless, invalid};

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A token is needed and there is none.
    TokenMissing,
    /// There are several tokens, or several `Authorization` headers.
    TokenRepeated,
    /// The token is longer than the limit.
    TokenTooLarge,
    /// The token is no JWS in compact form.
    TokenMalformed,
    /// The token is encrypted, or holds another token.
    TokenEncrypted,
    /// The token's header says something that this gate does not accept.
    HeaderUnsupported,
    /// The token's algorithm is `none` or unknown.
    AlgorithmUnsupported,
    /// A registered claim has a wrong type or value.
    ClaimInvalid,
    /// The token is of another issuer.
    IssuerUnknown,
    /// The token does not say when it ends.
    ExpirationMissing,
    /// The token has expired.
    Expired,
    /// The token is not valid yet.
    NotYetValid,
    /// The token is for other audiences.
    AudienceNotAllowed,
    /// The token speaks of a subject that the provider does not vouch for.
    SubjectNotAllowed,
    /// The token lives longer than the provider allows.
    LifetimeTooLong,
    /// The token is no access token.
    TypeNotAllowed,
    /// The token names a key that the issuer does not publish.
    KeyUnknown,
    /// No key of the issuer fits the token's algorithm.
    KeyUnsuitable,
    /// The signature is wrong.
    SignatureInvalid,
    /// A claim can't be passed on in a header.
    ClaimUnusable,
    /// The issuer's keys are out of reach.
    KeysUnavailable,
    /// The route asks for a requirement that there is not.
    RequirementUnknown,
    /// The route may have been chosen by headers that the gate takes out.
    RouteAmbiguous,
    /// The caller has used a limit up.
    RateLimited,
    /// The path can be understood in more than one way.
    PathAmbiguous,
    /// No service has this path.
    ServiceUnknown,
    /// Pages of this origin may not ask.
    OriginNotAllowed,
    /// The service does not take this method.
    MethodNotAllowed,
    /// The token lacks a scope that the service asks for.
    ScopeInsufficient,
    /// The service's authorization does not let this caller do this.
    AccessDenied,
    /// Whether the configuration allows this can't be said.
    ExpressionFailed,
    /// The service limits bodies, and this one does not say how long it is.
    LengthRequired,
    /// The body is longer than the service takes.
    BodyTooLarge,
    /// The service chooses its upstream by a value that nothing stands for.
    UpstreamUnknown,
    /// The gate has no configuration to decide by.
    GateNotReady,
}

impl Reason {
    /// All reasons there are.
    pub const ALL: [Self; 35] = [
        Self::TokenMissing,
        Self::TokenRepeated,
        Self::TokenTooLarge,
        Self::TokenMalformed,
        Self::TokenEncrypted,
        Self::HeaderUnsupported,
        Self::AlgorithmUnsupported,
        Self::ClaimInvalid,
        Self::IssuerUnknown,
        Self::ExpirationMissing,
        Self::Expired,
        Self::NotYetValid,
        Self::AudienceNotAllowed,
        Self::SubjectNotAllowed,
        Self::LifetimeTooLong,
        Self::TypeNotAllowed,
        Self::KeyUnknown,
        Self::KeyUnsuitable,
        Self::SignatureInvalid,
        Self::ClaimUnusable,
        Self::KeysUnavailable,
        Self::RequirementUnknown,
        Self::RouteAmbiguous,
        Self::RateLimited,
        Self::PathAmbiguous,
        Self::ServiceUnknown,
        Self::OriginNotAllowed,
        Self::MethodNotAllowed,
        Self::ScopeInsufficient,
        Self::AccessDenied,
        Self::ExpressionFailed,
        Self::LengthRequired,
        Self::BodyTooLarge,
        Self::UpstreamUnknown,
        Self::GateNotReady,
    ];

    /// The reason's line in the table.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "a table has as many lines as it has")]
    pub const fn entry(self) -> Entry {
        match self {
            Self::TokenMissing => Entry {
                challenge: Challenge::Bare,
                severity: Severity::Debug,
                ..invalid(
                    "token_missing",
                    "Token missing",
                    "This resource needs a bearer token, and the request has none.",
                )
            },
            Self::TokenRepeated => invalid(
                "token_repeated",
                "More than one token",
                "The request carries more than one token or Authorization header; it must carry one.",
            ),
            Self::TokenTooLarge => invalid(
                "token_too_large",
                "Token too large",
                "The token is longer than this gate accepts.",
            ),
            Self::TokenMalformed => invalid(
                "token_malformed",
                "Token malformed",
                "The token is not a signed JSON Web Token in compact serialisation.",
            ),
            Self::TokenEncrypted => invalid(
                "token_encrypted",
                "Token encrypted or nested",
                "The token is encrypted or holds another token; only plainly signed tokens are accepted.",
            ),
            Self::HeaderUnsupported => invalid(
                "token_header_unsupported",
                "Token header not supported",
                "The token's header has a parameter that this gate does not support, or one of a wrong type.",
            ),
            Self::AlgorithmUnsupported => invalid(
                "algorithm_unsupported",
                "Signature algorithm not supported",
                "The token's signature algorithm is missing, none, or not supported.",
            ),
            Self::ClaimInvalid => invalid(
                "claim_invalid",
                "Registered claim invalid",
                "A registered claim of the token has a type or value that RFC 7519 does not allow.",
            ),
            Self::IssuerUnknown => invalid(
                "issuer_unknown",
                "Issuer not accepted",
                "The token's issuer is not accepted here.",
            ),
            Self::ExpirationMissing => invalid(
                "expiration_missing",
                "Expiration missing",
                "The token does not say when it expires, which is required here.",
            ),
            Self::Expired => invalid("token_expired", "Token expired", "The token has expired."),
            Self::NotYetValid => invalid(
                "token_not_yet_valid",
                "Token not yet valid",
                "The token is not valid yet.",
            ),
            Self::AudienceNotAllowed => Entry {
                status: 403,
                grpc: GrpcStatus::PermissionDenied,
                ..invalid(
                    "audience_not_allowed",
                    "Audience not allowed",
                    "The token is meant for another audience.",
                )
            },
            Self::SubjectNotAllowed => invalid(
                "subject_not_allowed",
                "Subject not allowed",
                "The token speaks of a subject that is not accepted here.",
            ),
            Self::LifetimeTooLong => invalid(
                "lifetime_too_long",
                "Token lives too long",
                "The token expires later than this gate allows.",
            ),
            Self::TypeNotAllowed => invalid(
                "token_type_not_allowed",
                "Not an access token",
                "The token is of a type that is not accepted here, such as a refresh token.",
            ),
            Self::KeyUnknown => invalid(
                "key_unknown",
                "Key unknown",
                "The token names a key that its issuer does not publish.",
            ),
            Self::KeyUnsuitable => invalid(
                "key_unsuitable",
                "No suitable key",
                "The issuer has no key that fits the token's signature algorithm.",
            ),
            Self::SignatureInvalid => invalid(
                "signature_invalid",
                "Signature invalid",
                "The token's signature does not match.",
            ),
            Self::ClaimUnusable => invalid(
                "claim_unusable",
                "Claim unusable",
                "A claim of the token holds control characters and can't be passed on.",
            ),
            Self::KeysUnavailable => Entry {
                severity: Severity::Warn,
                ..hopeless(
                    "keys_unavailable",
                    503,
                    "Keys unavailable",
                    "The issuer's keys can't be had at the moment, so the token can't be judged. Try again.",
                    GrpcStatus::Unavailable,
                )
            },
            Self::RequirementUnknown => Entry {
                severity: Severity::Warn,
                ..hopeless(
                    "requirement_unknown",
                    403,
                    "Requirement unknown",
                    "The route asks for a requirement that the gate does not have.",
                    GrpcStatus::PermissionDenied,
                )
            },
            Self::RouteAmbiguous => hopeless(
                "route_ambiguous",
                400,
                "Route ambiguous",
                "The request has headers that this gate takes out, and its route may have been chosen by them.",
                GrpcStatus::InvalidArgument,
            ),
            Self::RateLimited => Entry {
                severity: Severity::Debug,
                ..hopeless(
                    "rate_limited",
                    429,
                    "Too many requests",
                    "There were more requests than this gate allows in this time. Try again later.",
                    GrpcStatus::ResourceExhausted,
                )
            },
            Self::PathAmbiguous => hopeless(
                "path_ambiguous",
                400,
                "Path ambiguous",
                "The path can be understood in more than one way, so it is not forwarded.",
                GrpcStatus::InvalidArgument,
            ),
            Self::ServiceUnknown => Entry {
                severity: Severity::Debug,
                ..hopeless(
                    "service_unknown",
                    404,
                    "Not found",
                    "No service has this path.",
                    GrpcStatus::Unimplemented,
                )
            },
            Self::OriginNotAllowed => hopeless(
                "origin_not_allowed",
                403,
                "Origin not allowed",
                "Pages of this origin may not ask the service behind this path.",
                GrpcStatus::PermissionDenied,
            ),
            Self::MethodNotAllowed => hopeless(
                "method_not_allowed",
                405,
                "Method not allowed",
                "The service behind this path does not take this method.",
                GrpcStatus::Unimplemented,
            ),
            Self::ScopeInsufficient => Entry {
                challenge: Challenge::InsufficientScope,
                ..hopeless(
                    "insufficient_scope",
                    403,
                    "Scope insufficient",
                    "The token lacks a scope that is needed here.",
                    GrpcStatus::PermissionDenied,
                )
            },
            Self::AccessDenied => hopeless(
                "access_denied",
                403,
                "Access denied",
                "What the token says of its holder does not allow this request.",
                GrpcStatus::PermissionDenied,
            ),
            Self::ExpressionFailed => hopeless(
                "expression_failed",
                403,
                "Condition without an answer",
                "A condition of the service could not be evaluated for this request, so it is not let through.",
                GrpcStatus::PermissionDenied,
            ),
            Self::LengthRequired => hopeless(
                "length_required",
                411,
                "Length required",
                "The service behind this path limits bodies; the request must say how long its body is.",
                GrpcStatus::InvalidArgument,
            ),
            Self::BodyTooLarge => hopeless(
                "body_too_large",
                413,
                "Content too large",
                "The request's body is longer than the service behind this path takes.",
                GrpcStatus::ResourceExhausted,
            ),
            Self::UpstreamUnknown => hopeless(
                "upstream_unknown",
                403,
                "No upstream for this caller",
                "The service chooses its upstream by a value that this request lacks, or that nothing stands for.",
                GrpcStatus::PermissionDenied,
            ),
            Self::GateNotReady => Entry {
                severity: Severity::Warn,
                ..hopeless(
                    "gate_not_ready",
                    503,
                    "Gate not ready",
                    "The gate has no configuration to decide by.",
                    GrpcStatus::Unavailable,
                )
            },
        }
    }

    /// The name in problem documents, filter state, logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.entry().code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_page_of_refusals_has_each_of_them_with_its_statuses() {
        let page = include_str!("../../docs/refusals.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        for entry in Reason::ALL.map(Reason::entry) {
            let row = format!("| `{}` | {} | {} | ", entry.code, entry.status, entry.grpc.code());
            assert!(
                rows.iter().any(|line| line.starts_with(&row)),
                "no row begins with {row}"
            );
        }
        assert_eq!(rows.len(), Reason::ALL.len());
    }
}

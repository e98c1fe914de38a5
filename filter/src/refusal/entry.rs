//! What a line of the table of refusals says, and to whom: the caller over HTTP or gRPC, the log, the statistics. Apart from
//! the table, so that the table is nothing but its lines.

use std::sync::Arc;

/// The challenge that comes with a refusal (RFC 6750, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// None: a token would not help.
    None,
    /// The realm alone: nothing was wrong, something was missing.
    Bare,
    /// `error="invalid_token"` and a description.
    InvalidToken,
    /// `error="insufficient_scope"`, a description, and the scope that is needed.
    InsufficientScope,
}

/// What a request of this kind would need in order to pass. It comes from the configuration, never from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// These scopes, separated by blanks (RFC 6750, section 3).
    Scope(Arc<str>),
    /// One of these methods, separated by commas (RFC 9110, section 10.2.1).
    Method(Arc<str>),
}

/// The gRPC status of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrpcStatus {
    /// 3
    InvalidArgument,
    /// 7
    PermissionDenied,
    /// 8: what gRPC says of a quota that is used up, and of a message that is too large
    ResourceExhausted,
    /// 12: what Envoy and gRPC make of HTTP's 404
    Unimplemented,
    /// 14
    Unavailable,
    /// 16
    Unauthenticated,
}

impl GrpcStatus {
    /// Its number.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::InvalidArgument => 3,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::Unimplemented => 12,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }
}

/// How loudly the log speaks of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Everyday business.
    Debug,
    /// Worth a line: somebody sent a token that is not good.
    Info,
    /// Something is wrong on our side.
    Warn,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name in problem documents, filter state, logs and metrics.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The challenge.
    pub challenge: Challenge,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What happened, in a sentence.
    pub detail: &'static str,
    /// What a gRPC client is told.
    pub grpc: GrpcStatus,
    /// How loudly it is logged.
    pub severity: Severity,
}

/// The usual case: a token that is not good.
pub(super) const fn invalid(code: &'static str, title: &'static str, detail: &'static str) -> Entry {
    Entry {
        code,
        status: 401,
        challenge: Challenge::InvalidToken,
        title,
        detail,
        grpc: GrpcStatus::Unauthenticated,
        severity: Severity::Info,
    }
}

/// A request that no token would help.
pub(super) const fn hopeless(
    code: &'static str,
    status: u16,
    title: &'static str,
    detail: &'static str,
    grpc: GrpcStatus,
) -> Entry {
    Entry {
        code,
        status,
        challenge: Challenge::None,
        title,
        detail,
        grpc,
        severity: Severity::Info,
    }
}

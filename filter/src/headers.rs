//! Headers towards the upstream: what a client must not be able to say, and what the gate says in its place.
//!
//! Apart from the gate because these rules hold on every route, with or without a token.

mod claims;
mod edits;
mod fold;
mod pattern;
mod payload;
mod request_id;
mod request_rules;
mod reserved;
mod response_rules;
mod sanitise;
mod template;

pub use claims::{ClaimHeader, ClaimPath, UnusableClaim, header_text};
pub use edits::{Edit, Edits};
pub use fold::FoldedName;
pub use pattern::NamePattern;
pub use payload::{Padding, PayloadHeader};
pub use request_id::{REQUEST_ID, RequestIds, has_request_id, request_id};
pub use request_rules::RequestRules;
pub use reserved::{is_reserved, is_reserved_in_answers};
pub use response_rules::{ResponseRules, Scheme, TELLTALE_NAMES};
pub use sanitise::{EDGE_NAMES, GATEHOUSE_PREFIX, Sanitiser};
pub use template::{Facts, TemplateError, ValueTemplate, is_plain};

use crate::cors::Cors;

/// What the configuration wants changed, for one service or for requests of none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderRules {
    /// In requests that pass.
    pub request: RequestRules,
    /// In answers.
    pub response: ResponseRules,
    /// In answers, for pages of other origins; `None` leaves that to the services.
    pub cors: Option<Cors>,
}

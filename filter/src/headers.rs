//! Headers towards the upstream: what a client must not be able to say, and what the gate says in its place.
//!
//! Apart from the gate because these rules hold on every route, with or without a token.

mod claims;
mod edits;
mod fold;
mod payload;
mod sanitise;

pub use claims::{ClaimHeader, ClaimPath, UnusableClaim, header_text};
pub use edits::{Edit, Edits};
pub use fold::FoldedName;
pub use payload::{Padding, PayloadHeader};
pub use sanitise::{EDGE_NAMES, GATEHOUSE_PREFIX, Sanitiser};

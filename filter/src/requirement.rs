//! Which token a request needs: rules that match on the path, and trees of requirements that say what must be shown.

mod condition;
mod matcher;
mod selection;
mod tree;

pub use condition::{Absent, HeaderMatch, ParameterMatch, Sense, Test};
pub use matcher::{PathMatch, PathPattern};
pub use selection::{Forged, Named, RouteRules, RouteWord, StateRules};
pub use tree::{Judge, Requirement, Verdict, Whose, evaluate};

use crate::headers::Sanitiser;
use crate::request::Request;

/// A rule: what it matches, and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The paths that it speaks about.
    pub path: PathMatch,
    /// What must hold of the headers too.
    pub headers: Vec<HeaderMatch>,
    /// What must hold of the query too.
    pub parameters: Vec<ParameterMatch>,
    /// What a request on such a path needs; `None` lets everybody in.
    pub requires: Option<Requirement>,
}

impl Rule {
    /// Whether it speaks about a request.
    #[must_use]
    pub fn matches(&self, request: &impl Request, path: &[u8], sanitiser: &Sanitiser) -> bool {
        self.path.matches(request, path)
            && self.headers.iter().all(|header| header.holds(request, sanitiser))
            && self.parameters.iter().all(|parameter| parameter.holds(request))
    }
}

/// The first rule that matches, and its place. A request that no rule matches needs nothing, as in the native filter.
/// `path` is the request's, without its query; `sanitiser` knows which headers are not the client's to set.
#[must_use]
pub fn first_match<'r>(
    rules: &'r [Rule],
    request: &impl Request,
    path: &[u8],
    sanitiser: &Sanitiser,
) -> Option<(usize, &'r Rule)> {
    rules
        .iter()
        .enumerate()
        .find(|(_, rule)| rule.matches(request, path, sanitiser))
}

//! Which token a request needs: rules that match on the path, and trees of requirements that say what must be shown.

mod matcher;
mod tree;

pub use matcher::{Case, PathMatch, PathPattern};
pub use tree::{Requirement, Verdict, Whose, evaluate};

/// A rule: what it matches, and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The paths that it speaks about.
    pub path: PathMatch,
    /// What a request on such a path needs; `None` lets everybody in.
    pub requires: Option<Requirement>,
}

/// The requirement of the first rule that matches. A path that no rule matches needs nothing, as in the native filter.
#[must_use]
pub fn required<'r>(rules: &'r [Rule], path: &[u8]) -> Option<&'r Requirement> {
    rules.iter().find(|rule| rule.path.matches(path))?.requires.as_ref()
}

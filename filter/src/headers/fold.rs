//! Names that different servers take for the same header.
//!
//! CGI, WSGI and their kin turn `X-User-Id`, `x_user_id` and `X.User.Id` into one variable, so they are one name here too:
//! lower case, and `-` for every character that is neither a letter nor a digit.

/// A header name in its folded form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FoldedName(Box<[u8]>);

impl FoldedName {
    /// Folds a name.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        Self(name.iter().copied().map(fold_byte).collect())
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Folding leaves ASCII only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether a name, as it was sent, folds to this one. Allocates nothing: it runs for every header of every request.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        self.0.len() == name.len() && self.is_prefix_of(name)
    }

    /// What follows this one in a name as it was sent, if that folds to something that begins with it.
    #[must_use]
    pub fn strip_from<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        name.get(self.0.len()..).filter(|_| self.is_prefix_of(name))
    }

    /// Whether a name, as it was sent, folds to something that ends with this one.
    #[must_use]
    pub fn is_suffix_of(&self, name: &[u8]) -> bool {
        let start = name.len().checked_sub(self.0.len());
        start
            .and_then(|start| name.get(start..))
            .is_some_and(|end| self.matches(end))
    }

    /// Whether a name, as it was sent, folds to something that begins with this one.
    #[must_use]
    pub fn is_prefix_of(&self, name: &[u8]) -> bool {
        self.0.len() <= name.len()
            && self
                .0
                .iter()
                .zip(name)
                .all(|(ours, theirs)| *ours == fold_byte(*theirs))
    }
}

const fn fold_byte(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'-'
    }
}

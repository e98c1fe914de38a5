//! What is to change in a request's headers, collected first and written last.
//!
//! Every write is a call into the host, so nothing is removed that is overwritten anyway.

use std::collections::BTreeSet;

/// One change of the header map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Every occurrence of the name goes.
    Remove(String),
    /// Every occurrence of the name goes, and this value takes their place.
    Set(String, Vec<u8>),
}

/// The changes to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    removed: Vec<String>,
    /// The same names, to be found: a client may send thousands that are all to be removed.
    known: BTreeSet<String>,
    set: Vec<(String, Vec<u8>)>,
}

impl Edits {
    /// Takes every occurrence of a name out.
    pub fn remove(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.removed.push(name.to_owned());
        }
    }

    /// Gives a name exactly one value. The last word counts where a name is set twice.
    pub fn set(&mut self, name: &str, value: Vec<u8>) {
        if let Some(known) = self.set.iter_mut().find(|(known, _)| known == name) {
            known.1 = value;
        } else {
            self.set.push((name.to_owned(), value));
        }
    }

    /// The names that are to change.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let set = self.set.iter().map(|(name, _)| name.as_str());
        self.removed.iter().map(String::as_str).chain(set)
    }

    /// The changes in the order in which they must be written: removals first.
    pub fn into_edits(self) -> impl Iterator<Item = Edit> {
        let Self { removed, set, .. } = self;
        let removals: Vec<Edit> = removed
            .into_iter()
            .filter(|name| !set.iter().any(|(known, _)| known == name))
            .map(Edit::Remove)
            .collect();
        removals
            .into_iter()
            .chain(set.into_iter().map(|(name, value)| Edit::Set(name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn removals_come_first_and_none_is_written_for_a_name_that_is_set() {
        let mut edits = Edits::default();
        edits.set("x-user-id", b"first".to_vec());
        edits.remove("x_user_id");
        edits.remove("x-user-id");
        edits.remove("x_user_id");
        edits.set("x-user-id", b"second".to_vec());

        assert_eq!(
            edits.into_edits().collect::<Vec<_>>(),
            [
                Edit::Remove("x_user_id".to_owned()),
                Edit::Set("x-user-id".to_owned(), b"second".to_vec()),
            ]
        );
    }

    #[test]
    fn as_many_names_as_a_client_can_send_are_removed_once_each_in_their_order() {
        // Where each is compared with all before it, this does not end while anybody waits.
        let names: Vec<String> = (0..100_000).map(|number| format!("x-gatehouse-{number}")).collect();
        let mut edits = Edits::default();
        for name in names.iter().chain(&names) {
            edits.remove(name);
        }

        assert!(edits.names().eq(names.iter().map(String::as_str)));
        assert!(edits.into_edits().eq(names.into_iter().map(Edit::Remove)));
    }
}

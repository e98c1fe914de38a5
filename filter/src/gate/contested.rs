//! Tokens that a question refused although the native filter may have accepted them.
//!
//! Stands apart because it is about the other filter: there, such a token is out of the request, and nothing that is asked
//! later finds it. Were it good for a later question here, a rule could let in what it refuses there. Only within one list
//! of alternatives may another of them accept it: the native filter has passed that list already.

use crate::refusal::Reason;
use crate::token::Place;

#[derive(Debug)]
struct Mark<'c> {
    place: &'c Place,
    reason: Reason,
}

impl Mark<'_> {
    /// Whether it is about what stands here. A header is one place, whatever the prefix.
    fn is_on(&self, place: &Place) -> bool {
        match (self.place, place) {
            (Place::Header { name, .. }, Place::Header { name: other, .. }) => name == other,
            (one, other) => one == other,
        }
    }
}

/// What one rule has refused so far, whoever it was for.
#[derive(Debug, Default)]
pub(super) struct Contested<'c> {
    marks: Vec<Mark<'c>>,
    /// So many of the marks hold; the others are of the alternatives that are being asked.
    holding: usize,
    /// Why a token was refused last that the native filter may have accepted, also where it leaves it in its place.
    doubt: Option<Reason>,
}

impl<'c> Contested<'c> {
    /// Forgets everything, for the next rule.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The token in a place was refused, and may be out of the request.
    pub(super) fn mark(&mut self, place: &'c Place, reason: Reason) {
        self.marks.push(Mark { place, reason });
    }

    /// The native filter may have gone on where a question was refused for this.
    pub(super) fn doubt(&mut self, reason: Reason) {
        self.doubt = Some(reason);
    }

    /// Why it may have gone on, if it may.
    pub(super) fn doubted(&self) -> Option<Reason> {
        self.doubt
    }

    /// What is asked from now on comes after all that was asked so far.
    pub(super) fn hold(&mut self) {
        self.holding = self.marks.len();
    }

    /// Why the token in a place is refused, whoever it is for now.
    pub(super) fn reason(&self, place: &Place) -> Option<Reason> {
        let mut holding = self.marks.iter().take(self.holding);
        holding.find(|mark| mark.is_on(place)).map(|mark| mark.reason)
    }
}

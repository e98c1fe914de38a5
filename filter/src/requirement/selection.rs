//! Requirements that something else than a rule's match chooses: the route (Envoy's `PerRouteConfig`), or what an earlier
//! filter left for this one (`filter_state_rules`).
//!
//! Apart from the rules because what they read is not the client's: the host is asked for it, and only where the
//! configuration says so.

use super::Requirement;

/// Named requirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(Vec<(String, Requirement)>);

impl Named {
    /// Requirements and their names.
    #[must_use]
    pub const fn new(requirements: Vec<(String, Requirement)>) -> Self {
        Self(requirements)
    }

    /// The requirement of a name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Requirement> {
        let mut named = self.0.iter();
        named.find_map(|(known, requirement)| (known.as_bytes() == name).then_some(requirement))
    }
}

/// Envoy's `FilterStateRule`: it is looked at where no rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRules {
    /// The object of the filter state whose text chooses.
    pub object: String,
    /// What is asked for by which text. Another text, or none, asks for nothing, as in the native filter.
    pub requires: Named,
}

/// What routes may choose: `per_route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRules {
    /// The name under which the metadata of routes speaks to the gate.
    pub namespace: String,
    /// What they may ask for: the whole `requirement_map`.
    pub named: Named,
    /// What becomes of requests whose route may be another after the gate than before it.
    pub forged: Forged,
}

/// What becomes of a request with headers that the gate takes out. Taking one out makes Envoy choose the route anew: a route
/// that was chosen by such a header would speak for another, so that a client could choose by whose rules it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// It is refused.
    Refuse,
    /// It goes on without them: no route is chosen by such a header.
    TakeOut,
}

/// What the metadata of a request's route says to the gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RouteWord {
    /// Nothing: the rules count.
    #[default]
    Silent,
    /// Nobody needs a token.
    Disabled,
    /// What has this name is asked for.
    Requires(Vec<u8>),
    /// Something else, which nobody can follow.
    Unreadable,
}

impl RouteWord {
    /// Reads the word from what the host makes of the fields of a `google.protobuf.Struct`: their number, the lengths of
    /// each name and value (all little-endian, of 32 bits), then names and values with a zero behind each.
    #[must_use]
    pub fn read(fields: &[u8]) -> Self {
        Self::parse(fields).unwrap_or(Self::Unreadable)
    }

    /// Like the message it stands for, it says exactly one thing; `disabled` says `true`.
    fn parse(fields: &[u8]) -> Option<Self> {
        let mut lengths = fields;
        if number(&mut lengths)? != 1 {
            return None;
        }
        let (name_len, value_len) = (number(&mut lengths)?, number(&mut lengths)?);
        let (name, rest) = text(lengths, name_len)?;
        let (value, rest) = text(rest, value_len)?;
        if !rest.is_empty() {
            return None;
        }
        match (name, value) {
            (b"disabled", [1]) => Some(Self::Disabled),
            (b"requirement_name" | b"requirementName", [_, ..]) => Some(Self::Requires(value.to_vec())),
            _ => None,
        }
    }
}

fn number(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn text(bytes: &[u8], len: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(len)?;
    Some((text, rest.strip_prefix(b"\0")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn fields(fields: &[(&str, &[u8])]) -> Vec<u8> {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
        let mut encoded = u32::try_from(fields.len()).unwrap_or_default().to_le_bytes().to_vec();
        for (name, value) in fields {
            encoded.extend([len(name.as_bytes()), len(value)].concat());
        }
        for (name, value) in fields {
            encoded.extend([name.as_bytes(), b"\0", value, b"\0"].concat());
        }
        encoded
    }

    #[test]
    fn a_route_says_one_thing_or_is_not_followed() {
        use RouteWord::{Disabled, Requires, Unreadable};
        for (said, word) in [
            (&[("disabled", &b"\x01"[..])][..], Disabled),
            (&[("disabled", b"\x00")], Unreadable),
            (&[("disabled", b"true")], Unreadable),
            (&[("disabled", b"")], Unreadable),
            (&[("requirement_name", b"strict")], Requires(b"strict".to_vec())),
            (&[("requirementName", b"strict")], Requires(b"strict".to_vec())),
            (&[("requirement_name", b"")], Unreadable),
            (&[("requirement", b"strict")], Unreadable),
            (&[("disabled", b"\x01"), ("requirement_name", b"strict")], Unreadable),
            (&[("disabled", b"\x01"), ("more", b"")], Unreadable),
            (&[], Unreadable),
        ] {
            assert_eq!(RouteWord::read(&fields(said)), word, "{said:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_not_followed() {
        let whole = fields(&[("requirement_name", b"strict")]);
        for len in 0..whole.len() {
            assert_eq!(
                RouteWord::read(whole.get(..len).unwrap_or_default()),
                RouteWord::Unreadable
            );
        }
        assert_eq!(RouteWord::read(&[&whole[..], b"\0"].concat()), RouteWord::Unreadable);
        assert_eq!(RouteWord::read(&[0xff; 16]), RouteWord::Unreadable);
    }
}

//! What the configuration wants changed in requests that pass, beyond what every gate does.

use super::template::{Facts, ValueTemplate};
use super::{Edits, FoldedName, NamePattern, UnusableClaim, is_reserved};
use crate::request::Request;

/// Changes of a request's headers. The names that are set are trusted: the client's own never arrive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestRules {
    /// What is taken out. A pattern leaves alone what HTTP, Envoy or the gate need; what is named without a star is none of
    /// these.
    pub remove: Vec<NamePattern>,
    /// What the gate says, where all that it is made of is known.
    pub set: Vec<(String, ValueTemplate)>,
    /// What the gate says where the client says nothing.
    pub set_if_absent: Vec<(String, ValueTemplate)>,
}

impl RequestRules {
    /// Writes what changes. The values of `set` replace nothing of the client's: that has gone already.
    pub fn apply<R: Request>(&self, facts: &Facts<'_, R>, edits: &mut Edits) -> Result<(), UnusableClaim> {
        self.strip(facts.request, edits);
        for (name, template) in &self.set {
            if let Some(value) = template.value(facts)? {
                edits.set(name, value);
            }
        }
        for (name, template) in &self.set_if_absent {
            let folded = FoldedName::new(name.as_bytes());
            let is_there = |(sent, _): (&[u8], &[u8])| folded.matches(sent) && !self.removes(sent);
            if !facts.request.headers().any(is_there)
                && let Some(value) = template.value(facts)?
            {
                edits.set(name, value);
            }
        }
        Ok(())
    }

    /// Takes out what is to be removed: of headers, or of trailers.
    pub fn strip(&self, headers: &impl Request, edits: &mut Edits) {
        if self.remove.is_empty() {
            return;
        }
        for (name, _) in headers.headers() {
            if self.removes(name)
                && let Ok(name) = std::str::from_utf8(name)
            {
                edits.remove(name);
            }
        }
    }

    fn removes(&self, name: &[u8]) -> bool {
        self.remove.iter().any(|pattern| pattern.matches(name)) && !is_reserved(name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::headers::Edit;
    use crate::testing::{request, test};

    fn edits(rules: &RequestRules, headers: &[(&str, &str)]) -> Vec<Edit> {
        let request = request(headers);
        let facts = Facts {
            request: &request,
            path: b"/",
            claims: None,
            service: None,
        };
        let mut edits = Edits::default();
        rules.apply(&facts, &mut edits).unwrap();
        edits.into_edits().collect()
    }

    #[test]
    fn a_pattern_takes_out_every_spelling_but_nothing_that_is_needed() {
        let rules = RequestRules {
            remove: vec![NamePattern::new("x-debug"), NamePattern::new("*")],
            ..RequestRules::default()
        };
        let sent = [
            (":path", "/"),
            (":authority", "gate"),
            ("content-length", "1"),
            ("Transfer-Encoding", "chunked"),
            ("x-request-id", "1"),
            ("x_debug", "1"),
            ("X-Anything", "1"),
        ];
        assert_eq!(
            edits(&rules, &sent),
            [
                Edit::Remove("x_debug".to_owned()),
                Edit::Remove("X-Anything".to_owned())
            ]
        );
    }

    #[test]
    fn what_is_set_if_absent_yields_to_any_spelling_that_the_client_sent() {
        let template = ValueTemplate::parse("en").unwrap();
        let mut rules = RequestRules {
            set_if_absent: vec![("accept-language".to_owned(), template)],
            ..RequestRules::default()
        };
        let set = Edit::Set("accept-language".to_owned(), b"en".to_vec());
        assert_eq!(edits(&rules, &[(":path", "/")]), std::slice::from_ref(&set));
        assert_eq!(edits(&rules, &[("Accept_Language", "de")]), []);
        rules.remove = vec![NamePattern::new("accept-language")];
        assert_eq!(
            edits(&rules, &[("Accept_Language", "de")]),
            [Edit::Remove("Accept_Language".to_owned()), set]
        );
    }
}

//! The last wall between a request's tokens and whatever is printed about it.
//!
//! Explanations are pasted into tickets. A token without its signature opens nothing, so no run of eight characters of any
//! signature leaves this command, wherever it may have slipped in.

use std::collections::HashSet;

use filter::request::Request;

const RUN: usize = 8;
/// `{"alg":""}` is shorter than any header of a token.
const SHORTEST_HEADER: usize = 10;
/// That of HS256: 32 bytes.
const SHORTEST_SIGNATURE: usize = 43;

/// Knows the signatures of a request.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    runs: HashSet<Vec<u8>>,
}

impl Redactor {
    /// Knows everything in a request that looks like a token's signature, percent-encoded or not.
    pub(crate) fn of(request: &impl Request) -> Self {
        Self::of_texts(request.headers().map(|(_, value)| value))
    }

    /// Knows everything in some texts that looks so.
    pub(crate) fn of_texts<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Self {
        let mut redactor = Self::default();
        for value in texts {
            let decoded = percent_decoded(value);
            for value in [value, decoded.as_slice()] {
                // Base64url is what a token is made of; one that is malformed may hold the other alphabet.
                redactor.learn(value, b"-_.");
                redactor.learn(value, b"-_.+/");
            }
        }
        redactor
    }

    fn learn(&mut self, value: &[u8], signs: &[u8]) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || signs.contains(&byte);
        for word in value.split(|byte| !is_part(*byte)) {
            let mut parts = word.split(|byte| *byte == b'.');
            let is_header = parts
                .next()
                .is_some_and(|header| header.len() >= SHORTEST_HEADER && header.starts_with(b"e"));
            if is_header {
                let signatures = parts.skip(1).flat_map(|part| part.windows(RUN));
                self.runs.extend(signatures.map(<[u8]>::to_vec));
            } else {
                // What is left of a token that was torn apart.
                let signatures = parts.filter(|part| part.len() >= SHORTEST_SIGNATURE);
                self.runs
                    .extend(signatures.flat_map(|part| part.windows(RUN)).map(<[u8]>::to_vec));
            }
        }
    }

    /// The text without them.
    pub(crate) fn clean(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut hidden = vec![false; bytes.len()];
        for (start, window) in bytes.windows(RUN).enumerate() {
            if self.runs.contains(window) {
                hidden.iter_mut().skip(start).take(RUN).for_each(|byte| *byte = true);
            }
        }
        let mut cleaned = String::with_capacity(text.len());
        let mut before = false;
        for (index, letter) in text.char_indices() {
            let is_hidden = hidden.get(index).copied().unwrap_or_default();
            match (is_hidden, before) {
                (false, _) => cleaned.push(letter),
                (true, false) => cleaned.push('…'),
                (true, true) => {}
            }
            before = is_hidden;
        }
        cleaned
    }
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(code.unwrap_or(*first));
        rest = if code.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use filter::request::HeaderList;

    #[test]
    fn signatures_are_taken_out_wherever_they_slipped_in() {
        let headers = [
            (
                "authorization",
                "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abcdefghijklmnopqrstuvwxyz",
            ),
            (
                ":path",
                "/x?access_token=eyJhbGciOiJIUzI1NiJ9%2Ee30%2EABCDEFGH%49JKLMNOP",
            ),
            ("host", "service.namespace.svc.cluster-local"),
            (
                "x-torn",
                "Bearer eyJhb GciOiJIUzI1NiJ9.0123456789-0123456789-0123456789-0123456789",
            ),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let redactor = Redactor::of(&HeaderList::new(headers.to_vec()));
        for (text, expected) in [
            ("a abcdefghijklmnopqrstuvwxyz b", "a … b"),
            ("a:defghijk!", "a:…!"),
            ("defghij", "defghij"),
            ("x=ABCDEFGHIJKLMNOP", "x=…"),
            ("svc.cluster-local", "svc.cluster-local"),
            ("x 9-0123456789-0 x", "x … x"),
            ("ä eyJhbGciOiJIUzI1NiJ9 ü", "ä eyJhbGciOiJIUzI1NiJ9 ü"),
        ] {
            assert_eq!(redactor.clean(text), expected);
        }
    }
}

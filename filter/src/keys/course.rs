//! The course of a fetch: what is asked first, and what follows from an answer.
//!
//! A key set whose address is known takes one request. One that is discovered takes the issuer's metadata before it,
//! when there is reason to look at them again.

use std::time::Duration;

use jose::JwkSet;

use super::{Discovery, DocumentError, Endpoint, MetadataKind, Response, Why, read_document};
use crate::clock::Timestamp;

/// Where a provider's key set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetSource {
    /// Where the configuration says.
    At(Endpoint),
    /// Where the issuer's metadata say.
    Discovered(Discovery),
}

/// Where metadata said that the key set is, and when they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The address.
    pub keys: Endpoint,
    /// When the metadata came.
    pub at: Timestamp,
}

/// One request of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// For the issuer's metadata of this kind.
    Metadata(MetadataKind, Endpoint),
    /// For the key set.
    Keys(Endpoint),
}

impl Step {
    /// What is asked.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Metadata(_, endpoint) | Self::Keys(endpoint) => endpoint,
        }
    }

    fn metadata(discovery: &Discovery, kind: MetadataKind) -> Self {
        Self::Metadata(kind, discovery.document(kind))
    }
}

/// What follows from an answer.
#[derive(Debug)]
pub enum Outcome {
    /// The keys have come: the end.
    Keys(JwkSet),
    /// The metadata have come, and name this address: it is asked next.
    Address(Endpoint),
    /// There are no such metadata, but there may be those of another kind: this step comes next.
    Other(Step),
    /// The metadata are no good, but earlier ones named this address: it is asked next.
    Earlier(Endpoint, DocumentError),
    /// Nothing is left to ask.
    Failed(DocumentError),
}

impl KeySetSource {
    /// What is asked first. `known` is what metadata said last.
    #[must_use]
    pub fn first_step(&self, why: Why, last: LastFetch, known: Option<&Known>, now: Timestamp) -> Step {
        match self {
            Self::At(keys) => Step::Keys(keys.clone()),
            Self::Discovered(discovery) => {
                let fresh =
                    known.filter(|known| now.since(known.at).is_some_and(|age| age < discovery.document_duration));
                match (fresh, why, last) {
                    (Some(known), Why::Due, LastFetch::Succeeded) => Step::Keys(known.keys.clone()),
                    // Unknown keys, and keys that are not where they were, are reasons to ask whether they have moved.
                    _ => Step::metadata(discovery, discovery.first()),
                }
            }
        }
    }

    /// What follows from the answer to a step. `earlier` is an address that metadata named before.
    #[must_use]
    pub fn outcome(&self, step: &Step, response: &Response<'_>, limit: usize, earlier: Option<Endpoint>) -> Outcome {
        match (self, step) {
            (Self::Discovered(discovery), Step::Metadata(kind, _)) => {
                let read = response.document(limit).and_then(|document| discovery.read(document));
                match (read, discovery.instead_of(*kind), earlier) {
                    (Ok(keys), _, _) => Outcome::Address(keys),
                    (Err(DocumentError::Status(404)), Some(other), _) => {
                        Outcome::Other(Step::metadata(discovery, other))
                    }
                    (Err(error), _, Some(keys)) => Outcome::Earlier(keys, error),
                    (Err(error), _, None) => Outcome::Failed(error),
                }
            }
            _ => read_document(response, limit).map_or_else(Outcome::Failed, Outcome::Keys),
        }
    }

    /// The known address as it is shared: the time, and the URI.
    #[must_use]
    pub fn encode(known: &Known) -> Vec<u8> {
        [&known.at.as_millis().to_le_bytes()[..], known.keys.uri().as_bytes()].concat()
    }

    /// The known address as it was shared, if it is one that may still be asked and is not older than `bound`.
    #[must_use]
    pub fn decode(&self, bytes: &[u8], bound: Duration, now: Timestamp) -> Option<Known> {
        let Self::Discovered(discovery) = self else { return None };
        let (at, uri) = bytes.split_at_checked(8)?;
        let at = Timestamp::from_millis(u64::from_le_bytes(at.try_into().ok()?));
        if now.since(at).unwrap_or_default() > bound {
            return None;
        }
        let keys = discovery.accept(std::str::from_utf8(uri).ok()?).ok()?;
        Some(Known { keys, at })
    }
}

/// How the last fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastFetch {
    /// With keys, or there was none.
    Succeeded,
    /// Without.
    Failed,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::testing::{jwks, test};

    const HOUR: Duration = Duration::from_hours(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn source() -> KeySetSource {
        KeySetSource::Discovered(Discovery::new("http://issuer/a", "issuer", HOUR).unwrap())
    }

    fn endpoint(uri: &str) -> Endpoint {
        Endpoint::new("issuer", uri).unwrap()
    }

    fn step(kind: MetadataKind) -> Step {
        let KeySetSource::Discovered(discovery) = source() else {
            panic!("it is discovered")
        };
        Step::metadata(&discovery, kind)
    }

    fn known() -> Known {
        Known {
            keys: endpoint("http://issuer/jwks"),
            at: at(0),
        }
    }

    #[test]
    fn metadata_are_looked_at_when_there_is_reason_to() {
        use LastFetch::{Failed, Succeeded};
        let metadata = step(MetadataKind::OpenId);
        let keys = Step::Keys(known().keys);
        for (known, why, last, now, expected) in [
            (None, Why::Cold, Succeeded, at(0), &metadata),
            (None, Why::Due, Succeeded, at(0), &metadata),
            (Some(known()), Why::Due, Succeeded, at(3599), &keys),
            (Some(known()), Why::Due, Succeeded, at(3600), &metadata),
            (Some(known()), Why::Due, Failed, at(1), &metadata),
            (Some(known()), Why::UnknownKey, Succeeded, at(1), &metadata),
            (Some(known()), Why::Cold, Succeeded, at(1), &metadata),
            // The clock was set back: nobody knows how old they are.
            (Some(known()), Why::Due, Succeeded, Timestamp::from_secs(1), &metadata),
        ] {
            assert_eq!(
                &source().first_step(why, last, known.as_ref(), now),
                expected,
                "{why:?} {last:?} {now:?}"
            );
        }
        let fixed = KeySetSource::At(known().keys);
        for why in [Why::Cold, Why::Due, Why::UnknownKey] {
            assert_eq!(fixed.first_step(why, Failed, None, at(0)), keys);
        }
    }

    #[test]
    fn each_answer_leads_to_one_thing() {
        let document = r#"{"issuer":"http://issuer/a","jwks_uri":"http://issuer/k"}"#;
        let set = jwks(&[("one", 1)]);
        let open_id = step(MetadataKind::OpenId);
        let oauth = step(MetadataKind::OAuth);
        let keys = Step::Keys(endpoint("http://issuer/k"));
        for (step, status, body, earlier, expected) in [
            (
                &open_id,
                Some(200),
                document,
                false,
                "ask http://issuer/k at the cluster issuer",
            ),
            (
                &oauth,
                Some(200),
                document,
                false,
                "ask http://issuer/k at the cluster issuer",
            ),
            (
                &open_id,
                Some(404),
                "",
                false,
                "ask http://issuer/.well-known/oauth-authorization-server/a",
            ),
            (
                &open_id,
                Some(404),
                "",
                true,
                "ask http://issuer/.well-known/oauth-authorization-server/a",
            ),
            (&oauth, Some(404), "", false, "failed: status 404"),
            (
                &oauth,
                Some(404),
                "",
                true,
                "ask http://issuer/jwks at the cluster issuer in spite of status 404",
            ),
            (&open_id, Some(503), "", false, "failed: status 503"),
            (
                &open_id,
                None,
                "",
                true,
                "ask http://issuer/jwks at the cluster issuer in spite of no answer",
            ),
            (
                &open_id,
                Some(200),
                "{}",
                true,
                "ask http://issuer/jwks at the cluster issuer in spite of its issuer",
            ),
            (&open_id, Some(200), &set, false, "failed: its issuer"),
            (&keys, Some(200), &set, false, "1 keys"),
            (&keys, Some(200), document, true, "failed: no usable JSON Web Key Set"),
            (&keys, Some(404), &set, true, "failed: status 404"),
        ] {
            let response = Response {
                status,
                ..Response::kept(body.as_bytes())
            };
            let earlier = earlier.then(|| known().keys);
            let said = match source().outcome(step, &response, 4096, earlier) {
                Outcome::Keys(keys) => format!("{} keys", keys.keys().len()),
                Outcome::Address(keys) => format!("ask {keys}"),
                Outcome::Other(step) => format!("ask {}", step.endpoint()),
                Outcome::Earlier(keys, error) => format!("ask {keys} in spite of {error}"),
                Outcome::Failed(error) => format!("failed: {error}"),
            };
            assert!(said.starts_with(expected), "{step:?} {status:?} {body}: {said}");
        }
    }

    #[test]
    fn an_address_is_remembered_for_a_time_and_only_if_it_may_still_be_asked() {
        let bytes = KeySetSource::encode(&known());
        assert_eq!(source().decode(&bytes, HOUR, at(3600)), Some(known()));
        assert_eq!(source().decode(&bytes, HOUR, at(3601)), None);
        let elsewhere = KeySetSource::Discovered(Discovery::new("http://other", "issuer", HOUR).unwrap());
        assert_eq!(elsewhere.decode(&bytes, HOUR, at(0)), None);
        assert_eq!(KeySetSource::At(known().keys).decode(&bytes, HOUR, at(0)), None);
        for rubbish in [&b""[..], b"1234567", b"12345678", b"12345678\xff"] {
            assert_eq!(source().decode(rubbish, HOUR, at(0)), None);
        }
    }
}

//! The upstream cluster, chosen by who is asking.
//!
//! A request only ever chooses among clusters that the configuration names, by values that it names too. What it does not
//! name is refused, unless the choice says that the next one goes on.

use jose::json::{Object, Value};
use sha2::{Digest, Sha256};

use crate::cel::{EvaluationError, Facts, Program};
use crate::headers::ClaimPath;
use crate::request::Request;

/// One of the choices of a service; the first that settles on a cluster counts.
#[derive(Debug, Clone)]
pub enum Choice {
    /// By the value of something that names its cluster.
    Value {
        /// What is looked at.
        by: Selector,
        /// The clusters of the values.
        clusters: Vec<(String, String)>,
        /// What becomes of other values, and of none.
        otherwise: Otherwise,
    },
    /// The cluster, if the expression holds.
    Expression {
        /// The expression.
        program: Program,
        /// The cluster.
        cluster: String,
    },
    /// The cluster, for a part of the subjects.
    Share {
        /// The claim whose value is a subject here.
        by: ClaimPath,
        /// Which part.
        range: Share,
        /// The cluster.
        cluster: String,
    },
}

/// What a choice looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// A claim that is a string.
    Claim(ClaimPath),
    /// A header that came once.
    Header(String),
}

/// What becomes of a value that a choice does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The request is refused.
    Refuse,
    /// The next choice decides, or in the end the service's own cluster.
    Continue,
}

/// A part of all subjects, in hundredths of a percent: from the first to below the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Where it begins.
    pub from: u16,
    /// Where it ends.
    pub to: u16,
}

/// Hundredths of a percent in the whole.
pub const WHOLE: u16 = 10_000;

impl Share {
    /// Whether a subject is in it. Where a subject stands is the first 8 bytes of SHA-256 of the service's name, a zero byte
    /// and the subject, as a fraction of all that 8 bytes can say: the same in every worker, every gateway and every
    /// version, and different for each service. A share that grows at its end keeps those that were in it.
    #[must_use]
    pub fn has(self, service: &str, subject: &str) -> bool {
        let mut hash = Sha256::new();
        hash.update(service.as_bytes());
        hash.update([0]);
        hash.update(subject.as_bytes());
        let digest = hash.finalize();
        let place = digest
            .iter()
            .take(8)
            .fold(0_u64, |place, byte| place << 8 | u64::from(*byte));
        // place / 2^64 lies in [from / WHOLE, to / WHOLE).
        let scaled = u128::from(place) * u128::from(WHOLE);
        let bound = |hundredths: u16| u128::from(hundredths) << 64;
        (bound(self.from)..bound(self.to)).contains(&scaled)
    }
}

/// Why no cluster was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// A value that no cluster stands for.
    #[error("no cluster stands for this value")]
    Unknown,
    /// An expression has no value.
    #[error("an expression has no value: {0}")]
    Expression(#[from] EvaluationError),
}

impl Choice {
    /// The cluster that it can lead to.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        let (many, one) = match self {
            Self::Value { clusters, .. } => (clusters.as_slice(), None),
            Self::Expression { cluster, .. } | Self::Share { cluster, .. } => (&[][..], Some(cluster.as_str())),
        };
        many.iter().map(|(_, cluster)| cluster.as_str()).chain(one)
    }

    /// The cluster that it settles on; `None` where the next choice decides.
    pub(super) fn settle<'s>(
        &'s self,
        service: &str,
        request: &impl Request,
        facts: &dyn Facts,
    ) -> Result<Option<&'s str>, UpstreamError> {
        match self {
            Self::Value {
                by,
                clusters,
                otherwise,
            } => {
                let value = by.value(request, facts.claims());
                let known = value.and_then(|value| clusters.iter().find(|(known, _)| known.as_bytes() == value));
                match (known, otherwise) {
                    (Some((_, cluster)), _) => Ok(Some(cluster)),
                    (None, Otherwise::Continue) => Ok(None),
                    (None, Otherwise::Refuse) => Err(UpstreamError::Unknown),
                }
            }
            Self::Expression { program, cluster } => Ok(program.holds(facts)?.then_some(cluster)),
            Self::Share { by, range, cluster } => {
                let subject = facts
                    .claims()
                    .and_then(|claims| by.find(claims))
                    .and_then(Value::as_str);
                // Whom one can't tell from others is in no part of them.
                Ok(subject
                    .is_some_and(|subject| range.has(service, subject))
                    .then_some(cluster))
            }
        }
    }
}

impl Selector {
    fn value<'v>(&self, request: &'v impl Request, claims: Option<&'v Object>) -> Option<&'v [u8]> {
        match self {
            Self::Claim(claim) => Some(claim.find(claims?)?.as_str()?.as_bytes()),
            Self::Header(name) => {
                let (mut first, mut count) = (None, 0);
                for (candidate, value) in request.headers() {
                    if candidate.eq_ignore_ascii_case(name.as_bytes()) {
                        first = first.or(Some(value));
                        count += 1;
                    }
                }
                first.filter(|_| count == 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    fn share(from: u16, to: u16) -> Share {
        Share { from, to }
    }

    #[test]
    fn a_share_is_the_same_everywhere_and_for_ever() {
        // printf 'bank\0alice' | sha256sum begins with f9057462206dfa76, which is 97.27 percent of the way; and so on.
        for (service, subject, place) in [("bank", "alice", 9727), ("bank", "bob", 2955)] {
            for end in [0, 1, 1000, place, place + 1, WHOLE] {
                assert_eq!(
                    share(0, end).has(service, subject),
                    place < end,
                    "{service} {subject} {end}"
                );
            }
            assert!(share(place, place + 1).has(service, subject));
        }
    }

    #[test]
    fn shares_beside_each_other_have_everybody_once() {
        let parts = [
            share(0, 1),
            share(1, 2500),
            share(2500, 2500),
            share(2500, 9999),
            share(9999, WHOLE),
        ];
        for number in 0..1000 {
            let subject = format!("user-{number}");
            let count = parts.iter().filter(|part| part.has("bank", &subject)).count();
            assert_eq!(count, 1, "{subject}");
        }
    }

    #[test]
    fn a_share_is_as_large_as_it_says_and_keeps_its_subjects_when_it_grows() {
        let subjects: Vec<String> = (0..20_000).map(|number| format!("user-{number}")).collect();
        let within = |end: u16| -> Vec<&String> {
            let part = share(0, end);
            subjects.iter().filter(|subject| part.has("bank", subject)).collect()
        };
        let mut smaller: Vec<&String> = Vec::new();
        for end in [100, 1000, 2000, 5000] {
            let part = within(end);
            // Five standard deviations of a fair draw; these subjects are always the same.
            let (count, expected) = (f64::from(u32::try_from(part.len()).unwrap_or(0)), 2.0 * f64::from(end));
            let deviation = (expected * (1.0 - f64::from(end) / f64::from(WHOLE))).sqrt();
            assert!((count - expected).abs() < 5.0 * deviation, "{end}: {count}");
            assert!(smaller.iter().all(|subject| part.contains(subject)), "{end}");
            smaller = part;
        }
    }
}

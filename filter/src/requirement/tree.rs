//! Trees of requirements and what comes of them.
//!
//! How one provider judges the request is a function that is handed in, so the logic of the tree stands alone here.

use crate::keys::{Fetch, ProviderId};
use crate::refusal::Reason;

/// What a request has to show (Envoy's `JwtRequirement`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// A token that this provider accepts.
    Provider(ProviderId),
    /// The same, with these audiences in place of the provider's own.
    ProviderWithAudiences(ProviderId, Vec<String>),
    /// One of these.
    Any(Vec<Requirement>),
    /// All of these.
    All(Vec<Requirement>),
    /// No token, or one that some provider accepts.
    AllowMissing,
    /// Anything: a token that some provider accepts tells who is asking, any other is as good as none.
    AllowMissingOrFailed,
}

/// How one provider judged a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt<V> {
    /// It accepted this token.
    Verified(V),
    /// It accepted nothing.
    Refused(Reason),
    /// It can't say before its keys have been fetched.
    Waiting(Fetch),
}

/// What came of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<V> {
    /// The request passes, as the bearer of these tokens; there may be none.
    Passed(Vec<V>),
    /// It does not.
    Refused(Reason),
    /// That depends on keys which are yet to be fetched.
    Waiting(Fetch),
}

/// Judges a request by a requirement. `judge` asks one provider, with the audiences that stand in for its own, if any;
/// `providers` are all that the configuration knows.
pub fn evaluate<V>(
    requirement: &Requirement,
    providers: &[ProviderId],
    judge: &mut impl FnMut(ProviderId, Option<&[String]>) -> Attempt<V>,
) -> Verdict<V> {
    match requirement {
        Requirement::Provider(provider) => judge(*provider, None).into(),
        Requirement::ProviderWithAudiences(provider, audiences) => judge(*provider, Some(audiences)).into(),
        Requirement::Any(requirements) => any(requirements, providers, judge),
        Requirement::All(requirements) => all(requirements, providers, judge),
        Requirement::AllowMissing => match any_provider(providers, judge) {
            Verdict::Refused(Reason::TokenMissing) => Verdict::Passed(Vec::new()),
            verdict => verdict,
        },
        Requirement::AllowMissingOrFailed => match any_provider(providers, judge) {
            Verdict::Refused(_) => Verdict::Passed(Vec::new()),
            verdict => verdict,
        },
    }
}

impl<V> From<Attempt<V>> for Verdict<V> {
    fn from(attempt: Attempt<V>) -> Self {
        match attempt {
            Attempt::Verified(verified) => Self::Passed(vec![verified]),
            Attempt::Refused(reason) => Self::Refused(reason),
            Attempt::Waiting(fetch) => Self::Waiting(fetch),
        }
    }
}

fn any_provider<V>(
    providers: &[ProviderId],
    judge: &mut impl FnMut(ProviderId, Option<&[String]>) -> Attempt<V>,
) -> Verdict<V> {
    first_passed(providers.iter().map(|provider| judge(*provider, None).into()))
}

fn any<V>(
    requirements: &[Requirement],
    providers: &[ProviderId],
    judge: &mut impl FnMut(ProviderId, Option<&[String]>) -> Attempt<V>,
) -> Verdict<V> {
    // Inside a list, an allowance only rescues what the others in the list make of the request.
    let is_allowance = |requirement: &&Requirement| {
        matches!(
            requirement,
            Requirement::AllowMissing | Requirement::AllowMissingOrFailed
        )
    };
    let verdict = first_passed(
        requirements
            .iter()
            .filter(|requirement| !is_allowance(requirement))
            .map(|requirement| evaluate(requirement, providers, judge)),
    );
    let rescued = match &verdict {
        Verdict::Refused(Reason::TokenMissing) => requirements.iter().any(|requirement| is_allowance(&requirement)),
        Verdict::Refused(_) => requirements.contains(&Requirement::AllowMissingOrFailed),
        Verdict::Passed(_) | Verdict::Waiting(_) => false,
    };
    if rescued { Verdict::Passed(Vec::new()) } else { verdict }
}

/// The first verdict that passes. If none does, one that waits, since it may pass yet; else the most telling refusal.
fn first_passed<V>(verdicts: impl Iterator<Item = Verdict<V>>) -> Verdict<V> {
    let mut waiting = None;
    let mut refused = Reason::TokenMissing;
    for verdict in verdicts {
        match verdict {
            Verdict::Passed(_) => return verdict,
            Verdict::Waiting(fetch) => waiting = waiting.or(Some(fetch)),
            Verdict::Refused(reason) if telling(reason) > telling(refused) => refused = reason,
            Verdict::Refused(_) => {}
        }
    }
    waiting.map_or(Verdict::Refused(refused), Verdict::Waiting)
}

/// How much a refusal tells, when several providers each have their own: that one of them found nothing, or that the
/// token is somebody else's, says least.
const fn telling(reason: Reason) -> u8 {
    match reason {
        Reason::TokenMissing => 0,
        Reason::IssuerUnknown => 1,
        _ => 2,
    }
}

fn all<V>(
    requirements: &[Requirement],
    providers: &[ProviderId],
    judge: &mut impl FnMut(ProviderId, Option<&[String]>) -> Attempt<V>,
) -> Verdict<V> {
    let mut passed = Vec::new();
    let mut waiting = None;
    for requirement in requirements {
        match evaluate(requirement, providers, judge) {
            Verdict::Passed(verified) => passed.extend(verified),
            Verdict::Waiting(fetch) => waiting = waiting.or(Some(fetch)),
            Verdict::Refused(reason) => return Verdict::Refused(reason),
        }
    }
    waiting.map_or(Verdict::Passed(passed), Verdict::Waiting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Why;
    use crate::testing::test;
    use Requirement::{All, AllowMissing, AllowMissingOrFailed, Any, Provider};

    const A: ProviderId = ProviderId::new(0);
    const B: ProviderId = ProviderId::new(1);
    const COLD: Fetch = Fetch {
        provider: B,
        why: Why::Cold,
    };

    fn judged(requirement: &Requirement, a: &Attempt<char>, b: &Attempt<char>) -> Verdict<char> {
        evaluate(requirement, &[A, B], &mut |provider, _| {
            if provider == A { a.clone() } else { b.clone() }
        })
    }

    #[test]
    fn trees_decide_as_the_native_filter_does() {
        let ok = Attempt::Verified;
        let no = Attempt::Refused;
        let passed = |verified: &str| Verdict::Passed(verified.chars().collect());
        let (missing, failed, issuer) = (Reason::TokenMissing, Reason::SignatureInvalid, Reason::IssuerUnknown);
        let any = || Any(vec![Provider(A), Provider(B)]);
        let all = || All(vec![Provider(A), Provider(B)]);
        let with = |allowance: Requirement| Any(vec![Provider(A), Provider(B), allowance]);
        for (requirement, a, b, expected) in [
            (Provider(A), ok('a'), no(missing), passed("a")),
            (Provider(B), ok('a'), no(missing), Verdict::Refused(missing)),
            (any(), no(failed), ok('b'), passed("b")),
            (any(), ok('a'), ok('b'), passed("a")),
            (any(), no(failed), no(issuer), Verdict::Refused(failed)),
            (any(), no(issuer), no(failed), Verdict::Refused(failed)),
            (any(), no(missing), no(issuer), Verdict::Refused(issuer)),
            (any(), no(missing), no(missing), Verdict::Refused(missing)),
            (any(), ok('a'), Attempt::Waiting(COLD), passed("a")),
            (any(), no(failed), Attempt::Waiting(COLD), Verdict::Waiting(COLD)),
            (all(), ok('a'), ok('b'), passed("ab")),
            (all(), ok('a'), no(missing), Verdict::Refused(missing)),
            (all(), ok('a'), Attempt::Waiting(COLD), Verdict::Waiting(COLD)),
            (all(), Attempt::Waiting(COLD), no(failed), Verdict::Refused(failed)),
            (with(AllowMissing), no(missing), no(missing), passed("")),
            (with(AllowMissing), no(failed), no(missing), Verdict::Refused(failed)),
            (with(AllowMissing), no(issuer), no(missing), Verdict::Refused(issuer)),
            (with(AllowMissing), no(failed), ok('b'), passed("b")),
            (with(AllowMissingOrFailed), no(failed), no(issuer), passed("")),
            (with(AllowMissingOrFailed), no(missing), no(missing), passed("")),
            (
                with(AllowMissingOrFailed),
                no(failed),
                Attempt::Waiting(COLD),
                Verdict::Waiting(COLD),
            ),
            (AllowMissing, no(missing), no(missing), passed("")),
            (AllowMissing, no(missing), ok('b'), passed("b")),
            (AllowMissing, no(issuer), no(missing), Verdict::Refused(issuer)),
            (AllowMissingOrFailed, no(failed), no(missing), passed("")),
            (AllowMissingOrFailed, no(failed), ok('b'), passed("b")),
            (Any(vec![AllowMissing]), no(failed), no(failed), passed("")),
            (Any(vec![]), ok('a'), ok('b'), Verdict::Refused(missing)),
            (All(vec![Provider(A), AllowMissing]), ok('a'), no(missing), passed("aa")),
            (Any(vec![all(), Provider(B)]), no(missing), ok('b'), passed("b")),
        ] {
            assert_eq!(judged(&requirement, &a, &b), expected, "{requirement:?} {a:?} {b:?}");
        }
    }
}

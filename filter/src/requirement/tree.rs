//! Trees of requirements and what comes of them.
//!
//! How the request's tokens are judged is a function that is handed in, so the logic of the tree stands alone here. That
//! function remembers: a token that passed is taken out of the request at once, and what is asked next no longer finds it.
//! So the order of the questions is part of the meaning, and it is the native filter's.

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
    /// No token, or one that its issuer's provider accepts.
    AllowMissing,
    /// Anything: a token that its issuer's provider accepts tells who is asking, any other is as good as none.
    AllowMissingOrFailed,
    /// Anything, like [`Requirement::AllowMissingOrFailed`]; that a token failed is said in this header, if there is one. As
    /// in the native filter, only a token that was verified is taken for what it says.
    ExtractOnly(Option<String>),
}

/// Whose tokens are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'r> {
    /// This provider's, with the audiences that stand in for its own, if any.
    Provider(ProviderId, Option<&'r [String]>),
    /// Anybody's: each token is for the provider of its issuer.
    Anybody,
    /// The same, and this header says that one failed.
    AnybodyMarked(Option<&'r str>),
}

/// What came of a question, or of a whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The request passes.
    Passed,
    /// It does not.
    Refused(Reason),
    /// That depends on keys which are yet to be fetched.
    Waiting(Fetch),
}

/// Who answers the questions of a tree.
pub trait Judge {
    /// Judges the request's tokens.
    fn judge(&mut self, whose: Whose<'_>) -> Verdict;

    /// Takes note that what is asked next comes after all that was asked so far, and not in its place.
    fn settle(&mut self);

    /// Takes note that these are not asked any more, since what stood before them did not pass.
    fn abandon(&mut self, rest: &[Requirement]);
}

/// Judges a request by a requirement.
pub fn evaluate(requirement: &Requirement, judge: &mut impl Judge) -> Verdict {
    match requirement {
        Requirement::Provider(provider) => judge.judge(Whose::Provider(*provider, None)),
        Requirement::ProviderWithAudiences(provider, audiences) => {
            judge.judge(Whose::Provider(*provider, Some(audiences)))
        }
        Requirement::Any(requirements) => any(requirements, judge),
        Requirement::All(requirements) => all(requirements, judge),
        Requirement::AllowMissing => judge.judge(Whose::Anybody).forgive(Allowance::Missing),
        Requirement::AllowMissingOrFailed => judge.judge(Whose::Anybody).forgive(Allowance::MissingOrFailed),
        // Not an allowance: beside others it asks for itself, where it stands.
        Requirement::ExtractOnly(mark) => judge
            .judge(Whose::AnybodyMarked(mark.as_deref()))
            .forgive(Allowance::MissingOrFailed),
    }
}

/// What an allowance lets pass, the narrower one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Allowance {
    Missing,
    MissingOrFailed,
}

impl Requirement {
    /// Tells every question that may be asked by it.
    pub fn each_question(&self, tell: &mut dyn FnMut(Whose<'_>)) {
        match self {
            Self::Provider(provider) => tell(Whose::Provider(*provider, None)),
            Self::ProviderWithAudiences(provider, audiences) => tell(Whose::Provider(*provider, Some(audiences))),
            Self::Any(requirements) | Self::All(requirements) => {
                for inner in requirements {
                    inner.each_question(tell);
                }
            }
            Self::AllowMissing | Self::AllowMissingOrFailed => tell(Whose::Anybody),
            Self::ExtractOnly(mark) => tell(Whose::AnybodyMarked(mark.as_deref())),
        }
    }

    const fn allowance(&self) -> Option<Allowance> {
        match self {
            Self::AllowMissing => Some(Allowance::Missing),
            Self::AllowMissingOrFailed => Some(Allowance::MissingOrFailed),
            _ => None,
        }
    }
}

impl Verdict {
    fn forgive(self, allowance: Allowance) -> Self {
        match (self, allowance) {
            (Self::Refused(Reason::TokenMissing), _) | (Self::Refused(_), Allowance::MissingOrFailed) => Self::Passed,
            _ => self,
        }
    }
}

fn any(requirements: &[Requirement], judge: &mut impl Judge) -> Verdict {
    // Beside others, an allowance asks for nothing itself: it forgives what the others make of the request.
    let allowance = requirements.iter().filter_map(Requirement::allowance).max();
    let mut others = requirements
        .iter()
        .filter(|other| other.allowance().is_none())
        .peekable();
    let verdict = if others.peek().is_none() && allowance.is_some() {
        judge.judge(Whose::Anybody)
    } else {
        first_passed(others.map(|other| evaluate(other, judge)))
    };
    allowance.map_or(verdict, |allowance| verdict.forgive(allowance))
}

/// The first verdict that passes. If none does, one that waits, since it may pass yet; else the most telling refusal, of
/// several that tell as much the last.
fn first_passed(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut waiting = None;
    let mut refused = Reason::TokenMissing;
    for verdict in verdicts {
        match verdict {
            Verdict::Passed => return verdict,
            Verdict::Waiting(_) => waiting = waiting.or(Some(verdict)),
            Verdict::Refused(reason) if telling(reason) >= telling(refused) => refused = reason,
            Verdict::Refused(_) => {}
        }
    }
    waiting.unwrap_or(Verdict::Refused(refused))
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

/// The first that does not pass ends it, also one that waits: what comes after it would be asked before the token that it
/// is about was taken out.
fn all(requirements: &[Requirement], judge: &mut impl Judge) -> Verdict {
    let Some((last, others)) = requirements.split_last() else {
        return Verdict::Passed;
    };
    for (index, other) in others.iter().enumerate() {
        let verdict = evaluate(other, judge);
        if verdict != Verdict::Passed {
            judge.abandon(requirements.get(index + 1..).unwrap_or_default());
        }
        judge.settle();
        if verdict != Verdict::Passed {
            return verdict;
        }
    }
    evaluate(last, judge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Why;
    use crate::testing::test;
    use Requirement::{All, AllowMissing, AllowMissingOrFailed, Any, ExtractOnly, Provider};
    use Verdict::{Passed, Refused, Waiting};

    const A: ProviderId = ProviderId::new(0);
    const B: ProviderId = ProviderId::new(1);
    const MISSING: Verdict = Refused(Reason::TokenMissing);
    const ISSUER: Verdict = Refused(Reason::IssuerUnknown);
    const FAILED: Verdict = Refused(Reason::SignatureInvalid);
    const EXPIRED: Verdict = Refused(Reason::Expired);
    const COLD: Verdict = Waiting(Fetch {
        provider: B,
        why: Why::Cold,
    });

    /// Always says the same, and notes who was asked: `a`, `b`, `?` or `!` for anybody; a comma where all that was asked
    /// so far is settled, behind a dash where the rest is not asked any more.
    struct Answers {
        a: Verdict,
        b: Verdict,
        anybody: Verdict,
        asked: String,
    }

    impl Judge for Answers {
        fn judge(&mut self, whose: Whose<'_>) -> Verdict {
            let (name, verdict) = match whose {
                Whose::Provider(provider, _) if provider == A => ('a', self.a),
                Whose::Provider(..) => ('b', self.b),
                Whose::Anybody => ('?', self.anybody),
                Whose::AnybodyMarked(_) => ('!', self.anybody),
            };
            self.asked.push(name);
            verdict
        }

        fn settle(&mut self) {
            self.asked.push(',');
        }

        fn abandon(&mut self, _: &[Requirement]) {
            self.asked.push('-');
        }
    }

    fn judged(requirement: &Requirement, a: Verdict, b: Verdict, anybody: Verdict) -> (Verdict, String) {
        let asked = String::new();
        let mut answers = Answers { a, b, anybody, asked };
        (evaluate(requirement, &mut answers), answers.asked)
    }

    #[test]
    fn lists_of_providers_decide_as_the_native_filter_does() {
        let any = || Any(vec![Provider(A), Provider(B)]);
        let all = || All(vec![Provider(A), Provider(B)]);
        for (requirement, a, b, expected, asked) in [
            (Provider(A), Passed, MISSING, Passed, "a"),
            (Provider(B), Passed, MISSING, MISSING, "b"),
            (any(), FAILED, Passed, Passed, "ab"),
            (any(), Passed, Passed, Passed, "a"),
            (any(), FAILED, ISSUER, FAILED, "ab"),
            (any(), ISSUER, FAILED, FAILED, "ab"),
            (any(), FAILED, EXPIRED, EXPIRED, "ab"),
            (any(), EXPIRED, FAILED, FAILED, "ab"),
            (any(), EXPIRED, MISSING, EXPIRED, "ab"),
            (any(), MISSING, ISSUER, ISSUER, "ab"),
            (any(), ISSUER, MISSING, ISSUER, "ab"),
            (any(), MISSING, MISSING, MISSING, "ab"),
            (any(), Passed, COLD, Passed, "a"),
            (any(), COLD, Passed, Passed, "ab"),
            (any(), FAILED, COLD, COLD, "ab"),
            (all(), Passed, Passed, Passed, "a,b"),
            (all(), Passed, MISSING, MISSING, "a,b"),
            (all(), FAILED, Passed, FAILED, "a-,"),
            (all(), Passed, COLD, COLD, "a,b"),
            (all(), COLD, FAILED, COLD, "a-,"),
            (Any(vec![]), Passed, Passed, MISSING, ""),
            (Any(vec![all(), Provider(B)]), MISSING, Passed, Passed, "a-,b"),
        ] {
            let found = judged(&requirement, a, b, Passed);
            assert_eq!(found, (expected, asked.to_owned()), "{requirement:?} {a:?} {b:?}");
        }
    }

    #[test]
    fn an_allowance_beside_others_forgives_and_asks_nothing() {
        let with = |allowance: Requirement| Any(vec![allowance, Provider(A), Provider(B)]);
        let both = || Any(vec![AllowMissing, Provider(A), AllowMissingOrFailed]);
        for (requirement, a, b, expected, asked) in [
            (with(AllowMissing), MISSING, MISSING, Passed, "ab"),
            (with(AllowMissing), FAILED, MISSING, FAILED, "ab"),
            (with(AllowMissing), ISSUER, MISSING, ISSUER, "ab"),
            (with(AllowMissing), FAILED, Passed, Passed, "ab"),
            (with(AllowMissing), MISSING, COLD, COLD, "ab"),
            (with(AllowMissingOrFailed), FAILED, ISSUER, Passed, "ab"),
            (with(AllowMissingOrFailed), MISSING, MISSING, Passed, "ab"),
            (with(AllowMissingOrFailed), FAILED, COLD, COLD, "ab"),
            (both(), FAILED, Passed, Passed, "a"),
        ] {
            let found = judged(&requirement, a, b, FAILED);
            assert_eq!(found, (expected, asked.to_owned()), "{requirement:?} {a:?} {b:?}");
        }
    }

    #[test]
    fn extraction_passes_whatever_comes_and_is_asked_where_it_stands() {
        let only = || ExtractOnly(None);
        for (requirement, a, anybody, expected, asked) in [
            (only(), FAILED, MISSING, Passed, "!"),
            (only(), FAILED, FAILED, Passed, "!"),
            (only(), FAILED, COLD, COLD, "!"),
            (Any(vec![Provider(A), only()]), FAILED, FAILED, Passed, "a!"),
            (Any(vec![Provider(A), only()]), Passed, FAILED, Passed, "a"),
            (Any(vec![only(), Provider(A)]), FAILED, FAILED, Passed, "!"),
            (
                Any(vec![AllowMissing, Provider(A), only()]),
                FAILED,
                FAILED,
                Passed,
                "a!",
            ),
            (Any(vec![only(), AllowMissing]), FAILED, MISSING, Passed, "!"),
            (All(vec![Provider(A), only()]), FAILED, FAILED, FAILED, "a-,"),
            (All(vec![Provider(A), only()]), Passed, FAILED, Passed, "a,!"),
            (All(vec![only(), Provider(A)]), MISSING, Passed, MISSING, "!,a"),
        ] {
            let found = judged(&requirement, a, Passed, anybody);
            assert_eq!(found, (expected, asked.to_owned()), "{requirement:?} {a:?} {anybody:?}");
        }
    }

    #[test]
    fn an_allowance_alone_asks_for_anybody_s_token() {
        let only = |allowances: &[Requirement]| Any(allowances.to_vec());
        for (requirement, anybody, expected, asked) in [
            (AllowMissing, MISSING, Passed, "?"),
            (AllowMissing, Passed, Passed, "?"),
            (AllowMissing, FAILED, FAILED, "?"),
            (AllowMissing, COLD, COLD, "?"),
            (AllowMissingOrFailed, FAILED, Passed, "?"),
            (AllowMissingOrFailed, COLD, COLD, "?"),
            (only(&[AllowMissing]), FAILED, FAILED, "?"),
            (only(&[AllowMissing, AllowMissing]), FAILED, FAILED, "?"),
            (only(&[AllowMissing, AllowMissing]), MISSING, Passed, "?"),
            (only(&[AllowMissing, AllowMissingOrFailed]), FAILED, Passed, "?"),
            (only(&[AllowMissingOrFailed, AllowMissing]), FAILED, Passed, "?"),
            (All(vec![Provider(A), AllowMissing]), FAILED, FAILED, "a,?"),
            (All(vec![Provider(A), AllowMissing]), MISSING, Passed, "a,?"),
        ] {
            let found = judged(&requirement, Passed, Passed, anybody);
            assert_eq!(found, (expected, asked.to_owned()), "{requirement:?} {anybody:?}");
        }
    }
}

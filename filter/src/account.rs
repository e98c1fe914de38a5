//! What one decision adds to the statistics: whose tokens were judged, how, and who refused the request.
//!
//! Apart from the gate, which decides the same whoever counts, and apart from the host, which only adds up. The account is
//! a [`Witness`]: it is written while a request is decided, and read when the decision is carried out, so that a request
//! that waits and is decided again counts once.

use std::cell::Cell;

use crate::keys::ProviderId;
use crate::refusal::Reason;
use crate::requirement::{Verdict, Whose};
use crate::token::Failure;
use crate::witness::{Fact, Witness};

/// How a signature was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// From memory: it was verified on an earlier request.
    Remembered,
    /// It was verified, and is good.
    Verified,
    /// It was verified, and is not.
    Rejected,
}

/// The account of one decision, used again for the next.
#[derive(Default)]
pub struct Account {
    /// Whose token is being judged.
    provider: Cell<Option<ProviderId>>,
    judged: Cell<Vec<(ProviderId, Judgement)>>,
    refused: Cell<Vec<(Option<ProviderId>, Reason)>>,
    forged: Cell<Vec<String>>,
}

impl Account {
    /// Begins anew.
    pub fn clear(&mut self) {
        self.provider.set(None);
        self.judged.get_mut().clear();
        self.refused.get_mut().clear();
        self.forged.get_mut().clear();
    }

    /// The signatures that were judged, and whose they are.
    pub fn judged(&mut self) -> &[(ProviderId, Judgement)] {
        self.judged.get_mut()
    }

    /// Whether a signature was verified, which is what takes time.
    pub fn has_verified(&mut self) -> bool {
        self.judged()
            .iter()
            .any(|(_, judgement)| *judgement != Judgement::Remembered)
    }

    /// The names that only the gate may set and the client sent.
    pub fn forged(&mut self) -> &[String] {
        self.forged.get_mut()
    }

    /// The provider that refused the request for this reason, if it was one.
    pub fn refused_by(&mut self, reason: Reason) -> Option<ProviderId> {
        let mut providers = self.refused.get_mut().iter().filter(|(_, known)| *known == reason);
        let (provider, _) = providers.next()?;
        provider.filter(|_| providers.all(|(other, _)| other == provider))
    }

    fn judge(&self, judgement: Judgement) {
        if let Some(provider) = self.provider.get() {
            push(&self.judged, (provider, judgement));
        }
    }
}

impl Witness for Account {
    fn sees(&self, fact: Fact<'_>) {
        match fact {
            Fact::Forged(name) => push(&self.forged, name.to_owned()),
            Fact::Asked(Whose::Provider(provider, _)) => self.provider.set(Some(provider)),
            Fact::Asked(Whose::Anybody | Whose::AnybodyMarked(_)) => self.provider.set(None),
            Fact::Provider(provider) => self.provider.set(provider),
            Fact::Remembered => self.judge(Judgement::Remembered),
            Fact::Signature(Ok(_)) => self.judge(Judgement::Verified),
            Fact::Signature(Err(Failure::Refused(_))) => self.judge(Judgement::Rejected),
            Fact::Answered(Verdict::Refused(reason)) => push(&self.refused, (self.provider.get(), reason)),
            _ => {}
        }
    }
}

fn push<T>(list: &Cell<Vec<T>>, entry: T) {
    let mut entries = list.take();
    entries.push(entry);
    list.set(entries);
}

/// The providers' names as parts of the names of statistics: letters, digits, `-` and `_`, each name another one.
pub fn statistic_names<'n>(providers: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for provider in providers {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() || letter == '-' {
                letter
            } else {
                '_'
            }
        };
        let mut name: String = provider.chars().map(plain).collect();
        while name.is_empty() || names.contains(&name) {
            name.push('_');
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use serde_json::json;

    use super::*;
    use crate::gate::{Decision, Patience, decide_before};
    use crate::testing::{Gate, ISSUER, claims, jwks, request, sign, sign_with_header, test, token, word};

    fn gate() -> Gate {
        let local = |seed| json!({"inline_string": jwks(&[("one", seed)])});
        let uri = json!({"uri": "http://issuer/jwks.json", "cluster": "issuer", "timeout": "2s"});
        let any = |names: &[&str]| {
            let each: Vec<_> = names.iter().map(|name| json!({ "provider_name": name })).collect();
            json!({"requires_any": {"requirements": each}})
        };
        Gate::new(
            &json!({
                "providers": {
                    "a": {"issuer": ISSUER, "local_jwks": local(1), "forward": true},
                    "b": {"issuer": ISSUER, "local_jwks": local(2)},
                    "c": {"issuer": ISSUER, "remote_jwks": {"http_uri": uri}},
                },
                "rules": [
                    {"match": {"prefix": "/a"}, "requires": {"provider_name": "a"}},
                    {"match": {"prefix": "/c"}, "requires": {"provider_name": "c"}},
                    {"match": {"prefix": "/either"}, "requires": any(&["b", "a"])},
                    {"match": {"prefix": "/both"}, "requires": {"requires_all": {"requirements": [
                        {"provider_name": "a"}, {"provider_name": "b"},
                    ]}}},
                    {"match": {"prefix": "/perhaps"}, "requires": {"allow_missing": {}}},
                    {"match": {"prefix": "/open"}},
                ],
            })
            .to_string(),
        )
    }

    #[test]
    fn an_account_says_whose_tokens_were_judged_and_who_refused() {
        use Judgement::{Rejected, Remembered, Verified};

        let gate = gate();
        let [a, b] = [0, 1].map(ProviderId::new);
        let mut account = Account::default();
        let good = token();
        let foreign = sign(&claims(json!({"iss": "x"})));
        let strange = sign_with_header(&json!({"alg": "ES256", "kid": "two"}), &claims(json!({})), 1);
        let none: &[(ProviderId, Judgement)] = &[];
        for (path, token, expected, judged, by) in [
            ("/open", good.as_str(), "forward", none, None),
            ("/a", "", "token_missing", none, Some(a)),
            ("/either", "", "token_missing", none, None),
            ("/either", "x", "token_malformed", none, None),
            ("/a", "x", "token_malformed", none, Some(a)),
            ("/a", &good, "forward", &[(a, Verified)], None),
            ("/a", &good, "forward", &[(a, Remembered)], None),
            ("/perhaps", &good, "forward", &[(a, Remembered)], None),
            ("/perhaps", &foreign, "issuer_unknown", none, None),
            ("/either", &good, "forward", &[(b, Rejected), (a, Remembered)], None),
            (
                "/both",
                &good,
                "signature_invalid",
                &[(a, Remembered), (b, Rejected)],
                Some(b),
            ),
            ("/a", &strange, "key_unknown", none, Some(a)),
            // What is not verified yet counts when it is.
            ("/c", &good, "wait", none, None),
        ] {
            let bearer = format!("Bearer {token}");
            let headers = [(":path", path), ("authorization", bearer.as_str())];
            let headers = if token.is_empty() { &headers[..1] } else { &headers };
            account.clear();
            let tokens = &mut gate.tokens.borrow_mut();
            let (config, keys) = (&gate.config, &gate.keys);
            let decision = decide_before(
                &account,
                &request(headers),
                config,
                keys,
                tokens,
                gate.now,
                Patience::Left,
            );
            assert_eq!(word(&decision), expected, "{path}");
            assert_eq!(account.judged(), judged, "{path}");
            assert_eq!(
                account.has_verified(),
                judged.iter().any(|(_, how)| *how != Remembered),
                "{path}"
            );
            if let Decision::Refuse(refusal) = decision {
                assert_eq!(account.refused_by(refusal.reason), by, "{path}");
            }
            assert!(account.refused_by(Reason::Expired).is_none());
        }
    }

    #[test]
    fn any_provider_has_a_name_of_its_own_in_the_statistics() {
        for (providers, expected) in [
            (&["main", "Other-1"][..], &["main", "Other-1"][..]),
            (&["a.b", "a_b", "a b"], &["a_b", "a_b_", "a_b__"]),
            (&["https://issuer.example/x"], &["https___issuer_example_x"]),
            (&["", "é\n"], &["_", "__"]),
        ] {
            assert_eq!(statistic_names(providers.iter().copied()), expected);
        }
    }
}

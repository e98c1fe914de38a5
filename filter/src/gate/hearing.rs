//! The hearing of a request: its tokens are judged as the rules ask for them, and what passed is remembered.
//!
//! Apart from the order of the gate's steps because it has an order of its own, the native filter's: what one question
//! takes out of the request or writes into it, the next question finds so.

use std::sync::Arc;
use std::time::Duration;

use jose::UnverifiedToken;

use super::findings::Findings;
use super::{Case, Decision, Patience, Refusal, refuse};
use crate::config::{Config, Provider};
use crate::headers::Edits;
use crate::keys::{Outlook, ProviderId, Why};
use crate::refusal::Reason;
use crate::request::Request;
use crate::requirement::{Forged, Judge, Requirement, RouteWord, Verdict, Whose, evaluate, first_match};
use crate::service::Service;
use crate::token::{self, Accepted, Failure, Found, Place, Repeated, Spent};
use crate::witness::{Fact, Nobody, Witness};

/// A case and what is found out about it while a requirement asks its questions.
struct Questions<'h, 'c, R, W> {
    case: &'h mut Case<'c, R, W>,
    findings: &'h mut Findings<'c>,
}

impl<R: Request, W: Witness> Judge for Questions<'_, '_, R, W> {
    fn judge(&mut self, whose: Whose<'_>) -> Verdict {
        self.case.witness.sees(Fact::Asked(whose));
        let verdict = match whose {
            Whose::Provider(id, audiences) => self.case.one_provider(id, audiences, self.findings),
            Whose::Anybody => self.case.anybody(self.findings),
            Whose::AnybodyMarked(mark) => self.case.anybody_marked(mark, self.findings),
        };
        self.case.witness.sees(Fact::Answered(verdict));
        verdict
    }

    fn settle(&mut self) {
        self.findings.contested.hold();
    }

    /// Where the native filter may have gone on, it may have found what the rest asks for, and taken it out.
    fn abandon(&mut self, rest: &[Requirement]) {
        let Some(reason) = self.findings.contested.doubted() else {
            return;
        };
        let mut may_take = |whose: Whose<'_>| {
            for (id, provider) in providers(self.case.config) {
                let is_asked = match whose {
                    Whose::Provider(asked, _) => asked == id,
                    Whose::Anybody | Whose::AnybodyMarked(_) => true,
                };
                for place in provider.places.iter().filter(|_| is_asked) {
                    self.findings.contest(provider, place, reason);
                }
            }
        };
        for requirement in rest {
            requirement.each_question(&mut may_take);
        }
    }
}

impl<'c, R: Request, W: Witness> Case<'c, R, W> {
    /// Hears a request as far as the rules and the service want to know who is asking.
    pub(super) fn hear(&mut self, path: &[u8], service: Option<&Service>) -> Result<Findings<'c>, Decision> {
        let mut findings = Findings::default();
        if let Some(requirement) = self.asked_for(path, service)? {
            self.require(requirement, &mut findings)?;
        }
        if let Some(service) = service.filter(|service| findings.claims(Some(service)).is_none()) {
            self.witness.sees(Fact::CallerNeeded(service));
            let chosen = providers(self.config).filter(|(id, _)| service.accepts(*id));
            let anybody = chosen.map(|(id, _)| Requirement::Provider(id)).collect();
            // A token that the rules accepted is no longer in the request, but missing it is not.
            let had_another = !findings.tokens.is_empty();
            self.require(&Requirement::Any(anybody), &mut findings)
                .map_err(|decision| match decision {
                    Decision::Refuse(refusal) if had_another && refusal.reason == Reason::TokenMissing => {
                        refuse(Reason::IssuerUnknown)
                    }
                    decision => decision,
                })?;
        }
        if let Some(service) = service {
            findings.speak_for(service, &self.config.providers);
        }
        Ok(findings)
    }

    /// What the route asks for; else the first rule that matches; else what an earlier filter chose.
    fn asked_for(&self, path: &[u8], service: Option<&Service>) -> Result<Option<&'c Requirement>, Decision> {
        let surroundings = self.request.surroundings();
        if let Some(rules) = &self.config.route_rules
            && rules.forged == Forged::Refuse
            && self.takes_out(service)
        {
            return Err(refuse(Reason::RouteAmbiguous));
        }
        if let Some(rules) = &self.config.route_rules
            && surroundings.route != RouteWord::Silent
        {
            self.witness.sees(Fact::Route(&surroundings.route));
            let named = match &surroundings.route {
                RouteWord::Disabled => return Ok(None),
                RouteWord::Requires(name) => rules.named.get(name),
                RouteWord::Silent | RouteWord::Unreadable => None,
            };
            return named.map(Some).ok_or_else(|| refuse(Reason::RequirementUnknown));
        }
        let rule = first_match(&self.config.rules, self.request, path, &self.config.sanitiser);
        self.witness.sees(Fact::Rule(rule));
        if let Some((_, rule)) = rule {
            return Ok(rule.requires.as_ref());
        }
        let Some(rules) = &self.config.state_rules else {
            return Ok(None);
        };
        let chosen = surroundings.state.as_deref().and_then(|text| rules.requires.get(text));
        self.witness.sees(Fact::State(&rules.object, chosen));
        Ok(chosen)
    }

    /// Whether the client sent a header that does not go on, whatever the tokens say.
    fn takes_out(&self, service: Option<&Service>) -> bool {
        let mut edits = Edits::default();
        self.config.sanitiser.sanitise(self.request, &mut edits);
        self.config
            .header_rules(service)
            .request
            .strip(self.request, &mut edits);
        edits.names().next().is_some()
    }

    fn require(&mut self, requirement: &Requirement, findings: &mut Findings<'c>) -> Result<(), Decision> {
        findings.contested.clear();
        match evaluate(requirement, &mut Questions { case: self, findings }) {
            Verdict::Passed => Ok(()),
            Verdict::Refused(reason) => {
                let refusal = match reason {
                    Reason::KeysUnavailable => Refusal::without_keys(self.longest_wait()),
                    reason => Refusal::of(reason),
                };
                let metadata = std::mem::take(&mut findings.metadata);
                Err(Decision::Refuse(Refusal { metadata, ..refusal }))
            }
            Verdict::Waiting(fetch) => Err(Decision::Wait(fetch)),
        }
    }

    /// Whether one provider accepts what stands in its places.
    fn one_provider(&mut self, id: ProviderId, audiences: Option<&[String]>, findings: &mut Findings<'c>) -> Verdict {
        let Some(provider) = self.config.providers.get(id.index()) else {
            return Verdict::Refused(Reason::GateNotReady);
        };
        findings.headers.retain(|(name, _)| !provider.sets(name));
        let Ok(mut found) = self.find(&provider.places, &findings.spent) else {
            return self.repeated(provider, provider.places.iter(), findings);
        };
        match (found.pop(), found.is_empty()) {
            (None, _) => self.refused(None, Reason::TokenMissing, findings),
            (Some(last), false) => {
                let places = found.iter().chain([&last]).map(|found| found.place);
                self.repeated(provider, places, findings)
            }
            (Some(found), true) => self.judge(&found, Some(provider), findings, |_| Some((id, provider, audiences))),
        }
    }

    /// The refusal of several tokens for one provider: to the native filter, each may be good.
    fn repeated(
        &self,
        provider: &'c Provider,
        places: impl Iterator<Item = &'c Place>,
        findings: &mut Findings<'c>,
    ) -> Verdict {
        for place in places {
            findings.contest(provider, place, Reason::TokenRepeated);
        }
        self.refused(Some(provider), Reason::TokenRepeated, findings)
    }

    fn find(&self, places: &'c [Place], spent: &Spent<'_>) -> Result<Vec<Found<'c>>, Repeated> {
        let found = token::find(places, self.request, spent);
        let seen = found.as_deref().map_err(|repeated| *repeated);
        self.witness.sees(Fact::Looked(places, seen));
        found
    }

    /// Whether every token, wherever a provider looks for one, passes with the provider of its issuer. Of several verdicts
    /// that of the token that was found first counts; each token that passes is taken for what it says.
    fn anybody(&mut self, findings: &mut Findings<'c>) -> Verdict {
        findings.headers.clear();
        let Ok(found) = self.find(&self.config.places, &findings.spent) else {
            for place in &self.config.places {
                findings.contested.mark(place, Reason::TokenRepeated);
            }
            return self.refused(None, Reason::TokenRepeated, findings);
        };
        let is_repeated = |(_, provider): (ProviderId, &Provider)| {
            let own = found.iter().filter(|found| provider.places.contains(found.place));
            own.count() > 1
        };
        if providers(self.config).any(is_repeated) {
            for found in &found {
                findings.contested.mark(found.place, Reason::TokenRepeated);
            }
            return self.refused(None, Reason::TokenRepeated, findings);
        }
        if found.is_empty() {
            return self.refused(None, Reason::TokenMissing, findings);
        }
        let mut verdict = Verdict::Refused(Reason::TokenMissing);
        for found in found.iter().rev() {
            let config = self.config;
            verdict = self.judge(found, None, findings, |token| provider_of(config, token, found.place));
            match verdict {
                Verdict::Passed => {}
                Verdict::Refused(reason) => findings.contested.mark(found.place, reason),
                Verdict::Waiting(_) => break,
            }
        }
        verdict
    }

    /// The same; where that comes to a token that failed, `mark` is to say so.
    fn anybody_marked(&mut self, mark: Option<&str>, findings: &mut Findings<'c>) -> Verdict {
        let verdict = self.anybody(findings);
        match verdict {
            Verdict::Passed | Verdict::Waiting(_) | Verdict::Refused(Reason::TokenMissing) => {}
            Verdict::Refused(_) => findings.marks.extend(mark.map(str::to_owned)),
        }
        verdict
    }

    /// A refusal, which is noted with the provider that was asked, or else with the only one.
    fn refused(&self, provider: Option<&Provider>, reason: Reason, findings: &mut Findings<'c>) -> Verdict {
        let only = match &self.config.providers[..] {
            [only] => Some(only),
            _ => None,
        };
        findings.note(provider.or(only).and_then(|provider| provider.metadata.failed(reason)));
        Verdict::Refused(reason)
    }

    /// Judges a token and notes why it fails: with the provider that was asked, or whose it turns out to be.
    fn judge<'r>(
        &mut self,
        found: &Found<'c>,
        asked: Option<&'c Provider>,
        findings: &mut Findings<'c>,
        provider: impl FnOnce(&UnverifiedToken) -> Option<(ProviderId, &'c Provider, Option<&'r [String]>)>,
    ) -> Verdict {
        let mut judged_by = asked;
        let verdict = self.judge_token(found, findings, |token| {
            let found = provider(token);
            judged_by = judged_by.or(found.map(|(_, provider, _)| provider));
            found
        });
        match verdict {
            Verdict::Refused(reason) => self.refused(judged_by, reason, findings),
            Verdict::Passed | Verdict::Waiting(_) => verdict,
        }
    }

    /// Whether a token passes with the provider that it is for. What is known of it saves reading it and verifying its
    /// signature once more, and nothing else: it is judged by the same rules, at this time, and by the keys that its issuer
    /// publishes now.
    fn judge_token<'r>(
        &mut self,
        found: &Found<'c>,
        findings: &mut Findings<'c>,
        provider: impl FnOnce(&UnverifiedToken) -> Option<(ProviderId, &'c Provider, Option<&'r [String]>)>,
    ) -> Verdict {
        self.witness.sees(Fact::Judging(found));
        let remembered = self.tokens.recall(&found.token);
        let token = match remembered {
            Some(remembered) => Ok(remembered.token().clone()),
            None => UnverifiedToken::parse(&found.token, self.config.max_token_bytes),
        };
        self.witness.sees(Fact::Read(token.as_ref().map_err(|error| *error)));
        let token = match token {
            Ok(token) => token,
            Err(error) => return Verdict::Refused(error.into()),
        };
        let provider = provider(&token);
        self.witness.sees(Fact::Provider(provider.as_ref().map(|(id, ..)| *id)));
        let Some((id, provider, audiences)) = provider else {
            return Verdict::Refused(Reason::IssuerUnknown);
        };
        let known = remembered.and_then(|remembered| remembered.accepted_by(id)).cloned();
        if let Err(reason) = provider.rules.check(&token, audiences, self.now, self.witness) {
            if reason == Reason::Expired && known.is_some() {
                self.tokens.forget(&found.token);
            }
            if provider.rules.may_pass_natively(&token, audiences, self.now) && self.may_be_signed(id, &token) {
                findings.contest(provider, found.place, reason);
            }
            return Verdict::Refused(reason);
        }
        // What the token says is held against it first, as for any other: the more telling refusal is the one that counts.
        if let Some(reason) = findings.contested.reason(found.place) {
            return Verdict::Refused(reason);
        }
        let keys = self.keys.usable(id, self.now);
        if let (Some(accepted), Some(keys)) = (known, keys) {
            if keys.has(accepted.key()) {
                self.witness.sees(Fact::Remembered);
                findings.accept(id, provider, found.place, accepted);
                return Verdict::Passed;
            }
            self.tokens.forget(&found.token);
        }
        match token::verify_signature(&token, keys, self.keys.delegate(), self.witness) {
            Ok(token) => {
                let accepted = Arc::new(Accepted::new(provider, &token));
                if found.token.len() <= provider.max_cached_token_bytes {
                    self.tokens.remember(id, Arc::clone(&accepted));
                }
                findings.accept(id, provider, found.place, accepted);
                Verdict::Passed
            }
            Err(failure) => {
                let verdict = self.unverified(id, failure);
                let reason = match verdict {
                    Verdict::Refused(reason) => reason,
                    Verdict::Passed | Verdict::Waiting(_) => Reason::KeysUnavailable,
                };
                if reason == Reason::KeysUnavailable || keys.is_some_and(|keys| keys.may_lack_the_key_of(&token)) {
                    findings.contest(provider, found.place, reason);
                }
                verdict
            }
        }
    }

    /// What a signature that no key vouches for comes to.
    fn unverified(&self, id: ProviderId, failure: Failure) -> Verdict {
        match failure {
            Failure::Refused(reason) => Verdict::Refused(reason),
            Failure::NoKeys => self.wait_or(id, Why::Cold, Reason::KeysUnavailable),
            Failure::UnknownKey => {
                // While no fetch succeeds, nobody can say that the issuer does not publish the key.
                let out_of_reach = self.keys.remote(id).is_some_and(|remote| remote.ledger().last_failed());
                let reason = if out_of_reach {
                    Reason::KeysUnavailable
                } else {
                    Reason::KeyUnknown
                };
                self.wait_or(id, Why::UnknownKey, reason)
            }
        }
    }

    /// Whether a token, which is refused for what it says, may be signed by a key of this provider.
    fn may_be_signed(&self, id: ProviderId, token: &UnverifiedToken) -> bool {
        let keys = self.keys.usable(id, self.now);
        let verify = || token::verify_signature(token, keys, self.keys.delegate(), &Nobody).is_ok();
        keys.is_none_or(|keys| keys.may_lack_the_key_of(token) || verify())
    }

    fn wait_or(&self, provider: ProviderId, why: Why, reason: Reason) -> Verdict {
        let Some(remote) = self.keys.remote(provider) else {
            return Verdict::Refused(reason);
        };
        match (remote.outlook(why, self.now), self.patience) {
            (Outlook::Soon, Patience::Left) => Verdict::Waiting(crate::keys::Fetch { provider, why }),
            // A fetch could help, and there was no time or no room for it: that is not the token's fault.
            (Outlook::Soon, Patience::Exhausted) => Verdict::Refused(Reason::KeysUnavailable),
            (Outlook::NotBefore(_), _) => Verdict::Refused(reason),
        }
    }

    /// When a request that was refused for want of keys may come again.
    fn longest_wait(&self) -> Duration {
        let waits = self
            .keys
            .remotes()
            .filter_map(|id| match self.keys.remote(id)?.outlook(Why::Cold, self.now) {
                Outlook::Soon => None,
                Outlook::NotBefore(wait) => Some(wait),
            });
        waits.max().unwrap_or(Duration::from_secs(1))
    }
}

fn providers(config: &Config) -> impl Iterator<Item = (ProviderId, &Provider)> {
    let providers = config.providers.iter().enumerate();
    providers.map(|(index, provider)| (ProviderId::new(index), provider))
}

/// The provider of a token's issuer, or one that takes any issuer's, if such a provider looks for tokens here. There is
/// no second try: what the issuer's provider refuses is not for another to accept.
fn provider_of<'c>(
    config: &'c Config,
    token: &UnverifiedToken,
    place: &Place,
) -> Option<(ProviderId, &'c Provider, Option<&'static [String]>)> {
    let issuer = token.claims_unverified().issuer();
    let named = |provider: &Provider| provider.rules.issuer.is_some() && provider.rules.issuer.as_deref() == issuer;
    let unnamed = |provider: &Provider| provider.rules.issuer.is_none();
    let may_stand_here = providers(config)
        .any(|(_, provider)| (named(provider) || unnamed(provider)) && provider.places.contains(place));
    let provider = providers(config).find(|(_, provider)| named(provider));
    let provider = provider.or_else(|| providers(config).find(|(_, provider)| unnamed(provider)));
    let (id, provider) = provider.filter(|_| may_stand_here)?;
    Some((id, provider, None))
}

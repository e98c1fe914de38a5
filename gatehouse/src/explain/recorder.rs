//! The witness that writes down what it sees.

use std::cell::RefCell;

use filter::authorization::Denial;
use filter::clock::Timestamp;
use filter::config::{Config, Provider};
use filter::keys::{KeyStore, ProviderId};
use filter::requirement::{Requirement, RouteWord, Rule, Verdict, Whose};
use filter::service::{Access, Service, UpstreamError};
use filter::token::{Failure, Found, Place, Prefix, Repeated};
use filter::witness::{Fact, Witness};
use jose::UnverifiedToken;
use serde_json::json;

use super::step::{Disclosure, Mark, Step};
use super::token_steps;
use crate::document::{Node, Reach, site};

/// Writes down every fact, with what the configuration says about it.
pub(crate) struct Recorder<'g> {
    pub(super) config: &'g Config,
    /// The configuration as it is written, to quote from.
    tree: Option<&'g Node>,
    pub(super) keys: &'g KeyStore,
    pub(super) now: Timestamp,
    pub(super) disclosure: Disclosure,
    story: RefCell<Story>,
}

#[derive(Default)]
struct Story {
    steps: Vec<Step>,
    /// The token that is being judged, by whom, for which audiences.
    token: Option<UnverifiedToken>,
    provider: Option<ProviderId>,
    audiences: Option<Vec<String>>,
}

impl<'g> Recorder<'g> {
    pub(crate) fn new(
        config: &'g Config,
        tree: Option<&'g Node>,
        keys: &'g KeyStore,
        now: Timestamp,
        disclosure: Disclosure,
    ) -> Self {
        Self {
            config,
            tree,
            keys,
            now,
            disclosure,
            story: RefCell::default(),
        }
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.story.into_inner().steps
    }

    pub(super) fn provider(&self, id: ProviderId) -> Option<&'g Provider> {
        self.config.providers.get(id.index())
    }

    fn name_of(&self, id: ProviderId) -> &'g str {
        self.provider(id).map_or("?", |provider| provider.name.as_str())
    }

    /// What stands in the configuration at a path, on one line.
    fn quoted(&self, path: &str) -> Option<String> {
        let site = site(self.tree?, path);
        (site.reach == Reach::Whole).then(|| site.node.to_json().to_string())
    }

    fn rule(&self, found: Option<(usize, &Rule)>) -> Step {
        let Some((index, rule)) = found else {
            let text = format!(
                "none of the {} rules matches, so they ask for no token",
                self.config.rules.len()
            );
            return Step::new("rule", Mark::Note, &text);
        };
        let matches = self.quoted(&format!("rules[{index}].match")).unwrap_or_default();
        let path = format!("rules[{index}]");
        let asks = self
            .quoted(&format!("{path}.requires"))
            .or_else(|| self.quoted(&format!("{path}.requirement_name")));
        let asks = match (&rule.requires, asks) {
            (None, _) => "which asks for nothing".to_owned(),
            (Some(_), Some(asks)) => format!("which requires {asks}"),
            (Some(_), None) => "which requires a token".to_owned(),
        };
        let text = format!("{path} is the first that matches: {matches}, {asks}");
        Step::new("rule", Mark::Note, &text).with(json!({"index": index}))
    }

    fn asked(&self, whose: Whose<'_>) -> Step {
        let text = match whose {
            Whose::Provider(id, None) => format!("is there a token that {} accepts?", self.name_of(id)),
            Whose::Provider(id, Some(audiences)) => {
                let audiences = audiences.join(", ");
                format!(
                    "is there a token that {} accepts, for one of: {audiences}?",
                    self.name_of(id)
                )
            }
            Whose::Anybody | Whose::AnybodyMarked(_) => {
                "does every token that is there pass with the provider of its issuer?".to_owned()
            }
        };
        Step::new("question", Mark::Note, &text)
    }

    fn verdict(&self, verdict: Verdict) -> Step {
        match verdict {
            Verdict::Passed => Step::new("verdict", Mark::Good, "yes"),
            Verdict::Refused(reason) => Step::new("verdict", Mark::Bad, &format!("no: {}", reason.code())),
            Verdict::Waiting(fetch) => {
                let text = format!(
                    "open: the keys of {} would be fetched first",
                    self.name_of(fetch.provider)
                );
                Step::new("verdict", Mark::Open, &text)
            }
        }
    }

    fn told(&self, fact: Fact<'_>, story: &mut Story) -> Vec<Step> {
        match fact {
            Fact::Service { path, service } => vec![service_step(path, service)],
            Fact::Forged(name) => {
                let text = format!("{name} came from the client; only the gate may set it, so it is taken out");
                vec![Step::new("header", Mark::Bad, &text)]
            }
            Fact::Preflight => {
                let text = "the request is a CORS preflight, and bypass_cors_preflight lets those pass";
                vec![Step::new("preflight", Mark::Good, text)]
            }
            Fact::PreflightAnswered(allowed) => {
                let (mark, text) = if allowed {
                    (
                        Mark::Good,
                        "the request is a CORS preflight, and cors allows its origin: the gate answers it",
                    )
                } else {
                    (
                        Mark::Bad,
                        "the request is a CORS preflight, and cors does not allow its origin",
                    )
                };
                vec![Step::new("preflight", mark, text)]
            }
            Fact::Route(word) => vec![route(word)],
            Fact::Rule(rule) => vec![self.rule(rule)],
            Fact::State(object, chosen) => vec![state(object, chosen)],
            Fact::CallerNeeded(service) => {
                let text = format!(
                    "{} is protected, and the rules let nobody in whom it accepts: a token of one of its providers is needed",
                    service.name
                );
                vec![Step::new("caller", Mark::Note, &text)]
            }
            Fact::Asked(whose) => {
                story.audiences = match whose {
                    Whose::Provider(_, audiences) => audiences.map(<[String]>::to_vec),
                    Whose::Anybody | Whose::AnybodyMarked(_) => None,
                };
                vec![self.asked(whose)]
            }
            Fact::Looked(places, found) => looked(places, found),
            Fact::Judging(found) => {
                story.token = None;
                story.provider = None;
                let text = format!("{}, {} bytes", place_text(found.place), found.token.len());
                vec![Step::new("token", Mark::Note, &text)]
            }
            Fact::Read(Ok(token)) => {
                story.token = Some(token.clone());
                token_steps::read(token, self.disclosure)
            }
            Fact::Read(Err(error)) => vec![Step::new("token", Mark::Bad, &error.to_string())],
            Fact::Provider(id) => {
                story.provider = id;
                vec![self.provider_step(id)]
            }
            Fact::Checked(check, outcome) => self.with_token(story, |token, provider, audiences| {
                token_steps::checked(
                    self,
                    check,
                    outcome,
                    &token_steps::Judged {
                        token,
                        provider,
                        audiences,
                    },
                )
            }),
            Fact::Remembered => vec![Step::new("signature", Mark::Good, "verified on an earlier request")],
            Fact::Signature(result) => match (&story.token, story.provider) {
                (Some(token), Some(id)) => {
                    let mut steps = vec![token_steps::signature(self, result, token, id)];
                    if let (Err(Failure::NoKeys), Some(provider)) = (result, self.provider(id)) {
                        steps.extend(token_steps::promised(token, provider, self.disclosure));
                    }
                    steps
                }
                _ => Vec::new(),
            },
            Fact::Authorized(service, result) => vec![authorized(service, result)],
            Fact::Upstream(service, chosen) => vec![upstream(service, chosen)],
            Fact::Answered(verdict) => vec![self.verdict(verdict)],
            _ => Vec::new(),
        }
    }

    fn with_token(
        &self,
        story: &Story,
        step: impl FnOnce(&UnverifiedToken, &Provider, Option<&[String]>) -> Step,
    ) -> Vec<Step> {
        match (&story.token, story.provider.and_then(|id| self.provider(id))) {
            (Some(token), Some(provider)) => vec![step(token, provider, story.audiences.as_deref())],
            _ => Vec::new(),
        }
    }

    fn provider_step(&self, id: Option<ProviderId>) -> Step {
        if let Some(id) = id {
            return Step::new("provider", Mark::Note, &format!("{} judges it", self.name_of(id)));
        }
        let providers = self.config.providers.iter();
        let issuers: Vec<&str> = providers
            .filter_map(|provider| provider.rules.issuer.as_deref())
            .collect();
        let text = format!(
            "no provider that looks there has the token's issuer; the issuers are: {}",
            issuers.join(", ")
        );
        Step::new("provider", Mark::Bad, &text)
    }
}

impl Witness for Recorder<'_> {
    fn sees(&self, fact: Fact<'_>) {
        let mut story = self.story.borrow_mut();
        let steps = self.told(fact, &mut story);
        story.steps.extend(steps);
    }
}

fn state(object: &str, chosen: Option<&Requirement>) -> Step {
    let asks = if chosen.is_some() {
        "chose one of filter_state_rules.requires"
    } else {
        "chose nothing, so no token is asked for"
    };
    Step::new(
        "state",
        Mark::Note,
        &format!("the filter state's object {object} {asks}"),
    )
}

fn route(word: &RouteWord) -> Step {
    let (mark, text) = match word {
        RouteWord::Disabled => (
            Mark::Good,
            "the route's metadata says that nobody needs a token".to_owned(),
        ),
        RouteWord::Requires(name) => {
            let name = String::from_utf8_lossy(name);
            (
                Mark::Note,
                format!("the route's metadata asks for the requirement {name}, whatever the rules say"),
            )
        }
        RouteWord::Silent | RouteWord::Unreadable => (
            Mark::Bad,
            "the route's metadata says something that nobody can follow".to_owned(),
        ),
    };
    Step::new("route", mark, &text)
}

fn authorized(service: &Service, result: Result<(), &Denial>) -> Step {
    let name = &service.name;
    let (mark, text) = match result {
        Ok(()) => (Mark::Good, format!("the token allows what {name} asks for")),
        Err(Denial::Scope(needed)) => (
            Mark::Bad,
            format!("{name} asks for the scopes: {needed}; the token lacks one"),
        ),
        Err(Denial::Audience) => (Mark::Bad, format!("{name} asks for another audience than the token's")),
        Err(Denial::Condition) => (
            Mark::Bad,
            format!("a claim does not say what {name} asks for, or no rule is for this"),
        ),
        Err(Denial::Expression(error)) => (Mark::Bad, format!("an expression of {name} has no answer: {error}")),
    };
    Step::new("authorized", mark, &text)
}

fn upstream(service: &Service, chosen: Result<&str, UpstreamError>) -> Step {
    match chosen {
        Ok(cluster) => Step::new(
            "upstream",
            Mark::Good,
            &format!("{} sends it to the cluster {cluster}", service.name),
        ),
        Err(error) => Step::new(
            "upstream",
            Mark::Bad,
            &format!("{} sends it nowhere: {error}", service.name),
        ),
    }
}

fn service_step(path: &str, service: Option<&Service>) -> Step {
    let Some(service) = service else {
        return Step::new("service", Mark::Bad, &format!("no service has the path {path}"));
    };
    let access = match service.access {
        Access::Public => "public: rules don't apply, and no token is asked for",
        Access::Protected => "protected",
    };
    let text = format!("{}, by its prefix {}; {access}", service.name, service.prefix);
    Step::new("service", Mark::Note, &text).with(json!({"name": service.name, "path": path}))
}

fn looked(places: &[Place], found: Result<&[Found<'_>], Repeated>) -> Vec<Step> {
    let places: Vec<String> = places.iter().map(place_text).collect();
    let looked = Step::new("places", Mark::Note, &format!("looked at: {}", places.join("; ")));
    let found = match found {
        Err(Repeated) => Step::new(
            "found",
            Mark::Bad,
            "Authorization came more than once; which counts is not to be guessed",
        ),
        Ok([]) => Step::new("found", Mark::Bad, "no token"),
        Ok(found) => {
            let places: Vec<String> = found.iter().map(|found| place_text(found.place)).collect();
            let text = format!("{}: {}", counted(found.len()), places.join("; "));
            Step::new("found", Mark::Note, &text)
        }
    };
    vec![looked, found]
}

fn counted(tokens: usize) -> String {
    match tokens {
        1 => "one token".to_owned(),
        _ => format!("{tokens} tokens"),
    }
}

/// A place as people say it.
fn place_text(place: &Place) -> String {
    match place {
        Place::Header {
            name,
            prefix: Prefix::Bearer,
        } => format!("header {name}, behind Bearer"),
        Place::Header {
            name,
            prefix: Prefix::Literal(prefix),
        } if prefix.is_empty() => format!("header {name}"),
        Place::Header {
            name,
            prefix: Prefix::Literal(prefix),
        } => format!("header {name}, behind {prefix:?}"),
        Place::Parameter(name) => format!("query parameter {name}"),
        Place::Cookie(name) => format!("cookie {name}"),
    }
}

//! Rules and requirements, from the wire to the domain.

use std::cell::RefCell;

use super::error::Report;
use super::matching;
use super::names::{match_text, own_header_name};
use super::spelling;
use super::wire::{self, Alternative};
use crate::headers::Sanitiser;
use crate::keys::ProviderId;
use crate::matching::Case;
use crate::requirement::{
    Forged, HeaderMatch, Named, ParameterMatch, PathMatch, PathPattern, Requirement, RouteRules, Rule, StateRules,
};

/// What a requirement may refer to.
struct Scope<'s> {
    providers: &'s [String],
    report: &'s Report,
    /// The headers that say that a token failed, each with the path of its field.
    marks: RefCell<Vec<(String, String)>>,
}

/// What is asked for where.
#[derive(Debug)]
pub(super) struct Requirements {
    pub(super) rules: Vec<Rule>,
    pub(super) state_rules: Option<StateRules>,
    pub(super) route_rules: Option<RouteRules>,
    /// The headers that say that a token failed, each with the path of its field.
    pub(super) marks: Vec<(String, String)>,
}

/// The name that a `PerRouteConfig` has in the metadata of routes, unless another is chosen.
const NAMESPACE: &str = "gatehouse";

/// The rules in their order, and what else chooses requirements.
pub(super) fn requirements(
    rules: Vec<wire::Rule>,
    named: Vec<(String, wire::Requirement)>,
    state_rules: Option<wire::StateRules>,
    per_route: Option<wire::PerRoute>,
    providers: &[String],
    report: &Report,
) -> Requirements {
    let scope = Scope {
        providers,
        report,
        marks: RefCell::default(),
    };
    let named: Vec<(String, Option<Requirement>)> = named
        .into_iter()
        .map(|(name, requirement)| (name, scope.requirement(requirement)))
        .collect();
    let rules = rules.into_iter().filter_map(|rule| scope.rule(rule, &named)).collect();
    let state_rules = state_rules.map(|rules| scope.state_rules(rules));
    let route_rules = per_route.map(|wire| scope.route_rules(wire, named));
    Requirements {
        rules,
        state_rules,
        route_rules,
        marks: scope.marks.into_inner(),
    }
}

/// A match that stands by itself, as a rule that requires nothing.
pub(super) fn match_alone(wire: wire::Match, report: &Report) -> Option<Rule> {
    let scope = Scope {
        providers: &[],
        marks: RefCell::default(),
        report,
    };
    let (path, headers, parameters) = scope.route_match(wire)?;
    Some(Rule {
        path,
        headers,
        parameters,
        requires: None,
    })
}

/// A client's copy of a header that the gate sets decides nothing, and the gate's own is not there yet.
pub(super) fn check_headers(rule: &Rule, path: &str, sanitiser: &Sanitiser, report: &Report) {
    let asked = rule.headers.iter().map(|header| &header.name).zip(0..);
    for (name, place) in asked.filter(|(name, _)| sanitiser.trusts(name.as_bytes())) {
        report.add(
            format!("{path}.match.headers[{place}].name"),
            format!("is {name}, a header that the gate takes from every request; match on another"),
        );
    }
}

impl Scope<'_> {
    fn state_rules(&self, wire: wire::StateRules) -> StateRules {
        let path = wire.path;
        if wire.name.is_empty() {
            self.report.add(
                format!("{path}.name"),
                "is empty; name the object of the filter state that chooses",
            );
        }
        if wire.requires.is_empty() {
            self.report.warn(
                format!("{path}.requires"),
                "is empty, so that the filter state chooses nothing",
            );
        }
        let requires = wire.requires.into_iter();
        let requires = requires.filter_map(|(text, requirement)| Some((text, self.requirement(requirement)?)));
        StateRules {
            object: wire.name,
            requires: Named::new(requires.collect()),
        }
    }

    fn route_rules(&self, wire: wire::PerRoute, named: Vec<(String, Option<Requirement>)>) -> RouteRules {
        let namespace = wire.namespace.unwrap_or_else(|| NAMESPACE.to_owned());
        if namespace.is_empty() || namespace.contains('\0') {
            self.report.add(
                format!("{}.namespace", wire.path),
                format!("is no name; write the key of the routes' filter_metadata, such as {NAMESPACE}"),
            );
        }
        let forged = match wire.forged_headers.as_deref() {
            None | Some("refuse") => Forged::Refuse,
            Some("take_out") => Forged::TakeOut,
            Some(_) => {
                self.report.add(
                    format!("{}.forged_headers", wire.path),
                    "is unknown; write \"refuse\" or \"take_out\"",
                );
                Forged::Refuse
            }
        };
        let named = named.into_iter();
        let named = named.filter_map(|(name, requirement)| Some((name, requirement?)));
        RouteRules {
            namespace,
            named: Named::new(named.collect()),
            forged,
        }
    }

    fn rule(&self, wire: wire::Rule, named: &[(String, Option<Requirement>)]) -> Option<Rule> {
        let path = wire.path;
        let matcher = if let Some(matcher) = wire.r#match {
            self.route_match(matcher)
        } else {
            let problem = "is missing; say what the rule matches, such as {\"prefix\": \"/\"}";
            self.report.add(format!("{path}.match"), problem);
            None
        };
        let requires = match (wire.requires, wire.requirement_name) {
            (None, None) => Some(None),
            (Some(requirement), None) => self.requirement(requirement).map(Some),
            (None, Some(name)) => {
                let found = named.iter().find(|(known, _)| *known == name);
                if found.is_none() {
                    let known: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
                    self.unknown(&format!("{path}.requirement_name"), &name, "requirement_map", &known);
                }
                found.and_then(|(_, requirement)| requirement.clone()).map(Some)
            }
            (Some(_), Some(_)) => {
                self.report.add(
                    &path,
                    "says twice what it requires; write either requires or requirement_name",
                );
                None
            }
        };
        let (path, headers, parameters) = matcher?;
        Some(Rule {
            path,
            headers,
            parameters,
            requires: requires?,
        })
    }

    fn route_match(&self, mut wire: wire::Match) -> Option<(PathMatch, Vec<HeaderMatch>, Vec<ParameterMatch>)> {
        // All of them are looked at before one that is wrong ends the matter, so that all errors are told.
        let headers: Vec<_> = wire
            .headers
            .drain(..)
            .map(|header| matching::header(header, self.report))
            .collect();
        let parameters: Vec<_> = wire
            .query_parameters
            .drain(..)
            .map(|parameter| matching::parameter(parameter, self.report))
            .collect();
        let path = self.path_match(wire)?;
        Some((
            path,
            headers.into_iter().collect::<Option<_>>()?,
            parameters.into_iter().collect::<Option<_>>()?,
        ))
    }

    fn path_match(&self, wire: wire::Match) -> Option<PathMatch> {
        let path = wire.path;
        let mut patterns = Vec::new();
        let regex = wire.safe_regex.map(|regex| matching::pattern(&regex, self.report));
        patterns.extend(regex.map(|pattern| pattern.map(PathPattern::Regex)));
        let policy = wire
            .path_match_policy
            .map(|policy| matching::template(policy, self.report));
        patterns.extend(policy.map(|template| template.map(PathPattern::Template)));
        patterns.extend(wire.connect.map(|()| Some(PathPattern::Connect)));
        for (field, text, pattern) in [
            ("prefix", wire.prefix, PathPattern::Prefix as fn(String) -> PathPattern),
            ("path", wire.exact, PathPattern::Exact),
            (
                "path_separated_prefix",
                wire.path_separated_prefix,
                PathPattern::SeparatedPrefix,
            ),
        ] {
            patterns.extend(text.map(|text| match_text(text, &format!("{path}.{field}"), self.report).map(pattern)));
        }
        if patterns.len() != 1 {
            self.report.add(
                &path,
                "must match in one way; write one of prefix, path, path_separated_prefix, safe_regex, path_match_policy, \
                 connect_matcher",
            );
            return None;
        }
        let pattern = patterns.pop()??;
        if matches!(&pattern, PathPattern::SeparatedPrefix(prefix) if prefix.ends_with('/')) {
            self.report.add(
                format!("{path}.path_separated_prefix"),
                "ends with /; leave the last / out",
            );
        }
        let case = if wire.case_sensitive == Some(false) {
            Case::Insensitive
        } else {
            Case::Sensitive
        };
        Some(PathMatch { pattern, case })
    }

    fn requirement(&self, wire: wire::Requirement) -> Option<Requirement> {
        let path = wire.path;
        let mut alternatives = wire.alternatives;
        if alternatives.len() != 1 {
            let problem = "must ask for one thing: provider_name, provider_and_audiences, requires_any, requires_all, \
                           allow_missing, allow_missing_or_failed or extract_only_without_validation; to let everybody in, leave `requires` out";
            self.report.add(&path, problem);
            return None;
        }
        Some(match alternatives.pop()? {
            Alternative::Provider(name) => {
                Requirement::Provider(self.provider(&name, &format!("{path}.provider_name"))?)
            }
            Alternative::ProviderAndAudiences { name, audiences } => {
                let path = format!("{path}.provider_and_audiences");
                let provider = self.provider(&name, &format!("{path}.provider_name"));
                if audiences.iter().any(String::is_empty) {
                    let problem = "has an empty one; name an audience or leave it out";
                    self.report.add(format!("{path}.audiences"), problem);
                }
                if audiences.is_empty() {
                    Requirement::Provider(provider?)
                } else {
                    Requirement::ProviderWithAudiences(provider?, audiences)
                }
            }
            Alternative::Any(list) => Requirement::Any(self.requirements(list, &format!("{path}.requires_any"))?),
            Alternative::All(list) => Requirement::All(self.requirements(list, &format!("{path}.requires_all"))?),
            Alternative::AllowMissing => Requirement::AllowMissing,
            Alternative::AllowMissingOrFailed => Requirement::AllowMissingOrFailed,
            Alternative::ExtractOnly { status_header } => {
                self.extract_only(status_header, &format!("{path}.extract_only_without_validation"))?
            }
        })
    }

    /// The native filter's default for the header; a dash stands for none.
    fn extract_only(&self, status_header: Option<String>, path: &str) -> Option<Requirement> {
        let name = status_header.filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "x-jwt-signature-verified".to_owned());
        if name == "-" {
            self.report.warn(
                path,
                "lets every request through, and nothing tells those whose token failed; better leave the name to the default",
            );
            return Some(Requirement::ExtractOnly(None));
        }
        let path_of_name = format!("{path}.verification_status_header");
        let name = own_header_name(&name, &path_of_name, self.report)?;
        self.report.warn(
            path,
            format!(
                "lets every request through, also one whose token is forged; it is for what stands behind to look at \
                 {name}: false, and to take a request without claims for nobody's"
            ),
        );
        self.marks.borrow_mut().push((path_of_name, name.clone()));
        Some(Requirement::ExtractOnly(Some(name)))
    }

    fn requirements(&self, wire: Vec<wire::Requirement>, path: &str) -> Option<Vec<Requirement>> {
        if wire.len() < 2 {
            self.report
                .add(format!("{path}.requirements"), "must list at least two requirements");
        }
        // All of them are looked at before one that is wrong ends the matter, so that all errors are told.
        let requirements: Vec<_> = wire
            .into_iter()
            .map(|requirement| self.requirement(requirement))
            .collect();
        requirements.into_iter().collect()
    }

    fn provider(&self, name: &str, path: &str) -> Option<ProviderId> {
        let found = self
            .providers
            .iter()
            .position(|known| known == name)
            .map(ProviderId::new);
        if found.is_none() {
            let known: Vec<&str> = self.providers.iter().map(String::as_str).collect();
            self.unknown(path, name, "providers", &known);
        }
        found
    }

    fn unknown(&self, path: &str, name: &str, section: &str, known: &[&str]) {
        let hint = spelling::hint(name, known.iter().copied());
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        self.report
            .add(path, format!("names nothing in {section}{hint}; there are: {known}"));
    }
}

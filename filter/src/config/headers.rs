//! The sections `headers`, from the wire to the domain.

use std::sync::Arc;

use super::cors::cors;
use super::error::Report;
use super::names::{header_name, own_header_name};
use super::reader::Member;
use super::{Trusted, wire};
use crate::headers::{
    FoldedName, GATEHOUSE_PREFIX, HeaderRules, NamePattern, RequestIds, RequestRules, ResponseRules, Sanitiser,
    TELLTALE_NAMES, ValueTemplate, is_plain, is_reserved_in_answers,
};

/// Envoy reads and writes these itself.
const ENVOY_PREFIX: &str = "x-envoy-";

/// What `security_headers: true` says: right for an API and for pages that nobody frames, and in the way of neither.
const SECURITY_DEFAULTS: [(&str, &str); 5] = [
    ("strict_transport_security", "max-age=31536000"),
    ("x_content_type_options", "nosniff"),
    ("x_frame_options", "DENY"),
    ("referrer_policy", "strict-origin-when-cross-origin"),
    ("content_security_policy", "frame-ancestors 'none'"),
];

/// `profile` and `trusted` of `headers`
pub(super) fn trusted(wire: Option<&wire::Headers>, report: &Report) -> Trusted {
    let Some(wire) = wire else { return Trusted::default() };
    let edge = match wire.profile.as_deref() {
        None | Some("edge") => true,
        Some("mesh") => false,
        Some(_) => {
            report.add(
                format!("{}.profile", wire.path),
                "is unknown; write \"edge\" or \"mesh\"",
            );
            true
        }
    };
    let names = wire.trusted.iter().enumerate();
    let names = names
        .filter_map(|(index, name)| own_header_name(name, &format!("{}.trusted[{index}]", wire.path), report))
        .collect();
    Trusted { names, edge }
}

/// `request_id` of `headers`
pub(super) fn request_ids(wire: Option<&wire::Headers>, report: &Report) -> RequestIds {
    let Some(wire) = wire else { return RequestIds::Pass };
    match wire.request_id.as_deref() {
        None | Some("pass") => RequestIds::Pass,
        Some("make") => RequestIds::Make,
        Some(_) => {
            let path = format!("{}.request_id", wire.path);
            report.add(path, "is unknown; write \"pass\" or \"make\"");
            RequestIds::Pass
        }
    }
}

/// The names that rules set in requests, which are the gate's alone.
pub(super) fn set_names(
    rules: Option<&wire::HeaderRules>,
    services: Option<&[(String, wire::Service)]>,
) -> Vec<String> {
    let services = services.into_iter().flatten();
    let rules = rules
        .into_iter()
        .chain(services.filter_map(|(_, service)| service.headers.as_ref()));
    let set = rules
        .filter_map(|rules| rules.request.as_ref())
        .flat_map(|request| &request.set);
    set.map(|member| member.name.to_ascii_lowercase()).collect()
}

/// Reads the rules of all requests, and those of services, which begin with these.
pub(super) struct Rules<'r> {
    global: Arc<HeaderRules>,
    /// Headers that a token sets, or its failure.
    taken: Vec<String>,
    sanitiser: &'r Sanitiser,
    report: &'r Report,
}

impl<'r> Rules<'r> {
    /// The rules for all requests. A gate that faces clients takes out of answers what tells too much.
    pub(super) fn new(
        (wire, cors): (Option<wire::HeaderRules>, Option<wire::CorsSection>),
        edge: bool,
        taken: Vec<String>,
        sanitiser: &'r Sanitiser,
        report: &'r Report,
    ) -> Self {
        let telltales: &[&str] = if edge { &TELLTALE_NAMES } else { &[] };
        let base = HeaderRules {
            response: ResponseRules {
                remove: telltales.iter().map(|name| NamePattern::new(name)).collect(),
                ..ResponseRules::default()
            },
            ..HeaderRules::default()
        };
        let mut rules = Self {
            global: Arc::new(base),
            taken,
            sanitiser,
            report,
        };
        rules.global = rules.service(wire, cors);
        rules
    }

    /// The rules for all requests.
    pub(super) fn global(&self) -> Arc<HeaderRules> {
        Arc::clone(&self.global)
    }

    /// The rules of what the gate itself offers: no page of another origin has business there.
    pub(super) fn endpoint(&self) -> Arc<HeaderRules> {
        Arc::new(HeaderRules {
            cors: None,
            ..HeaderRules::clone(&self.global)
        })
    }

    /// The rules of a service: those for all requests, and its own, which count where both speak of one header. A policy of
    /// its own takes the place of the one for all.
    pub(super) fn service(
        &self,
        wire: Option<wire::HeaderRules>,
        section: Option<wire::CorsSection>,
    ) -> Arc<HeaderRules> {
        if wire.is_none() && section.is_none() {
            return self.global();
        }
        let wire = wire.unwrap_or_default();
        let global = self.global();
        Arc::new(HeaderRules {
            cors: match section {
                Some(section) => cors(section, self.report),
                None => global.cors.clone(),
            },
            request: self.request(wire.request, &global.request),
            response: self.response(wire.response, &global.response),
        })
    }

    fn request(&self, wire: Option<wire::Changes>, global: &RequestRules) -> RequestRules {
        let Some(wire) = wire else { return global.clone() };
        let set = self.values(wire.set, Self::set_name, Self::template);
        let set_if_absent = self.values(wire.set_if_absent, Self::default_name, Self::template);
        let removed = self.patterns(&wire.remove, &wire.path, |name, path, report| {
            own_header_name(name, path, report).is_some()
        });
        RequestRules {
            remove: global.remove.iter().cloned().chain(removed).collect(),
            set: merged(&global.set, set),
            set_if_absent: merged(&global.set_if_absent, set_if_absent),
        }
    }

    fn response(&self, wire: Option<wire::Response>, global: &ResponseRules) -> ResponseRules {
        let Some(wire::Response {
            changes: wire,
            security_headers,
        }) = wire
        else {
            return global.clone();
        };
        let set = self.values(wire.set, Self::answer_name, Self::constant);
        let mut set_if_absent = match security_headers {
            None => Vec::new(),
            Some(headers) => self.security(headers),
        };
        for (name, value) in self.values(wire.set_if_absent, Self::answer_name, Self::constant) {
            set_if_absent.retain(|(known, _)| *known != name);
            set_if_absent.push((name, value));
        }
        let removed = self.patterns(&wire.remove, &wire.path, |name, path, report| {
            answer_name(name, path, report).is_some()
        });
        ResponseRules {
            remove: global.remove.iter().cloned().chain(removed).collect(),
            set: merged(&global.set, set),
            set_if_absent: merged(&global.set_if_absent, set_if_absent),
        }
    }

    /// Every header that a section could mean, so that a service's own section replaces the one for all.
    fn security(&self, wire: wire::SecurityHeaders) -> Vec<(String, Option<Vec<u8>>)> {
        let default = |field: &str| {
            let known = SECURITY_DEFAULTS.iter().find(|(name, _)| *name == field);
            known.map(|(_, value)| value.as_bytes().to_vec())
        };
        let header = |field: &str| field.replace('_', "-");
        let fields = wire::SECURITY_FIELDS.iter();
        match wire {
            wire::SecurityHeaders::Off => fields.map(|field| (header(field), None)).collect(),
            wire::SecurityHeaders::Default => fields.map(|field| (header(field), default(field))).collect(),
            wire::SecurityHeaders::Changed(changes) => changes
                .into_iter()
                .map(|(field, path, text)| match text {
                    None => (header(field), default(field)),
                    Some(text) => (header(field), self.constant(&text, &path).flatten()),
                })
                .collect(),
        }
    }

    /// Headers with their values; none for one that is taken back.
    fn values<T>(
        &self,
        texts: Vec<Member>,
        name: fn(&Self, &Member) -> Option<String>,
        value: fn(&Self, &str, &str) -> Option<Option<T>>,
    ) -> Vec<(String, Option<T>)> {
        let mut values: Vec<(String, Option<T>)> = Vec::with_capacity(texts.len());
        for text in texts {
            let (name, value) = (name(self, &text), value(self, &text.text, &text.path));
            let (Some(name), Some(value)) = (name, value) else {
                continue;
            };
            let folded = FoldedName::new(name.as_bytes());
            if let Some((other, _)) = values.iter().find(|(known, _)| folded.matches(known.as_bytes())) {
                let problem = format!("is {other} to every server that folds names; keep one of the two");
                self.report.add(&text.path, problem);
            }
            values.push((name, value));
        }
        values
    }

    /// A name that a request's rule sets.
    fn set_name(&self, text: &Member) -> Option<String> {
        let name = own_header_name(&text.name, &text.path, self.report)?;
        let folded = FoldedName::new(name.as_bytes());
        if self.taken.iter().any(|taken| folded.matches(taken.as_bytes())) {
            let problem = format!("is {name}, which a token sets, or its failure; choose another header");
            self.report.add(&text.path, problem);
            return None;
        }
        self.no_prefix(name, &text.path)
    }

    /// A name that a request's rule sets where the client did not. What is always taken out is always absent.
    fn default_name(&self, text: &Member) -> Option<String> {
        let name = own_header_name(&text.name, &text.path, self.report)?;
        let name = self.no_prefix(name, &text.path)?;
        if self.sanitiser.trusts(name.as_bytes()) {
            let problem = format!("is {name}, which clients can't send, so it is always absent; write it into set");
            self.report.add(&text.path, problem);
            return None;
        }
        Some(name)
    }

    fn no_prefix(&self, name: String, path: &str) -> Option<String> {
        for (prefix, whose) in [(GATEHOUSE_PREFIX, "the gate"), (ENVOY_PREFIX, "Envoy")] {
            if FoldedName::new(prefix.as_bytes()).is_prefix_of(name.as_bytes()) {
                let problem = format!("is {name}; what begins with {prefix} belongs to {whose}, choose another header");
                self.report.add(path, problem);
                return None;
            }
        }
        Some(name)
    }

    fn answer_name(&self, text: &Member) -> Option<String> {
        let name = answer_name(&text.name, &text.path, self.report)?;
        self.no_prefix(name, &text.path)
    }

    #[allow(clippy::option_option, reason = "wrong, taken back, or a value")]
    fn template(&self, text: &str, path: &str) -> Option<Option<ValueTemplate>> {
        let template = ValueTemplate::parse(text).map_err(|error| self.report.add(path, error.to_string()));
        let template = template.ok()?;
        Some((!text.is_empty()).then_some(template))
    }

    #[allow(clippy::option_option, reason = "wrong, taken back, or a value")]
    fn constant(&self, text: &str, path: &str) -> Option<Option<Vec<u8>>> {
        if !is_plain(text) {
            self.report
                .add(path, "must be visible ASCII, with blanks only inside it");
            return None;
        }
        Some((!text.is_empty()).then(|| text.as_bytes().to_vec()))
    }

    fn patterns(&self, texts: &[String], path: &str, is_free: fn(&str, &str, &Report) -> bool) -> Vec<NamePattern> {
        let texts = texts.iter().enumerate();
        let patterns = texts.filter_map(|(index, text)| {
            let path = format!("{path}.remove[{index}]");
            let is_pattern = text.contains('*');
            if is_pattern && text.bytes().filter(u8::is_ascii_alphanumeric).count() < 2 {
                self.report.add(
                    path,
                    "takes out nearly everything; write at least two letters beside the *",
                );
                return None;
            }
            let is_right = if is_pattern {
                header_name(text, &path, self.report).is_some()
            } else {
                is_free(text, &path, self.report)
            };
            is_right.then(|| NamePattern::new(text))
        });
        patterns.collect()
    }
}

fn answer_name(name: &str, path: &str, report: &Report) -> Option<String> {
    let name = header_name(name, path, report)?;
    if is_reserved_in_answers(name.as_bytes()) {
        let instead = match name.as_str() {
            "server" => "set server_header_transformation in Envoy's connection manager",
            name if name.starts_with("access-control-") => "write a section cors",
            _ => "it belongs to the answer; choose another header",
        };
        report.add(path, format!("is {name}, which no rule may touch; {instead}"));
        return None;
    }
    Some(name)
}

/// What was there, but for what is said anew or taken back.
fn merged<T: Clone>(global: &[(String, T)], own: Vec<(String, Option<T>)>) -> Vec<(String, T)> {
    let kept = global
        .iter()
        .filter(|(name, _)| !own.iter().any(|(known, _)| known == name));
    let mut merged: Vec<(String, T)> = kept.cloned().collect();
    merged.extend(own.into_iter().filter_map(|(name, value)| Some((name, value?))));
    merged
}

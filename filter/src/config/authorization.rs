//! What services ask of their callers, from the wire to the domain.

use jose::json::Value;

use super::error::Report;
use super::names::{claim, expression, methods, path_text};
use super::wire;
use crate::authorization::{Authorization, AuthorizationRule, ClaimCondition, ClaimTest, Conditions, Scopes};
use crate::matching::Pattern;
use crate::service::covers_segments;

/// `authorization` of the service with that prefix
pub(super) fn authorization(wire: wire::Authorization, prefix: &str, report: &Report) -> Authorization {
    if wire.conditions.is_empty() && wire.rules.is_none() {
        report.add(&wire.conditions.path, SAYS_NOTHING);
    }
    let path = format!("{}.rules", wire.conditions.path);
    if wire.rules.as_ref().is_some_and(Vec::is_empty) {
        report.add(
            &path,
            "is empty, so nobody would ever pass; write a rule, or leave it out",
        );
    }
    let (conditions, scopes) = conditions(wire.conditions, report);
    let rules = wire.rules.map(|rules| {
        let rules = rules.into_iter();
        rules.map(|wire| rule(wire, prefix, &scopes, report)).collect()
    });
    Authorization {
        conditions,
        scopes,
        rules,
    }
}

const SAYS_NOTHING: &str = "says nothing; write some of scopes, any_scope, audiences, claims, cel, rules";

fn rule(wire: wire::AuthorizationRule, service: &str, scopes: &Scopes, report: &Report) -> AuthorizationRule {
    let path = wire.conditions.path.clone();
    let prefixes = wire.prefixes.map(|prefixes| {
        let field = format!("{path}.prefixes");
        if prefixes.is_empty() {
            report.add(&field, "is empty; name paths, or leave it out for all of them");
        }
        let prefixes = prefixes.into_iter().enumerate();
        let prefixes = prefixes.filter_map(|(index, text)| {
            let field = format!("{field}[{index}]");
            let prefix = path_text(text, &field, report)?;
            if !covers_segments(service, &prefix) || prefix.contains("//") || prefix.contains('%') {
                report.add(
                    field,
                    format!("is no path of this service; write one under {service}, without // and %"),
                );
            }
            Some(prefix)
        });
        prefixes.collect()
    });
    let methods = wire
        .methods
        .map(|names| methods(names, &format!("{path}.methods"), report));
    // A rule without conditions is right: it says that these requests need nothing more.
    let (conditions, own) = conditions(wire.conditions, report);
    AuthorizationRule {
        prefixes: prefixes.unwrap_or_default(),
        methods,
        conditions,
        scopes: scopes.and(&own),
    }
}

impl wire::Conditions {
    fn is_empty(&self) -> bool {
        self.scopes.is_none()
            && self.any_scope.is_none()
            && self.audiences.is_none()
            && self.claims.is_none()
            && self.cel.is_none()
    }
}

fn conditions(wire: wire::Conditions, report: &Report) -> (Conditions, Scopes) {
    let path = wire.path;
    let field = |name: &str| format!("{path}.{name}");
    for (name, is_empty) in [
        ("scopes", wire.scopes.as_ref().is_some_and(Vec::is_empty)),
        ("any_scope", wire.any_scope.as_ref().is_some_and(Vec::is_empty)),
        ("audiences", wire.audiences.as_ref().is_some_and(Vec::is_empty)),
        ("claims", wire.claims.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty {
            report.add(field(name), "is empty; say what is asked for, or leave it out");
        }
    }
    for (name, words) in [("scopes", &wire.scopes), ("any_scope", &wire.any_scope)] {
        for (index, word) in words.iter().flatten().enumerate() {
            if !is_scope(word) {
                report.add(
                    format!("{}[{index}]", field(name)),
                    "is no scope; write one word of visible ASCII without quotes and backslashes, such as bank.read",
                );
            }
        }
    }
    let scopes = Scopes::new(wire.scopes.unwrap_or_default(), wire.any_scope.into_iter().collect());
    let claims = wire.claims.into_iter().flatten();
    let conditions = Conditions {
        audiences: wire.audiences.unwrap_or_default(),
        claims: claims.filter_map(|wire| claim_condition(wire, report)).collect(),
        expression: wire
            .cel
            .and_then(|text| expression(&text, &format!("{path}.cel"), report)),
    };
    (conditions, scopes)
}

/// What a scope may hold (RFC 6749, section 3.3).
fn is_scope(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

fn claim_condition(wire: wire::ClaimCondition, report: &Report) -> Option<ClaimCondition> {
    let path = wire.claim.path.clone();
    let claim = claim(wire.claim, report);
    let mut tests: Vec<Option<ClaimTest>> = Vec::new();
    tests.extend(wire.equals.map(|value| Some(ClaimTest::OneOf(vec![value]))));
    tests.extend(wire.one_of.map(|values| one_of(values, &path, report)));
    tests.extend(wire.contains.map(|value| Some(ClaimTest::Contains(value))));
    tests.extend(wire.matches.map(|text| matches(&text, &path, report)));
    tests.extend(
        wire.exists
            .map(|exists| Some(if exists { ClaimTest::Present } else { ClaimTest::Absent })),
    );
    let test = tests.pop();
    if test.is_none() || !tests.is_empty() {
        report.add(
            &path,
            "must ask for one thing; write one of equals, one_of, contains, matches, exists",
        );
    }
    Some(ClaimCondition {
        claim: claim?,
        test: test.flatten()?,
    })
}

fn one_of(values: Vec<Value>, path: &str, report: &Report) -> Option<ClaimTest> {
    if values.is_empty() {
        report.add(format!("{path}.one_of"), "is empty; write values");
        return None;
    }
    Some(ClaimTest::OneOf(values))
}

fn matches(text: &str, path: &str, report: &Report) -> Option<ClaimTest> {
    let pattern = Pattern::new(text).map_err(|error| report.add(format!("{path}.matches"), error.to_string()));
    Some(ClaimTest::Matches(pattern.ok()?))
}

//! Matchers of text, headers and parameters, from the wire to the domain.

use super::error::Report;
use super::names::header_name;
use super::wire;
use crate::matching::{Case, PathTemplate, Pattern, TextMatch, TextPattern};
use crate::requirement::{Absent, HeaderMatch, ParameterMatch, Sense, Test};

/// A regular expression.
pub(super) fn pattern(wire: &wire::SafeRegex, report: &Report) -> Option<Pattern> {
    let compiled = Pattern::new(&wire.regex).map_err(|error| error.to_string());
    let compiled = compiled.and_then(|pattern| {
        let empty = wire
            .regex
            .is_empty()
            .then(|| "is empty; write an expression".to_owned());
        empty.map_or(Ok(pattern), Err)
    });
    compiled
        .map_err(|problem| report.add(format!("{}.regex", wire.path), problem))
        .ok()
}

/// The type of the one policy that Envoy has for paths.
const URI_TEMPLATE: &str = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig";

/// A `path_match_policy`.
pub(super) fn template(wire: wire::MatchPolicy, report: &Report) -> Option<PathTemplate> {
    let path = wire.path;
    if wire.name.is_empty() {
        report.add(format!("{path}.name"), "is empty; give the policy a name");
    }
    let known = wire.type_url.as_deref().and_then(|url| url.rsplit('/').next()) == Some(URI_TEMPLATE);
    if !known {
        let problem = format!("is of another type than {URI_TEMPLATE}; that is the one policy there is");
        report.add(format!("{path}.typed_config.@type"), problem);
        return None;
    }
    PathTemplate::new(&wire.path_template.unwrap_or_default())
        .map_err(|error| report.add(format!("{path}.typed_config.path_template"), error.to_string()))
        .ok()
}

/// A `StringMatcher`.
pub(super) fn text(wire: wire::StringMatcher, report: &Report) -> Option<TextMatch> {
    let path = wire.path.clone();
    let found = one_text(wire, report);
    if found.is_none() {
        report.add(
            &path,
            "must match in one way; write one of exact, prefix, suffix, contains, safe_regex",
        );
    }
    found.flatten()
}

/// The one way in which it matches; `None` where there are none or several, `Some(None)` where it makes no sense.
#[allow(clippy::option_option, reason = "whether it is there, and whether it is right")]
fn one_text(wire: wire::StringMatcher, report: &Report) -> Option<Option<TextMatch>> {
    let literal = [
        wire.exact.map(TextPattern::Exact),
        wire.prefix.map(TextPattern::Prefix),
        wire.suffix.map(TextPattern::Suffix),
        wire.contains.map(TextPattern::Contains),
    ];
    let mut patterns: Vec<Option<TextPattern>> = literal.into_iter().flatten().map(Some).collect();
    patterns.extend(
        wire.safe_regex
            .map(|regex| pattern(&regex, report).map(TextPattern::Regex)),
    );
    let found = patterns.pop().filter(|_| patterns.is_empty())?;
    if wire.ignore_case && matches!(found, None | Some(TextPattern::Regex(_))) {
        let problem = "has no effect on safe_regex; write (?i) at the beginning of the expression";
        report.add(format!("{}.ignore_case", wire.path), problem);
    }
    let case = if wire.ignore_case {
        Case::Insensitive
    } else {
        Case::Sensitive
    };
    Some(found.map(|pattern| TextMatch { pattern, case }))
}

/// A `HeaderMatcher`. One that says nothing asks for the header's presence.
pub(super) fn header(wire: wire::HeaderMatcher, report: &Report) -> Option<HeaderMatch> {
    let path = wire.older.path.clone();
    let plain_name = wire.name.strip_prefix(':').unwrap_or(&wire.name);
    let name = header_name(plain_name, &format!("{path}.name"), report);
    // What HTTP/1 calls `host` is `:authority` to Envoy.
    let name = name.map(|name| match (wire.name.starts_with(':'), name.as_str()) {
        (true, _) => format!(":{name}"),
        (false, "host") => ":authority".to_owned(),
        (false, _) => name,
    });
    let older = one_text_or_none(wire.older, report);
    let mut tests: Vec<Option<Test>> = Vec::new();
    tests.extend(wire.string_match.map(|string| text(string, report).map(Test::Text)));
    tests.extend(older.map(|text| text.map(Test::Text)));
    tests.extend(wire.range.map(|(start, end)| Some(Test::Range(start, end))));
    tests.extend(wire.present.map(|present| Some(Test::Present(present))));
    let test = tests.pop().unwrap_or(Some(Test::Present(true)));
    if !tests.is_empty() {
        report.add(
            &path,
            "must match in one way; write one of string_match, range_match, present_match",
        );
    }
    Some(HeaderMatch {
        name: name?,
        test: test?,
        sense: if wire.invert { Sense::Inverted } else { Sense::Plain },
        absent: if wire.missing_is_empty {
            Absent::Empty
        } else {
            Absent::Absent
        },
    })
}

#[allow(clippy::option_option, reason = "whether it is there, and whether it is right")]
fn one_text_or_none(wire: wire::StringMatcher, report: &Report) -> Option<Option<TextMatch>> {
    if wire.exact.as_deref() == Some("") && wire.prefix.is_none() {
        // It always meant any value, unlike `string_match: {"exact": ""}`.
        let wire = wire::StringMatcher {
            exact: None,
            prefix: Some(String::new()),
            ..wire
        };
        return Some(text(wire, report));
    }
    let literal = [&wire.exact, &wire.prefix, &wire.suffix, &wire.contains];
    let is_there = literal.iter().any(|field| field.is_some()) || wire.safe_regex.is_some();
    is_there.then(|| text(wire, report))
}

/// A `QueryParameterMatcher`. One that says nothing asks for the parameter's presence.
pub(super) fn parameter(wire: wire::ParameterMatcher, report: &Report) -> Option<ParameterMatch> {
    let path = wire.path;
    if wire.name.is_empty() {
        report.add(format!("{path}.name"), "is empty; name a query parameter");
    }
    if wire.present.is_some() && wire.string_match.is_some() {
        report.add(&path, "must match in one way; write one of string_match, present_match");
    }
    if wire.present == Some(false) {
        let problem =
            "is false, which matches no request reliably; write a rule for those that have it before this one";
        report.add(format!("{path}.present_match"), problem);
    }
    let test = match wire.string_match {
        Some(string) => Some(text(string, report)?),
        None => None,
    };
    Some(ParameterMatch { name: wire.name, test })
}

//! `suspicious_activity`, from the wire to the domain.

use super::error::Report;
use super::names::header_name;
use super::{sections, wire};
use crate::headers::FoldedName;
use crate::limit::Rate;
use crate::suspicion::{Kind, MINUTE, Watchfulness};

/// More would be no sample.
const MAX_LINES: u64 = 1000;
const MAX_REFUSALS: u64 = 1_000_000;

/// Where the section does not choose, what is watched for by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Post {
    /// A configuration of the native filter's, which logs no such things.
    Native,
    /// A gate behind another, which sets the names that a client may not.
    Mesh,
    /// A gate that faces clients.
    Edge,
}

/// What is watched for; `None` where it is nothing.
pub(super) fn watchfulness(
    wire: Option<wire::SuspiciousActivity>,
    post: Post,
    report: &Report,
) -> Option<Watchfulness> {
    let by_default = |kind: &Kind| match post {
        Post::Native => wire.is_some(),
        Post::Mesh => *kind != Kind::ForgedHeader,
        Post::Edge => true,
    };
    let by_default: Vec<Kind> = Kind::ALL.into_iter().filter(by_default).collect();
    let Some(wire) = wire else {
        return Watchfulness::for_kinds(by_default).filter(|watchfulness| !watchfulness.kinds.is_empty());
    };
    let field = |name: &str| format!("{}.{name}", wire.path);
    let kinds = match wire.watch {
        None => by_default,
        Some(names) => names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                if kind.is_none() {
                    let known = Kind::ALL.map(Kind::name).join(", ");
                    report.add(
                        format!("{}[{index}]", field("watch")),
                        format!("is unknown; write some of {known}"),
                    );
                }
                kind
            })
            .collect(),
    };
    let defaults = Watchfulness::for_kinds(kinds)?;
    let within = |value, default, max, name| sections::within(value, default, max, &field(name), report);
    let refusals = within(
        wire.refusals_per_minute,
        defaults.refusals.burst(),
        MAX_REFUSALS,
        "refusals_per_minute",
    );
    let ignored = wire.ignored_headers.iter().enumerate();
    let ignored = ignored
        .filter_map(|(index, name)| header_name(name, &format!("{}[{index}]", field("ignored_headers")), report));
    let watchfulness = Watchfulness {
        lines_per_minute: within(
            wire.lines_per_minute,
            defaults.lines_per_minute,
            MAX_LINES,
            "lines_per_minute",
        ),
        refusals: Rate::new(refusals, MINUTE, refusals).unwrap_or(defaults.refusals),
        ignored_headers: ignored.map(|name| FoldedName::new(name.as_bytes())).collect(),
        ..defaults
    };
    Some(watchfulness).filter(|watchfulness| !watchfulness.kinds.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::testing::{jwks, test};

    fn config(sections: &Value) -> Value {
        let provider = json!({"local_jwks": {"inline_string": jwks(&[("one", 1)])}});
        let mut config = json!({"providers": {"issuer": provider}});
        for (name, section) in sections.as_object().unwrap() {
            config[name] = section.clone();
        }
        config
    }

    fn watched(sections: &Value) -> String {
        let config = Config::parse(config(sections).to_string().as_bytes()).unwrap();
        let kinds = config.watchfulness.map(|watchfulness| watchfulness.kinds);
        let names: Vec<_> = kinds.iter().flatten().map(|kind| kind.name()).collect();
        names.join(" ")
    }

    #[test]
    fn what_is_watched_for_depends_on_where_the_gate_stands() {
        let all = "forged_header algorithm_confusion forged_signature key_probing refusal_burst";
        let mesh = "algorithm_confusion forged_signature key_probing refusal_burst";
        let services = json!({"bank": {"prefix": "/bank/", "cluster": "bank"}});
        for (sections, expected) in [
            (json!({}), ""),
            (json!({"headers": {}}), all),
            (json!({"services": services}), all),
            (json!({"headers": {"profile": "mesh"}}), mesh),
            (json!({"suspicious_activity": {}}), all),
            (json!({"suspicious_activity": {"watch": []}, "headers": {}}), ""),
            (
                json!({"suspicious_activity": {"watch": ["forged_header"]}, "headers": {"profile": "mesh"}}),
                "forged_header",
            ),
        ] {
            assert_eq!(watched(&sections), expected, "{sections}");
        }
    }

    #[test]
    fn the_page_s_example_is_right_and_names_every_kind() {
        let page = include_str!("../../../docs/suspicious-activity.md");
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let sections: Value = serde_json::from_str(example.unwrap()).unwrap();
        assert_eq!(watched(&sections), Kind::ALL.map(Kind::name).join(" "));
        for kind in Kind::ALL.map(Kind::name) {
            assert!(page.contains(&format!("| `{kind}` |")), "{kind}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_path() {
        for (field, value, path, problem) in [
            ("watch", json!(["replays"]), "watch[0]", "write some of forged_header"),
            ("lines_per_minute", json!(0), "lines_per_minute", "1 to 1000"),
            ("refusals_per_minute", json!(0), "refusals_per_minute", "out of range"),
            (
                "ignored_headers",
                json!(["a b"]),
                "ignored_headers[0]",
                "no header name",
            ),
            ("burst", json!(1), "burst", "no field"),
        ] {
            let sections = json!({"suspicious_activity": {field: value}});
            let errors = Config::parse(config(&sections).to_string().as_bytes()).unwrap_err();
            let path = format!("suspicious_activity.{path}");
            assert!(
                errors
                    .iter()
                    .any(|error| error.path == path && error.problem.contains(problem)),
                "{sections}: {errors}"
            );
        }
    }
}

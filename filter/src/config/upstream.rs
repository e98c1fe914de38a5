//! The choices of a service's upstream, from the wire to the domain.

use super::error::Report;
use super::names::{claim, cluster, expression, header_name};
use super::wire;
use crate::headers::{ClaimPath, Sanitiser};
use crate::service::{Choice, Otherwise, Selector, Share, WHOLE};

/// Whether the service has callers to choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callers {
    /// It has: their claims are known.
    Known,
    /// It is public.
    Unknown,
}

/// `upstream`
pub(super) fn choices(
    wire: Vec<wire::Choice>,
    path: &str,
    callers: Callers,
    sanitiser: &Sanitiser,
    report: &Report,
) -> Vec<Choice> {
    if wire.is_empty() {
        report.add(path, "is empty; write a choice, or leave it out");
    }
    // Shares stand one behind the other, so that each has subjects of its own.
    let mut taken = 0;
    let wire = wire.into_iter();
    let choices = wire.filter_map(|wire| choice(wire, &mut taken, callers, sanitiser, report));
    choices.collect()
}

fn choice(
    wire: wire::Choice,
    taken: &mut u16,
    callers: Callers,
    sanitiser: &Sanitiser,
    report: &Report,
) -> Option<Choice> {
    let path = wire.claim.path.clone();
    let field = |name: &str| format!("{path}.{name}");
    let names_claim = wire.claim.claim_name.is_some() || !wire.claim.claim_path.is_empty();
    let kinds = [
        wire.values.is_some() && names_claim && wire.header.is_none(),
        wire.values.is_some() && wire.header.is_some() && !names_claim,
        wire.cel.is_some() && !names_claim && wire.header.is_none(),
        wire.percent.is_some() && wire.header.is_none(),
    ];
    if kinds.iter().filter(|kind| **kind).count() != 1 {
        report.add(
            &path,
            "must choose in one way; write claim_name or header with values, or cel or percent with cluster",
        );
        return None;
    }
    if callers == Callers::Unknown && (names_claim || wire.percent.is_some()) {
        report.add(
            &path,
            "chooses by who is asking, but the service is public, which nobody is asked for; choose by header",
        );
    }
    if wire.values.is_some() && wire.cluster.is_some() {
        report.add(
            field("cluster"),
            "has no meaning beside values; write the clusters there",
        );
    }
    if wire.values.is_none() && wire.otherwise.is_some() {
        report.add(field("otherwise"), "has no meaning without values; take it out");
    }
    if let Some(values) = wire.values {
        return by_value(
            values,
            wire.claim,
            wire.header,
            wire.otherwise.as_deref(),
            sanitiser,
            report,
        );
    }
    let cluster = cluster(wire.cluster.unwrap_or_default(), &field("cluster"), report);
    if let Some(text) = wire.cel {
        return Some(Choice::Expression {
            program: expression(&text, &field("cel"), report)?,
            cluster: cluster?,
        });
    }
    let range = share(wire.percent.unwrap_or_default(), taken, &field("percent"), report);
    let by = if names_claim {
        claim(wire.claim, report)
    } else {
        Some(ClaimPath::new(vec![jose::claims::SUBJECT.to_owned()]))
    };
    Some(Choice::Share {
        by: by?,
        range: range?,
        cluster: cluster?,
    })
}

fn by_value(
    values: Vec<(String, String)>,
    name: wire::ClaimName,
    header: Option<String>,
    otherwise: Option<&str>,
    sanitiser: &Sanitiser,
    report: &Report,
) -> Option<Choice> {
    let path = name.path.clone();
    let field = |name: &str| format!("{path}.{name}");
    if values.is_empty() {
        report.add(field("values"), "is empty; name values and their clusters");
    }
    let values = values.into_iter();
    let clusters = values
        .filter_map(|(value, name)| {
            let field = format!("{}[{value:?}]", field("values"));
            Some((value, cluster(name, &field, report)?))
        })
        .collect();
    let by = match header {
        None => claim(name, report).map(Selector::Claim),
        Some(header) => header_name(&header, &field("header"), report).map(|name| {
            if sanitiser.trusts(name.as_bytes()) {
                report.add(
                    field("header"),
                    format!("is {name}, which only the gate may set, so no request has it; choose another header"),
                );
            }
            Selector::Header(name)
        }),
    };
    let otherwise = match otherwise {
        None | Some("refuse") => Otherwise::Refuse,
        Some("continue") => Otherwise::Continue,
        Some(_) => {
            report.add(field("otherwise"), "is unknown; write \"refuse\" or \"continue\"");
            Otherwise::Refuse
        }
    };
    Some(Choice::Value {
        by: by?,
        clusters,
        otherwise,
    })
}

/// The next part of the subjects, so many percent of all.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn share(percent: f64, taken: &mut u16, path: &str, report: &Report) -> Option<Share> {
    let hundredths = (percent * 100.0).round();
    let exact = (hundredths - percent * 100.0).abs() < 1e-6;
    if !exact || !(0.0..=f64::from(WHOLE)).contains(&hundredths) {
        report.add(
            path,
            "is no share; write a number from 0 to 100, with two decimals at most",
        );
        return None;
    }
    let from = *taken;
    let to = from + hundredths as u16;
    if to > WHOLE {
        report.add(
            path,
            "makes more than 100 percent with those before it; lower one of them",
        );
        return None;
    }
    *taken = to;
    Some(Share { from, to })
}

//! What is told of a token: what it says, how each check came out, and which key vouches for it.

use std::time::Duration;

use filter::config::Provider;
use filter::keys::ProviderId;
use filter::refusal::Reason;
use filter::token::{Check, Failure};
use jose::{JwkSet, UnverifiedToken, VerifiedToken, VerifyingKey};
use serde::Serialize;
use serde_json::json;

use super::duration::{date, spoken};
use super::recorder::Recorder;
use super::step::{Disclosure, Mark, Step};

/// A token on trial.
pub(super) struct Judged<'t> {
    pub(super) token: &'t UnverifiedToken,
    pub(super) provider: &'t Provider,
    /// Those of the requirement, if it names some.
    pub(super) audiences: Option<&'t [String]>,
}

/// What it says of itself.
pub(super) fn read(token: &UnverifiedToken, disclosure: Disclosure) -> Vec<Step> {
    let header = token.header_unverified().raw();
    let claims = token.claims_unverified().raw();
    let mut steps = vec![said("header", header)];
    match disclosure {
        Disclosure::Shown => steps.push(said("claims", claims)),
        Disclosure::Hidden => {
            let names: Vec<&str> = claims.iter().map(|(name, _)| name).collect();
            steps.push(Step::new(
                "claims",
                Mark::Note,
                &format!("hidden; they are: {}", names.join(", ")),
            ));
        }
    }
    steps
}

fn said(about: &'static str, object: &impl Serialize) -> Step {
    let value = serde_json::to_value(object).unwrap_or_default();
    Step::new(about, Mark::Note, &value.to_string()).with(value)
}

/// One check and what it compared.
pub(super) fn checked(recorder: &Recorder<'_>, check: Check, outcome: Result<(), Reason>, judged: &Judged<'_>) -> Step {
    let mark = if outcome.is_ok() { Mark::Good } else { Mark::Bad };
    let (about, text) = match check {
        Check::Issuer => ("issuer", issuer(recorder, judged, outcome)),
        Check::Profile => ("type", profile(judged)),
        Check::NotBefore => ("not before", not_before(recorder, judged, outcome)),
        Check::Expiration => ("expiration", expiration(recorder, judged, outcome)),
        Check::Audience => ("audience", audience(recorder, judged)),
        Check::Subject => ("subject", subject(recorder, judged)),
        Check::Lifetime => ("lifetime", lifetime(recorder, judged, outcome)),
    };
    Step::new(about, mark, &text)
}

/// A claim's text, where it may be shown.
fn shown(recorder: &Recorder<'_>, claim: Option<&str>) -> String {
    match (claim, recorder.disclosure) {
        (None, _) => "none".to_owned(),
        (Some(_), Disclosure::Hidden) => "(hidden)".to_owned(),
        (Some(text), Disclosure::Shown) => format!("{text:?}"),
    }
}

fn issuer(recorder: &Recorder<'_>, judged: &Judged<'_>, outcome: Result<(), Reason>) -> String {
    let own = judged.token.claims_unverified().issuer();
    let iss = shown(recorder, own);
    let Some(wanted) = &judged.provider.rules.issuer else {
        return format!("iss is {iss}; the provider takes any issuer's");
    };
    if outcome.is_ok() {
        return format!("iss is {wanted:?}, as the provider asks");
    }
    let only_a_slash = own.is_some_and(|own| own.trim_end_matches('/') == wanted.trim_end_matches('/'));
    let hint = if only_a_slash {
        "; they differ by the closing slash"
    } else {
        ""
    };
    format!("iss is {iss}, the provider's issuer is {wanted:?}{hint}")
}

fn profile(judged: &Judged<'_>) -> String {
    let (header, claims) = (judged.token.header_unverified(), judged.token.claims_unverified());
    let typ = header.token_type().map_or("none".to_owned(), |typ| format!("{typ:?}"));
    let claim = claims.get("token_type").and_then(jose::json::Value::as_str);
    let token_type = claim.map_or(String::new(), |claim| format!(", token_type is {claim:?}"));
    let list = |values: &Option<Vec<String>>, name: &str| match values {
        Some(values) => format!("{name} one of: {}", values.join(", ")),
        None => format!("any {name} that does not speak of something else than an access token"),
    };
    let rules = &judged.provider.rules.profile;
    let asks = match (&rules.typ, &rules.token_type) {
        (None, None) => "anything that does not call itself something else than an access token".to_owned(),
        (typ, token_type) => format!("{}; {}", list(typ, "typ"), list(token_type, "token_type")),
    };
    format!("typ is {typ}{token_type}; accepted is {asks}")
}

/// What the clock skew makes of a time that has not come, or has passed.
fn skew_text(skew: Duration, outcome: Result<(), Reason>) -> String {
    match (outcome, skew.is_zero()) {
        (Ok(()), _) => format!(", within the clock skew of {}", spoken(skew.as_secs())),
        (Err(_), false) => format!(", beyond the clock skew of {}", spoken(skew.as_secs())),
        (Err(_), true) => String::new(),
    }
}

fn not_before(recorder: &Recorder<'_>, judged: &Judged<'_>, outcome: Result<(), Reason>) -> String {
    let Some(begins) = judged.token.claims_unverified().not_before() else {
        return "no nbf: valid from the beginning".to_owned();
    };
    let (begins, now) = (begins.seconds(), recorder.now.as_secs());
    if let Some(age) = now.checked_sub(begins) {
        return format!("valid for {} already (nbf {})", spoken(age), date(begins));
    }
    let skew = skew_text(judged.provider.rules.clock_skew, outcome);
    format!("valid only in {}{skew} (nbf {})", spoken(begins - now), date(begins))
}

fn expiration(recorder: &Recorder<'_>, judged: &Judged<'_>, outcome: Result<(), Reason>) -> String {
    let Some(ends) = judged.token.claims_unverified().expires_at() else {
        return "no exp: it never expires".to_owned();
    };
    let (ends, now) = (ends.seconds(), recorder.now.as_secs());
    if let Some(left) = ends.checked_sub(now) {
        return format!("expires in {} (exp {})", spoken(left), date(ends));
    }
    let skew = skew_text(judged.provider.rules.clock_skew, outcome);
    format!("expired {} ago{skew} (exp {})", spoken(now - ends), date(ends))
}

fn audience(recorder: &Recorder<'_>, judged: &Judged<'_>) -> String {
    let audiences: Vec<String> = judged
        .token
        .claims_unverified()
        .audience()
        .map(|audience| shown(recorder, Some(audience)))
        .collect();
    let aud = if audiences.is_empty() {
        "none".to_owned()
    } else {
        audiences.join(", ")
    };
    let (wanted, whose) = match judged.audiences {
        Some(audiences) => (audiences, "the requirement"),
        None => (judged.provider.rules.audiences.as_slice(), "the provider"),
    };
    if wanted.is_empty() {
        return format!("aud is {aud}; {whose} takes any audience");
    }
    format!("aud is {aud}; {whose} asks for one of: {}", wanted.join(", "))
}

fn subject(recorder: &Recorder<'_>, judged: &Judged<'_>) -> String {
    let sub = shown(recorder, judged.token.claims_unverified().subject());
    let asks = match judged.provider.rules.subjects {
        Some(_) => "the provider's `subjects` decide",
        None => "the provider takes any",
    };
    format!("sub is {sub}; {asks}")
}

fn lifetime(recorder: &Recorder<'_>, judged: &Judged<'_>, outcome: Result<(), Reason>) -> String {
    match (judged.provider.rules.max_lifetime, outcome) {
        (_, Err(Reason::ExpirationMissing)) => "no exp, and the provider asks for one".to_owned(),
        (None, _) => "the provider has no max_lifetime".to_owned(),
        (Some(limit), _) => {
            let ends = judged.token.claims_unverified().expires_at();
            let left = ends.map_or(0, |ends| ends.seconds().saturating_sub(recorder.now.as_secs()));
            format!(
                "{} are left, max_lifetime allows {}",
                spoken(left),
                spoken(limit.as_secs())
            )
        }
    }
}

/// Which key vouches for it, or why none does.
pub(super) fn signature(
    recorder: &Recorder<'_>,
    result: Result<&VerifiedToken, Failure>,
    token: &UnverifiedToken,
    id: ProviderId,
) -> Step {
    let header = token.header_unverified();
    let alg = header.algorithm();
    let kid = header
        .key_id()
        .map_or("no kid".to_owned(), |kid| format!("kid {kid:?}"));
    let held = recorder.keys.usable(id, recorder.now);
    let held = held.map_or("none".to_owned(), listed);
    match result {
        Ok(verified) => {
            let key = verified
                .key()
                .key_id()
                .map_or("without a kid".to_owned(), |kid| format!("{kid:?}"));
            let data = json!({"algorithm": alg, "key_id": verified.key().key_id()});
            Step::new("signature", Mark::Good, &format!("{alg}, verified by the key {key}")).with(data)
        }
        Err(Failure::NoKeys) => {
            let name = recorder.provider(id).map_or("?", |provider| provider.name.as_str());
            let text = format!("{alg}, {kid}: can't be judged, no keys are held; give them with --jwks {name}=FILE");
            Step::new("signature", Mark::Open, &text)
        }
        Err(Failure::UnknownKey) => Step::new(
            "signature",
            Mark::Bad,
            &format!("{alg}, {kid}: no such key; the keys are: {held}"),
        ),
        Err(Failure::Refused(Reason::KeyUnsuitable)) => Step::new(
            "signature",
            Mark::Bad,
            &format!("{alg}, {kid}: no key for this algorithm; the keys are: {held}"),
        ),
        Err(Failure::Refused(_)) => {
            let text = format!("{alg}, {kid}: the signature does not match; the keys are: {held}");
            Step::new("signature", Mark::Bad, &text)
        }
    }
}

/// The headers that the claims would become, should the signature be right.
pub(super) fn promised(token: &UnverifiedToken, provider: &Provider, disclosure: Disclosure) -> Vec<Step> {
    let mut steps = Vec::new();
    for header in &provider.claim_headers {
        let name = &header.name;
        let step = match header.value(token.claims_unverified().raw()) {
            Ok(Some(_)) if disclosure == Disclosure::Hidden => (Mark::Open, format!("{name}: (hidden)")),
            Ok(Some(value)) => (Mark::Open, format!("{name}: {}", String::from_utf8_lossy(&value))),
            Ok(None) => continue,
            Err(error) => (Mark::Bad, format!("{name}: {error}")),
        };
        steps.push(Step::new("would set", step.0, &step.1));
    }
    steps
}

fn listed(keys: &JwkSet) -> String {
    let one = |key: &VerifyingKey| {
        let kid = key.key_id().map_or("(no kid)".to_owned(), |kid| format!("{kid:?}"));
        let algorithms = key.algorithms();
        let names: Vec<&str> = jose::Algorithm::ALL
            .into_iter()
            .filter(|algorithm| algorithms.contains(*algorithm))
            .map(jose::Algorithm::as_str)
            .collect();
        format!("{kid} for {}", names.join(" or "))
    };
    keys.keys().iter().map(one).collect::<Vec<_>>().join(", ")
}

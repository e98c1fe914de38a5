//! What a witness sees: every step in its order, up to the one that decides, and the same decision as without one.

use std::cell::RefCell;

use serde_json::json;

use super::gate_with;
use crate::gate::{Patience, decide, decide_before};
use crate::testing::{Gate, claims, request, sign, sign_with_header, test, token, word};
use crate::witness::{Fact, Witness};

/// The facts in a few letters each.
#[derive(Default)]
struct Scribe(RefCell<Vec<String>>);

impl Witness for Scribe {
    fn sees(&self, fact: Fact<'_>) {
        let outcome = |good| if good { "" } else { "!" };
        let note = match fact {
            Fact::Forged(name) => format!("forged {name}"),
            Fact::Service { service, .. } => {
                service.map_or("service none".to_owned(), |it| format!("service {}", it.name))
            }
            Fact::Preflight => "preflight".to_owned(),
            Fact::PreflightAnswered(allowed) => format!("preflight answered{}", outcome(allowed)),
            Fact::Route(word) => format!("route {word:?}"),
            Fact::State(object, chosen) => format!("state {object} {}", chosen.is_some()),
            Fact::Rule(rule) => rule.map_or("rule none".to_owned(), |(index, _)| format!("rule {index}")),
            Fact::CallerNeeded(service) => format!("caller for {}", service.name),
            Fact::Asked(_) => "asked".to_owned(),
            Fact::Looked(places, found) => format!("looked {} {}", places.len(), found.map_or(9, <[_]>::len)),
            Fact::Judging(_) => "judging".to_owned(),
            Fact::Read(read) => format!("read{}", outcome(read.is_ok())),
            Fact::Provider(provider) => format!("provider{}", outcome(provider.is_some())),
            Fact::Checked(check, result) => format!("{check:?}{}", outcome(result.is_ok())),
            Fact::Remembered => "remembered".to_owned(),
            Fact::Signature(result) => format!("signature{}", outcome(result.is_ok())),
            Fact::Answered(_) => "answered".to_owned(),
            Fact::Upstream(_, cluster) => format!("upstream {}", cluster.unwrap_or("!")),
            Fact::Authorized(_, result) => format!("authorized{}", outcome(result.is_ok())),
        };
        self.0.borrow_mut().push(note);
    }
}

fn seen(gate: &Gate, headers: &[(&str, &str)]) -> (&'static str, String) {
    let (request, scribe) = (request(headers), Scribe::default());
    let (tokens, others) = (&mut gate.config.token_cache(), &mut gate.config.token_cache());
    let decide_alone = decide(&request, &gate.config, &gate.keys, tokens, gate.now, Patience::Left);
    let decision = decide_before(
        &scribe,
        &request,
        &gate.config,
        &gate.keys,
        others,
        gate.now,
        Patience::Left,
    );
    assert_eq!(decision, decide_alone);
    (word(&decision), scribe.0.into_inner().join(", "))
}

fn gateway() -> Gate {
    gate_with(
        json!({}),
        json!({
            "rules": [
                {"match": {"prefix": "/bank/open/"}},
                {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
            ],
            "services": {
                "bank": {"prefix": "/bank/", "cluster": "bank", "authorization": {"rules": [
                    {"prefixes": ["/bank/vault/"], "scopes": ["vault"]},
                    {},
                ]}},
                "public": {"prefix": "/public/", "cluster": "bank", "public": true},
            },
            "bypass_cors_preflight": true,
        }),
    )
}

#[test]
fn a_witness_sees_every_step_up_to_the_one_that_decides() {
    let gate = gateway();
    let bearer = |token: &str| format!("Bearer {token}");
    let good = bearer(&token());
    let expired = bearer(&sign(&claims(json!({"exp": 1}))));
    let foreign = bearer(&sign(&claims(json!({"iss": "x"}))));
    let forged = bearer(&sign_with_header(
        &json!({"alg": "ES256", "kid": "one"}),
        &claims(json!({})),
        2,
    ));
    let all = "Issuer, Profile, NotBefore, Expiration, Audience, Subject, Lifetime";
    let begin = "service bank, rule 1, asked, looked 2 1, judging, read, provider";
    for (path, authorization, word, expected) in [
        ("/public/x", "", "forward", "service public".to_owned()),
        (
            "/bank/x",
            "",
            "token_missing",
            "service bank, rule 1, asked, looked 2 0, answered".to_owned(),
        ),
        (
            "/bank/x",
            "Bearer a, Bearer b",
            "token_repeated",
            "service bank, rule 1, asked, looked 2 9, answered".to_owned(),
        ),
        (
            "/bank/x",
            "Bearer abc",
            "token_malformed",
            "service bank, rule 1, asked, looked 2 1, judging, read!, answered".to_owned(),
        ),
        (
            "/bank/x",
            &foreign,
            "issuer_unknown",
            format!("{begin}, Issuer!, answered"),
        ),
        (
            "/bank/x",
            &expired,
            "token_expired",
            format!("{begin}, Issuer, Profile, NotBefore, Expiration!, answered"),
        ),
        (
            "/bank/x",
            &forged,
            "signature_invalid",
            format!("{begin}, {all}, signature!, answered"),
        ),
        (
            "/bank/x",
            &good,
            "forward",
            format!("{begin}, {all}, signature, answered, authorized"),
        ),
        (
            "/bank/vault/x",
            &good,
            "insufficient_scope",
            format!("{begin}, {all}, signature, answered, authorized!"),
        ),
        (
            "/bank/open/x",
            &good,
            "forward",
            format!(
                "service bank, rule 0, caller for bank, asked, looked 2 1, judging, read, provider, {all}, signature, answered, authorized"
            ),
        ),
        (
            "/else",
            &good,
            "service_unknown",
            format!("service none, rule 1, asked, looked 2 1, judging, read, provider, {all}, signature, answered"),
        ),
    ] {
        let headers = [(":method", "GET"), (":path", path), ("authorization", authorization)];
        let given = if authorization.is_empty() {
            &headers[..2]
        } else {
            &headers
        };
        assert_eq!(seen(&gate, given), (word, expected), "{path} {authorization:.20}");
    }
    let preflight = [
        (":method", "OPTIONS"),
        (":path", "/bank/x"),
        ("origin", "https://web.test"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(
        seen(&gate, &preflight),
        ("forward", "service bank, preflight".to_owned())
    );
}

#[test]
fn names_that_a_client_may_not_send_are_seen_as_the_configuration_has_them() {
    let gate = gateway();
    for (header, expected) in [
        (("x_GATEHOUSE_Cluster", "bank"), "forged x-gatehouse-, service public"),
        (
            ("connection", "close, x-gatehouse-a"),
            "forged connection, service public",
        ),
        (("connection", "close"), "service public"),
        (("x-user-agent", "one"), "service public"),
    ] {
        let headers = [(":method", "GET"), (":path", "/public/x"), header];
        assert_eq!(seen(&gate, &headers), ("forward", expected.to_owned()), "{header:?}");
    }
}

//! What services ask of requests whose caller is known: methods, providers, authorization, lengths.

use std::time::Duration;

use serde_json::{Value, json};

use super::{gate_with, provider};
use crate::gate::{Decision, Refusal};
use crate::refusal::{Needs, Reason};
use crate::request::Body;
use crate::testing::{Gate, claims, jwks, request, sign, sign_with_header, test, token, word};

/// A gate with one service `bank`, and changes to it.
fn gate(changes: Value) -> Gate {
    let mut bank = json!({"prefix": "/bank/", "cluster": "bank"});
    super::merge(&mut bank, changes);
    gate_with(json!({}), json!({"services": {"bank": bank}}))
}

fn ask(gate: &Gate, method: &str, path: &str, changes: Value) -> Decision {
    let bearer = format!("Bearer {}", sign(&claims(changes)));
    gate.decide(&[(":method", method), (":path", path), ("authorization", &bearer)])
}

#[test]
fn only_the_methods_that_were_named_reach_a_service() {
    let gate = gate(json!({"methods": ["GET", "POST"], "authorization": {"scopes": ["bank"]}}));
    for (method, scope, expected) in [
        ("GET", "bank", "forward"),
        ("HEAD", "bank", "forward"),
        ("POST", "bank", "forward"),
        ("DELETE", "bank", "method_not_allowed"),
        ("OPTIONS", "bank", "method_not_allowed"),
        ("post", "bank", "method_not_allowed"),
        ("DELETE", "none", "method_not_allowed"),
        ("GET", "none", "insufficient_scope"),
    ] {
        let decision = ask(&gate, method, "/bank/", json!({"scope": scope}));
        assert_eq!(word(&decision), expected, "{method} {scope}");
    }
    let refusal = Refusal::needing(Reason::MethodNotAllowed, Needs::Method("GET, POST, HEAD".into()));
    assert_eq!(ask(&gate, "PUT", "/bank/", json!({})), Decision::Refuse(refusal));
    // Strangers learn nothing of methods.
    let stranger = gate.decide(&[(":method", "DELETE"), (":path", "/bank/")]);
    assert_eq!(word(&stranger), "token_missing");
}

#[test]
fn a_public_service_has_methods_and_a_limit_too() {
    let gate = gate(json!({"public": true, "methods": ["POST"], "max_body_bytes": 10}));
    for (headers, body, expected) in [
        (&[(":method", "GET")][..], Body::None, "method_not_allowed"),
        (&[(":method", "POST")], Body::None, "forward"),
        (&[(":method", "POST")], Body::Follows, "length_required"),
        (
            &[(":method", "POST"), ("content-length", "10")],
            Body::Follows,
            "forward",
        ),
        (
            &[(":method", "POST"), ("content-length", "11")],
            Body::Follows,
            "body_too_large",
        ),
    ] {
        let request = request(&[headers, &[(":path", "/bank/")]].concat()).with_body(body);
        let decision = gate.decide_about(&request);
        assert_eq!(word(&decision), expected, "{headers:?} {body:?}");
    }
}

#[test]
fn a_preflight_is_not_held_to_the_methods_of_what_follows_it() {
    let service =
        json!({"prefix": "/bank/", "cluster": "bank", "methods": ["GET"], "authorization": {"scopes": ["a"]}});
    let sections = json!({"bypass_cors_preflight": true, "services": {"bank": service}});
    let gate = gate_with(json!({}), sections);
    let preflight = [
        (":method", "OPTIONS"),
        (":path", "/bank/"),
        ("origin", "https://web.test"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(word(&gate.decide(&preflight)), "forward");
    assert_eq!(word(&gate.decide(&preflight[..2])), "token_missing");
}

#[test]
fn a_missing_scope_is_named_and_other_denials_are_not_explained() {
    let gate = gate(json!({"authorization": {
        "scopes": ["bank.read"],
        "audiences": ["gatehouse", "other"],
        "claims": [{"claim_name": "tenant.plan", "one_of": ["gold", "silver"]}],
        "rules": [
            {"prefixes": ["/bank/vault/", "/bank/safe"], "any_scope": ["vault", "safe"]},
            {"methods": ["GET"]},
            {"methods": ["POST", "PUT"], "scopes": ["bank.write"], "audiences": ["other"]},
        ],
    }}));
    let plan = json!({"plan": "gold"});
    for (method, path, changes, expected) in [
        ("GET", "/bank/", json!({"scope": "bank.read"}), Ok(())),
        ("HEAD", "/bank/", json!({"scope": "bank.read"}), Ok(())),
        ("GET", "/bank/", json!({"scope": "bank.readx"}), Err(Some("bank.read"))),
        (
            "GET",
            "/bank/",
            json!({"scope": "bank.read", "tenant": null}),
            Err(None),
        ),
        (
            "GET",
            "/bank/",
            json!({"scope": "bank.read", "tenant": {"plan": "tin"}}),
            Err(None),
        ),
        (
            "GET",
            "/bank/vault/",
            json!({"scope": "bank.read"}),
            Err(Some("bank.read vault safe")),
        ),
        ("GET", "/bank/vault", json!({"scope": "bank.read safe"}), Ok(())),
        (
            "GET",
            "/bank/v%61ult/",
            json!({"scope": "bank.read"}),
            Err(Some("bank.read vault safe")),
        ),
        ("GET", "/bank/vaulted", json!({"scope": "bank.read"}), Ok(())),
        ("DELETE", "/bank/safe/1", json!({"scope": "bank.read vault"}), Ok(())),
        (
            "POST",
            "/bank/",
            json!({"scope": "bank.read", "aud": ["other", "gatehouse"]}),
            Err(Some("bank.read bank.write")),
        ),
        (
            "POST",
            "/bank/",
            json!({"scope": "bank.write", "aud": ["other", "gatehouse"]}),
            Err(Some("bank.read bank.write")),
        ),
        (
            "POST",
            "/bank/",
            json!({"scope": "bank.read bank.write", "aud": ["other", "gatehouse"]}),
            Ok(()),
        ),
        ("DELETE", "/bank/", json!({"scope": "bank.read bank.write"}), Err(None)),
    ] {
        let mut token = json!({ "tenant": plan });
        super::merge(&mut token, changes.clone());
        if changes.get("tenant").is_some_and(Value::is_null) {
            token["tenant"] = Value::Null;
        }
        let expected = match expected {
            Ok(()) => None,
            Err(Some(scope)) => Some(Refusal::needing(Reason::ScopeInsufficient, Needs::Scope(scope.into()))),
            Err(None) => Some(Refusal::of(Reason::AccessDenied)),
        };
        let refusal = match ask(&gate, method, path, token) {
            Decision::Refuse(refusal) => Some(refusal),
            Decision::Forward(_) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(refusal, expected, "{method} {path} {changes}");
    }
    let audience = ask(&gate, "POST", "/bank/", json!({"scope": "bank.read bank.write"}));
    assert_eq!(word(&audience), "audience_not_allowed");
}

#[test]
fn a_service_chooses_whose_tokens_it_takes() {
    let machines =
        provider(json!({"issuer": "https://machines.test", "local_jwks": {"inline_string": jwks(&[("two", 2)])}}));
    let sections = json!({
        "rules": [{"match": {"prefix": "/people/"}, "requires": {"provider_name": "main"}}],
        "services": {
            "people": {"prefix": "/people/", "cluster": "a", "providers": ["main"], "authorization": {"scopes": ["p"]}},
            "machines": {"prefix": "/machines/", "cluster": "b", "providers": ["machines"], "authorization": {"scopes": ["m"]}},
            "both": {"prefix": "/both/", "cluster": "c", "providers": ["main", "machines"]},
            "lost": {"prefix": "/people/lost/", "cluster": "d", "providers": ["machines"]},
        },
    });
    let mut config = json!({"providers": {"main": provider(json!({})), "machines": machines}});
    super::merge(&mut config, sections);
    let gate = Gate::new(&config.to_string());
    let person = sign(&claims(json!({"scope": "p"})));
    let machine = claims(json!({"iss": "https://machines.test", "scope": "m"}));
    let machine = sign_with_header(&json!({"alg": "ES256", "kid": "two"}), &machine, 2);
    for (path, token, expected) in [
        ("/people/", &person, "forward"),
        ("/people/", &machine, "issuer_unknown"),
        ("/machines/", &person, "issuer_unknown"),
        ("/machines/", &machine, "forward"),
        ("/both/", &person, "forward"),
        ("/both/", &machine, "forward"),
        // The rule accepts the token, which is then gone; the service wants another's.
        ("/people/lost/", &person, "issuer_unknown"),
        ("/people/lost/", &machine, "issuer_unknown"),
    ] {
        assert_eq!(gate.get(path, token), expected, "{path}");
    }
    let none = gate.decide(&[(":method", "GET"), (":path", "/machines/")]);
    assert_eq!(word(&none), "token_missing");
}

#[test]
fn authorization_judges_the_token_of_the_provider_that_the_service_chose() {
    let places = |name: &str| json!([{"name": name}]);
    let person = provider(json!({"from_headers": places("x-person")}));
    let machine = provider(json!({
        "issuer": "https://machines.test",
        "local_jwks": {"inline_string": jwks(&[("two", 2)])},
        "from_headers": places("x-machine"),
    }));
    let all = json!({"requires_all": {"requirements": [{"provider_name": "person"}, {"provider_name": "machine"}]}});
    let service = |providers: Value| {
        let mut bank = json!({"prefix": "/", "cluster": "bank", "authorization": {"scopes": ["bank"]}});
        super::merge(&mut bank, json!({ "providers": providers }));
        Gate::new(
            &json!({
                "providers": {"person": person, "machine": machine},
                "rules": [{"match": {"prefix": "/"}, "requires": all}],
                "services": {"bank": bank},
            })
            .to_string(),
        )
    };
    let ask = |gate: &Gate, person: &str, machine: &str| {
        let person = sign(&claims(json!({ "scope": person })));
        let machine = claims(json!({"iss": "https://machines.test", "scope": machine}));
        let machine = sign_with_header(&json!({"alg": "ES256", "kid": "two"}), &machine, 2);
        word(&gate.decide(&[
            (":method", "GET"),
            (":path", "/"),
            ("x-person", &person),
            ("x-machine", &machine),
        ]))
    };
    let (first, machines) = (service(Value::Null), service(json!(["machine"])));
    assert_eq!(ask(&first, "bank", "none"), "forward");
    assert_eq!(ask(&first, "none", "bank"), "insufficient_scope");
    assert_eq!(ask(&machines, "none", "bank"), "forward");
    assert_eq!(ask(&machines, "bank", "none"), "insufficient_scope");
}

#[test]
fn a_service_hears_of_the_caller_whom_it_judged_and_of_no_other() {
    let speaks = |place: &str, header: &str| {
        json!({
            "from_headers": [{"name": place}],
            "claim_to_headers": [{"header_name": header, "claim_name": "sub"}],
        })
    };
    let person = provider(speaks("x-person", "x-user-id"));
    let mut machine = provider(speaks("x-machine", "X_User_Id"));
    let elsewhere = json!({
        "issuer": "https://machines.test",
        "local_jwks": {"inline_string": jwks(&[("two", 2)])},
    });
    super::merge(&mut machine, elsewhere);
    let names = json!([{"provider_name": "person"}, {"provider_name": "machine"}]);
    let all = json!({"requires_all": {"requirements": names}});
    let one = sign(&claims(json!({"sub": "alice"})));
    let other = claims(json!({"iss": "https://machines.test", "sub": "robot"}));
    let other = sign_with_header(&json!({"alg": "ES256", "kid": "two"}), &other, 2);
    let sent = [
        (":method", "GET"),
        (":path", "/"),
        ("x-person", one.as_str()),
        ("x-machine", other.as_str()),
    ];
    for requires in [json!({"allow_missing": {}}), all] {
        for (chosen, caller) in [("person", ("x-user-id", "alice")), ("machine", ("x_user_id", "robot"))] {
            let gate = Gate::new(
                &json!({
                    "providers": {"person": person, "machine": machine},
                    "rules": [{"match": {"prefix": "/"}, "requires": requires}],
                    "services": {"bank": {"prefix": "/", "cluster": "bank", "providers": [chosen]}},
                })
                .to_string(),
            );
            let mut upstream = gate.upstream(&sent);
            upstream.retain(|(name, _)| name.replace('_', "-") == "x-user-id");
            let expected = [(caller.0.to_owned(), caller.1.to_owned())];
            assert_eq!(upstream, expected, "{requires} {chosen}");
            let logged = gate.forward(&sent).caller.unwrap();
            assert_eq!(logged.subject.as_deref(), Some(caller.1), "{requires} {chosen}");
        }
    }
}

#[test]
fn retries_are_the_gate_s_to_order() {
    let retrying = gate(json!({
        "timeout": "5s",
        "retries": {"attempts": 3, "on": ["connect-failure", "unavailable", "5xx"], "per_try_timeout": "1.5s"},
    }));
    let (quiet, bearer) = (gate(json!({})), format!("Bearer {}", token()));
    let sent = [
        (":method", "GET"),
        (":path", "/bank/"),
        ("authorization", bearer.as_str()),
        ("x-envoy-max-retries", "100"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-retry-grpc-on", "internal"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-retriable-status-codes", "200"),
    ];
    let told = |gate: &Gate| -> Vec<(String, String)> {
        let mut upstream = gate.upstream(&sent);
        upstream.retain(|(name, _)| name.starts_with("x-envoy-"));
        upstream
    };
    assert_eq!(told(&quiet), []);
    let expected = [
        ("x-envoy-max-retries", "3"),
        ("x-envoy-retry-grpc-on", "unavailable"),
        ("x-envoy-retry-on", "connect-failure,5xx"),
        ("x-envoy-upstream-rq-per-try-timeout-ms", "1500"),
        ("x-envoy-upstream-rq-timeout-ms", "5000"),
    ];
    assert_eq!(
        told(&retrying),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let service = retrying.config.services.as_ref().unwrap().find("/bank/").unwrap();
    assert_eq!(service.timeout, Some(Duration::from_secs(5)));
}

//! `gatehouse explain`, as it is typed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "what the tests share is more than one of them needs"
)]

mod support;

use serde_json::{Value, json};

use support::{ISSUER, NOW, Said, configuration, file, gatehouse, jwks, signed, token};

/// Asks about a token on a path, with the provider's keys.
fn explain(name: &str, path: &str, token: &str, more: &[&str]) -> Said {
    let config = file(&format!("{name}.json"), &configuration().to_string());
    let keys = format!("main={}", file(&format!("{name}-jwks.json"), &jwks(1)));
    let now = NOW.to_string();
    let mut arguments = vec![
        "explain", "--config", &config, "--path", path, "--token", "-", "--now", &now,
    ];
    if !more.contains(&"--without-keys") {
        arguments.extend(["--jwks", &keys]);
    }
    arguments.extend(more.iter().filter(|argument| **argument != "--without-keys"));
    gatehouse(&arguments, token)
}

/// The signature of a token must not be in what was said, not even eight characters of it.
fn assert_no_signature(said: &Said, token: &str) {
    let signature = token.rsplit('.').next().unwrap();
    for start in 0..=signature.len() - 8 {
        let run = &signature[start..start + 8];
        assert!(
            !said.out.contains(run) && !said.err.contains(run),
            "{run} is in {}{}",
            said.out,
            said.err
        );
    }
}

#[test]
fn a_token_that_passes_is_told_with_everything_that_is_done_for_it() {
    let token = token(&json!({}));
    let said = explain("passes", "/orders/7?x=1", &token, &[]);
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
    for line in [
        "orders, by its prefix /orders/; protected",
        "rules[1] is the first that matches: {\"prefix\":\"/\"}, which requires {\"provider_name\":\"main\"}",
        "one token: header authorization, behind Bearer",
        "{\"alg\":\"ES256\",\"kid\":\"one\",\"typ\":\"at+jwt\"}",
        "✓ iss is \"https://issuer.test\", as the provider asks",
        "✓ expires in 5 minutes (exp 2023-11-14T22:18:20Z)",
        "✓ aud is \"orders\"; the provider asks for one of: orders",
        "✓ ES256, verified by the key \"one\"",
        "The request is forwarded (allowed)",
        "removes       authorization",
        "x-user-id: alice",
        "x-gatehouse-cluster: orders",
        "x-envoy-upstream-rq-timeout-ms: 10000",
        ":path: /7?…",
    ] {
        assert!(said.out.contains(line), "{line} is not in {}", said.out);
    }
    assert_no_signature(&said, &token);
}

#[test]
fn each_refusal_is_told_at_the_step_that_decides_and_with_what_to_do() {
    let foreign_key = json!({"alg": "ES256", "kid": "two"});
    let other_algorithm = json!({"alg": "RS256", "kid": "one"});
    let good = token(&json!({}));
    let (start, end) = good.rsplit_once('.').unwrap();
    let forged = format!("{start}.A{}", &end[1..]);
    for (name, path, token, code, step) in [
        (
            "expired",
            "/",
            token(&json!({"exp": NOW - 180})),
            "token_expired",
            "✗ expired 3 minutes ago",
        ),
        (
            "early",
            "/",
            token(&json!({"nbf": NOW + 7200})),
            "token_not_yet_valid",
            "✗ valid only in 2 hours",
        ),
        (
            "audience",
            "/",
            token(&json!({"aud": ["a", "b"]})),
            "audience_not_allowed",
            "✗ aud is \"a\", \"b\"; the provider asks for one of: orders",
        ),
        (
            "issuer",
            "/",
            token(&json!({"iss": format!("{ISSUER}/")})),
            "issuer_unknown",
            "they differ by the closing slash",
        ),
        (
            "type",
            "/",
            signed(&json!({"alg": "ES256", "kid": "one", "typ": "logout+jwt"}), &json!({})),
            "token_type_not_allowed",
            "✗ typ is \"logout+jwt\"",
        ),
        (
            "kid",
            "/",
            signed(&foreign_key, &json!({})),
            "key_unknown",
            "kid \"two\": no such key; the keys are: \"one\" for ES256",
        ),
        (
            "alg",
            "/",
            signed(&other_algorithm, &json!({})),
            "key_unsuitable",
            "no key for this algorithm",
        ),
        (
            "forged",
            "/",
            forged,
            "signature_invalid",
            "the signature does not match",
        ),
        (
            "parts",
            "/",
            "abc.def".to_owned(),
            "token_malformed",
            "✗ the token does not have three parts",
        ),
        ("path", "/a/..;/b", good.clone(), "path_ambiguous", "400 path_ambiguous"),
        (
            "nobody",
            "/nobody",
            good.clone(),
            "service_unknown",
            "✗ no service has the path /nobody",
        ),
    ] {
        let said = explain(&format!("refused-{name}"), path, &token, &[]);
        assert_eq!((said.status, said.err.as_str()), (1, ""), "{name}: {}", said.out);
        assert!(said.out.contains(step), "{name}: {step} is not in {}", said.out);
        assert!(said.out.contains(&format!(" {code} (gRPC")), "{name}: {}", said.out);
        assert!(
            said.out.contains(&format!("docs/refusals.md, row {code}")),
            "{name}: {}",
            said.out
        );
        if token.matches('.').count() == 2 {
            assert_no_signature(&said, &token);
        }
        let json = explain(&format!("refused-{name}"), path, &token, &["--format", "json"]);
        let document: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(document["answer"]["code"], code, "{name}");
        assert_eq!(document["outcome"], "refused");
        if token.matches('.').count() == 2 {
            assert_no_signature(&json, &token);
        }
    }
}

#[test]
fn without_keys_everything_else_is_still_told() {
    let good = token(&json!({}));
    let said = explain("cold", "/orders/", &good, &["--without-keys"]);
    assert_eq!(said.status, 3, "{}", said.out);
    for line in [
        "✓ aud is",
        "? ES256, kid \"one\": can't be judged",
        "would set   ? x-user-id: alice",
        "would wait for keys",
        "--jwks main=FILE",
    ] {
        assert!(said.out.contains(line), "{line} is not in {}", said.out);
    }
    let late = token(&json!({"exp": NOW - 1}));
    let said = explain("cold-late", "/orders/", &late, &["--without-keys"]);
    assert!(
        said.out
            .contains("✓ expired 1 second ago, within the clock skew of 1 minute"),
        "{}",
        said.out
    );
    let expired = token(&json!({"exp": NOW - 180}));
    let said = explain("cold-expired", "/orders/", &expired, &["--without-keys"]);
    assert_eq!(said.status, 1, "{}", said.out);
    assert!(said.out.contains("token_expired"), "{}", said.out);
}

#[test]
fn no_signature_gets_out_wherever_the_token_stands() {
    let good = token(&json!({}));
    let other = token(&json!({"sub": "mallory"}));
    let config = file("wherever.json", &configuration().to_string());
    let keys = file("wherever-jwks.json", &jwks(1));
    let escaped = good.replace('.', "%2E");
    for (name, request) in [
        (
            "header",
            format!("GET /orders/ HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {good}\r\n\r\n"),
        ),
        (
            "twice",
            format!("GET /orders/ HTTP/1.1\nauthorization: Bearer {good}\nauthorization: Bearer {other}\n\n"),
        ),
        (
            "query",
            format!("GET /orders/?access_token={good}&t={other} HTTP/1.1\nhost: a\n\n"),
        ),
        (
            "escaped",
            format!("GET /orders/?access_token={escaped}&t={other} HTTP/1.1\nhost: a\n\n"),
        ),
        (
            "cookie",
            format!("GET /orders/ HTTP/1.1\ncookie: session={good}; other={other}\n\n"),
        ),
        (
            "path",
            format!("GET /orders/{good}/{other} HTTP/1.1\nauthorization: Bearer {good}\n\n"),
        ),
        ("host", format!("GET /orders/ HTTP/1.1\nhost: {good}\nx: {other}\n\n")),
        ("method", format!("{good} /orders/ HTTP/1.1\nx: {other}\n\n")),
        (
            "broken",
            format!("GET /orders/ HTTP/1.1\nauthorization: Bearer {good}.{other}\n\n"),
        ),
        ("no request", format!("Bearer {good}\n{other}\n")),
    ] {
        for format in ["text", "json"] {
            let arguments = [
                "explain",
                "--config",
                &config,
                "--request",
                "-",
                "--jwks",
                &keys,
                "--now",
                "1700000000",
                "--format",
                format,
            ];
            let said = gatehouse(&arguments, &request);
            assert!(said.out.len() + said.err.len() > 20, "{name}");
            assert_no_signature(&said, &good);
            assert_no_signature(&said, &other);
        }
    }
}

#[test]
fn claims_can_be_hidden_and_terminals_are_not_obeyed() {
    let token = token(&json!({"sub": "alice\u{1b}[31m", "aud": "secret-project"}));
    let said = explain("hidden", "/orders/", &token, &["--hide-claims"]);
    assert_eq!(said.status, 1, "{}", said.out);
    assert!(
        !said.out.contains("alice") && !said.out.contains("secret-project"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("hidden; they are: aud, exp, iat, iss, sub"),
        "{}",
        said.out
    );
    let said = explain("obeyed", "/orders/", &token, &[]);
    assert!(
        said.out.contains("alice") && !said.out.contains('\u{1b}'),
        "{}",
        said.out
    );
}

#[test]
fn what_can_t_be_used_is_told_on_the_other_stream() {
    let config = file("usage.json", &configuration().to_string());
    let rubbish = file("usage-rubbish.json", "<html>");
    let bad = file("usage-bad.json", "{\"rules\": 1}");
    for (arguments, says) in [
        (
            vec!["--config", &config, "--path", "/", "--now", "yesterday"],
            "is no time",
        ),
        (
            vec!["--config", &config, "--path", "/", "--jwks", &rubbish],
            "is no key set",
        ),
        (
            vec!["--config", &config, "--path", "/", "--jwks", "other=x"],
            "the providers are: main",
        ),
        (
            vec!["--config", &config, "--path", "/", "--header", "x"],
            "write 'name: value'",
        ),
        (
            vec!["--config", &config, "--path", "/", "--plugin", "x"],
            "no plugin of that name",
        ),
        (vec!["--config", &bad, "--path", "/"], "rules: is a number"),
        (vec!["--config", "/no/such/file", "--path", "/"], "can't be read"),
        (vec!["--config", &config, "--request", &rubbish], "request line"),
        (vec!["--config", &config], "--token"),
    ] {
        let arguments: Vec<&str> = ["explain"].into_iter().chain(arguments).collect();
        let said = gatehouse(&arguments, "");
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(said.err.contains(says), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn a_complaint_about_what_was_typed_repeats_no_token() {
    let token = token(&json!({}));
    let config = file("typed.json", &configuration().to_string());
    for arguments in [
        vec!["explain", &token],
        vec!["check", "--format", &token],
        vec!["explain", "--config", &config, "--path", "/", "--now", &token],
        vec!["explain", "--config", &config, "--path", "/", "--plugin", &token],
        vec!["explain", "--config", &config, "--path", "/", "--jwks", &token],
        vec!["explain", "--config", &token, "--path", "/"],
        vec!["explain", "--config", &config, "--path", "/", "--header", &token],
    ] {
        let said = gatehouse(&arguments, "");
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{}", said.err);
        assert!(said.err.starts_with("error: "), "{}", said.err);
        assert_no_signature(&said, &token);
    }
}

#[test]
fn what_routes_and_earlier_filters_say_can_be_told_too() {
    let mut config = configuration();
    config["rules"] = json!([]);
    config.as_object_mut().unwrap().remove("services");
    config["requirement_map"] = json!({"strict": {"provider_name": "main"}});
    config["per_route"] = json!({"namespace": "gatehouse"});
    config["filter_state_rules"] = json!({"name": "tier", "requires": {"gold": {"provider_name": "main"}}});
    let config = file("surroundings.json", &config.to_string());
    for (more, status, line) in [
        (vec![], 0, "none of the 0 rules matches"),
        (
            vec!["--route-requirement", "strict"],
            1,
            "asks for the requirement strict",
        ),
        (vec!["--route-requirement", "other"], 1, "requirement_unknown"),
        (vec!["--route-disabled"], 0, "nobody needs a token"),
        (
            vec!["--filter-state", "gold"],
            1,
            "chose one of filter_state_rules.requires",
        ),
        (vec!["--filter-state", "lead"], 0, "chose nothing"),
    ] {
        let arguments: Vec<&str> = ["explain", "--config", &config, "--path", "/"]
            .into_iter()
            .chain(more)
            .collect();
        let said = gatehouse(&arguments, "");
        assert_eq!(said.status, status, "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.out.contains(line), "{arguments:?}: {}", said.out);
    }
}

#[test]
fn a_service_s_authorization_is_told() {
    let mut config = configuration();
    config["services"]["orders"]["authorization"] = json!({"scopes": ["orders.write"]});
    config["services"]["orders"]["methods"] = json!(["GET"]);
    config["services"]["orders"]["upstream"] = json!([
        {"claim_name": "plan", "values": {"beta": "canary"}, "otherwise": "continue"},
        {"cel": "claims.level > 2", "cluster": "fast"},
    ]);
    let config = file("authorization.json", &config.to_string());
    let keys = file("authorization-jwks.json", &jwks(1));
    let start = [
        "explain",
        "--config",
        &config,
        "--path",
        "/orders/",
        "--token",
        "-",
        "--now",
        "1700000000",
        "--jwks",
        &keys,
    ];
    for (changes, more, code, line) in [
        (
            json!({"scope": "orders.read"}),
            vec![],
            "insufficient_scope",
            "scope=\"orders.write\"",
        ),
        (
            json!({"scope": "orders.write"}),
            vec!["--method", "POST"],
            "method_not_allowed",
            "allow         GET",
        ),
        (
            json!({"scope": "orders.write", "level": 2}),
            vec![],
            "",
            "✓ the token allows what orders asks for",
        ),
        (
            json!({"scope": "orders.write", "plan": "beta"}),
            vec![],
            "",
            "✓ orders sends it to the cluster canary",
        ),
        (
            json!({"scope": "orders.write"}),
            vec![],
            "expression_failed",
            "orders sends it nowhere: an expression has no value: there is no such field",
        ),
    ] {
        let arguments: Vec<&str> = start.into_iter().chain(more).collect();
        let said = gatehouse(&arguments, &token(&changes));
        assert_eq!(said.status, i32::from(!code.is_empty()), "{}{}", said.out, said.err);
        assert!(
            said.out.contains(code) && said.out.contains(line),
            "{code}, {line}: {}",
            said.out
        );
    }
}

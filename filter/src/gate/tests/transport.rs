//! How a token comes, and how it goes on.

use serde_json::json;

use super::{gate, gate_with};
use crate::gate::Decision;
use crate::refusal::{Detail, Reason};
use crate::request::HeaderList;
use crate::testing::{claims, request, sign, test, token, word};

#[test]
fn a_missing_token_is_no_invalid_one() {
    let gate = gate(json!({}));
    for headers in [
        &[(":path", "/")][..],
        &[(":path", "/"), ("authorization", "")],
        &[(":path", "/"), ("authorization", "Bearer")],
        &[(":path", "/"), ("authorization", "Basic YWxpY2U6c2VjcmV0")],
        &[(":path", "/"), ("authorization", "Negotiate x")],
        &[(":path", "/"), ("cookie", "access_token=x")],
        &[],
    ] {
        let decision = gate.decide(headers);
        assert_eq!(word(&decision), "token_missing", "{headers:?}");
        let Decision::Refuse(refusal) = decision else {
            unreachable!()
        };
        let answer = refusal.answer(&request(headers), Detail::Shown);
        let challenge = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "www-authenticate")
            .unwrap();
        assert!(!challenge.1.contains("error"), "{}", challenge.1);
    }
}

#[test]
fn an_empty_token_is_not_a_missing_one() {
    let gate = gate(json!({}));
    for headers in [
        &[(":path", "/"), ("authorization", "Bearer ")][..],
        &[(":path", "/"), ("authorization", "Basic x, Bearer y")],
        &[(":path", "/?access_token=")],
        &[(":path", "/?access_token")],
    ] {
        assert_eq!(word(&gate.decide(headers)), "token_malformed", "{headers:?}");
    }
}

#[test]
fn a_cookie_that_held_the_token_is_taken_out_alone() {
    let token = token();
    let cookies = format!("a=b; session=\"{token}\"; c=d");
    let headers = [(":path", "/"), ("cookie", cookies.as_str())];
    let cookie = |changes| {
        let upstream = gate(changes).upstream(&headers);
        upstream
            .into_iter()
            .find(|(name, _)| name == "cookie")
            .map(|(_, value)| value)
    };
    assert_eq!(
        cookie(json!({"from_cookies": ["session"]})).as_deref(),
        Some("a=b; c=d")
    );
    assert_eq!(
        cookie(json!({"from_cookies": ["session"], "forward": true})),
        Some(cookies.clone())
    );
    let alone = format!("session={token}");
    let upstream = gate(json!({"from_cookies": ["session"]})).upstream(&[(":path", "/"), ("cookie", &alone)]);
    assert!(!upstream.iter().any(|(name, _)| name == "cookie"));
    assert_eq!(
        gate(json!({"from_cookies": ["session"]})).get("/", &token),
        "token_missing"
    );
}

#[test]
fn the_scheme_has_no_case() {
    let gate = gate(json!({}));
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "] {
        let value = format!("{scheme} {}", token());
        assert_eq!(
            word(&gate.decide(&[(":path", "/"), ("Authorization", &value)])),
            "forward",
            "{scheme}"
        );
    }
}

#[test]
fn two_tokens_are_one_too_many() {
    let gate = gate(json!({}));
    let bearer = format!("Bearer {}", token());
    let query = format!("/?access_token={}", token());
    let joined = format!("{bearer},{bearer}");
    for headers in [
        &[(":path", "/"), ("authorization", joined.as_str())][..],
        &[
            (":path", "/"),
            ("authorization", bearer.as_str()),
            ("authorization", bearer.as_str()),
        ][..],
        &[
            (":path", "/"),
            ("authorization", bearer.as_str()),
            ("Authorization", "Basic x"),
        ],
        &[(":path", query.as_str()), ("authorization", bearer.as_str())],
    ] {
        assert_eq!(word(&gate.decide(headers)), "token_repeated");
    }
}

#[test]
fn the_token_does_not_reach_the_upstream_unless_it_is_forwarded() {
    let bearer = format!("Bearer {}", token());
    let query = format!("/list?a=%2F1&access_token={}&b=x+y", token());
    let forwarding = json!({"forward": true});
    let has = |headers: &[(String, String)], name: &str| headers.iter().any(|(known, _)| known == name);

    let headers = [(":path", "/list?a=1"), ("authorization", bearer.as_str())];
    let upstream = gate(json!({})).upstream(&headers);
    assert!(!has(&upstream, "authorization"));
    assert!(upstream.contains(&(":path".to_owned(), "/list?a=1".to_owned())));
    assert!(has(&gate(forwarding.clone()).upstream(&headers), "authorization"));

    let headers = [(":path", query.as_str()), ("authorization", "Basic x")];
    let upstream = gate(json!({})).upstream(&headers);
    assert!(upstream.contains(&(":path".to_owned(), "/list?a=%2F1&b=x+y".to_owned())));
    assert!(
        has(&upstream, "authorization"),
        "only the place that held the token is emptied"
    );
    assert!(
        gate(forwarding)
            .upstream(&headers)
            .contains(&(":path".to_owned(), query.clone()))
    );

    let only = format!("/list?access_token={}", token());
    assert!(
        gate(json!({}))
            .upstream(&[(":path", &only)])
            .contains(&(":path".to_owned(), "/list".to_owned()))
    );
}

#[test]
fn a_provider_s_own_places_replace_the_usual_ones() {
    let gate = gate(json!({
        "from_headers": [{"name": "X-Token", "value_prefix": "Token "}, {"name": "authorization", "value_prefix": "Bearer "}],
        "from_params": ["jwt"],
    }));
    let token = token();
    for (headers, expected) in [
        (
            &[(":path", "/"), ("x-token", format!("Token {token}").as_str())][..],
            "forward",
        ),
        (&[(":path", "/"), ("x-token", token.as_str())], "token_missing"),
        (
            &[(":path", "/"), ("authorization", format!("bearer {token}").as_str())],
            "forward",
        ),
        (&[(":path", format!("/?jwt={token}").as_str())], "forward"),
        (
            &[(":path", format!("/?access_token={token}").as_str())],
            "token_missing",
        ),
        (
            &[
                (":path", format!("/?jwt={token}").as_str()),
                ("x-token", format!("Token {token}").as_str()),
            ],
            "token_repeated",
        ),
    ] {
        assert_eq!(word(&gate.decide(headers)), expected, "{:?}", headers.len());
    }
}

#[test]
fn bytes_that_are_not_text_hurt_nobody() {
    let gate = gate_with(
        json!({"claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}),
        json!({"headers": {}, "services": {"all": {"prefix": "/", "cluster": "all"}}}),
    );
    let bearer = format!("Bearer {}", token()).into_bytes();
    let junk: &[u8] = b"\xff\x00\xc3\x28\n";
    for name in [
        ":path",
        ":method",
        ":authority",
        ":scheme",
        "authorization",
        "connection",
        "x-user-id",
        "content-type",
        "x-request-id",
        "origin",
    ] {
        let mut headers = vec![
            (":path".to_owned(), b"/".to_vec()),
            (":method".to_owned(), b"GET".to_vec()),
            ("authorization".to_owned(), bearer.clone()),
        ];
        headers.retain(|(known, _)| known != name);
        headers.push((name.to_owned(), junk.to_vec()));
        let request = HeaderList::new(headers);
        let decision = gate.decide_about(&request);
        if let Decision::Refuse(refusal) = &decision {
            assert!(
                !refusal
                    .answer(&request, Detail::Shown)
                    .headers
                    .iter()
                    .any(|(_, value)| !value.is_ascii())
            );
        }
    }
    assert_eq!(gate.get("/", &token()), "forward", "and the next request passes");
}

#[test]
fn ten_thousand_headers_are_only_work() {
    let gate = gate(json!({"claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}));
    let mut headers = vec![(":path".to_owned(), b"/".to_vec())];
    for number in 0..10_000 {
        headers.push((format!("x-header-{number}"), vec![b'x'; 1000]));
    }
    headers.push(("x_user_id".to_owned(), b"forged".to_vec()));
    let decision = gate.decide_about(&HeaderList::new(headers));
    assert_eq!(word(&decision), "token_missing");
}

#[test]
fn only_a_real_preflight_passes_without_a_token() {
    let asking = gate_with(json!({}), json!({"bypass_cors_preflight": true}));
    let preflight = [
        (":path", "/"),
        (":method", "OPTIONS"),
        ("origin", "https://app.test"),
        ("access-control-request-method", "GET"),
    ];
    assert_eq!(word(&asking.decide(&preflight)), "forward");
    assert_eq!(asking.forward(&preflight).caller, None);
    for missing in 1..4 {
        let mut headers = preflight.to_vec();
        headers.remove(missing);
        assert_eq!(word(&asking.decide(&headers)), "token_missing", "{headers:?}");
    }
    let mut empty = preflight;
    empty[2].1 = "";
    assert_eq!(word(&asking.decide(&empty)), "token_missing");
    let mut get = preflight;
    get[1].1 = "GET";
    assert_eq!(word(&asking.decide(&get)), "token_missing");
    assert_eq!(
        word(&gate(json!({})).decide(&preflight)),
        "token_missing",
        "it has to be asked for"
    );
}

#[test]
fn upgrades_and_connect_need_a_token_like_anything_else() {
    let gate = gate(json!({}));
    for headers in [
        &[
            (":path", "/ws"),
            (":method", "GET"),
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
        ][..],
        &[(":path", "/ws"), (":method", "CONNECT"), (":protocol", "websocket")],
        &[(":method", "CONNECT"), (":authority", "internal:80")],
    ] {
        assert_eq!(word(&gate.decide(headers)), "token_missing", "{headers:?}");
    }
}

#[test]
fn no_refusal_repeats_what_was_sent() {
    let canary = "canary-7f3a";
    let gate = gate(json!({}));
    let mut tokens = vec![
        canary.to_owned(),
        format!("{canary}.{canary}.{canary}"),
        "x".repeat(9000),
    ];
    for change in [
        json!({"iss": canary}),
        json!({"aud": canary}),
        json!({"exp": 1, "sub": canary}),
        json!({"exp": canary}),
        json!({"token_type": "refresh", "jti": canary}),
    ] {
        tokens.push(sign(&claims(change)));
    }
    for token in tokens {
        let bearer = format!("Bearer {token}");
        let headers = [
            (":path", "/bank/?q=canary-7f3a"),
            (":authority", "gate"),
            ("authorization", bearer.as_str()),
            ("x-request-id", canary),
        ];
        let Decision::Refuse(refusal) = gate.decide(&headers) else {
            panic!("{token:.40} was not refused")
        };
        let answer = refusal.answer(&request(&headers), Detail::Shown);
        let said = format!("{answer:?} {}", String::from_utf8_lossy(&answer.body));
        assert!(!said.contains(canary) && !said.contains(&token), "{said}");
        assert_ne!(refusal.reason, Reason::TokenMissing);
    }
}

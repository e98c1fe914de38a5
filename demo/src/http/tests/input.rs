//! Bad input: what comes back says what was wrong, where, and what would be right.

use axum::http::Method;
use serde_json::{Value, json};

use super::support::{get, in_a_world, request, transfer};

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 0).await;
        let good = json!({"from_account": alice.account, "to_account": bob.account, "amount": 5});
        let changed = |changes: &[(&str, Value)]| {
            let mut order = good.clone();
            for (name, value) in changes {
                order[name] = value.clone();
            }
            order
        };
        let cases: Vec<(Value, Vec<(&str, &str)>)> = vec![
            (
                json!({}),
                vec![
                    ("#/from_account", "required"),
                    ("#/to_account", "required"),
                    ("#/amount", "required"),
                ],
            ),
            (
                changed(&[("amount", json!("5"))]),
                vec![("#/amount", "whole number of minor units")],
            ),
            (
                changed(&[("amount", json!(5.5))]),
                vec![("#/amount", "whole number of minor units")],
            ),
            (changed(&[("amount", json!(0))]), vec![("#/amount", "greater than 0")]),
            (changed(&[("amount", json!(-1))]), vec![("#/amount", "greater than 0")]),
            (
                changed(&[("amount", json!(u64::MAX))]),
                vec![("#/amount", "at most 9007199254740991")],
            ),
            (changed(&[("amount", Value::Null)]), vec![("#/amount", "whole number")]),
            (
                changed(&[("from_account", json!("alice"))]),
                vec![("#/from_account", "UUID")],
            ),
            (changed(&[("to_account", json!(7))]), vec![("#/to_account", "UUID")]),
            (
                changed(&[("currency", json!("eur"))]),
                vec![("#/currency", "three capital letters")],
            ),
            (
                changed(&[("reference", json!(""))]),
                vec![("#/reference", "must not be empty")],
            ),
            (
                changed(&[("reference", json!("a\u{0}b"))]),
                vec![("#/reference", "control characters")],
            ),
            (
                changed(&[("reference", json!("x".repeat(141)))]),
                vec![("#/reference", "at most 140")],
            ),
            (
                changed(&[("amout", json!(5))]),
                vec![("#/amout", "not known here; the fields are from_account")],
            ),
            (changed(&[("a/b~c", json!(5))]), vec![("#/a~1b~0c", "not known here")]),
            (
                changed(&[("amount", json!(true)), ("currency", json!(1)), ("extra", json!(1))]),
                vec![
                    ("#/amount", "whole number"),
                    ("#/currency", "three capital"),
                    ("#/extra", "not known"),
                ],
            ),
        ];
        for (order, expected) in cases {
            let answer = transfer(&world, &alice, "key", &order)
                .await
                .expect(422, "invalid_fields");
            let faults = answer.faults();
            assert_eq!(faults.len(), expected.len(), "{order}: {faults:?}");
            for (place, words) in expected {
                assert!(faults[place].contains(words), "{order}: {faults:?}");
            }
        }
        assert_eq!(world.balance(&alice.account).await, 100);
        transfer(&world, &alice, "key", &good).await.expect_ok(201);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_small_json_object_is_refused() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let send = async |content_type: &str, body: &[u8]| {
            request(Method::POST, "/transfers/", &alice)
                .header("idempotency-key", "k")
                .body(content_type, body)
                .send(&world.payment)
                .await
        };
        for body in [
            &b""[..],
            b"{",
            b"[]",
            b"null",
            b"\"a\"",
            b"{\"amount\":1,\"amount\":2}",
            b"\xff\xfe",
            b"{} x",
        ] {
            let answer = send("application/json", body).await.expect(400, "invalid_json");
            assert!(
                answer.body["detail"].as_str().unwrap().contains("line 1"),
                "{}",
                answer.text
            );
        }
        send("text/plain", b"{}").await.expect(415, "unsupported_media_type");
        send("application/x-www-form-urlencoded", b"amount=1")
            .await
            .expect(415, "unsupported_media_type");
        request(Method::POST, "/transfers/", &alice)
            .send(&world.payment)
            .await
            .expect(415, "unsupported_media_type");

        let padded = |size: usize| format!("{{{}}}", " ".repeat(size - 2)).into_bytes();
        send("application/json", &padded(16 * 1024))
            .await
            .expect(422, "invalid_fields");
        send("application/json", &padded(16 * 1024 + 1))
            .await
            .expect(413, "body_too_large");
        send("application/json", &padded(5_000_000))
            .await
            .expect(413, "body_too_large");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_path_or_method_is_a_problem_too() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        for (service, path) in [
            (&world.bank, "/"),
            (&world.bank, "/accounts"),
            (&world.bank, "/accounts/seven/"),
            (&world.bank, "/accounts/%ff/"),
            (&world.bank, "/transfers/"),
            (&world.payment, "/accounts/"),
            (&world.payment, "/requests/%2e%2e/"),
            (&world.payment, "//transfers/"),
            (&world.payment, "/whoami/"),
        ] {
            get(service, path, &alice).await.expect(404, "not_found");
        }
        for (service, method, path, allow) in [
            (&world.bank, Method::POST, "/accounts/", "GET,HEAD"),
            (&world.bank, Method::DELETE, "/health/", "GET,HEAD"),
            (&world.payment, Method::PUT, "/transfers/", "GET,HEAD,POST"),
            (
                &world.payment,
                Method::GET,
                "/requests/0190163d-8694-739b-aea5-966c26f8ad91/accept/",
                "POST",
            ),
        ] {
            let answer = request(method, path, &alice)
                .send(service)
                .await
                .expect(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), Some(allow), "{path}");
        }
    })
    .await;
}

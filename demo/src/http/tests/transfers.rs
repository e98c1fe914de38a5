//! Transfers: what moves, what is refused, and that a repeated order moves nothing more.

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Answer, User, World, get, in_a_world, post, request, transfer};
use crate::domain::money::MAX_MINOR_UNITS;

#[tokio::test]
async fn a_transfer_moves_money_once_however_often_it_is_repeated() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 300, "currency": "EUR"});
        let first = transfer(&world, &alice, "key-1", &order).await.expect_ok(201);
        assert_eq!(first.header("idempotent-replayed"), None);
        assert_eq!(first.body["amount"], 300);
        assert_eq!(first.body["currency"], "EUR");
        assert_eq!(first.body["direction"], "outgoing");
        assert_eq!(first.body["payer"], alice.id.to_string());
        assert_eq!(first.body["payee"], bob.id.to_string());
        assert_eq!(first.body["payment_request"], Value::Null);

        for key in ["key-1", "\"key-1\""] {
            let again = transfer(&world, &alice, key, &order).await.expect_ok(201);
            assert_eq!(again.text, first.text, "the same answer, byte for byte");
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
        }
        let relaid = request(Method::POST, "/transfers/", &alice)
            .header("idempotency-key", "key-1")
            .body(
                "application/json; charset=utf-8",
                format!(
                    "{{\n \"currency\":\"EUR\", \"amount\":300, \"to_account\":\"{}\",\"from_account\":\"{}\",\"reference\":null}}",
                    bob.account,
                    alice.account.to_uppercase()
                )
                .as_bytes(),
            )
            .send(&world.payment)
            .await
            .expect_ok(201);
        assert_eq!(relaid.text, first.text, "the same order, laid out differently");

        assert_eq!((world.balance(&alice.account).await, world.balance(&bob.account).await), (700, 300));
        let by_id = format!("/transfers/{}/", first.body["id"].as_str().unwrap());
        assert_eq!(get(&world.payment, &by_id, &alice).await.expect_ok(200).body, first.body);
        assert_eq!(get(&world.payment, &by_id, &bob).await.expect_ok(200).body["direction"], "incoming");
        let mallory = world.user("mallory", 0).await;
        get(&world.payment, &by_id, &mallory).await.expect(404, "transfer_not_found");
        world.assert_books_balance(1000).await;
    })
    .await;
}

#[tokio::test]
async fn a_key_stands_for_one_order_of_one_caller() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 1000).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 1});
        let first = transfer(&world, &alice, "key", &order).await.expect_ok(201);
        for (member, value) in [
            ("amount", json!(2)),
            ("reference", json!("more")),
            ("currency", json!("EUR")),
            ("to_account", json!(Uuid::new_v4())),
            ("from_account", json!(Uuid::new_v4())),
        ] {
            let mut other = order.clone();
            other[member] = value;
            let refused = transfer(&world, &alice, "key", &other)
                .await
                .expect(422, "idempotency_key_reused");
            assert!(refused.faults().contains_key("idempotency-key"), "{member}");
        }
        let ask = json!({"payer": bob.id, "to_account": alice.account, "amount": 1});
        request(Method::POST, "/requests/", &alice)
            .header("idempotency-key", "key")
            .json(&ask)
            .send(&world.payment)
            .await
            .expect(422, "idempotency_key_reused");
        // Bob's key of the same spelling is another key.
        let back = json!({"from_account": bob.account, "to_account": alice.account, "amount": 1});
        let bobs = transfer(&world, &bob, "key", &back).await.expect_ok(201);
        assert_ne!(bobs.body["id"], first.body["id"]);
        world.assert_books_balance(2000).await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_transfer_leaves_its_key_free() {
    in_a_world(async |world| {
        let alice = world.user("alice", 10).await;
        let bob = world.user("bob", 100).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 50});
        transfer(&world, &alice, "key", &order)
            .await
            .expect(409, "insufficient_funds");
        let back = json!({"from_account": bob.account, "to_account": alice.account, "amount": 40});
        transfer(&world, &bob, "key", &back).await.expect_ok(201);
        let now = transfer(&world, &alice, "key", &order).await.expect_ok(201);
        assert_eq!(now.header("idempotent-replayed"), None);
        assert_eq!(
            (world.balance(&alice.account).await, world.balance(&bob.account).await),
            (0, 110)
        );
        world.assert_books_balance(110).await;
    })
    .await;
}

#[tokio::test]
async fn a_transfer_without_a_usable_key_is_refused() {
    in_a_world(async |world| {
        let alice = world.user("alice", 10).await;
        let bob = world.user("bob", 0).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 1});
        post(&world.payment, "/transfers/", &alice, &order)
            .await
            .expect(400, "idempotency_key_missing");
        for key in [&b""[..], b"two words", b"\"\"", b"\xff", &[b'k'; 256]] {
            let answer = request(Method::POST, "/transfers/", &alice)
                .header_bytes("idempotency-key", key)
                .json(&order)
                .send(&world.payment)
                .await
                .expect(400, "idempotency_key_invalid");
            assert!(answer.faults()["idempotency-key"].contains("visible ASCII"), "{key:?}");
        }
        request(Method::POST, "/transfers/", &alice)
            .header("idempotency-key", "a")
            .header("idempotency-key", "b")
            .json(&order)
            .send(&world.payment)
            .await
            .expect(400, "idempotency_key_invalid");
        assert_eq!(world.balance(&alice.account).await, 10);
    })
    .await;
}

/// Orders a transfer under a fresh key.
async fn order(world: &World, user: &User, from: &str, to: &str, amount: i64, currency: Option<&str>) -> Answer {
    let order = json!({"from_account": from, "to_account": to, "amount": amount, "currency": currency});
    transfer(world, user, &Uuid::new_v4().to_string(), &order).await
}

#[tokio::test]
async fn nobody_learns_anything_of_an_account_that_is_not_theirs() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 100).await;
        let dollars = world.account(bob.id, "bob", "USD", 100).await;
        let nobody = Uuid::new_v4().to_string();
        let mut seen = Vec::new();
        for (from, to, amount, currency) in [
            (&nobody, &alice.account, 1, None),
            (&bob.account, &alice.account, 1, None),
            (&bob.account, &alice.account, 5000, None),
            (&bob.account, &nobody, 1, None),
            (&bob.account, &dollars, 1, Some("USD")),
            (&dollars, &alice.account, 1, Some("EUR")),
        ] {
            let answer = order(&world, &alice, from, to, amount, currency)
                .await
                .expect(404, "account_not_found");
            assert!(answer.faults().contains_key("#/from_account"), "{}", answer.text);
            let mut body = answer.body;
            body["request_id"].take();
            seen.push(body);
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:?}");
        for account in [&alice.account, &bob.account, &dollars] {
            assert_eq!(world.balance(account).await, 100);
        }
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_moved_is_refused_and_nothing_changes() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 100).await;
        let dollars = world.account(bob.id, "bob", "USD", 100).await;
        let full = world.user("carol", MAX_MINOR_UNITS).await.account;
        let nobody = Uuid::new_v4().to_string();
        for (to, amount, currency, status, code, member) in [
            (&bob.account, 101, None, 409, "insufficient_funds", None),
            (&bob.account, MAX_MINOR_UNITS, None, 409, "insufficient_funds", None),
            (&full, 1, None, 409, "recipient_full", None),
            (&nobody, 1, None, 404, "recipient_not_found", Some("#/to_account")),
            (&dollars, 1, None, 422, "currency_mismatch", Some("#/to_account")),
            (
                &bob.account,
                1,
                Some("USD"),
                422,
                "currency_mismatch",
                Some("#/currency"),
            ),
            (&alice.account, 1, None, 422, "invalid_fields", Some("#/to_account")),
        ] {
            let answer = order(&world, &alice, &alice.account, to, amount, currency)
                .await
                .expect(status, code);
            let faults = answer.faults();
            assert_eq!(faults.keys().map(String::as_str).next(), member, "{code}: {faults:?}");
        }
        for account in [&alice.account, &bob.account, &dollars] {
            assert_eq!(world.balance(account).await, 100);
        }
        let moved: i64 = sqlx::query_scalar("SELECT count(*) FROM transfers")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM idempotency_keys")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert_eq!((moved, keys), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn the_database_itself_refuses_what_the_program_must_never_do() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        world.account(alice.id, "alice", "USD", 0).await;
        for statement in [
            "UPDATE accounts SET balance = -1",
            "UPDATE accounts SET balance = 9007199254740992",
            "INSERT INTO entries (account, amount, balance_after) SELECT id, 0, 0 FROM accounts",
            "INSERT INTO entries (account, amount, balance_after) SELECT id, 5, 5 FROM accounts",
            "INSERT INTO transfers (id, payer, payee, from_account, to_account, amount, currency)
             SELECT gen_random_uuid(), owner, owner, id, id, 1, 'EUR' FROM accounts",
            "UPDATE accounts SET currency = 'EUR'",
        ] {
            let refused = sqlx::query(statement).execute(&world.pool).await;
            let error = refused.expect_err(statement).into_database_error().unwrap();
            assert!(
                ["23514", "23505"].contains(&error.code().unwrap().as_ref()),
                "{statement}: {error}"
            );
        }
        world.assert_books_balance(100).await;
    })
    .await;
}

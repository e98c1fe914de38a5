//! Asking another user to pay: who may do what, and what becomes of it.

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Answer, User, World, get, in_a_world, post, request};

async fn ask(world: &World, requester: &User, payer: &User, amount: i64) -> String {
    let order = json!({"payer": payer.id, "to_account": requester.account, "amount": amount, "reference": "Pizza"});
    let asked = post(&world.payment, "/requests/", requester, &order)
        .await
        .expect_ok(201);
    asked.body["id"].as_str().unwrap().to_owned()
}

async fn press(world: &World, user: &User, id: &str, button: &str) -> Answer {
    request(Method::POST, &format!("/requests/{id}/{button}/"), user)
        .send(&world.payment)
        .await
}

#[tokio::test]
async fn an_accepted_request_is_paid_and_stays_paid() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let id = ask(&world, &bob, &alice, 120).await;

        let seen = get(&world.payment, &format!("/requests/{id}/"), &alice)
            .await
            .expect_ok(200);
        assert_eq!(seen.body["status"], "pending");
        assert_eq!(seen.body["direction"], "incoming");
        assert_eq!(seen.body["requester"], bob.id.to_string());
        assert_eq!(seen.body["currency"], "EUR");
        assert_eq!(seen.body["reference"], "Pizza");
        assert_eq!(
            (&seen.body["transfer"], &seen.body["settled_at"]),
            (&Value::Null, &Value::Null)
        );

        let accepted = press(&world, &alice, &id, "accept").await.expect_ok(200);
        assert_eq!(accepted.body["status"], "accepted");
        assert!(accepted.body["settled_at"].is_string());
        let transfer = accepted.body["transfer"].as_str().unwrap();
        let transfer = get(&world.payment, &format!("/transfers/{transfer}/"), &bob)
            .await
            .expect_ok(200);
        assert_eq!(transfer.body["amount"], 120);
        assert_eq!(transfer.body["payment_request"], id.as_str());
        assert_eq!(transfer.body["reference"], "Pizza");

        assert_eq!(
            press(&world, &alice, &id, "accept").await.expect_ok(200).text,
            accepted.text
        );
        press(&world, &alice, &id, "decline")
            .await
            .expect(409, "request_settled");
        press(&world, &bob, &id, "cancel").await.expect(409, "request_settled");
        assert_eq!(
            (world.balance(&alice.account).await, world.balance(&bob.account).await),
            (880, 120)
        );
        world.assert_books_balance(1000).await;
    })
    .await;
}

#[tokio::test]
async fn a_declined_or_cancelled_request_is_never_paid() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        for (user, word, status) in [(&alice, "decline", "declined"), (&bob, "cancel", "cancelled")] {
            let id = ask(&world, &bob, &alice, 10).await;
            let first = press(&world, user, &id, word).await.expect_ok(200);
            assert_eq!(first.body["status"], status);
            assert_eq!(
                press(&world, user, &id, word).await.expect_ok(200).text,
                first.text,
                "again is the same"
            );
            press(&world, &alice, &id, "accept")
                .await
                .expect(409, "request_settled");
        }
        assert_eq!(world.balance(&alice.account).await, 1000);
        world.assert_books_balance(1000).await;
    })
    .await;
}

#[tokio::test]
async fn only_the_two_users_of_a_request_know_it_and_each_has_their_own_buttons() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let mallory = world.user("mallory", 1000).await;
        let id = ask(&world, &bob, &alice, 10).await;
        for word in ["accept", "decline", "cancel"] {
            press(&world, &mallory, &id, word)
                .await
                .expect(404, "request_not_found");
            press(&world, &alice, &Uuid::new_v4().to_string(), word)
                .await
                .expect(404, "request_not_found");
            press(&world, &alice, "seven", word).await.expect(404, "not_found");
        }
        get(&world.payment, &format!("/requests/{id}/"), &mallory)
            .await
            .expect(404, "request_not_found");
        press(&world, &bob, &id, "accept").await.expect(403, "not_the_payer");
        press(&world, &bob, &id, "decline").await.expect(403, "not_the_payer");
        press(&world, &alice, &id, "cancel")
            .await
            .expect(403, "not_the_requester");
        assert_eq!(
            get(&world.payment, &format!("/requests/{id}/"), &bob).await.body["status"],
            "pending"
        );
        world.assert_books_balance(2000).await;
    })
    .await;
}

#[tokio::test]
async fn a_payer_pays_from_their_own_account_in_the_right_currency_or_not_at_all() {
    in_a_world(async |world| {
        let alice = world.user("alice", 5).await;
        let bob = world.user("bob", 50).await;
        let dollars = world.account(alice.id, "alice", "USD", 100).await;
        let id = ask(&world, &bob, &alice, 10).await;
        let path = format!("/requests/{id}/accept/");

        press(&world, &alice, &id, "accept")
            .await
            .expect(409, "insufficient_funds");
        for (from, status, code) in [
            (bob.account.as_str(), 404, "account_not_found"),
            (&Uuid::new_v4().to_string(), 404, "account_not_found"),
            (&dollars, 422, "currency_mismatch"),
            (&alice.account, 409, "insufficient_funds"),
        ] {
            post(&world.payment, &path, &alice, &json!({"from_account": from}))
                .await
                .expect(status, code);
        }
        post(&world.payment, &path, &alice, &json!({"from": alice.account}))
            .await
            .expect(422, "invalid_fields");
        post(&world.payment, &path, &alice, &json!({"from_account": 5}))
            .await
            .expect(422, "invalid_fields");
        assert_eq!(
            get(&world.payment, &format!("/requests/{id}/"), &alice).await.body["status"],
            "pending"
        );

        // Money arrives, and the same request can be paid after all.
        let gift = json!({"from_account": bob.account, "to_account": alice.account, "amount": 5});
        super::support::transfer(&world, &bob, "gift", &gift)
            .await
            .expect_ok(201);
        let paid = post(&world.payment, &path, &alice, &json!({"from_account": alice.account}))
            .await
            .expect_ok(200);
        assert_eq!(paid.body["status"], "accepted");
        assert_eq!(
            (world.balance(&alice.account).await, world.balance(&bob.account).await),
            (0, 55)
        );
    })
    .await;
}

#[tokio::test]
async fn a_request_goes_to_another_user_who_can_pay_and_into_ones_own_account() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 0).await;
        let dollars = world.account(bob.id, "bob", "USD", 0).await;
        let stranger = Uuid::new_v4();
        for (case, payer, to, currency, status, code, member) in [
            (
                "from oneself",
                bob.id,
                &bob.account,
                None,
                422,
                "invalid_fields",
                "#/payer",
            ),
            (
                "from nobody",
                stranger,
                &bob.account,
                None,
                404,
                "payer_not_found",
                "#/payer",
            ),
            (
                "dollars from euros only",
                alice.id,
                &dollars,
                None,
                404,
                "payer_not_found",
                "#/payer",
            ),
            (
                "into another's",
                alice.id,
                &alice.account,
                None,
                404,
                "account_not_found",
                "#/to_account",
            ),
            (
                "as dollars",
                alice.id,
                &bob.account,
                Some("USD"),
                422,
                "currency_mismatch",
                "#/currency",
            ),
        ] {
            let order = json!({"payer": payer, "to_account": to, "amount": 1, "currency": currency});
            let answer = post(&world.payment, "/requests/", &bob, &order)
                .await
                .expect(status, code);
            assert!(answer.faults().contains_key(member), "{case}: {}", answer.text);
        }
        let asked: i64 = sqlx::query_scalar("SELECT count(*) FROM payment_requests")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert_eq!(asked, 0);
    })
    .await;
}

#[tokio::test]
async fn a_request_with_a_key_is_asked_once_and_its_repeat_tells_how_it_was_asked() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 0).await;
        let order = json!({"payer": alice.id, "to_account": bob.account, "amount": 10});
        let send = async |order: &Value| {
            request(Method::POST, "/requests/", &bob)
                .header("idempotency-key", "k")
                .json(order)
                .send(&world.payment)
                .await
        };
        let first = send(&order).await.expect_ok(201);
        press(&world, &alice, first.body["id"].as_str().unwrap(), "accept")
            .await
            .expect_ok(200);
        let again = send(&order).await.expect_ok(201);
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        send(&json!({"payer": alice.id, "to_account": bob.account, "amount": 11}))
            .await
            .expect(422, "idempotency_key_reused");
        // Without a key each one is a request of its own.
        let other = post(&world.payment, "/requests/", &bob, &order).await.expect_ok(201);
        assert_ne!(other.body["id"], first.body["id"]);
    })
    .await;
}

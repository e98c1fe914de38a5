//! Many at once: money is never spent twice, and nobody waits in a circle.

use axum::http::Method;
use serde_json::json;

use super::support::{Answer, User, World, in_a_world, post, request, transfer};

/// Sends all orders at once and gives the answers.
async fn at_once(world: &World, orders: Vec<(User, String, serde_json::Value)>) -> Vec<Answer> {
    let sent: Vec<_> = orders
        .into_iter()
        .map(|(user, key, order)| {
            let world = world.clone();
            tokio::spawn(async move { transfer(&world, &user, &key, &order).await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in sent {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_transfers_never_spend_more_than_is_there() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 0).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 10});
        let orders = (0..60)
            .map(|number| (alice.clone(), format!("key-{number}"), order.clone()))
            .collect();
        let answers = at_once(&world, orders).await;
        let paid = answers.iter().filter(|answer| answer.status == 201).count();
        let refused = answers
            .iter()
            .filter(|answer| answer.body["code"] == "insufficient_funds")
            .count();
        assert_eq!((paid, refused), (10, 50));
        assert_eq!(
            (world.balance(&alice.account).await, world.balance(&bob.account).await),
            (0, 100)
        );
        world.assert_books_balance(100).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_of_one_order_that_come_at_once_move_money_once() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 7});
        let orders = (0..30)
            .map(|_| (alice.clone(), "one-key".to_owned(), order.clone()))
            .collect();
        let answers = at_once(&world, orders).await;
        let first = answers
            .iter()
            .filter(|answer| answer.header("idempotent-replayed").is_none())
            .count();
        assert_eq!(first, 1, "one did it");
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == 201 && answer.text == answers[0].text),
            "all tell the same"
        );
        assert_eq!(
            (world.balance(&alice.account).await, world.balance(&bob.account).await),
            (993, 7)
        );
        world.assert_books_balance(1000).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn different_orders_under_one_key_at_once_move_one_of_them() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let order = |amount| json!({"from_account": alice.account, "to_account": bob.account, "amount": amount});
        let orders = (1..=20)
            .map(|amount| (alice.clone(), "one-key".to_owned(), order(amount)))
            .collect();
        let answers = at_once(&world, orders).await;
        let paid: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        let refused = answers
            .iter()
            .filter(|answer| answer.body["code"] == "idempotency_key_reused")
            .count();
        assert_eq!((paid.len(), refused), (1, 19));
        assert_eq!(
            world.balance(&bob.account).await,
            paid[0].body["amount"].as_i64().unwrap()
        );
        world.assert_books_balance(1000).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opposite_transfers_do_not_block_each_other() {
    in_a_world(async |world| {
        let users = [
            world.user("alice", 1000).await,
            world.user("bob", 1000).await,
            world.user("carol", 1000).await,
        ];
        let mut orders = Vec::new();
        for round in 0..12 {
            for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (0, 2)] {
                let order = json!({
                    "from_account": users[from].account, "to_account": users[to].account, "amount": round + 1,
                });
                orders.push((users[from].clone(), format!("{round}-{from}-{to}"), order));
            }
        }
        let answers = at_once(&world, orders).await;
        assert!(
            answers.iter().all(|answer| answer.status == 201),
            "no deadlock, no timeout"
        );
        for user in &users {
            assert_eq!(world.balance(&user.account).await, 1000, "as much came as went");
        }
        world.assert_books_balance(3000).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_is_paid_once_however_often_accept_is_pressed_at_once() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let ask = json!({"payer": alice.id, "to_account": bob.account, "amount": 40});
        let asked = post(&world.payment, "/requests/", &bob, &ask).await.expect_ok(201);
        let path = format!("/requests/{}/accept/", asked.body["id"].as_str().unwrap());
        let pressed: Vec<_> = (0..25)
            .map(|_| {
                let (world, alice, path) = (world.clone(), alice.clone(), path.clone());
                tokio::spawn(async move {
                    request(Method::POST, &path, &alice)
                        .send(&world.payment)
                        .await
                        .expect_ok(200)
                })
            })
            .collect();
        let mut answers = Vec::new();
        for one in pressed {
            answers.push(one.await.unwrap().text);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "all name the same transfer: {answers:?}");
        assert_eq!(
            (world.balance(&alice.account).await, world.balance(&bob.account).await),
            (960, 40)
        );
        world.assert_books_balance(1000).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accept_decline_and_cancel_at_once_settle_a_request_in_one_way() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let mut expected = 0;
        for _ in 0..8 {
            let ask = json!({"payer": alice.id, "to_account": bob.account, "amount": 10});
            let asked = post(&world.payment, "/requests/", &bob, &ask).await.expect_ok(201);
            let id = asked.body["id"].as_str().unwrap().to_owned();
            let pressed: Vec<_> = [("accept", &alice), ("decline", &alice), ("cancel", &bob)]
                .into_iter()
                .map(|(word, user)| {
                    let (world, user, path) = (world.clone(), user.clone(), format!("/requests/{id}/{word}/"));
                    tokio::spawn(async move { request(Method::POST, &path, &user).send(&world.payment).await })
                })
                .collect();
            let mut won = Vec::new();
            for one in pressed {
                let answer = one.await.unwrap();
                match answer.status.as_u16() {
                    200 => won.push(answer.body["status"].as_str().unwrap().to_owned()),
                    _ => drop(answer.expect(409, "request_settled")),
                }
            }
            assert_eq!(won.len(), 1, "{won:?}");
            if won[0] == "accepted" {
                expected += 10;
            }
        }
        assert_eq!(world.balance(&bob.account).await, expected);
        world.assert_books_balance(1000).await;
    })
    .await;
}

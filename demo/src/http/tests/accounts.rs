//! Accounts and their ledgers: the caller's own, nobody else's.

use serde_json::json;
use uuid::Uuid;

use super::support::{get, in_a_world, transfer};
use crate::domain::id::UserId;
use crate::domain::money::{Balance, Currency};
use crate::postgres::accounts::{Opened, open};

#[tokio::test]
async fn a_user_sees_their_own_accounts_only() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100_000).await;
        let bob = world.user("bob", 5).await;
        let dollars = world.account(alice.id, "alice", "USD", 0).await;

        let answer = get(&world.bank, "/accounts/", &alice).await.expect_ok(200);
        let accounts = answer.body["accounts"].as_array().unwrap();
        let seen: Vec<_> = accounts
            .iter()
            .map(|account| {
                (
                    account["id"].as_str().unwrap(),
                    account["currency"].as_str().unwrap(),
                    &account["balance"],
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (alice.account.as_str(), "EUR", &json!(100_000)),
                (dollars.as_str(), "USD", &json!(0))
            ],
            "both of hers, none of bob's"
        );
        assert_eq!(accounts[0]["owner"], alice.id.to_string());
        assert_eq!(accounts[0]["owner_name"], "alice");
        assert!(accounts[0]["opened_at"].as_str().unwrap().ends_with('Z'), "RFC 3339");

        let one = get(&world.bank, &format!("/accounts/{}/", alice.account), &alice)
            .await
            .expect_ok(200);
        assert_eq!(one.body, accounts[0]);

        let mut refusals = Vec::new();
        for id in [bob.account.as_str(), &Uuid::new_v4().to_string()] {
            for path in [format!("/accounts/{id}/"), format!("/accounts/{id}/transactions/")] {
                let mut answer = get(&world.bank, &path, &alice).await.expect(404, "account_not_found");
                answer.body["request_id"].take();
                refusals.push(answer.body);
            }
        }
        refusals.dedup();
        assert_eq!(
            refusals.len(),
            1,
            "somebody else's account reads like none: {refusals:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_user_has_an_empty_list() {
    in_a_world(async |world| {
        let mut stranger = world.user("alice", 1).await;
        stranger.id = Uuid::new_v4();
        let answer = get(&world.bank, "/accounts/", &stranger).await.expect_ok(200);
        assert_eq!(answer.body, json!({"accounts": [], "next_cursor": null}));
    })
    .await;
}

#[tokio::test]
async fn the_ledger_tells_how_a_balance_came_about() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 0).await;
        let order =
            json!({"from_account": alice.account, "to_account": bob.account, "amount": 250, "reference": "Lunch"});
        let made = transfer(&world, &alice, "k", &order).await.expect_ok(201);

        let path = format!("/accounts/{}/transactions/", alice.account);
        let answer = get(&world.bank, &path, &alice).await.expect_ok(200);
        let entries = answer.body["transactions"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0]["kind"], "transfer");
        assert_eq!(entries[0]["amount"], -250);
        assert_eq!(entries[0]["balance_after"], 750);
        assert_eq!(entries[0]["transfer"], made.body["id"]);
        assert_eq!(entries[0]["counterparty_account"], bob.account);
        assert_eq!(entries[0]["reference"], "Lunch");
        assert_eq!(entries[1]["kind"], "opening");
        assert_eq!(entries[1]["amount"], 1000);
        assert_eq!(entries[1]["transfer"], json!(null));

        let path = format!("/accounts/{}/transactions/", bob.account);
        let answer = get(&world.bank, &path, &bob).await.expect_ok(200);
        let entries = answer.body["transactions"].as_array().unwrap();
        assert_eq!(
            entries.len(),
            1,
            "nothing was there at the opening, so only the transfer is"
        );
        assert_eq!(
            (&entries[0]["amount"], &entries[0]["balance_after"]),
            (&json!(250), &json!(250))
        );
        assert_eq!(entries[0]["counterparty_account"], alice.account);
    })
    .await;
}

#[tokio::test]
async fn an_account_is_opened_once_per_owner_and_currency() {
    in_a_world(async |world| {
        let owner = UserId(Uuid::new_v4());
        let currency = Currency::try_from("EUR").unwrap();
        let balance = |units| Balance::try_from(units).unwrap();
        let attempts = (0..8).map(|number| {
            let (pool, currency) = (world.pool.clone(), currency.clone());
            tokio::spawn(async move {
                open(&pool, owner, "alice", &currency, balance(100 + number))
                    .await
                    .unwrap()
            })
        });
        let mut new = Vec::new();
        let mut ids = Vec::new();
        for attempt in attempts.collect::<Vec<_>>() {
            match attempt.await.unwrap() {
                Opened::Now(account) => {
                    ids.push(account.id);
                    new.push(account.balance.minor_units());
                }
                Opened::Before(account) => ids.push(account.id),
            }
        }
        ids.sort();
        ids.dedup();
        assert_eq!((new.len(), ids.len()), (1, 1));
        world.assert_books_balance(new[0]).await;
    })
    .await;
}

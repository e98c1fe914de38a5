//! Listings: newest first, in pages that neither skip nor repeat.

use serde_json::json;

use super::support::{User, World, get, in_a_world, post, transfer};

/// Follows the cursors from the first page to the last and gives all ids.
async fn all_pages(world: &World, user: &User, path: &str, items: &str, id: &str) -> Vec<Vec<String>> {
    let service = if items == "transactions" || items == "accounts" {
        &world.bank
    } else {
        &world.payment
    };
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path_now) = next {
        let answer = get(service, &path_now, user).await.expect_ok(200);
        let page = answer.body[items]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[id].to_string())
            .collect();
        pages.push(page);
        next = answer.body["next_cursor"]
            .as_str()
            .map(|cursor| format!("{path}&cursor={cursor}"));
        assert!(pages.len() < 50, "the pages don't end");
    }
    pages
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat() {
    in_a_world(async |world| {
        let alice = world.user("alice", 1000).await;
        let bob = world.user("bob", 1000).await;
        let mut ids = Vec::new();
        for number in 0..7 {
            let (from, to) = if number % 2 == 0 {
                (&alice, &bob)
            } else {
                (&bob, &alice)
            };
            let order = json!({"from_account": from.account, "to_account": to.account, "amount": 1});
            let made = transfer(&world, from, &format!("k{number}"), &order)
                .await
                .expect_ok(201);
            ids.push(made.body["id"].to_string());
        }
        ids.reverse();
        let outgoing: Vec<String> = ids.iter().step_by(2).cloned().collect();
        let incoming: Vec<String> = ids.iter().skip(1).step_by(2).cloned().collect();
        for (query, expected) in [
            ("limit=3", &ids),
            ("limit=7", &ids),
            ("limit=100", &ids),
            ("limit=1&direction=outgoing", &outgoing),
            ("limit=2&direction=incoming", &incoming),
        ] {
            let pages = all_pages(&world, &alice, &format!("/transfers/?{query}"), "transfers", "id").await;
            assert_eq!(&pages.concat(), expected, "{query}");
        }
        let pages = all_pages(&world, &alice, "/transfers/?limit=3", "transfers", "id").await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);

        let path = format!("/accounts/{}/transactions/?limit=4", alice.account);
        let pages = all_pages(&world, &alice, &path, "transactions", "transfer").await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
        assert_eq!(pages.concat()[..7], ids[..], "and the opening at the end");

        for currency in ["USD", "CHF"] {
            world.account(alice.id, "alice", currency, 0).await;
        }
        let pages = all_pages(&world, &alice, "/accounts/?limit=1", "accounts", "currency").await;
        assert_eq!(pages.concat(), ["\"CHF\"", "\"EUR\"", "\"USD\""]);

        let mallory = world.user("mallory", 0).await;
        let empty = get(
            &world.payment,
            &format!("/transfers/?cursor={}", ids[0].trim_matches('"')),
            &mallory,
        )
        .await;
        assert_eq!(empty.expect_ok(200).body, json!({"transfers": [], "next_cursor": null}));
    })
    .await;
}

#[tokio::test]
async fn requests_are_listed_by_direction() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 100).await;
        let carol = world.user("carol", 100).await;
        let mut ids = Vec::new();
        for (requester, payer) in [(&bob, &alice), (&alice, &bob), (&carol, &alice), (&carol, &bob)] {
            let order = json!({"payer": payer.id, "to_account": requester.account, "amount": 1});
            let asked = post(&world.payment, "/requests/", requester, &order)
                .await
                .expect_ok(201);
            ids.push(asked.body["id"].to_string());
        }
        let path = format!("/requests/{}/accept/", ids[0].trim_matches('"'));
        post(&world.payment, &path, &alice, &json!({})).await.expect_ok(200);
        for (query, expected) in [
            ("limit=1", vec![&ids[2], &ids[1], &ids[0]]),
            ("limit=50&direction=incoming", vec![&ids[2], &ids[0]]),
            ("limit=1&direction=outgoing", vec![&ids[1]]),
        ] {
            let pages = all_pages(&world, &alice, &format!("/requests/?{query}"), "requests", "id").await;
            assert_eq!(pages.concat().iter().collect::<Vec<_>>(), expected, "{query}");
        }
        let listed = get(&world.payment, "/requests/?direction=incoming", &alice)
            .await
            .expect_ok(200);
        let states: Vec<_> = listed.body["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["status"].clone())
            .collect();
        assert_eq!(states, ["pending", "accepted"]);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_query_is_refused_with_the_parameter_named() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let entries = format!("/accounts/{}/transactions/", alice.account);
        for (service, path, parameter) in [
            (&world.payment, "/transfers/?limit=0", "limit"),
            (&world.payment, "/transfers/?limit=101", "limit"),
            (&world.payment, "/transfers/?limit=-1", "limit"),
            (&world.payment, "/transfers/?cursor=abc", "cursor"),
            (&world.payment, "/transfers/?cursor=%ff", "cursor"),
            (&world.payment, "/transfers/?direction=up", "direction"),
            (&world.payment, "/requests/?page=2", "page"),
            (&world.bank, "/accounts/?direction=incoming", "direction"),
            (&world.bank, "/accounts/?cursor=eur", "cursor"),
            (&world.bank, &format!("{entries}?cursor=x"), "cursor"),
            (&world.bank, &format!("{entries}?limit=1&limit=2"), "limit"),
        ] {
            let answer = get(service, path, &alice).await.expect(400, "invalid_query");
            assert!(answer.faults().contains_key(parameter), "{path}: {}", answer.text);
        }
    })
    .await;
}

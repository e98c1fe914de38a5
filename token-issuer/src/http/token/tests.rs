#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use jose::UnverifiedToken;
use serde_json::json;

use crate::{
    domain::{lifetime::Lifetimes, refresh_family::NewFamily, username::Username},
    environment::Clock,
    password_hasher::HashSettings,
    postgres::refresh_family::Beginning,
    test_support::{Answer, Options, PASSWORD, TestApp, database::TestDatabase, hash_settings},
};

mod bodies;

const JSON: &str = "application/json";

fn assert_no_account(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {}", answer.body);
    assert_eq!(
        answer.body, r#"{"detail":"No active account found with the given credentials"}"#,
        "{what}"
    );
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api\""),
        "{what}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
}

#[tokio::test]
async fn a_login_gives_two_tokens_that_say_who_it_is() {
    let app = TestApp::start().await;
    let alice = app.user("alice").await;
    let answer = app.log_in("alice").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json().as_object().unwrap().len(), 2);
    assert!(answer.body.starts_with("{\"refresh\":"));

    let keys = app.keyring.current().unwrap();
    for (member, typ, token_type, audience, lifetime) in [
        ("access", "at+jwt", "access", "gatehouse", 300),
        ("refresh", "rt+jwt", "refresh", "https://gate.example", 86_400),
    ] {
        let text = answer.text(member);
        let token = keys
            .verification
            .verify(&UnverifiedToken::parse(text.as_bytes(), 8192).unwrap())
            .unwrap();
        assert_eq!(token.header().token_type(), Some(typ));
        assert_eq!(token.header().key_id(), Some(keys.signer.kid().0.as_str()));
        let claims = token.claims();
        assert_eq!(claims.issuer(), Some("https://gate.example"));
        assert_eq!(claims.subject(), Some(alice.id.to_string().as_str()));
        assert_eq!(claims.audience().collect::<Vec<_>>(), [audience]);
        assert_eq!(claims.get("token_type").unwrap().as_str(), Some(token_type));
        let issued_at = claims.issued_at().unwrap().seconds();
        assert_eq!(issued_at, 1_800_000_000);
        assert_eq!(claims.expires_at().unwrap().seconds(), issued_at + lifetime, "{member}");
        assert_eq!(claims.jwt_id().unwrap().len(), 32);
    }
    let access = UnverifiedToken::parse(answer.text("access").as_bytes(), 8192).unwrap();
    let claims = access.claims_unverified();
    assert_eq!(claims.get("username").unwrap().as_str(), Some("alice"));
    assert_eq!(claims.get("scope").unwrap().as_str(), Some("bank.read bank.write"));
    assert!(claims.get("fid").is_none());
}

#[tokio::test]
async fn wrong_passwords_unknown_names_and_disabled_accounts_get_one_answer() {
    let app = TestApp::start().await;
    app.user("alice").await;
    app.user("mallory").await;
    app.database
        .disable_user(&Username::parse("mallory").unwrap(), time::OffsetDateTime::now_utc())
        .await
        .unwrap();
    let long = "a".repeat(60_000);
    for (what, username, password) in [
        ("wrong password", "alice", "wrong-password"),
        ("password with a space more", "alice", "alice-demo-password "),
        ("password in capitals", "alice", "ALICE-DEMO-PASSWORD"),
        ("very long password", "alice", long.as_str()),
        ("unknown name", "nobody", PASSWORD),
        ("name in capitals", "Alice", PASSWORD),
        ("name that can't be one", "al ice\u{1}", PASSWORD),
        ("very long name", long.as_str(), PASSWORD),
        ("SQL", "' OR 1=1 --", PASSWORD),
        ("disabled", "mallory", PASSWORD),
    ] {
        let answer = app
            .post_json("/api/token/", &json!({ "username": username, "password": password }))
            .await;
        assert_no_account(&answer, what);
    }
    let answer = app.post("/api/token/", JSON, r#"{"username":1,"password":2.5}"#);
    assert_no_account(&answer.await, "numbers");
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let app = TestApp::start().await;
    app.user("alice").await;
    // The shortest of several times: whatever else the machine does only makes them longer.
    let mut times = [Duration::MAX; 2];
    for _ in 0..5 {
        for (time, username) in times.iter_mut().zip(["alice", "nobody"]) {
            let began = Instant::now();
            app.post_json(
                "/api/token/",
                &json!({ "username": username, "password": "wrong-password" }),
            )
            .await;
            *time = began.elapsed().min(*time);
        }
    }
    // Without the hash for nobody, it would be a tenth.
    let ratio = times[1].as_secs_f64() / times[0].as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "{times:?}");
}

#[tokio::test]
async fn a_bearer_token_in_the_request_plays_no_part() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let request = Request::post("/api/token/")
        .header("content-type", JSON)
        .header("authorization", "Bearer garbage")
        .body(Body::from(
            json!({ "username": "alice", "password": PASSWORD }).to_string(),
        ))
        .unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_login_that_waits_too_long_for_its_hash_is_told_to_come_back() {
    let hashing = HashSettings {
        at_once: NonZeroUsize::MIN,
        longest_wait: Duration::from_millis(1),
        iterations: 20,
        ..hash_settings()
    };
    let app = TestApp::start_with(
        TestDatabase::create().await,
        Options {
            hashing,
            ..Options::default()
        },
    )
    .await;
    let app = Arc::new(app);
    let logins: Vec<_> = (0..8)
        .map(|_| {
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.log_in("nobody").await })
        })
        .collect();
    let mut busy = Vec::new();
    for login in logins {
        let answer = login.await.unwrap();
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            busy.push(answer);
        }
    }
    assert!(!busy.is_empty());
    for answer in busy {
        assert_eq!(answer.json()["code"], "busy");
        assert!(answer.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn a_hash_with_old_parameters_is_replaced_at_the_next_login() {
    let home = TestDatabase::create().await;
    let hashing = HashSettings {
        iterations: 3,
        ..hash_settings()
    };
    let app = TestApp::start_with(
        home,
        Options {
            hashing,
            ..Options::default()
        },
    )
    .await;
    app.user("alice").await;
    let name = Username::parse("alice").unwrap();
    let before = app.database.user_by_name(&name).await.unwrap().unwrap();
    assert!(before.password_hash.expose().contains(",t=2,"));

    let refresh = app.log_in("alice").await.text("refresh");
    let after = app.database.user_by_name(&name).await.unwrap().unwrap();
    assert!(after.password_hash.expose().contains(",t=3,"));
    assert_eq!(after.password_changed_at, before.password_changed_at);
    // It is the same password still, and no session ended by it.
    assert_eq!(app.refresh(&refresh).await.status, StatusCode::OK);
    assert_eq!(app.log_in("alice").await.status, StatusCode::OK);
    let settled = app.database.user_by_name(&name).await.unwrap().unwrap();
    assert_eq!(settled.password_hash, after.password_hash);
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let name = Username::parse("alice").unwrap();
    let other = app.user("other").await;
    let hash = app
        .database
        .user_by_name(&other.username)
        .await
        .unwrap()
        .unwrap()
        .password_hash;
    let later = time::OffsetDateTime::from_unix_timestamp(1_800_000_100).unwrap();
    app.database.set_password(&name, &hash, later).await.unwrap();
    assert_eq!(app.log_in("alice").await.status, StatusCode::OK);
    let stored = app.database.user_by_name(&name).await.unwrap().unwrap();
    assert_eq!((stored.password_hash, stored.password_changed_at), (hash, later));
}

#[tokio::test]
async fn a_login_that_a_change_of_the_account_overtakes_begins_no_session() {
    let app = TestApp::start().await;
    let alice = app.user("alice").await;
    let now = app.clock.now();
    let lifetimes = Lifetimes {
        access: "5m".parse().unwrap(),
        refresh: "1d".parse().unwrap(),
        refresh_family: "1d".parse().unwrap(),
    };
    let family = |byte| NewFamily::begin(alice.id, now, lifetimes, [byte; 10], [byte; 16]);
    assert_eq!(
        app.database.begin_family(&family(1), now).await.unwrap(),
        Beginning::Begun
    );
    let before_the_change = now - Duration::from_secs(1);
    assert_eq!(
        app.database.begin_family(&family(2), before_the_change).await.unwrap(),
        Beginning::AccountChanged
    );
    app.database.disable_user(&alice.username, now).await.unwrap();
    assert_eq!(
        app.database.begin_family(&family(3), now).await.unwrap(),
        Beginning::AccountChanged
    );
}

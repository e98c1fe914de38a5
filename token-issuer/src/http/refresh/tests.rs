#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Row, postgres::PgConnectOptions};

use crate::{
    keyring::signer::Signer,
    test_support::{Answer, TestApp},
};

mod accounts;

fn assert_refused(answer: &Answer, detail: &str, what: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {}", answer.body);
    assert_eq!(
        answer.body,
        format!(r#"{{"detail":"{detail}","code":"token_not_valid"}}"#),
        "{what}"
    );
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api\""),
        "{what}"
    );
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_refresh_gives_a_new_pair_of_the_same_family() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let first = app.log_in("alice").await.text("refresh");
    app.clock.advance(Duration::from_mins(1));
    let answer = app.refresh(&first).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.starts_with("{\"access\":"));
    assert_eq!(answer.json().as_object().unwrap().len(), 2);
    let (old, new, access) = (
        claims(&first),
        claims(&answer.text("refresh")),
        claims(&answer.text("access")),
    );
    assert_eq!(new["fid"], old["fid"]);
    assert_ne!(new["jti"], old["jti"]);
    assert_eq!(new["exp"], 1_800_000_060 + 86_400);
    assert_eq!(access["exp"], 1_800_000_060 + 300);
    assert_eq!(access["username"], "alice");
    let third = app.refresh(&answer.text("refresh")).await;
    assert_eq!(third.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refreshed_access_token_says_what_holds_now() {
    let app = TestApp::start().await;
    let alice = app.user("alice").await;
    let token = app.log_in("alice").await.text("refresh");
    let mut connection = app
        .home
        .server()
        .clone()
        .database(app.home.name())
        .connect()
        .await
        .unwrap();
    sqlx::query("UPDATE users SET scope = 'bank.read' WHERE id = $1")
        .bind(alice.id.0)
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(claims(&app.refresh(&token).await.text("access"))["scope"], "bank.read");
}

#[tokio::test]
async fn of_fifty_uses_at_once_exactly_one_succeeds() {
    let app = Arc::new(TestApp::start().await);
    app.user("alice").await;
    for _ in 0..3 {
        let token = app.log_in("alice").await.text("refresh");
        let uses: Vec<_> = (0..50)
            .map(|_| {
                let (app, token) = (Arc::clone(&app), token.clone());
                tokio::spawn(async move { app.refresh(&token).await })
            })
            .collect();
        let mut successors = Vec::new();
        for one in uses {
            let answer = one.await.unwrap();
            if answer.status == StatusCode::OK {
                successors.push(answer.text("refresh"));
            } else {
                assert_refused(&answer, "Token is blacklisted", "a loser");
            }
        }
        assert_eq!(successors.len(), 1);
        // Forty-nine uses of a spent token: whoever won has nothing from it.
        assert_refused(
            &app.refresh(&successors[0]).await,
            "Token is blacklisted",
            "the successor",
        );
    }
}

#[tokio::test]
async fn the_use_of_a_spent_token_ends_its_family_and_no_other() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let (stolen, other) = (
        app.log_in("alice").await.text("refresh"),
        app.log_in("alice").await.text("refresh"),
    );
    let successor = app.refresh(&stolen).await.text("refresh");
    assert_refused(&app.refresh(&stolen).await, "Token is blacklisted", "the spent one");
    assert_refused(&app.refresh(&successor).await, "Token is blacklisted", "its successor");
    assert_eq!(app.refresh(&other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_body_gets_the_answer_that_simple_jwt_gives() {
    let app = TestApp::start().await;
    for (name, content_type, body, expected) in [
        (
            "nothing",
            "application/json",
            "",
            r#"{"refresh":["This field is required."]}"#,
        ),
        (
            "an empty object",
            "application/json",
            "{}",
            r#"{"refresh":["This field is required."]}"#,
        ),
        (
            "empty",
            "application/json",
            r#"{"refresh":""}"#,
            r#"{"refresh":["This field may not be blank."]}"#,
        ),
        (
            "blank",
            "application/json",
            r#"{"refresh":" "}"#,
            r#"{"refresh":["This field may not be blank."]}"#,
        ),
        (
            "null",
            "application/json",
            r#"{"refresh":null}"#,
            r#"{"refresh":["This field may not be null."]}"#,
        ),
        (
            "a list",
            "application/json",
            r#"{"refresh":[]}"#,
            r#"{"refresh":["Not a valid string."]}"#,
        ),
        (
            "a boolean",
            "application/json",
            r#"{"refresh":true}"#,
            r#"{"refresh":["Not a valid string."]}"#,
        ),
        (
            "a NUL",
            "application/json",
            r#"{"refresh":"a\u0000"}"#,
            r#"{"refresh":["Null characters are not allowed."]}"#,
        ),
        (
            "a blank form",
            "application/x-www-form-urlencoded",
            "refresh=",
            r#"{"refresh":["This field may not be blank."]}"#,
        ),
    ] {
        let answer = app.post("/api/token/refresh/", content_type, body.to_owned()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (400, expected),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_of_ours_is_refused() {
    let app = TestApp::start().await;
    let alice = app.user("alice").await;
    let pair = app.log_in("alice").await;
    let good = pair.text("refresh");
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let keys = app.keyring.current().unwrap();
    let stranger = Signer::generate().unwrap();
    let stranger = Signer::from_pkcs8(stranger.kid, &stranger.private_key).unwrap();
    let resigned = |change: fn(&mut Value)| {
        let mut changed = claims(&good);
        change(&mut changed);
        keys.signer.sign("rt+jwt", &changed).unwrap()
    };
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"rt+jwt"}"#);
    let long = "a".repeat(20_000);
    for (what, token) in [
        ("a word", "garbage".to_owned()),
        ("three words", "a.b.c".to_owned()),
        ("very long", long),
        ("no signature", format!("{header}.{payload}.")),
        ("alg none", format!("{none}.{payload}.")),
        ("another's signature", stranger.sign("rt+jwt", &claims(&good)).unwrap()),
        (
            "a changed claim",
            format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(r#"{"sub":"x"}"#)),
        ),
        (
            "another issuer",
            resigned(|claims| claims["iss"] = json!("https://gate.example/")),
        ),
        ("no issuer", resigned(|claims| claims["iss"] = json!(null))),
        (
            "another audience",
            resigned(|claims| claims["aud"] = json!("gatehouse")),
        ),
        (
            "two audiences",
            resigned(|claims| claims["aud"] = json!(["https://gate.example", "gatehouse"])),
        ),
        (
            "no expiry",
            resigned(|claims| drop(claims.as_object_mut().unwrap().remove("exp"))),
        ),
        (
            "no family",
            resigned(|claims| drop(claims.as_object_mut().unwrap().remove("fid"))),
        ),
        (
            "a family that is no UUID",
            resigned(|claims| claims["fid"] = json!("1' OR '1'='1")),
        ),
        (
            "no identifier",
            resigned(|claims| drop(claims.as_object_mut().unwrap().remove("jti"))),
        ),
    ] {
        let answer = app.refresh(&token).await;
        assert_refused(&answer, "Token is invalid", what);
    }
    assert_refused(
        &app.refresh(&pair.text("access")).await,
        "Token has wrong type",
        "an access token",
    );
    let disguised = keys.signer.sign("at+jwt", &claims(&good)).unwrap();
    assert_refused(
        &app.refresh(&disguised).await,
        "Token has wrong type",
        "the typ of an access token",
    );
    let other_user = resigned(|claims| claims["sub"] = json!("00000000-0000-4000-8000-000000000000"));
    assert_refused(
        &app.refresh(&other_user).await,
        "Token is blacklisted",
        "another user's family",
    );
    // None of this has hurt the family.
    assert_eq!(app.refresh(&format!(" {good} ")).await.status, StatusCode::OK);
    assert_eq!(claims(&good)["sub"], alice.id.to_string());
}

#[tokio::test]
async fn a_token_expires_to_the_second() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let (one, other) = (
        app.log_in("alice").await.text("refresh"),
        app.log_in("alice").await.text("refresh"),
    );
    app.clock.advance(Duration::from_secs(86_400 - 1));
    assert_eq!(app.refresh(&one).await.status, StatusCode::OK);
    app.clock.advance(Duration::from_secs(1));
    assert_refused(&app.refresh(&other).await, "Token is expired", "a day later");
}

#[tokio::test]
async fn a_token_never_outlives_its_family() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let mut token = app.log_in("alice").await.text("refresh");
    for _ in 0..5 {
        app.clock.advance(Duration::from_hours(12));
        token = app.refresh(&token).await.text("refresh");
    }
    // Two and a half days in, half a day is left of the family's three.
    assert_eq!(claims(&token)["exp"], 1_800_000_000 + 3 * 86_400);
    app.clock.advance(Duration::from_secs(12 * 3600 - 1));
    token = app.refresh(&token).await.text("refresh");
    app.clock.advance(Duration::from_secs(1));
    assert_refused(&app.refresh(&token).await, "Token is expired", "after the third day");
    // Also a token that says otherwise.
    let mut changed = claims(&token);
    changed["exp"] = json!(1_900_000_000);
    let longer = app.keyring.current().unwrap().signer.sign("rt+jwt", &changed).unwrap();
    assert_refused(&app.refresh(&longer).await, "Token is expired", "a longer one");
}

#[tokio::test]
async fn a_copy_of_the_database_refreshes_nothing() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let first = app.log_in("alice").await.text("refresh");
    let token = app.refresh(&first).await.text("refresh");
    let mut connection = PgConnectOptions::clone(app.home.server())
        .database(app.home.name())
        .connect()
        .await
        .unwrap();
    let mut dump = String::new();
    for table in ["users", "signing_keys", "refresh_families"] {
        let query = sqlx::AssertSqlSafe(format!("SELECT row_to_json({table})::text AS line FROM {table}"));
        for row in sqlx::query(query).fetch_all(&mut connection).await.unwrap() {
            dump.push_str(&row.get::<String, _>("line"));
        }
    }
    assert!(dump.contains("alice") && dump.contains("current_token_hash"));
    for token in [&first, &token] {
        let jti = claims(token)["jti"].as_str().unwrap().to_owned();
        let signature = token.rsplit('.').next().unwrap();
        for secret in [token.as_str(), signature, jti.as_str()] {
            assert!(!dump.contains(secret));
        }
    }
}

#[tokio::test]
async fn a_login_or_refresh_leaves_one_row_for_each_login() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let mut token = app.log_in("alice").await.text("refresh");
    for _ in 0..5 {
        token = app.refresh(&token).await.text("refresh");
    }
    app.log_in("alice").await;
    let mut connection = PgConnectOptions::clone(app.home.server())
        .database(app.home.name())
        .connect()
        .await
        .unwrap();
    let query = sqlx::query_scalar("SELECT array_agg(rotations ORDER BY rotations) FROM refresh_families");
    let rotations: Vec<i64> = query.fetch_one(&mut connection).await.unwrap();
    assert_eq!(rotations, [0, 5]);
}

//! What becomes of a user's sessions when the account changes.

use axum::http::StatusCode;
use sqlx::ConnectOptions;

use super::assert_refused;
use crate::{domain::username::Username, environment::Clock, test_support::TestApp};

#[tokio::test]
async fn a_disabled_user_cannot_refresh_and_old_sessions_stay_ended() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let name = Username::parse("alice").unwrap();
    let token = app.log_in("alice").await.text("refresh");
    app.database.disable_user(&name, app.clock.now()).await.unwrap();
    let answer = app.refresh(&token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.body,
        r#"{"detail":"No active account found for the given token."}"#
    );
    app.database.enable_user(&name).await.unwrap();
    assert_refused(&app.refresh(&token).await, "Token is blacklisted", "after enabling");
    assert_eq!(app.log_in("alice").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_account_that_was_disabled_by_hand_cannot_refresh_either() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let token = app.log_in("alice").await.text("refresh");
    let mut connection = app
        .home
        .server()
        .clone()
        .database(app.home.name())
        .connect()
        .await
        .unwrap();
    sqlx::query("UPDATE users SET disabled_at = now()")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(app.refresh(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_password_ends_all_sessions() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let name = Username::parse("alice").unwrap();
    let token = app.log_in("alice").await.text("refresh");
    let hash = app.database.user_by_name(&name).await.unwrap().unwrap().password_hash;
    app.database.set_password(&name, &hash, app.clock.now()).await.unwrap();
    assert_refused(
        &app.refresh(&token).await,
        "Token is blacklisted",
        "after a new password",
    );
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use jose::{JwkSet, KeySource};
use serde_json::json;
use sqlx::ConnectOptions;

use crate::test_support::{Options, PASSWORD, TestApp, database::TestDatabase, proxy::Line};

#[tokio::test]
async fn public_endpoints_stand_at_the_root_and_under_auth_with_and_without_a_trailing_slash() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let credentials = json!({ "username": "alice", "password": PASSWORD });
    for path in [
        "/api/token/",
        "/api/token",
        "/api/auth/token/",
        "/api/auth/token",
        "/auth/api/token/",
        "/auth/api/token",
        "/auth/api/auth/token/",
    ] {
        let answer = app.post_json(path, &credentials).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let mut token = app.log_in("alice").await.text("refresh");
    for path in [
        "/api/token/refresh/",
        "/api/token/refresh",
        "/auth/api/token/refresh/",
        "/auth/api/token/refresh",
    ] {
        let answer = app.post_json(path, &json!({ "refresh": token })).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        token = answer.text("refresh");
    }
    for path in ["/.well-known/jwks.json", "/auth/.well-known/jwks.json"] {
        assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_as_json_and_operations_are_not_public() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/nope",
        "/auth/",
        "/auth/metrics",
        "/auth/health/live",
        "/auth/health/ready",
        "/auth/static/logo.svg",
        "/api/token/other",
        "/static/",
        "/static/none.css",
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/media/",
        "/media/a.txt",
        "/admin/",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json(), json!({ "detail": "Not found." }), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    }
}

#[tokio::test]
async fn another_method_is_405_as_simple_jwt_words_it() {
    let app = TestApp::start().await;
    for (method, detail) in [
        ("GET", "Method \"GET\" not allowed."),
        ("PUT", "Method \"PUT\" not allowed."),
        ("PATCH", "Method \"PATCH\" not allowed."),
        ("DELETE", "Method \"DELETE\" not allowed."),
        ("BREW", "Method not allowed."),
    ] {
        for path in ["/api/token/", "/auth/api/token/refresh/"] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let answer = app.send(request).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.json(), json!({ "detail": detail }), "{method} {path}");
            assert_eq!(answer.header("allow"), Some("POST, OPTIONS"), "{method} {path}");
        }
    }
    let answer = app.post_json("/.well-known/jwks.json", &json!({})).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json(), json!({ "detail": "Method \"POST\" not allowed." }));
    let request = Request::options("/api/token/").body(Body::empty()).unwrap();
    let answer = app.send(request).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (StatusCode::NO_CONTENT, Some("POST, OPTIONS"))
    );
}

#[tokio::test]
async fn the_key_set_is_one_that_gateways_accept_and_is_cached_by_its_tag() {
    let app = TestApp::start().await;
    let answer = app.get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let keys = JwkSet::parse(answer.body.as_bytes(), KeySource::Remote).unwrap();
    assert_eq!((keys.keys().len(), keys.skipped().len()), (1, 0));
    let key = answer.json()["keys"][0].clone();
    let mut members: Vec<_> = key.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);

    let tag = answer.header("etag").unwrap().to_owned();
    let request = Request::get("/.well-known/jwks.json")
        .header("if-none-match", &tag)
        .body(Body::empty())
        .unwrap();
    let again = app.send(request).await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    assert_eq!(again.header("cache-control"), Some("public, max-age=300"));
    let request = Request::get("/.well-known/jwks.json")
        .header("if-none-match", "\"old\"")
        .body(Body::empty())
        .unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn static_files_come_with_their_type_and_tag() {
    let app = TestApp::start().await;
    for (name, content_type, beginning) in [
        ("gatehouse.css", "text/css; charset=utf-8", "/*"),
        ("logo.svg", "image/svg+xml", "<svg"),
        ("favicon.svg", "image/svg+xml", "<svg"),
    ] {
        let answer = app.get(&format!("/static/{name}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
        assert!(answer.body.starts_with(beginning));
        let tag = answer.header("etag").unwrap();
        let request = Request::get(format!("/static/{name}"))
            .header("if-none-match", tag)
            .body(Body::empty())
            .unwrap();
        assert_eq!(app.send(request).await.status, StatusCode::NOT_MODIFIED, "{name}");
    }
}

#[tokio::test]
async fn media_serves_the_files_of_its_directory_and_nothing_above_it() {
    let home = TestDatabase::create().await;
    let root = std::env::temp_dir().join(home.name());
    fs::create_dir_all(root.join("media/sub")).unwrap();
    fs::write(root.join("secret.txt"), "secret").unwrap();
    fs::write(root.join("media/a.txt"), "a file").unwrap();
    fs::write(root.join("media/page.html"), "<script>alert(1)</script>").unwrap();
    fs::write(root.join("media/sub/index.html"), "index").unwrap();
    let options = Options {
        media_dir: Some(root.join("media")),
        ..Options::default()
    };
    let app = TestApp::start_with(home, options).await;

    let answer = app.get("/media/a.txt").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "a file"));
    let answer = app.get("/media/page.html").await;
    assert_eq!(
        answer.header("content-security-policy"),
        Some("default-src 'none'; sandbox")
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let answer = app.post_json("/media/a.txt", &json!({})).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json(), json!({ "detail": "Method \"POST\" not allowed." }));
    let metrics = app.get("/metrics").await.body;
    assert!(
        metrics.contains("{endpoint=\"/media/{*path}\",method=\"GET\",status=\"200\"} 2"),
        "{metrics}"
    );
    for path in [
        "/media",
        "/media/",
        "/media/sub",
        "/media/sub/",
        "/media/none.txt",
        "/media/../secret.txt",
        "/media/%2e%2e/secret.txt",
        "/media/..%2fsecret.txt",
        "/media//etc/passwd",
        "/media/%00",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        assert_eq!(answer.json(), json!({ "detail": "Not found." }), "{path}");
    }
    fs::remove_dir_all(root).unwrap();
}

#[tokio::test]
async fn a_given_request_id_is_kept_if_it_harms_no_log() {
    let app = TestApp::start().await;
    let long = "a".repeat(129);
    for (given, kept) in [
        ("5f1c-0b_2.A", true),
        ("with space", false),
        ("quote\"", false),
        ("", false),
        (long.as_str(), false),
    ] {
        let request = Request::get("/health/live")
            .header("x-request-id", given)
            .body(Body::empty())
            .unwrap();
        let answer = app.send(request).await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(id == given, kept, "{given:?} became {id:?}");
        assert!(!id.is_empty());
    }
}

#[tokio::test]
async fn metrics_tell_of_requests_logins_tokens_hashes_connections_and_the_key() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let refresh = app.log_in("alice").await.text("refresh");
    app.log_in("nobody").await;
    app.refresh(&refresh).await;
    app.refresh(&refresh).await;
    app.refresh("garbage").await;
    app.get("/some/secret/path").await;
    app.clock.advance(Duration::from_secs(90));
    let text = app.get("/metrics").await.body;
    for line in [
        "gatehouse_issuer_http_requests_total{endpoint=\"/api/token/\",method=\"POST\",status=\"200\"} 1",
        "gatehouse_issuer_http_requests_total{endpoint=\"/api/token/\",method=\"POST\",status=\"401\"} 1",
        "gatehouse_issuer_http_requests_total{endpoint=\"unmatched\",method=\"GET\",status=\"404\"} 1",
        "gatehouse_issuer_logins_total{outcome=\"succeeded\"} 1",
        "gatehouse_issuer_logins_total{outcome=\"refused\"} 1",
        "gatehouse_issuer_logins_total{outcome=\"busy\"} 0",
        "gatehouse_issuer_refreshes_total{outcome=\"succeeded\"} 1",
        "gatehouse_issuer_refreshes_total{outcome=\"reused\"} 1",
        "gatehouse_issuer_refreshes_total{outcome=\"refused\"} 1",
        "gatehouse_issuer_tokens_issued_total{kind=\"access\"} 2",
        "gatehouse_issuer_tokens_issued_total{kind=\"refresh\"} 2",
        "gatehouse_issuer_password_hashes_running 0",
        "gatehouse_issuer_logins_hashing 0",
        "gatehouse_issuer_signing_key_age_seconds 90",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("gatehouse_issuer_database_connections_open "));
    assert!(!text.contains("secret"));
}

#[tokio::test]
async fn without_its_database_the_service_says_so_gives_no_token_and_recovers_by_itself() {
    let home = TestDatabase::create().await;
    let mut line = Line::to(&home).await;
    let options = Options {
        database_url: Some(line.url(&home)),
        ..Options::default()
    };
    let app = TestApp::start_with(home, options).await;
    app.user("alice").await;
    let refresh = app.log_in("alice").await.text("refresh");
    assert_eq!(app.get("/health/ready").await.status, StatusCode::OK);

    line.cut().await;
    let began = Instant::now();
    let login = app.log_in("alice").await;
    assert_eq!(login.status, StatusCode::SERVICE_UNAVAILABLE, "{}", login.body);
    assert_eq!(login.json()["code"], "service_unavailable");
    assert!(login.header("retry-after").is_some());
    assert_eq!(app.refresh(&refresh).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(app.get("/.well-known/jwks.json").await.status, StatusCode::OK);
    assert_eq!(app.get("/health/live").await.status, StatusCode::OK);
    let ready = app.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let cause = ready.json()["checks"]["database"]["cause"].as_str().unwrap().to_owned();
    assert!(
        cause.contains("cannot reach Postgres at 127.0.0.1:") && cause.contains("refused"),
        "{cause}"
    );
    assert_eq!(ready.json()["checks"]["signing_key"]["status"], "ok");

    line.mend().await;
    assert_eq!(app.refresh(&refresh).await.status, StatusCode::OK);
    assert_eq!(app.log_in("alice").await.status, StatusCode::OK);
    assert_eq!(app.get("/health/ready").await.status, StatusCode::OK);
}

#[tokio::test]
async fn before_any_key_was_loaded_nothing_is_given_and_the_cause_is_named() {
    let app = TestApp::start_without_keys().await;
    for answer in [
        app.log_in("alice").await,
        app.refresh("a.b.c").await,
        app.get("/.well-known/jwks.json").await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.header("retry-after").is_some());
    }
    let ready = app.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["checks"]["signing_key"]["status"], "failed");
    assert_eq!(app.get("/health/live").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mistake_of_ours_is_500_and_tells_the_client_nothing() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let mut connection = app
        .home
        .server()
        .clone()
        .database(app.home.name())
        .connect()
        .await
        .unwrap();
    for damage in [
        "UPDATE users SET scope = 'a\"b'",
        "UPDATE users SET scope = '', password_hash = 'plain'",
        "DROP TABLE users CASCADE",
    ] {
        sqlx::query(damage).execute(&mut connection).await.unwrap();
        let answer = app.log_in("alice").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{damage}");
        assert_eq!(
            answer.json(),
            json!({ "detail": "A server error occurred." }),
            "{damage}"
        );
    }
}

//! Who is let in, and what the mirror shows.

use axum::http::Method;
use uuid::Uuid;

use super::support::{ALL_SCOPES, RequestBuilder, get, in_a_world, request};

const PROTECTED: [(&str, &str, &str); 11] = [
    ("bank", "GET", "/accounts/"),
    ("bank", "GET", "/accounts/0190163d-8694-739b-aea5-966c26f8ad91/"),
    (
        "bank",
        "GET",
        "/accounts/0190163d-8694-739b-aea5-966c26f8ad91/transactions/",
    ),
    ("payment", "GET", "/transfers/"),
    ("payment", "POST", "/transfers/"),
    ("payment", "GET", "/transfers/0190163d-8694-739b-aea5-966c26f8ad91/"),
    ("payment", "GET", "/requests/"),
    ("payment", "POST", "/requests/"),
    (
        "payment",
        "POST",
        "/requests/0190163d-8694-739b-aea5-966c26f8ad91/accept/",
    ),
    (
        "payment",
        "POST",
        "/requests/0190163d-8694-739b-aea5-966c26f8ad91/decline/",
    ),
    (
        "payment",
        "POST",
        "/requests/0190163d-8694-739b-aea5-966c26f8ad91/cancel/",
    ),
];

#[tokio::test]
async fn nobody_is_served_without_the_headers_of_the_gate() {
    in_a_world(async |world| {
        for (service, method, path) in PROTECTED {
            let service = if service == "bank" { &world.bank } else { &world.payment };
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let to = || RequestBuilder::new(method.clone(), path);
            let id = Uuid::new_v4().to_string();
            for headers in [
                vec![],
                vec![("x-user-name", "alice")],
                vec![("x-user-id", id.as_str())],
                vec![("x-user-id", "alice"), ("x-user-name", "alice")],
                vec![("x_user_id", id.as_str()), ("x_user_name", "alice")],
                vec![
                    ("x-user-id", id.as_str()),
                    ("x-user-id", id.as_str()),
                    ("x-user-name", "alice"),
                ],
                vec![("authorization", "Bearer x.y.z")],
            ] {
                let request = headers
                    .iter()
                    .fold(to(), |request, (name, value)| request.header(name, value));
                let answer = request
                    .body("application/json", b"{}")
                    .send(service)
                    .await
                    .expect(401, "unauthenticated");
                assert!(
                    answer.header("www-authenticate").unwrap().starts_with("Bearer"),
                    "{path}"
                );
                assert!(!answer.text.contains(&id), "nothing is echoed: {}", answer.text);
            }
            to().header_bytes("x-user-id", b"\xff\xfe")
                .header("x-user-name", "a")
                .send(service)
                .await
                .expect(401, "unauthenticated");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_without_the_scope_is_not_enough() {
    in_a_world(async |world| {
        for (service, method, path) in PROTECTED {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let needed = match (service, &method) {
                ("bank", _) => "bank.read",
                (_, &Method::GET) => "payment.read",
                _ => "payment.write",
            };
            let service = if service == "bank" { &world.bank } else { &world.payment };
            let others: Vec<&str> = ALL_SCOPES.split(' ').filter(|scope| *scope != needed).collect();
            for scope in [others.join(" "), String::new()] {
                let answer = RequestBuilder::new(method.clone(), path)
                    .header("x-user-id", &Uuid::new_v4().to_string())
                    .header("x-user-name", "alice")
                    .header("x-user-scope", &scope)
                    .body("application/json", b"{}")
                    .send(service)
                    .await
                    .expect(403, "insufficient_scope");
                assert!(answer.body["detail"].as_str().unwrap().contains(needed), "{path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_mirror_shows_every_identity_header_and_no_token() {
    in_a_world(async |world| {
        let alice = world.user("alice", 0).await;
        let answer = request(Method::GET, "/whoami/?access_token=secret", &alice)
            .header("x-user-id", "mallory")
            .header("x_user_id", "mallory")
            .header("X.User.Id", "mallory")
            .header("x-user-roles", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln")
            .header("authorization", "Bearer secret-token")
            .header("x-request-id", "request-1")
            .send(&world.bank)
            .await
            .expect_ok(200);
        assert_eq!(answer.body["path"], "/whoami/");
        assert_eq!(answer.body["service"], "bank");
        assert_eq!(answer.body["headers"]["x-user-id"], format!("{}, mallory", alice.id));
        assert_eq!(answer.body["headers"]["x_user_id"], "mallory");
        assert_eq!(answer.body["headers"]["x.user.id"], "mallory");
        assert_eq!(answer.body["headers"]["x-user-name"], "alice");
        assert_eq!(answer.body["authorization_present"], true);
        assert_eq!(answer.body["request_id"], "request-1");
        assert_eq!(answer.header("x-request-id"), Some("request-1"));
        assert!(
            !answer.text.contains("secret") && !answer.text.contains("eyJ"),
            "{}",
            answer.text
        );

        let clean = get(&world.bank, "/whoami/", &alice).await.expect_ok(200);
        assert_eq!(clean.body["authorization_present"], false);
        assert_eq!(clean.body["headers"].as_object().unwrap().len(), 3);
    })
    .await;
}

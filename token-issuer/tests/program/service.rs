//! The finished program as a service: how it starts, what it logs, how it stops.

use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use super::support::{
    KekFile, PASSWORD, Service, answers, database::TestDatabase, program, proxy::Line, request, run, stderr,
};
use serde_json::{Value, json};

fn credentials() -> Value {
    json!({ "username": "alice", "password": PASSWORD })
}

async fn with_alice() -> TestDatabase {
    let database = TestDatabase::create().await;
    answers(&["migrate"], database.url(), "");
    answers(
        &["users", "create", "alice", "--password-stdin"],
        database.url(),
        PASSWORD,
    );
    database
}

#[tokio::test]
async fn replicas_that_start_at_once_on_an_empty_database_publish_one_key() {
    let database = TestDatabase::create().await;
    let kek = KekFile::new("replicas");
    let mut replicas: Vec<_> = (0..4)
        .map(|_| Service::launch(database.url(), &kek, &["--migrate"]))
        .collect();
    let mut sets = Vec::new();
    for replica in &mut replicas {
        replica.wait_until_serving();
        sets.push(replica.get("/.well-known/jwks.json").body);
    }
    sets.dedup();
    assert_eq!(sets.len(), 1, "{sets:?}");
    let keys: Value = serde_json::from_str(&sets[0]).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(answers(&["keys", "list"], database.url(), "").len(), 1);
}

#[tokio::test]
async fn what_one_replica_gave_another_one_refreshes() {
    let database = with_alice().await;
    let kek = KekFile::new("two");
    let (one, other) = (
        Service::start(database.url(), &kek, &[]),
        Service::start(database.url(), &kek, &[]),
    );
    let pair = one.post("/api/token/", &credentials()).json();
    let refreshed = other.post("/api/token/refresh/", &json!({ "refresh": pair["refresh"] }));
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let again = one.post("/api/token/refresh/", &json!({ "refresh": pair["refresh"] }));
    assert_eq!(again.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_without_its_database_works_once_it_is_there() {
    let database = with_alice().await;
    let mut line = Line::to(&database).await;
    line.cut().await;
    let kek = KekFile::new("late");
    let service = Service::start(&line.url(&database), &kek, &[]);
    assert_eq!(service.wait_for_line("serving")["kid"], json!(null));
    assert_eq!(service.get("/health/live").status, 200);
    let ready = service.get("/health/ready");
    assert_eq!(ready.status, 503);
    let causes = ready.json()["checks"].clone();
    assert!(
        causes["database"]["cause"]
            .as_str()
            .unwrap()
            .contains("cannot reach Postgres at 127.0.0.1:"),
        "{causes}"
    );
    assert_eq!(causes["signing_key"]["status"], "failed");
    assert_eq!(service.get("/.well-known/jwks.json").status, 503);
    assert_eq!(service.post("/api/token/", &credentials()).status, 503);

    let address = service.address.to_string();
    let asked = run(&["health", "--listen", &address], "", "");
    assert_eq!(asked.status.code(), Some(1));
    assert!(stderr(&asked).contains("is not ready") && stderr(&asked).contains("cannot reach Postgres"));

    line.mend().await;
    service.wait_until("readiness", || service.get("/health/ready").status == 200);
    assert_eq!(service.get("/.well-known/jwks.json").status, 200);
    assert_eq!(service.post("/api/token/", &credentials()).status, 200);

    assert!(run(&["health", "--listen", &address], "", "").status.success());

    line.cut().await;
    assert_eq!(service.post("/api/token/", &credentials()).status, 503);
    assert_eq!(service.get("/.well-known/jwks.json").status, 200);
    line.mend().await;
    assert_eq!(service.post("/api/token/", &credentials()).status, 200);
}

#[tokio::test]
async fn the_log_tells_what_happened_and_no_secret() {
    let database = with_alice().await;
    let kek = KekFile::new("log");
    let service = Service::start(database.url(), &kek, &["--log", "debug,sqlx=info,hyper=info,h2=info"]);
    let kid = answers(&["keys", "list"], database.url(), "")[0]["kid"].clone();
    let serving = service.wait_for_line("serving");
    assert_eq!(serving["kid"], kid);
    assert!(serving["listen"].as_str().unwrap().starts_with("127.0.0.1:"));

    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", "the-id-of-the-gate"),
    ];
    let pair = request(
        service.address,
        "POST",
        "/api/token/",
        &headers,
        &credentials().to_string(),
    )
    .json();
    let body = format!("refresh={}", pair["refresh"].as_str().unwrap());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(
        request(service.address, "POST", "/api/token/refresh/", &form, &body).status,
        200
    );
    service.post(
        "/api/token/",
        &json!({ "username": "typed-my-password-here", "password": "wrong-password" }),
    );
    service.get("/secret/path?token=in-the-query");

    service.wait_until("the answers", || service.log().matches("\"answered\"").count() >= 4);
    let log = service.log();
    assert!(log.contains("\"request_id\":\"the-id-of-the-gate\""), "{log}");
    let access = pair["access"].as_str().unwrap();
    let kek_text = std::fs::read_to_string(&kek.0).unwrap();
    for secret in [
        PASSWORD,
        "wrong-password",
        "typed-my-password-here",
        "secret/path",
        "in-the-query",
        access,
        access.rsplit('.').next().unwrap(),
        pair["refresh"].as_str().unwrap(),
        kek_text.trim(),
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_ends_what_is_in_flight_and_exits_with_0() {
    let database = with_alice().await;
    let kek = KekFile::new("stop");
    // Hashes that take a while, so that the login is under way when the signal comes.
    let mut service = Service::start(database.url(), &kek, &["--argon2-iterations", "20"]);
    let address = service.address;
    let login = thread::spawn(move || {
        request(
            address,
            "POST",
            "/api/token/",
            &[("content-type", "application/json")],
            &credentials().to_string(),
        )
    });
    service.wait_until("the login", || {
        service.get("/metrics").body.contains("logins_hashing 1")
    });
    service.terminate();
    let answer = login.join().unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(service.wait().code(), Some(0));
    service.wait_for_line("stopped");
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_it_from_stopping() {
    let database = with_alice().await;
    let kek = KekFile::new("hang");
    let mut service = Service::start(database.url(), &kek, &["--shutdown-timeout", "1s"]);
    let mut hanging = TcpStream::connect(service.address).unwrap();
    write!(
        hanging,
        "POST /api/token/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    )
    .unwrap();
    // It has been read when a request that came later was answered.
    assert_eq!(service.get("/health/live").status, 200);
    let began = Instant::now();
    service.terminate();
    assert_eq!(service.wait().code(), Some(0));
    assert!(began.elapsed() >= Duration::from_millis(900) && began.elapsed() < Duration::from_secs(8));
    service.wait_for_line("some requests did not end in time");
    drop(hanging);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let database = with_alice().await;
    let kek = KekFile::new("port");
    let first = Service::start(database.url(), &kek, &[]);
    let address = first.address.to_string();
    let output = program(&["serve", "--listen", &address], database.url())
        .env("GATEHOUSE_KEY_ENCRYPTION_KEY_FILE", &kek.0)
        .env("GATEHOUSE_MEDIA_DIR", "")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains(&format!("cannot listen on {address}")) && message.contains("GATEHOUSE_LISTEN"),
        "{message}"
    );
}

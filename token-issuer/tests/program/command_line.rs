//! The commands of the finished program: what they print, how they end, and what they say when something is wrong.

use super::support::{KekFile, PASSWORD, Service, answers, database::TestDatabase, run, stderr, stdout};
use std::thread;

use serde_json::json;

async fn migrated() -> TestDatabase {
    let database = TestDatabase::create().await;
    answers(&["migrate"], database.url(), "");
    database
}

#[tokio::test]
async fn migrating_twice_is_migrating_once() {
    let database = TestDatabase::create().await;
    let first = answers(&["migrate"], database.url(), "");
    assert_eq!(first[0]["before"], "the database has no schema yet");
    let second = answers(&["migrate"], database.url(), "");
    assert_eq!(second[0]["before"], "the database schema is current");
    assert_eq!(second[0]["now"], "the database schema is current");
}

#[tokio::test]
async fn a_user_is_created_once_and_found_again() {
    let database = migrated().await;
    let url = database.url();
    let create = [
        "users",
        "create",
        "alice",
        "--password-stdin",
        "--scope",
        "bank.read bank.write",
    ];
    let created = answers(&create, url, PASSWORD);
    assert_eq!(
        (&created[0]["username"], &created[0]["created"]),
        (&json!("alice"), &json!(true))
    );
    let id = created[0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 36);

    let again = run(&create, url, PASSWORD);
    assert!(!again.status.success());
    assert_eq!(stderr(&again), "token-issuer: a user called alice exists already\n");

    let kept = answers(
        &["users", "create", "alice", "--password-stdin", "--if-absent"],
        url,
        "another-password",
    );
    assert_eq!(kept[0], json!({ "id": id, "username": "alice", "created": false }));

    let listed = answers(&["users", "list"], url, "");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["scope"], "bank.read bank.write");
    assert_eq!(listed[0]["disabled_at"], json!(null));
}

#[tokio::test]
async fn of_several_creations_at_once_one_creates() {
    let database = migrated().await;
    let url = database.url();
    let create = ["users", "create", "alice", "--password-stdin", "--if-absent"];
    let made: Vec<_> = thread::scope(|scope| {
        let attempts: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| answers(&create, url, PASSWORD)))
            .collect();
        attempts
            .into_iter()
            .map(|attempt| attempt.join().unwrap().remove(0))
            .collect()
    });
    assert_eq!(
        made.iter().filter(|user| user["created"] == true).count(),
        1,
        "{made:?}"
    );
    assert!(made.iter().all(|user| user["id"] == made[0]["id"]), "{made:?}");
}

#[tokio::test]
async fn an_account_is_shut_and_opened_again() {
    let database = migrated().await;
    let url = database.url();
    answers(&["users", "create", "alice", "--password-stdin"], url, PASSWORD);
    let disabled = answers(&["users", "disable", "alice"], url, "");
    assert_eq!(disabled[0], json!({ "username": "alice", "change": "disabled" }));
    assert!(answers(&["users", "list"], url, "")[0]["disabled_at"].is_string());
    answers(&["users", "enable", "alice"], url, "");
    assert_eq!(answers(&["users", "list"], url, "")[0]["disabled_at"], json!(null));
    answers(
        &["users", "set-password", "alice", "--password-stdin"],
        url,
        "quite-another-password\n",
    );
    for command in ["disable", "enable"] {
        let output = run(&["users", command, "nobody"], url, "");
        assert!(!output.status.success());
        assert_eq!(stderr(&output), "token-issuer: no user is called nobody\n");
    }
}

#[tokio::test]
async fn what_may_not_be_a_user_is_refused_with_the_reason() {
    let database = migrated().await;
    for (arguments, password, reason) in [
        (
            &["users", "create", "alice", "--password-stdin"][..],
            "short",
            "at least 8 characters",
        ),
        (
            &["users", "create", "alice", "--password-stdin"],
            "Password1",
            "most common passwords",
        ),
        (
            &["users", "create", "alice.smith", "--password-stdin"],
            "alice.smith",
            "differ from the username",
        ),
        (
            &["users", "create", "alice", "--password-stdin"],
            "",
            "standard input is empty",
        ),
        (&["users", "create", "alice"], PASSWORD, "--password-stdin"),
        (
            &["users", "create", "al ice", "--password-stdin"],
            PASSWORD,
            "letters, digits",
        ),
        (
            &["users", "create", "alice", "--password-stdin", "--scope", "a\"b"],
            PASSWORD,
            "visible ASCII",
        ),
        (
            &["users", "create", "alice", "--password", PASSWORD],
            "",
            "unexpected argument",
        ),
    ] {
        let output = run(arguments, database.url(), password);
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).contains(reason), "{arguments:?}: {}", stderr(&output));
    }
    assert!(answers(&["users", "list"], database.url(), "").is_empty());
}

#[tokio::test]
async fn a_database_that_is_wrong_is_named_without_its_password() {
    let empty = TestDatabase::create().await;
    for (url, reason) in [
        (
            empty.url(),
            "the database has no schema yet; run `token-issuer migrate` first",
        ),
        (
            "postgres://issuer:hunter22@127.0.0.1:1/gatehouse",
            "cannot reach Postgres at 127.0.0.1:1/gatehouse: ",
        ),
        (
            "postgres://issuer:hunter22@127.0.0.1:1/gatehouse",
            "GATEHOUSE_DATABASE_URL",
        ),
        (
            "postgres://issuer:hunter22@127.0.0.1:port/gatehouse",
            "GATEHOUSE_DATABASE_URL is no address",
        ),
        (
            "mysql://issuer:hunter22@127.0.0.1/gatehouse",
            "GATEHOUSE_DATABASE_URL is no address",
        ),
    ] {
        let output = run(&["users", "list"], url, "");
        let message = stderr(&output);
        assert!(!output.status.success(), "{url}");
        assert!(message.contains(reason), "{url}: {message}");
        assert!(
            !message.contains("hunter22") && !message.contains("panicked"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[tokio::test]
async fn a_key_encryption_key_that_is_missing_or_wrong_ends_the_start_with_one_clear_line() {
    let database = migrated().await;
    let right = KekFile::new("right");
    drop(Service::start(database.url(), &right, &[]));
    let listed = answers(&["keys", "list"], database.url(), "");
    assert_eq!((listed.len(), &listed[0]["status"]), (1, &json!("active")));

    let missing = KekFile::new("missing");
    std::fs::remove_file(&missing.0).unwrap();
    for (kek, reason) in [
        (KekFile::new("other"), listed[0]["sealed_with"].as_str().unwrap()),
        (KekFile::holding("empty", b""), "holds no key-encryption key"),
        (KekFile::holding("word", b"secret"), "holds no key-encryption key"),
        (missing, "cannot read the key-encryption key"),
    ] {
        let mut service = Service::launch(database.url(), &kek, &[]);
        assert_eq!(service.wait().code(), Some(1), "{reason}");
        service.wait_until("the message", || service.log().contains("token-issuer: "));
        let log = service.log();
        assert!(log.contains(reason) && !log.contains("panicked"), "{reason}: {log}");
    }
    assert_eq!(answers(&["keys", "list"], database.url(), ""), listed);
}

#[tokio::test]
async fn an_old_schema_ends_the_start() {
    let database = TestDatabase::create().await;
    let kek = KekFile::new("old-schema");
    let mut service = Service::launch(database.url(), &kek, &[]);
    assert_eq!(service.wait().code(), Some(1));
    service.wait_until("the message", || service.log().contains("run `token-issuer migrate`"));
}

#[test]
fn every_key_encryption_key_is_new() {
    let make = || stdout(&run(&["keys", "generate-kek"], "", ""));
    let (one, other) = (make(), make());
    assert_eq!(one.trim_end().len(), 43);
    assert_ne!(one, other);
}

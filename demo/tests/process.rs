//! The program itself: its command line, and how it starts and stops. What it answers is tested beside the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use uuid::Uuid;

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    for name in [
        "DEMO_DATABASE_URL",
        "DEMO_LISTEN",
        "DEMO_LOG",
        "DEMO_MAX_CONNECTIONS",
        "DEMO_ACQUIRE_TIMEOUT",
    ] {
        command.env_remove(name);
    }
    command
}

/// A database for one test, dropped with it.
struct Database {
    runtime: tokio::runtime::Runtime,
    server: PgConnectOptions,
    name: String,
}

impl Database {
    fn create() -> Self {
        let url = env::var("GATEHOUSE_TEST_POSTGRES_URL").expect(
            "these tests need a Postgres: run \"make test\", which starts one, or set GATEHOUSE_TEST_POSTGRES_URL to the \
             URL of a superuser",
        );
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = PgConnectOptions::from_str(&url).expect("GATEHOUSE_TEST_POSTGRES_URL is a Postgres URL");
        let database = Self {
            runtime,
            server,
            name: format!("demo_test_{}", Uuid::new_v4().simple()),
        };
        database.administer(format!("CREATE DATABASE {}", database.name));
        database
    }

    fn administer(&self, statement: String) {
        self.runtime.block_on(async {
            let mut admin = PgConnection::connect_with(&self.server)
                .await
                .expect("the Postgres for tests answers");
            // The name is ours; a database's name can't be a bound parameter.
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut admin)
                .await
                .unwrap();
        });
    }

    fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// Returns when a statement in this database waits for a lock.
    fn wait_for_a_waiting_statement(&self) {
        self.runtime.block_on(async {
            let mut connection = self.options().connect().await.unwrap();
            let waiting = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let deadline = Instant::now() + Duration::from_secs(10);
            while sqlx::query_scalar::<_, i64>(waiting)
                .fetch_one(&mut connection)
                .await
                .unwrap()
                == 0
            {
                assert!(Instant::now() < deadline, "nothing waits");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }

    fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.administer(format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A service that runs, killed with the test if it has not ended.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Running {
    fn start(service: &str, url: &str) -> Self {
        let mut child = demo()
            .args([service, "--listen", "127.0.0.1:0", "--database-url", url])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let line = next_line(&mut log, "serving");
        Self {
            child,
            log,
            address: line["address"].as_str().unwrap().to_owned(),
        }
    }

    fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log to the line with this message.
fn next_line(log: &mut BufReader<ChildStderr>, message: &str) -> Value {
    loop {
        let mut line = String::new();
        assert!(
            log.read_line(&mut line).unwrap() > 0,
            "the log ended before {message:?}"
        );
        let line: Value = serde_json::from_str(&line).expect("every line of the log is JSON");
        if line["message"] == message {
            return line;
        }
    }
}

fn run(arguments: &[&str]) -> Output {
    demo().args(arguments).output().unwrap()
}

#[test]
fn migrate_and_seed_can_be_repeated() {
    let database = Database::create();
    let url = database.url();
    for _ in 0..2 {
        let migrated = run(&["migrate", "--database-url", &url]);
        assert!(
            migrated.status.success(),
            "{}",
            String::from_utf8_lossy(&migrated.stderr)
        );
    }
    let owner = Uuid::new_v4().to_string();
    let mut ids = Vec::new();
    for (balance, created) in [("100000", true), ("5", false)] {
        let seed = [
            "seed",
            "--database-url",
            &url,
            "--owner",
            &owner,
            "--name",
            "alice",
            "--balance",
            balance,
        ];
        let seeded = run(&seed);
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        let mut line: Value = serde_json::from_slice(&seeded.stdout).unwrap();
        ids.push(line["id"].take());
        let expected = json!({
            "id": null, "owner": owner, "owner_name": "alice", "currency": "EUR", "balance": 100_000, "created": created,
        });
        assert_eq!(line, expected);
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_wrong_setting_is_named_and_a_password_is_not() {
    let database = "postgres://demo:hunter2@127.0.0.1:1/x";
    let owner = "0190163d-8694-739b-aea5-966c26f8ad91";
    let seed = |owner, balance, currency| {
        let settings = [
            "--owner",
            owner,
            "--name",
            "a",
            "--balance",
            balance,
            "--currency",
            currency,
        ];
        [&["seed", "--database-url", database][..], &settings].concat()
    };
    for (arguments, words) in [
        (vec!["bank"], "--database-url"),
        (
            vec!["bank", "--database-url", "mysql://demo:hunter2@127.0.0.1/x"],
            "not a Postgres URL",
        ),
        (
            vec!["bank", "--database-url", "postgres://demo:hunter2@127.0.0.1:port/x"],
            "not a Postgres URL",
        ),
        (vec!["bank", "--database-url", database, "--listen", "here"], "--listen"),
        (
            vec!["bank", "--database-url", database, "--max-connections", "0"],
            "--max-connections",
        ),
        (
            vec!["bank", "--database-url", database, "--log", "info=what"],
            "DEMO_LOG",
        ),
        (seed("alice", "1", "EUR"), "must be a UUID"),
        (seed(owner, "1.50", "EUR"), "whole number of minor units"),
        (seed(owner, "9007199254740992", "EUR"), "between 0 and 9007199254740991"),
        (seed(owner, "1", "euro"), "three capital letters"),
        (vec!["cashier"], "cashier"),
    ] {
        let refused = run(&arguments);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("hunter2"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_service_starts_without_postgres_and_says_so() {
    // Nobody listens on the port of an address that was ours a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let running = Running::start("payment", &format!("postgres://demo:hunter2@{free}/x"));
    let mut answer = String::new();
    let request = "GET /health/ HTTP/1.1\r\nhost: payment\r\nconnection: close\r\n\r\n";
    running.send(request).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("connection refused") && !answer.contains("hunter2"),
        "{answer}"
    );
}

#[test]
fn sigterm_lets_a_transfer_finish_and_ends_the_process() {
    let database = Database::create();
    let url = database.url();
    assert!(run(&["migrate", "--database-url", &url]).status.success());
    let open = |owner: &Uuid| {
        let owner = owner.to_string();
        let seeded = run(&[
            "seed",
            "--database-url",
            &url,
            "--owner",
            &owner,
            "--name",
            "user",
            "--balance",
            "100",
        ]);
        let line: Value = serde_json::from_slice(&seeded.stdout).unwrap();
        line["id"].as_str().unwrap().to_owned()
    };
    let alice = Uuid::new_v4();
    let (from, to) = (open(&alice), open(&Uuid::new_v4()));
    let mut running = Running::start("payment", &url);

    // A connection that a gateway keeps open between two requests must not hold the service up.
    let _idle = running.send("GET /health/ HTTP/1.1\r\nhost: payment\r\n\r\n");
    next_line(&mut running.log, "answered");

    let lock = database.runtime.block_on(async {
        let mut lock = database.options().connect().await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT id FROM accounts FOR UPDATE")
            .execute(&mut lock)
            .await
            .unwrap();
        lock
    });
    let order = json!({"from_account": from, "to_account": to, "amount": 30}).to_string();
    let mut transfer = running.send(&format!(
        "POST /transfers/ HTTP/1.1\r\nhost: payment\r\nx-user-id: {alice}\r\nx-user-name: alice\r\n\
         x-user-scope: payment.write\r\nx-request-id: the-last-one\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{order}",
        order.len()
    ));
    database.wait_for_a_waiting_statement();
    running.terminate();
    next_line(&mut running.log, "stopping");
    assert!(running.child.try_wait().unwrap().is_none(), "it waits for the transfer");
    database.runtime.block_on(lock.close()).unwrap();

    let mut answer = String::new();
    transfer.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let line = next_line(&mut running.log, "answered");
    assert_eq!(line["span"]["request_id"], "the-last-one");
    assert_eq!(line["span"]["service"], "payment");
    assert_eq!(
        (&line["path"], &line["status"], &line["user"]),
        (&json!("/transfers/"), &json!(201), &json!(alice))
    );
    next_line(&mut running.log, "stopped");
    let asked = Instant::now();
    while running.child.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < Duration::from_secs(5), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(running.child.wait().unwrap().success());
}

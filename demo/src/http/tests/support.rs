//! A database and two services for one test, and requests to them.

use std::collections::HashMap;
use std::env;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, PgPool};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use uuid::Uuid;

use crate::domain::id::UserId;
use crate::domain::money::{Balance, Currency};
use crate::http::{AppState, Service, router};
use crate::postgres::accounts::{Opened, open};
use crate::postgres::{self, PoolSettings};

/// What the gate says of a user of the demo.
pub(super) const ALL_SCOPES: &str = "bank.read bank.write payment.read payment.write";

/// How many tests use Postgres at once: its connections are counted.
static PLACES: Semaphore = Semaphore::const_new(8);

/// A bank, a payment service, and their database.
#[derive(Clone)]
pub(super) struct World {
    pub(super) bank: Router,
    pub(super) payment: Router,
    pub(super) pool: PgPool,
    pub(super) database: PgConnectOptions,
}

/// A user with an account.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) name: &'static str,
    pub(super) account: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    pub(super) text: String,
}

/// Runs a test in a database of its own and drops it afterwards, also when the test fails.
pub(super) async fn in_a_world<F, Fut>(test: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let url = env::var("GATEHOUSE_TEST_POSTGRES_URL").expect(
        "these tests need a Postgres: run \"make test\", which starts one, or set GATEHOUSE_TEST_POSTGRES_URL to the URL of \
         a superuser",
    );
    let server = PgConnectOptions::from_str(&url).expect("GATEHOUSE_TEST_POSTGRES_URL is a Postgres URL");
    let _place = PLACES.acquire().await.unwrap();
    let name = format!("demo_test_{}", Uuid::new_v4().simple());
    let mut admin = PgConnection::connect_with(&server)
        .await
        .expect("the Postgres for tests answers");
    // The name is ours; a database's name can't be a bound parameter.
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .unwrap();
    let database = server.database(&name);
    postgres::migrate(database.clone()).await.unwrap();

    let result = tokio::spawn(test(World::new(
        database,
        Duration::from_secs(15),
        Duration::from_mins(1),
    )))
    .await;

    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
        .execute(&mut admin)
        .await
        .unwrap();
    if let Err(failure) = result {
        std::panic::resume_unwind(failure.into_panic());
    }
}

impl World {
    /// Services on a database that is there, or is not.
    pub(super) fn new(database: PgConnectOptions, acquire_timeout: Duration, request_timeout: Duration) -> Self {
        let settings = PoolSettings {
            max_connections: 6,
            acquire_timeout,
        };
        let pool = postgres::pool(database.clone(), settings);
        let state = |service| AppState {
            service,
            pool: pool.clone(),
            request_timeout,
        };
        Self {
            bank: router(state(Service::Bank)),
            payment: router(state(Service::Payment)),
            pool,
            database,
        }
    }

    /// A new user with an account in euros.
    pub(super) async fn user(&self, name: &'static str, balance: i64) -> User {
        let id = Uuid::new_v4();
        let account = self.account(id, name, "EUR", balance).await;
        User { id, name, account }
    }

    /// Opens an account.
    pub(super) async fn account(&self, owner: Uuid, name: &str, currency: &str, balance: i64) -> String {
        let currency = Currency::try_from(currency).unwrap();
        let balance = Balance::try_from(balance).unwrap();
        match open(&self.pool, UserId(owner), name, &currency, balance).await.unwrap() {
            Opened::Now(account) | Opened::Before(account) => account.id.to_string(),
        }
    }

    /// What an account holds.
    pub(super) async fn balance(&self, account: &str) -> i64 {
        let account = Uuid::parse_str(account).unwrap();
        sqlx::query_scalar("SELECT balance FROM accounts WHERE id = $1")
            .bind(account)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// What must hold after everything that ever happens: the ledger explains every balance, every transfer has its two
    /// sides, and no money came or went.
    pub(super) async fn assert_books_balance(&self, total: i64) {
        let sum: i64 = sqlx::query_scalar("SELECT sum(balance)::bigint FROM accounts")
            .fetch_one(&self.pool)
            .await
            .unwrap();
        assert_eq!(sum, total, "the sum of all balances");
        let unexplained: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM accounts
             WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM entries WHERE account = accounts.id)",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        assert_eq!(unexplained, 0, "accounts whose entries don't add up to their balance");
        let lopsided: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM transfers WHERE
                 (SELECT count(*) FROM entries WHERE transfer = transfers.id) <> 2
                 OR (SELECT sum(amount) FROM entries WHERE transfer = transfers.id) <> 0",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        assert_eq!(lopsided, 0, "transfers without exactly two sides");
        let broken_chains: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (
                 SELECT balance_after, sum(amount) OVER (PARTITION BY account ORDER BY id) AS running FROM entries
             ) AS chain WHERE balance_after <> running",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        assert_eq!(
            broken_chains, 0,
            "entries whose balance_after is not the sum up to them"
        );
    }
}

/// A request as the gate forwards it.
pub(super) fn request(method: Method, path: &str, user: &User) -> RequestBuilder {
    RequestBuilder::new(method, path)
        .header("x-user-id", &user.id.to_string())
        .header("x-user-name", user.name)
        .header("x-user-scope", ALL_SCOPES)
}

/// `GET`, as a user.
pub(super) async fn get(service: &Router, path: &str, user: &User) -> Answer {
    request(Method::GET, path, user).send(service).await
}

/// `POST` with a JSON body, as a user.
pub(super) async fn post(service: &Router, path: &str, user: &User, body: &Value) -> Answer {
    request(Method::POST, path, user).json(body).send(service).await
}

/// `POST /transfers/`, as a user.
pub(super) async fn transfer(world: &World, user: &User, key: &str, body: &Value) -> Answer {
    request(Method::POST, "/transfers/", user)
        .header("idempotency-key", key)
        .json(body)
        .send(&world.payment)
        .await
}

/// A request in the making.
pub(super) struct RequestBuilder {
    method: Method,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl RequestBuilder {
    /// A request without any header.
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    pub(super) fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value.as_bytes())
    }

    /// Adds a header that may be no text.
    pub(super) fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    /// Sets a JSON body.
    pub(super) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    /// Sets any body.
    pub(super) fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-type", content_type)
    }

    /// Sends it, and checks what holds for every answer.
    pub(super) async fn send(self, service: &Router) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = service
            .clone()
            .oneshot(request.body(Body::from(self.body)).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body: Value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap()
        };
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            text,
        };
        answer.assert_well_formed();
        answer
    }
}

impl Answer {
    fn assert_well_formed(&self) {
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let request_id = self.header("x-request-id").expect("every answer names its request");
        if self.status.is_client_error() || self.status.is_server_error() {
            assert_eq!(
                self.header("content-type"),
                Some("application/problem+json"),
                "{self:?}"
            );
            if !self.text.is_empty() {
                assert_eq!(self.body["status"], self.status.as_u16(), "{self:?}");
                assert_eq!(self.body["request_id"], request_id, "{self:?}");
                for member in ["type", "title", "detail", "code"] {
                    assert!(self.body[member].is_string(), "{member} in {self:?}");
                }
            }
        } else {
            assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        }
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the status and, for a problem, its code.
    #[track_caller]
    pub(super) fn expect(self, status: u16, code: &str) -> Self {
        let code_seen = self.body["code"].as_str().unwrap_or_default();
        assert_eq!((self.status.as_u16(), code_seen), (status, code), "{}", self.text);
        self
    }

    /// Checks that it is no problem.
    #[track_caller]
    pub(super) fn expect_ok(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// The wrong parts that a problem lists, by where they stand.
    pub(super) fn faults(&self) -> HashMap<String, String> {
        let faults = self.body["errors"].as_array().cloned().unwrap_or_default();
        let place = |fault: &Value| {
            ["pointer", "parameter", "header"]
                .iter()
                .find_map(|name| fault[name].as_str().map(str::to_owned))
        };
        faults
            .iter()
            .map(|fault| (place(fault).unwrap(), fault["detail"].as_str().unwrap().to_owned()))
            .collect()
    }
}

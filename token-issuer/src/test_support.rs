//! What tests stand on: a database of their own on a real Postgres, a clock that they turn, a service in their process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod database;
pub(crate) mod proxy;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use time::OffsetDateTime;
use tower::ServiceExt;

use self::database::TestDatabase;
use crate::{
    domain::{
        claims::Parties,
        lifetime::Lifetimes,
        password::{ChosenPassword, Password},
        user::{AccountState, Identity, User, UserId},
        username::Username,
    },
    environment::{Clock, SystemEntropy, random},
    http::{App, router},
    keyring::{
        Keyring,
        bring_up::{BringUp, OldSchema},
        kek::KeyEncryptionKey,
    },
    metrics::Metrics,
    password_hasher::{HashSettings, PasswordHasher},
    postgres::{Database, user::Insertion},
};

/// The password of every user that `TestApp::user` makes.
pub(crate) const PASSWORD: &str = "alice-demo-password";

/// A clock that stands still until it is turned.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<Mutex<OffsetDateTime>>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(
            OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap(),
        )))
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A member of the body that is a text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.json()[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}", self.body))
            .to_owned()
    }
}

/// The cheapest hashing that the settings allow.
pub(crate) fn hash_settings() -> HashSettings {
    HashSettings {
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
        at_once: NonZeroUsize::new(2).unwrap(),
        longest_wait: Duration::from_secs(20),
    }
}

/// A key-encryption key of fixed bytes.
pub(crate) fn kek(byte: u8) -> KeyEncryptionKey {
    KeyEncryptionKey::from_text(&format!("{byte:02x}").repeat(32)).unwrap()
}

/// Brings up keys in a database, as a replica does when it starts.
pub(crate) fn bring_up(database: &Database, kek: KeyEncryptionKey, clock: &ManualClock) -> BringUp<ManualClock> {
    BringUp {
        database: database.clone(),
        kek,
        keyring: Keyring::empty(),
        clock: clock.clone(),
        old_schema: OldSchema::Migrate,
    }
}

/// The whole service in the test's process.
pub(crate) struct TestApp {
    router: Router,
    pub(crate) database: Database,
    pub(crate) keyring: Keyring,
    pub(crate) clock: ManualClock,
    // Dropped last: drops the database.
    pub(crate) home: TestDatabase,
}

/// What differs from one test's service to another's.
pub(crate) struct Options {
    pub(crate) hashing: HashSettings,
    pub(crate) media_dir: Option<PathBuf>,
    /// Another way to the same database.
    pub(crate) database_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hashing: hash_settings(),
            media_dir: None,
            database_url: None,
        }
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(TestDatabase::create().await, Options::default()).await
    }

    /// A service whose database answers, but that has not loaded its keys.
    pub(crate) async fn start_without_keys() -> Self {
        let home = TestDatabase::create().await;
        Self::assemble(home, Options::default(), ManualClock::new(), Keyring::empty())
    }

    pub(crate) async fn start_with(home: TestDatabase, options: Options) -> Self {
        let database = Database::connect_lazily(&home.url().parse().unwrap(), 2);
        let clock = ManualClock::new();
        let bring_up = bring_up(&database, kek(1), &clock);
        bring_up.run().await.unwrap();
        database.close().await;
        Self::assemble(home, options, clock, bring_up.keyring)
    }

    fn assemble(home: TestDatabase, options: Options, clock: ManualClock, keyring: Keyring) -> Self {
        let url = options.database_url.as_deref().unwrap_or(home.url());
        let database = Database::connect_lazily(&url.parse().unwrap(), 10);
        let entropy = Arc::new(SystemEntropy::default());
        let app = App {
            database: database.clone(),
            keyring: keyring.clone(),
            hasher: PasswordHasher::new(options.hashing, entropy.clone()).unwrap(),
            metrics: Metrics::new(),
            clock: Arc::new(clock.clone()),
            entropy,
            parties: Parties {
                issuer: "https://gate.example".into(),
                audience: "gatehouse".into(),
            },
            lifetimes: Lifetimes {
                access: "5m".parse().unwrap(),
                refresh: "1d".parse().unwrap(),
                refresh_family: "3d".parse().unwrap(),
            },
            media_dir: options.media_dir,
        };
        Self {
            router: router(app),
            database,
            keyring,
            clock,
            home,
        }
    }

    /// Makes a user with [`PASSWORD`].
    pub(crate) async fn user(&self, name: &str) -> Identity {
        let username = Username::parse(name).unwrap();
        let password = Password::new(PASSWORD.to_owned());
        let chosen = ChosenPassword::check(password, &username).unwrap();
        let hasher = PasswordHasher::new(hash_settings(), Arc::new(SystemEntropy::default())).unwrap();
        let user = User {
            identity: Identity {
                id: UserId::from_random(random(&SystemEntropy::default()).unwrap()),
                username,
                scope: "bank.read bank.write".parse().unwrap(),
            },
            password_hash: hasher.hash(chosen.password().clone()).await.unwrap(),
            password_changed_at: self.clock.now(),
            state: AccountState::Active,
            created_at: self.clock.now(),
        };
        assert_eq!(self.database.insert_user(&user).await.unwrap(), Insertion::Inserted);
        user.identity
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, "application/json", body.to_string()).await
    }

    /// Logs in with [`PASSWORD`].
    pub(crate) async fn log_in(&self, name: &str) -> Answer {
        self.post_json(
            "/api/token/",
            &serde_json::json!({ "username": name, "password": PASSWORD }),
        )
        .await
    }

    /// Uses a refresh token.
    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post_json("/api/token/refresh/", &serde_json::json!({ "refresh": token }))
            .await
    }
}

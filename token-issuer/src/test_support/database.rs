//! A database for one test on a running Postgres, dropped when the test ends. Knows nothing of this crate, so that the
//! tests in `tests/` use it too.

use std::{
    env, process,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};

const SERVER: &str = "GATEHOUSE_TEST_POSTGRES_URL";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database that exists as long as this value.
pub(crate) struct TestDatabase {
    name: String,
    url: String,
    server: PgConnectOptions,
}

impl TestDatabase {
    /// Makes an empty database.
    pub(crate) async fn create() -> Self {
        let Ok(server_url) = env::var(SERVER) else {
            panic!(
                "{SERVER} is not set, and these tests need a Postgres: run them with `make test`, or set it to the \
                 address of a server on which they may create databases"
            );
        };
        let server = PgConnectOptions::from_str(&server_url).expect("an address of Postgres");
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("issuer_test_{}_{}_{count}", process::id(), since_1970.subsec_nanos());
        run(&server, format!("CREATE DATABASE {name}")).await;
        Self {
            url: with_database(&server_url, &name),
            name,
            server,
        }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[allow(dead_code, reason = "not every user of this file needs it")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How the server is reached.
    #[allow(dead_code, reason = "not every user of this file needs it")]
    pub(crate) fn server(&self) -> &PgConnectOptions {
        &self.server
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // On a thread of its own: a runtime can't be entered from within another one.
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(run(&server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        // A second panic would hide the first.
        let _ = dropped.join();
    }
}

async fn run(server: &PgConnectOptions, statement: String) {
    let mut connection = server
        .clone()
        .disable_statement_logging()
        .connect()
        .await
        .expect("a running Postgres");
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("the right to create databases");
    connection.close().await.expect("a clean end");
}

/// The server's address with another database's name in it.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url
        .split_once('?')
        .map_or((url, None), |(address, query)| (address, Some(query)));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &address[..end])
}

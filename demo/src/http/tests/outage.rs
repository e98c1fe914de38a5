//! Postgres away: 503 with the cause, and by itself back to work.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::support::{Answer, User, World, get, in_a_world, transfer};

/// Longer than any of these tests.
const LONG: Duration = Duration::from_mins(1);

/// A wire to Postgres that can be cut.
struct Wire {
    address: SocketAddr,
    relay: tokio::task::JoinHandle<()>,
}

impl Wire {
    async fn to(database: &PgConnectOptions, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (host, port) = (database.get_host().to_owned(), database.get_port());
        let folder = database.get_socket().map(std::path::PathBuf::from);
        let socket = folder
            .or_else(|| host.starts_with('/').then(|| host.clone().into()))
            .map(|folder| folder.join(format!(".s.PGSQL.{port}")));
        let relay = tokio::spawn(async move {
            // Dropped with the task, and all connections with it.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                match &socket {
                    Some(path) => connections.spawn(join(client, UnixStream::connect(path.clone()).await.unwrap())),
                    None => connections.spawn(join(client, TcpStream::connect((host.as_str(), port)).await.unwrap())),
                };
            }
        });
        Self { address, relay }
    }

    async fn cut(self) {
        self.relay.abort();
        let _ = self.relay.await;
    }
}

/// The same database, at the wire's end.
fn through(database: &PgConnectOptions, wire: SocketAddr) -> PgConnectOptions {
    let options = match database.get_socket() {
        None => database.clone(),
        // A socket would come before any host. Who may use one needs no password.
        Some(_) => PgConnectOptions::new_without_pgpass()
            .username(database.get_username())
            .database(database.get_database().unwrap()),
    };
    options.host("127.0.0.1").port(wire.port())
}

/// Asks until the service is ready again.
async fn ready(world: &World, user: &User) -> Answer {
    for _ in 0..40 {
        let answer = get(&world.bank, "/health/", user).await;
        if answer.status == 200 {
            return answer;
        }
    }
    panic!("the service does not find its database again");
}

async fn join(mut client: TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin) {
    // A connection that is cut ends with an error, which is what the test wants.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_said_so_and_found_again() {
    in_a_world(async |direct| {
        let alice = direct.user("alice", 100).await;
        let bob = direct.user("bob", 0).await;
        let wire = Wire::to(&direct.database, SocketAddr::from(([127, 0, 0, 1], 0))).await;
        let address = wire.address;
        let world = World::new(through(&direct.database, address), Duration::from_millis(500), LONG);
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 1});

        let health = get(&world.bank, "/health/", &alice).await.expect_ok(200);
        assert_eq!(
            health.body,
            json!({"status": "ok", "service": "bank", "database": "ok"})
        );
        transfer(&world, &alice, "before", &order).await.expect_ok(201);

        wire.cut().await;
        for (service, path) in [(&world.bank, "/accounts/"), (&world.payment, "/transfers/")] {
            let answer = get(service, path, &alice).await.expect(503, "database_unavailable");
            assert_eq!(answer.header("retry-after"), Some("2"));
        }
        transfer(&world, &alice, "during", &order)
            .await
            .expect(503, "database_unavailable");
        for service in [&world.bank, &world.payment] {
            let answer = get(service, "/health/", &alice)
                .await
                .expect(503, "database_unreachable");
            assert!(
                answer.body["detail"].as_str().unwrap().contains("connection refused"),
                "{}",
                answer.text
            );
            assert!(answer.header("retry-after").is_some());
        }
        get(&world.bank, "/whoami/", &alice).await.expect_ok(200);

        let _wire = Wire::to(&direct.database, address).await;
        ready(&world, &alice).await;
        transfer(&world, &alice, "during", &order).await.expect_ok(201);
        transfer(&world, &alice, "before", &order).await.expect_ok(201);
        assert_eq!(direct.balance(&bob.account).await, 2);
        direct.assert_books_balance(100).await;
    })
    .await;
}

#[tokio::test]
async fn a_service_is_not_ready_before_the_schema_is_there() {
    in_a_world(async |world| {
        let alice = world.user("alice", 0).await;
        sqlx::query("DELETE FROM _sqlx_migrations")
            .execute(&world.pool)
            .await
            .unwrap();
        let answer = get(&world.bank, "/health/", &alice)
            .await
            .expect(503, "schema_outdated");
        assert!(
            answer.body["detail"].as_str().unwrap().contains("demo migrate"),
            "{}",
            answer.text
        );
        sqlx::query("DROP TABLE _sqlx_migrations")
            .execute(&world.pool)
            .await
            .unwrap();
        get(&world.payment, "/health/", &alice)
            .await
            .expect(503, "schema_outdated");
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_not_there_or_all_in_use_is_told_apart() {
    in_a_world(async |world| {
        let alice = world.user("alice", 0).await;
        let missing = World::new(
            world.database.clone().database("no_such_database"),
            Duration::from_millis(300),
            LONG,
        );
        let answer = get(&missing.bank, "/health/", &alice)
            .await
            .expect(503, "database_refuses");
        assert!(
            answer.body["detail"].as_str().unwrap().contains("3D000"),
            "{}",
            answer.text
        );
        get(&missing.bank, "/accounts/", &alice)
            .await
            .expect(503, "database_unavailable");

        let busy = World::new(world.database.clone(), Duration::from_secs(2), LONG);
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(busy.pool.acquire().await.unwrap());
        }
        get(&busy.bank, "/accounts/", &alice)
            .await
            .expect(503, "database_unavailable");
        get(&busy.bank, "/health/", &alice).await.expect(503, "database_busy");
        drop(held);
        get(&busy.bank, "/accounts/", &alice).await.expect_ok(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_takes_too_long_is_given_up_and_can_be_sent_again() {
    in_a_world(async |world| {
        let alice = world.user("alice", 100).await;
        let bob = world.user("bob", 0).await;
        let order = json!({"from_account": alice.account, "to_account": bob.account, "amount": 1});
        let hasty = World::new(
            world.database.clone(),
            Duration::from_secs(5),
            Duration::from_millis(300),
        );
        let mut lock = world.pool.begin().await.unwrap();
        sqlx::query("SELECT id FROM accounts FOR UPDATE")
            .execute(&mut *lock)
            .await
            .unwrap();
        transfer(&hasty, &alice, "key", &order).await.expect(503, "timeout");
        // The patient one waits as long as the database lets it (`lock_timeout`).
        transfer(&world, &alice, "other-key", &order)
            .await
            .expect(503, "database_unavailable");
        lock.rollback().await.unwrap();
        transfer(&world, &alice, "key", &order).await.expect_ok(201);
        assert_eq!(world.balance(&bob.account).await, 1);
        world.assert_books_balance(100).await;
    })
    .await;
}

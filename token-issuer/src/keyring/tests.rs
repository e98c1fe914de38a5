#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{str::FromStr, time::Duration};

use sqlx::{ConnectOptions, Row, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::{
    KeySetError,
    bring_up::{BringUpError, OldSchema},
    kek::OpenError,
    signer::Signer,
};
use crate::{
    domain::signing_key::KeyState,
    postgres::{Database, schema::SchemaState},
    test_support::{ManualClock, bring_up, database::TestDatabase, kek},
};

async fn database() -> (TestDatabase, Database) {
    let home = TestDatabase::create().await;
    let database = Database::connect_lazily(&home.url().parse().unwrap(), 10);
    (home, database)
}

#[tokio::test]
async fn replicas_that_start_at_once_make_one_key_together() {
    let (_home, database) = database().await;
    database.migrate().await.unwrap();
    let clock = ManualClock::new();
    let starts = (0..6).map(|_| {
        let replica = bring_up(&database, kek(1), &clock);
        tokio::spawn(async move {
            replica.run().await.unwrap();
            replica.keyring.current().unwrap().signer.kid().clone()
        })
    });
    let mut kids = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        kids.push(start.await.unwrap());
    }
    kids.dedup();
    assert_eq!(kids.len(), 1);
    let stored = database.signing_keys().await.unwrap();
    assert_eq!(stored.len(), 1);
    assert!(matches!(stored[0].state, KeyState::Active { .. }));
}

#[tokio::test]
async fn a_second_start_finds_the_key_of_the_first() {
    let (_home, database) = database().await;
    let clock = ManualClock::new();
    let (first, second) = (bring_up(&database, kek(1), &clock), bring_up(&database, kek(1), &clock));
    first.run().await.unwrap();
    second.run().await.unwrap();
    let (first, second) = (first.keyring.current().unwrap(), second.keyring.current().unwrap());
    assert_eq!(first.signer.kid(), second.signer.kid());
    assert_eq!(first.document, second.document);
}

#[tokio::test]
async fn a_wrong_key_encryption_key_ends_the_start_with_its_name() {
    let (_home, database) = database().await;
    let clock = ManualClock::new();
    bring_up(&database, kek(1), &clock).run().await.unwrap();
    let other = bring_up(&database, kek(2), &clock);
    let error = other.run().await.unwrap_err();
    assert!(
        matches!(error, BringUpError::Keys(KeySetError::Open(OpenError::WrongKek { .. }))),
        "{error}"
    );
    assert!(!error.is_passing());
    assert!(other.keyring.current().is_none());
}

#[tokio::test]
async fn a_damaged_key_encryption_is_refused() {
    let (home, database) = database().await;
    let clock = ManualClock::new();
    bring_up(&database, kek(1), &clock).run().await.unwrap();
    let mut connection = PgConnectOptions::from_str(home.url()).unwrap().connect().await.unwrap();
    sqlx::query("UPDATE signing_keys SET sealed_private_key = set_byte(sealed_private_key, 40, 255 - get_byte(sealed_private_key, 40))")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = bring_up(&database, kek(1), &clock).run().await.unwrap_err();
    assert!(
        matches!(error, BringUpError::Keys(KeySetError::Open(OpenError::Damaged(_)))),
        "{error}"
    );
}

#[tokio::test]
async fn an_old_schema_is_refused_unless_migrating_was_asked_for() {
    let (_home, database) = database().await;
    let clock = ManualClock::new();
    let mut replica = bring_up(&database, kek(1), &clock);
    replica.old_schema = OldSchema::Refuse;
    let error = replica.run().await.unwrap_err();
    assert!(
        matches!(error, BringUpError::OldSchema(SchemaState::Missing)),
        "{error}"
    );
    replica.old_schema = OldSchema::Migrate;
    replica.run().await.unwrap();
    assert_eq!(database.schema_state().await.unwrap(), SchemaState::Current);
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_worked_with() {
    let (home, database) = database().await;
    database.migrate().await.unwrap();
    let mut connection = PgConnectOptions::from_str(home.url()).unwrap().connect().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', true, '', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(
        database.schema_state().await.unwrap(),
        SchemaState::Newer { version: 9999 }
    );
    let mut replica = bring_up(&database, kek(1), &ManualClock::new());
    replica.old_schema = OldSchema::Refuse;
    replica.run().await.unwrap();
}

#[tokio::test]
async fn the_database_never_holds_two_active_keys() {
    let (home, database) = database().await;
    bring_up(&database, kek(1), &ManualClock::new()).run().await.unwrap();
    let mut connection = PgConnectOptions::from_str(home.url()).unwrap().connect().await.unwrap();
    let error = sqlx::query(
        "INSERT INTO signing_keys SELECT 'other', algorithm, status, public_jwk, sealed_private_key, sealed_with, \
         created_at, activated_at FROM signing_keys",
    )
    .execute(&mut connection)
    .await
    .unwrap_err();
    assert!(error.to_string().contains("signing_keys_one_active"), "{error}");
}

#[tokio::test]
async fn the_stored_private_key_is_not_readable() {
    let (home, database) = database().await;
    bring_up(&database, kek(1), &ManualClock::new()).run().await.unwrap();
    let mut connection = PgConnectOptions::from_str(home.url()).unwrap().connect().await.unwrap();
    let row = sqlx::query("SELECT kid, sealed_private_key FROM signing_keys")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let sealed: Vec<u8> = row.get("sealed_private_key");
    // Neither the whole nor any part that begins like PKCS #8 is a key.
    for start in 0..sealed.len() {
        assert!(aws_lc_rs::rsa::KeyPair::from_pkcs8(&sealed[start..]).is_err());
    }
    // The object identifier of RSA keys, which every PKCS #8 document holds.
    let rsa_oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    assert!(!sealed.windows(rsa_oid.len()).any(|window| window == rsa_oid));
}

#[test]
fn a_private_key_is_used_under_its_own_name_only() {
    let (one, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
    assert!(Signer::from_pkcs8(one.kid.clone(), &one.private_key).is_ok());
    assert!(Signer::from_pkcs8(other.kid, &one.private_key).is_err());
    assert!(Signer::from_pkcs8(one.kid, b"no key").is_err());
}

#[tokio::test]
async fn keys_in_memory_survive_what_is_done_to_the_stored_ones() {
    let (home, database) = database().await;
    let replica = bring_up(&database, kek(1), &ManualClock::new());
    replica.run().await.unwrap();
    let kid = replica.keyring.current().unwrap().signer.kid().clone();
    let mut connection = PgConnectOptions::from_str(home.url()).unwrap().connect().await.unwrap();
    sqlx::query("UPDATE signing_keys SET sealed_with = 'somebody else'")
        .execute(&mut connection)
        .await
        .unwrap();
    // Many looks at the database, and it neither ends nor forgets.
    let looks = timeout(Duration::from_millis(500), replica.keep_up(Duration::from_millis(20))).await;
    assert!(looks.is_err(), "{looks:?}");
    assert_eq!(replica.keyring.current().unwrap().signer.kid(), &kid);
}

#[tokio::test]
async fn without_keys_in_memory_a_lasting_error_ends_the_service() {
    let (_home, database) = database().await;
    bring_up(&database, kek(1), &ManualClock::new()).run().await.unwrap();
    let other = bring_up(&database, kek(2), &ManualClock::new());
    let error = timeout(Duration::from_secs(20), other.keep_up(Duration::from_millis(20)))
        .await
        .unwrap();
    assert!(
        matches!(error, BringUpError::Keys(KeySetError::Open(OpenError::WrongKek { .. }))),
        "{error}"
    );
}

#[tokio::test]
async fn a_replica_follows_a_key_that_another_one_made_active() {
    let (home, database) = database().await;
    let clock = ManualClock::new();
    let replica = bring_up(&database, kek(1), &clock);
    replica.run().await.unwrap();
    let first = replica.keyring.current().unwrap();
    let mut connection = PgConnectOptions::from_str(home.url()).unwrap().connect().await.unwrap();
    sqlx::query("UPDATE signing_keys SET status = 'retiring', retiring_at = now()")
        .execute(&mut connection)
        .await
        .unwrap();
    // With none active, the next one to look makes one; the retiring one stays published.
    bring_up(&database, kek(1), &clock).run().await.unwrap();
    replica.run().await.unwrap();
    let second = replica.keyring.current().unwrap();
    assert_ne!(first.signer.kid(), second.signer.kid());
    assert_eq!(second.verification.keys().len(), 2);
    assert_ne!(first.entity_tag, second.entity_tag);
    sqlx::query("UPDATE signing_keys SET status = 'retired', retired_at = now() WHERE status = 'retiring'")
        .execute(&mut connection)
        .await
        .unwrap();
    replica.run().await.unwrap();
    assert_eq!(replica.keyring.current().unwrap().verification.keys().len(), 1);
}

#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::lifetime::Lifetimes;

fn lifetimes(refresh: &str, family: &str) -> Lifetimes {
    Lifetimes {
        access: "5m".parse().unwrap(),
        refresh: refresh.parse().unwrap(),
        refresh_family: family.parse().unwrap(),
    }
}

fn at(second: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(second).unwrap()
}

#[test]
fn a_family_begins_with_one_token_and_knows_its_end() {
    let user = UserId(Uuid::from_u128(7));
    let family = NewFamily::begin(user, at(1_000), lifetimes("1d", "30d"), [1; 10], [2; 16]);
    assert_eq!(family.user, user);
    assert_eq!(family.created_at, at(1_000));
    assert_eq!(family.expires_at, at(1_000 + 30 * 86_400));
    assert_eq!(family.token, TokenId::from_random([2; 16]));
    assert_eq!(family.id.0.get_version_num(), 7);
    let other = NewFamily::begin(user, at(1_000), lifetimes("1d", "30d"), [3; 10], [2; 16]);
    assert_ne!(family.id, other.id);
}

#[test]
fn a_family_begins_even_if_the_clock_is_wrong_by_decades() {
    let family = NewFamily::begin(UserId(Uuid::nil()), at(-1), lifetimes("1d", "1d"), [1; 10], [2; 16]);
    assert_eq!(family.expires_at, at(86_399));
}

#[test]
fn a_token_expires_with_its_own_lifetime_or_with_its_family_whichever_is_sooner() {
    for (now, family_ends, expires) in [
        (0, 30 * 86_400, 86_400),
        (0, 86_400, 86_400),
        (0, 86_399, 86_399),
        (100, 101, 101),
        // The family has ended meanwhile: what is made now is expired at birth.
        (100, 50, 50),
    ] {
        assert_eq!(
            token_expiry(at(now), lifetimes("1d", "30d"), at(family_ends)),
            at(expires),
            "{now} {family_ends}"
        );
    }
}

//! For tests only: what must hold whatever is done to a token or a set. Every byte of good ones is changed, taken out,
//! doubled and cut at, and nothing of that may verify or panic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::testing::{self, NO_LIMIT, jwk, jwks};
use crate::{Algorithm, JwkSet, KeySource, UnverifiedToken};

/// Of so many places, one is tried: wasm32 takes a sample.
const STEP: usize = if cfg!(target_arch = "wasm32") { 17 } else { 1 };

fn accepted(set: &JwkSet, token: &[u8]) -> bool {
    UnverifiedToken::parse(token, NO_LIMIT).is_ok_and(|token| set.verify(&token).is_ok())
}

#[test]
fn a_token_of_which_one_byte_is_changed_missing_or_doubled_never_verifies() {
    let mut tried = 0;
    for algorithm in Algorithm::ALL {
        let set = JwkSet::parse(jwks(&[jwk(algorithm, "")]).as_bytes(), KeySource::Local).unwrap();
        let token = testing::token(
            algorithm,
            testing::header(algorithm),
            r#"{"sub":"me","exp":4102444800}"#,
        )
        .into_bytes();
        assert!(accepted(&set, &token), "{algorithm}");
        for place in (0..token.len()).step_by(STEP) {
            // The lowest bit, the bit between upper and lower case, and the bit that no ASCII has.
            for mask in [0x01, 0x20, 0x80] {
                let mut changed = token.clone();
                changed[place] ^= mask;
                assert!(!accepted(&set, &changed), "{algorithm}: {mask:#x} at {place}");
            }
            let (before, after) = token.split_at(place);
            let missing = [before, &after[1..]].concat();
            let doubled = [before, &after[..1], after].concat();
            // To take out or to double one of several equal bytes in a row changes the token all the same.
            assert!(!accepted(&set, &missing), "{algorithm}: without {place}");
            assert!(!accepted(&set, &doubled), "{algorithm}: twice {place}");
            assert!(!accepted(&set, before), "{algorithm}: cut at {place}");
            tried += 6;
        }
    }
    assert!(tried > 20_000 / STEP, "{tried}");
}

#[test]
fn no_bytes_make_the_parser_panic() {
    let seeds: [&[u8]; 4] = [
        testing::unsigned(r#"{"alg":"ES256","kid":"a","crit":[]}"#, r#"{"aud":["a"],"exp":1e3}"#).as_bytes(),
        br#"{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"},{"kty":"oct","k":"AAAA"}]}"#,
        br#"{"a":[1,-2.5e3,"\ud83d\ude00\u0065",{"b":null}],"c":true}"#,
        b"..........",
    ]
    .map(<[u8]>::to_vec)
    .map(Vec::leak)
    .map(|seed| &*seed);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..30_000 / STEP {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..=next(4) {
            let place = next(bytes.len());
            match next(4) {
                0 => bytes[place] = u8::try_from(next(256)).unwrap(),
                1 => bytes.insert(place, b"{}[]\",:.\\0e-\xff"[next(13)]),
                2 => bytes.truncate(place.max(1)),
                _ => bytes.extend_from_within(place..),
            }
        }
        // Whatever they say, that they say it is the point.
        let _ = UnverifiedToken::parse(&bytes, NO_LIMIT);
        let _ = JwkSet::parse(&bytes, KeySource::Local);
        let as_parts = testing::unsigned(&bytes, &bytes);
        assert!(!UnverifiedToken::parse(as_parts.as_bytes(), NO_LIMIT).is_ok_and(|token| token.signature().is_empty()));
    }
}

#[test]
fn a_set_of_which_one_byte_is_changed_never_panics_and_never_gains_keys() {
    let keys: Vec<String> = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa]
        .map(|algorithm| jwk(algorithm, ""))
        .into();
    let set = jwks(&keys).into_bytes();
    let step = 3 * STEP;
    for place in (0..set.len()).step_by(step) {
        for mask in [0x01, 0x20, 0x80] {
            let mut changed = set.clone();
            changed[place] ^= mask;
            if let Ok(changed) = JwkSet::parse(&changed, KeySource::Remote) {
                assert_eq!(changed.keys().len() + changed.skipped().len(), keys.len());
            }
        }
    }
}

//! Tokens for tests, signed with ES256 by keys that are made of one byte each.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const NOW: u64 = 1_700_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key set of these ids and seeds.
pub(crate) fn jwks(keys: &[(&str, u8)]) -> String {
    let keys: Vec<Value> = keys
        .iter()
        .map(|(key_id, seed)| {
            let point = key(*seed).verifying_key().to_sec1_point(false);
            let (x, y) = (encode(point.x().unwrap()), encode(point.y().unwrap()));
            json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key_id, "x": x, "y": y})
        })
        .collect();
    json!({ "keys": keys }).to_string()
}

/// The claims of an ordinary token, and changes to them; null takes a claim out.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "sub": "alice", "aud": "gatehouse", "iat": NOW - 10, "exp": NOW + 300});
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    claims
}

/// A token of these claims.
pub(crate) fn sign(claims: &Value) -> String {
    sign_with_header(&json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"}), claims, 1)
}

/// A token of this header and these claims, signed by the key of that seed.
pub(crate) fn sign_with_header(header: &Value, claims: &Value, seed: u8) -> String {
    segments(header.to_string().as_bytes(), claims.to_string().as_bytes(), seed)
}

/// A token of these two documents, whatever they are.
pub(crate) fn segments(header: &[u8], payload: &[u8], seed: u8) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature: Signature = key(seed).sign(input.as_bytes());
    format!("{input}.{}", encode(signature.to_bytes()))
}

/// An ordinary token.
pub(crate) fn token() -> String {
    sign(&claims(json!({})))
}

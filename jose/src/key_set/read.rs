//! From a JWK Set document (RFC 7517 section 5) to keys.

use super::{JwkSet, JwkSetError, MAX_SET_LEN, SearchEnd, SkippedKey};
use crate::json::{self, Value};
use crate::key::{KeySource, VerifyingKey};
use crate::signature::tabled::MAX_TABLES_OF_A_SET;

pub(super) fn set(document: &[u8], source: KeySource) -> Result<JwkSet, JwkSetError> {
    if document.len() > MAX_SET_LEN {
        return Err(JwkSetError::TooLarge);
    }
    let document = json::parse(document).map_err(JwkSetError::Json)?;
    let jwks = document
        .as_object()
        .and_then(|set| set.get("keys"))
        .and_then(Value::as_array)
        .ok_or(JwkSetError::NotASet)?;
    if !have_distinct_ids(jwks) {
        return Err(JwkSetError::DuplicateKeyId);
    }
    let mut set = JwkSet {
        keys: Vec::new(),
        skipped: Vec::new(),
        ends: Vec::new(),
    };
    for (index, jwk) in jwks.iter().enumerate() {
        if is_ed25519_without_algorithm(jwk) {
            set.ends.push(SearchEnd {
                keys_before: set.keys.len(),
                key_id: key_id(jwk).filter(|id| !id.is_empty()).map(str::to_owned),
            });
        }
        match VerifyingKey::from_jwk(jwk, source) {
            Ok(key) => set.keys.push(key),
            Err(reason) => set.skipped.push(SkippedKey {
                index,
                key_id: key_id(jwk).map(str::to_owned),
                reason,
            }),
        }
    }
    let with_tables = set.keys.iter().filter(|key| key.may_have_table());
    for key in with_tables.skip(MAX_TABLES_OF_A_SET) {
        key.forgo_table();
    }
    if set.keys.is_empty() {
        return Err(JwkSetError::NoUsableKey { skipped: set.skipped });
    }
    Ok(set)
}

/// Also the ids of keys that can't be used count: which of two keys of one id is left over must not depend on what else
/// is wrong with them.
fn have_distinct_ids(jwks: &[Value]) -> bool {
    let mut ids: Vec<&str> = jwks.iter().filter_map(key_id).filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.is_sorted_by(|one, next| one < next)
}

fn is_ed25519_without_algorithm(jwk: &Value) -> bool {
    let text = |name| jwk.as_object().and_then(|jwk| jwk.get(name)).and_then(Value::as_str);
    text("kty") == Some("OKP") && text("crv") == Some("Ed25519") && text("alg").is_none_or(str::is_empty)
}

fn key_id(jwk: &Value) -> Option<&str> {
    jwk.as_object()?.get("kid")?.as_str()
}

//! Tokens: what is accepted is spelled in one way only, so its parts, written again, are the token.
#![no_main]

use jose::{UnverifiedToken, base64url};
use libfuzzer_sys::fuzz_target;

const MAX_LEN: usize = 8192;

fuzz_target!(|compact: &[u8]| {
    let Ok(token) = UnverifiedToken::parse(compact, MAX_LEN) else {
        return;
    };
    assert!(compact.len() <= MAX_LEN);
    let input = std::str::from_utf8(token.signing_input()).expect("ASCII");
    let again = format!("{input}.{}", base64url::encode(token.signature()));
    assert_eq!(again.as_bytes(), compact);
    let (header, payload) = input.split_once('.').expect("two parts");
    for part in [header, payload] {
        let decoded = base64url::decode(part).expect("base64url");
        assert_eq!(base64url::encode(&decoded), part);
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&decoded).expect("an object");
    }
});

//! Strict JSON: what is accepted is JSON to a general reader too, and an object of ours has each name once.
#![no_main]

use jose::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    if json::parse(document).is_ok() {
        serde_json::from_slice::<serde_json::Value>(document).expect("JSON to everyone");
    }
});

//! Key sets: a remote set is taken by the stricter rules, and a key that was taken judges any signature.
#![no_main]

use jose::{Algorithm, JwkSet, KeySource};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let local = JwkSet::parse(document, KeySource::Local);
    let Ok(remote) = JwkSet::parse(document, KeySource::Remote) else {
        return;
    };
    let local = local.expect("what is good enough for a remote set is for a local one");
    assert!(local.keys().len() >= remote.keys().len());
    for key in remote.keys().iter().take(4) {
        for algorithm in Algorithm::ALL {
            for signature in [&[0x5a; 64][..], &[0x5a; 256], &[]] {
                assert!(key.verify(algorithm, b"message", signature).is_err());
            }
        }
    }
});

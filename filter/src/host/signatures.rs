//! RSA signatures verified by the host. Envoy offers its own library to plugins, as the foreign function
//! `verify_signature`, and takes about half the time for a signature that wasm takes. For ECDSA and Ed25519 the plugin's own
//! kernels are faster, so nobody is asked.
//!
//! The function is tried once, when a configuration is taken into use: with a published signature, which it must accept,
//! and with two forgeries of it, which it must refuse. An answer counts only if it is, byte for byte, one of those that
//! were seen then. Whatever else comes is no answer, and the plugin verifies the signature itself.

use std::cell::RefCell;

use jose::{Algorithm, JwkSet, KeySource, RsaDelegate, VerifyingKey, base64url};

use super::calls;

/// `VerifySignatureResult { bool result = 1; string error = 2; }`, saying yes and nothing else
const ACCEPTED: &[u8] = &[0x08, 0x01];

/// The key, the signing input and the signature of RFC 7515, appendix A.2.
const KEY: &str = "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS256\",\"e\":\"AQAB\",\"n\":\"\
    ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-\
    pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2Ca\
    pHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb5\
    4h4FRWyuXpoQ\"}]}";
const SIGNING_INPUT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0c\
    nVlfQ";
const SIGNATURE: &str = "\
    cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr\
    7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--x\
    i12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_Ioy\
    pGlUPQGe77Rw";

/// The host's function, which proved to work.
#[derive(Debug)]
pub(super) struct HostVerifier {
    /// What it says of a signature that does not match.
    refused: Vec<u8>,
}

impl HostVerifier {
    /// Tries the function. Not before there is a context to act for: in `on_configure` there is one.
    pub(super) fn detect() -> Option<Self> {
        let keys = JwkSet::parse(KEY.as_bytes(), KeySource::Remote).ok()?;
        let key = keys.keys().first()?;
        let signature = base64url::decode(SIGNATURE).ok()?;
        let mut forged = signature.clone();
        *forged.last_mut()? ^= 1;
        let message = SIGNING_INPUT.as_bytes();

        if answer(key, message, &signature)? != ACCEPTED {
            return None;
        }
        let refused = answer(key, message, &forged)?;
        let also_refused = answer(key, message.split_last()?.1, &signature)?;
        (refused == also_refused && refused != ACCEPTED).then_some(Self { refused })
    }
}

impl RsaDelegate for HostVerifier {
    fn verify(&self, algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let answer = ask(algorithm, key, message, signature)?;
        if answer == ACCEPTED {
            Some(true)
        } else {
            (answer == self.refused).then_some(false)
        }
    }
}

/// Keeps what the host says. It is asked in the same way as for tokens.
#[derive(Debug, Default)]
struct Trial {
    answer: RefCell<Option<Vec<u8>>>,
}

impl RsaDelegate for Trial {
    fn verify(&self, algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        self.answer.replace(ask(algorithm, key, message, signature));
        Some(false)
    }
}

fn answer(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let trial = Trial::default();
    let _refused = key.verify_with(Some(&trial), Algorithm::Rs256, message, signature);
    trial.answer.into_inner()
}

fn ask(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let hash = match algorithm {
        Algorithm::Rs256 => "sha256",
        Algorithm::Rs384 => "sha384",
        Algorithm::Rs512 => "sha512",
        _ => return None,
    };
    calls::verify_signature(&arguments(hash, key, signature, message))
}

/// `VerifySignatureArguments { string hash_function = 1; bytes public_key = 2; bytes signature = 3; bytes text = 4; }`
fn arguments(hash: &str, key: &[u8], signature: &[u8], text: &[u8]) -> Vec<u8> {
    let fields = [(0x0a, hash.as_bytes()), (0x12, key), (0x1a, signature), (0x22, text)];
    let mut encoded = Vec::with_capacity(fields.iter().map(|(_, value)| value.len() + 6).sum());
    for (tag, value) in fields {
        encoded.push(tag);
        let mut rest = value.len();
        // Seven bits a byte, the lowest first; all but the last have the highest bit set.
        while rest >= 0x80 {
            encoded.push(rest.to_le_bytes().first().copied().unwrap_or_default() | 0x80);
            rest >>= 7;
        }
        encoded.push(rest.to_le_bytes().first().copied().unwrap_or_default());
        encoded.extend_from_slice(value);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_encoded_as_protobuf_does() {
        let long = [7; 300];
        let encoded = arguments("sha256", &[1, 2], &[], &long);
        let expected = [b"\x0a\x06sha256\x12\x02\x01\x02\x1a\x00\x22\xac\x02".as_slice(), &long].concat();
        assert_eq!(encoded, expected);
    }
}

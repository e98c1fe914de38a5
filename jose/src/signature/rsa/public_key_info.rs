//! An RSA key as other implementations take it: `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1, RFC 3279 section
//! 2.3.1, RFC 8017 appendix A.1.1).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `rsaEncryption` (1.2.840.113549.1.1.1) with its NULL
const RSA_ENCRYPTION: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// 65537
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The key of a big-endian modulus, without zero bytes in front, and the exponent 65537.
pub(super) fn of(modulus: &[u8]) -> Vec<u8> {
    let numbers = [unsigned(modulus), unsigned(&EXPONENT)].concat();
    // No bit of the last byte is unused.
    let bits = [&[0], element(SEQUENCE, &numbers).as_slice()].concat();
    let algorithm = element(SEQUENCE, &RSA_ENCRYPTION);
    element(SEQUENCE, &[algorithm, element(BIT_STRING, &bits)].concat())
}

/// A number is signed in DER: one whose highest bit is set gets a zero byte in front.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number.first().is_some_and(|byte| byte & 0x80 != 0) {
        &[0]
    } else {
        &[]
    };
    element(INTEGER, &[sign, number].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let significant = len.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<u8>>();
    let mut encoded = vec![tag];
    match (significant.as_slice(), u8::try_from(significant.len())) {
        ([], _) => encoded.push(0),
        ([len], _) if *len < 0x80 => encoded.push(*len),
        (_, Ok(bytes)) => {
            encoded.push(0x80 | bytes);
            encoded.extend_from_slice(&significant);
        }
        // A number of more bytes than a byte can count is longer than any slice.
        (_, Err(_)) => {}
    }
    encoded.extend_from_slice(content);
    encoded
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::base64url;

    /// Every RSA key in PEM begins with these characters, by its size, and ends with the exponent.
    #[test]
    fn the_encoding_is_the_one_that_every_pem_file_has() {
        for (len, beginning) in [
            (256, "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"),
            (384, "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA"),
            (512, "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA"),
        ] {
            let encoded = of(&vec![0xb5; len]);
            let text = base64url::encode(&encoded);
            assert!(text.starts_with(beginning), "{len}: {text}");
            assert!(encoded.ends_with(&[0xb5, INTEGER, 3, 1, 0, 1]), "{len}");
        }
    }
}

//! Verification by somebody else, such as a plugin's host, who has the same algorithm in native code.
//!
//! What makes a signature acceptable stays here: the key rules, the algorithm, the signature's length and range are
//! judged before anybody else is asked, and whoever gives no answer is done without.

use std::fmt;

use crate::Algorithm;

/// Somebody who can verify RSASSA-PKCS1-v1_5 signatures (RFC 8017 section 8.2.2).
pub trait RsaDelegate: fmt::Debug {
    /// Whether the signature is that of the message with this algorithm (RS256, RS384 or RS512) under this key, a
    /// `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1). `None` is no answer: it is verified here then.
    fn verify(&self, algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool>;
}

//! Why a key of a set can't be used. Each reason is one that the set's owner can act on, and none repeats the key.

/// Why a JWK (RFC 7517) does not become a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// It is not a JSON object.
    #[error("the key is not a JSON object")]
    NotAnObject,
    /// A parameter that is needed is absent.
    #[error("the key has no {0}")]
    Missing(&'static str),
    /// A parameter has another type than its RFC gives it.
    #[error("the key's {0} has the wrong type")]
    WrongType(&'static str),
    /// A parameter is not base64url without padding.
    #[error("the key's {0} is not base64url")]
    NotBase64url(&'static str),
    /// `kty` is none of `RSA`, `EC`, `OKP` and `oct`.
    #[error("keys of this type are not supported")]
    UnsupportedKeyType,
    /// `crv` is none of `P-256`, `P-384`, `P-521` and `Ed25519`, or not of this key type.
    #[error("keys on this curve are not supported")]
    UnsupportedCurve,
    /// `alg` is no signature algorithm that is supported.
    #[error("the key's algorithm is not supported")]
    UnsupportedAlgorithm,
    /// `alg` is for keys of another type, on another curve, or longer ones.
    #[error("the key does not fit the algorithm that it names")]
    AlgorithmMismatch,
    /// `use` is something else than `sig` (RFC 7517 section 4.2).
    #[error("the key is not for signatures")]
    NotForSignatures,
    /// `key_ops` does not list `verify` (RFC 7517 section 4.3).
    #[error("the key is not for verification")]
    NotForVerification,
    /// A symmetric key in a remote set.
    #[error("a shared secret in a published set is no secret")]
    SharedSecret,
    /// A private key in a remote set.
    #[error("a private key in a published set is not private")]
    PrivateKey,
    /// `kid` is longer than any that a token may name.
    #[error("the key's id is too long")]
    KeyIdTooLong,
    /// An RSA modulus below 2048 or above 8192 bits (RFC 7518 section 3.3).
    #[error("the modulus has fewer than 2048 or more than 8192 bits")]
    ModulusSize,
    /// An RSA modulus that is even, or an exponent that is even, below 3, or 2^33 or more.
    #[error("the modulus or the exponent is not that of an RSA key")]
    InvalidRsaKey,
    /// A coordinate that is not exactly as long as the curve asks for (RFC 7518 section 6.2.1.2, RFC 8037 section 2).
    #[error("a coordinate does not have the length that the curve asks for")]
    CoordinateLength,
    /// A point that is not on the curve; on edwards25519 also one of small order, or not in its canonical spelling.
    #[error("the key is not a point of the curve's group")]
    InvalidPoint,
    /// An HMAC key shorter than the hash (RFC 7518 section 3.2).
    #[error("the secret is shorter than the hash")]
    ShortSecret,
}

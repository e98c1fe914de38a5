//! The names of the signature algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1), and sets of them. Apart from
//! the implementations, because headers, keys and configurations speak of algorithms without ever running one.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A signature algorithm that Gatehouse verifies. There is no variant for `none` and none for encryption, so a token
/// that asks for either can't be represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3)
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 section 3.3)
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 section 3.3)
    Rs512,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256 (RFC 7518 section 3.5)
    Ps256,
    /// RSASSA-PSS with SHA-384 and MGF1 with SHA-384 (RFC 7518 section 3.5)
    Ps384,
    /// RSASSA-PSS with SHA-512 and MGF1 with SHA-512 (RFC 7518 section 3.5)
    Ps512,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4)
    Es256,
    /// ECDSA on P-384 with SHA-384 (RFC 7518 section 3.4)
    Es384,
    /// ECDSA on P-521 with SHA-512 (RFC 7518 section 3.4)
    Es512,
    /// `EdDSA`, on Ed25519 only (RFC 8037 section 3.1)
    EdDsa,
    /// HMAC with SHA-256 (RFC 7518 section 3.2)
    Hs256,
    /// HMAC with SHA-384 (RFC 7518 section 3.2)
    Hs384,
    /// HMAC with SHA-512 (RFC 7518 section 3.2)
    Hs512,
}

/// What kind of key an [`Algorithm`] takes. Two algorithms of one family may share a key when its JWK names neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// RSASSA-PKCS1-v1_5; the key is an RSA public key
    RsaPkcs1v15,
    /// RSASSA-PSS; the key is an RSA public key
    RsaPss,
    /// ECDSA; the key is a point on the one curve that the algorithm names
    Ecdsa,
    /// `EdDSA`; the key is a point on edwards25519
    EdDsa,
    /// HMAC; the key is a shared secret
    Hmac,
}

impl Algorithm {
    /// Every algorithm, in the order in which they are declared.
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The value of `alg` that stands for this algorithm.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The algorithm that `alg` names. The comparison is exact: RFC 7515 section 4.1.1 makes `alg` case-sensitive.
    #[must_use]
    pub fn parse(alg: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == alg)
    }

    /// The kind of key that it takes.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Family::RsaPkcs1v15,
            Self::Ps256 | Self::Ps384 | Self::Ps512 => Family::RsaPss,
            Self::Es256 | Self::Es384 | Self::Es512 => Family::Ecdsa,
            Self::EdDsa => Family::EdDsa,
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Family::Hmac,
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The name is not that of a supported signature algorithm. The name itself is left out: it may come from an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a supported signature algorithm")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(alg: &str) -> Result<Self, Self::Err> {
        Self::parse(alg).ok_or(UnknownAlgorithm)
    }
}

/// A set of algorithms: what one key may verify, or what a provider allows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// The set without members.
    pub const EMPTY: Self = Self(0);

    /// The same set with `algorithm` in it.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | algorithm.bit())
    }

    /// Whether `algorithm` is a member.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Whether it has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries(self.iter().map(Algorithm::as_str))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_name_is_read_back_as_itself() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.as_str());
        }
    }

    #[test]
    fn a_name_in_another_case_or_with_anything_around_it_is_unknown() {
        for name in [
            "",
            "none",
            "None",
            "NONE",
            "nOnE",
            "rs256",
            "Rs256",
            "eddsa",
            "EDDSA",
            "RS256 ",
            " RS256",
            "RS256\0",
            "RS2560",
            "RS",
            "HS1",
            "ES256K",
            "Ed25519",
            "Ed448",
            "RSA-OAEP",
            "dir",
            "A128KW",
            "ＲＳ256",
        ] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = AlgorithmSet::from_iter([Algorithm::Hs512, Algorithm::Rs256, Algorithm::Rs256]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Algorithm::Rs256, Algorithm::Hs512]);
        for algorithm in Algorithm::ALL {
            assert_eq!(
                set.contains(algorithm),
                matches!(algorithm, Algorithm::Rs256 | Algorithm::Hs512)
            );
            assert!(!AlgorithmSet::EMPTY.contains(algorithm));
        }
        assert!(AlgorithmSet::EMPTY.is_empty() && !set.is_empty());
        assert_eq!(format!("{set:?}"), r#"{"RS256", "HS512"}"#);
    }
}

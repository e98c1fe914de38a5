//! RSA's public operation for the sizes and the exponent that keys have in practice, and the two signature schemes on
//! top of it. Apart from the `rsa` crate because that serves every size, and in constant time; in V8 this takes a sixth
//! of its time. What it does not serve, the crate does.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod differential;
mod encoding;
mod montgomery;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]
mod tests;

use sha2::digest::Digest;
use sha2::digest::const_oid::AssociatedOid;

use montgomery::Modulus;

/// The largest modulus in bytes.
const MAX_LEN: usize = 512;

/// s^e modulo n for e = 65537 and a modulus n of 2048, 3072 or 4096 bits (RSAVP1, RFC 8017 section 5.2.2), with what
/// depends on the key alone computed beforehand.
#[derive(Clone)]
pub struct RsaPublicOperation {
    bytes: Box<[u8]>,
    modulus: Prepared,
}

/// Digits are as large as the columns of so many products permit, see [`montgomery`].
#[derive(Clone)]
enum Prepared {
    Bits2048(Box<Modulus<29, 72, 144>>),
    Bits3072(Box<Modulus<29, 108, 216>>),
    Bits4096(Box<Modulus<28, 148, 296>>),
}

impl RsaPublicOperation {
    /// Prepares a key from its big-endian modulus, without zero bytes in front, and its exponent. `None` for another size
    /// or exponent and for an even modulus: for these there is the general way.
    #[must_use]
    pub fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        if exponent != 65537 || modulus.first()? & 0x80 == 0 {
            return None;
        }
        let prepared = match modulus.len() {
            256 => Prepared::Bits2048(Box::new(Modulus::new(modulus)?)),
            384 => Prepared::Bits3072(Box::new(Modulus::new(modulus)?)),
            MAX_LEN => Prepared::Bits4096(Box::new(Modulus::new(modulus)?)),
            _ => return None,
        };
        Some(Self {
            bytes: modulus.into(),
            modulus: prepared,
        })
    }

    /// Whether this can be a signature: as long as the modulus and, as a number, below it (RFC 8017 sections 8.1.2 and
    /// 8.2.2, step 1, and section 5.2.2, step 1).
    #[must_use]
    pub fn is_in_range(&self, signature: &[u8]) -> bool {
        // Big-endian numbers of one length are in the order of their bytes.
        signature.len() == self.bytes.len() && signature < &*self.bytes
    }

    /// Applies the operation and returns the block, which is as long as the modulus and lies in `buffer`. `None` unless
    /// the signature is in range.
    #[must_use]
    pub fn apply<'b>(&self, signature: &[u8], buffer: &'b mut [u8; MAX_LEN]) -> Option<&'b mut [u8]> {
        if !self.is_in_range(signature) {
            return None;
        }
        let block = buffer.get_mut(..signature.len())?;
        match &self.modulus {
            Prepared::Bits2048(modulus) => modulus.power_65537(signature, block),
            Prepared::Bits3072(modulus) => modulus.power_65537(signature, block),
            Prepared::Bits4096(modulus) => modulus.power_65537(signature, block),
        }
        Some(block)
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2): the whole block is compared with the one that the message gives, so
    /// there is no padding to be parsed wrongly.
    #[must_use]
    pub fn verify_pkcs1v15<D: Digest + AssociatedOid>(&self, message: &[u8], signature: &[u8]) -> bool {
        let (mut buffer, mut expected) = ([0; MAX_LEN], [0; MAX_LEN]);
        let Some(block) = self.apply(signature, &mut buffer) else {
            return false;
        };
        let expected = expected.get_mut(..block.len()).unwrap_or_default();
        encoding::pkcs1v15::<D>(&D::digest(message), expected).is_some() && block == expected
    }

    /// RSASSA-PSS (RFC 8017 section 8.1.2) with a salt as long as the hash and MGF1 with the same hash, as RFC 7518
    /// section 3.5 has it.
    #[must_use]
    pub fn verify_pss<D: Digest>(&self, message: &[u8], signature: &[u8]) -> bool {
        let mut buffer = [0; MAX_LEN];
        self.apply(signature, &mut buffer)
            .and_then(|block| encoding::verify_pss::<D>(&D::digest(message), block))
            .is_some()
    }
}

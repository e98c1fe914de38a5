//! How a hash becomes the block that RSA is applied to: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 sections 9.2 and 9.1).

use sha2::digest::Digest;
use sha2::digest::const_oid::AssociatedOid;

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const NULL: u8 = 0x05;
const OCTET_STRING: u8 = 0x04;

/// Fills `block` as RFC 8017 section 9.2 says: 0, 1, at least eight times 255, 0, and the `DigestInfo` in DER with the
/// NULL in it. `None` if the block is too short.
pub(super) fn pkcs1v15<D: Digest + AssociatedOid>(hash: &[u8], block: &mut [u8]) -> Option<()> {
    let identifier = D::OID.as_bytes();
    let short = |len: usize| u8::try_from(len).ok().filter(|len| *len < 128);
    let algorithm_len = 4 + identifier.len();
    let (info_len, algorithm_len) = (short(4 + algorithm_len + hash.len())?, short(algorithm_len)?);
    let info = [
        SEQUENCE,
        info_len,
        SEQUENCE,
        algorithm_len,
        OBJECT_IDENTIFIER,
        short(identifier.len())?,
    ]
    .into_iter()
    .chain(identifier.iter().copied())
    .chain([NULL, 0, OCTET_STRING, short(hash.len())?])
    .chain(hash.iter().copied());

    let padding_len = block.len().checked_sub(3 + 2 + usize::from(info_len))?;
    if padding_len < 8 {
        return None;
    }
    let whole = [0, 1]
        .into_iter()
        .chain(std::iter::repeat_n(0xff, padding_len))
        .chain([0])
        .chain(info);
    for (byte, value) in block.iter_mut().zip(whole) {
        *byte = value;
    }
    Some(())
}

/// RFC 8017 section 9.1.2 for a block that is as long as the modulus, whose bits are a multiple of eight: so emBits is
/// one less, and the block's highest bit must be zero. `None` if it is inconsistent with the hash.
pub(super) fn verify_pss<D: Digest>(hash: &[u8], block: &mut [u8]) -> Option<()> {
    let (&mut 0xbc, rest) = block.split_last_mut()? else {
        return None;
    };
    let (masked, seed) = rest.split_at_mut_checked(rest.len().checked_sub(hash.len())?)?;
    if masked.first()? & 0x80 != 0 {
        return None;
    }
    unmask::<D>(masked, seed);
    *masked.first_mut()? &= 0x7f;

    let (padding, salt) = masked.split_at_checked(masked.len().checked_sub(hash.len())?)?;
    let (1, zeros) = padding.split_last()? else {
        return None;
    };
    if zeros.iter().any(|byte| *byte != 0) {
        return None;
    }
    let again = D::new()
        .chain_update([0; 8])
        .chain_update(hash)
        .chain_update(salt)
        .finalize();
    (*again == *seed).then_some(())
}

/// Takes off the mask that MGF1 makes of the seed (RFC 8017 appendix B.2.1).
fn unmask<D: Digest>(masked: &mut [u8], seed: &[u8]) {
    for (part, counter) in masked.chunks_mut(<D as Digest>::output_size()).zip(0_u32..) {
        let mask = D::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        for (byte, mask) in part.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

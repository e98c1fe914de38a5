//! ECDSA on P-256: the kernel judges as the `p256` crate does, signatures of any numbers and those that lead to chosen
//! multiples of the two points.
#![no_main]

use std::sync::OnceLock;

use jose::kernel::P256Key;
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::ops::Reduce;
use p256::{FieldBytes, ProjectivePoint, Scalar};

/// A key of the table or a new one; chosen multiples or plain numbers; two numbers and a hash.
type Input = (u8, Option<[u8; 32]>, bool, [u8; 32], [u8; 32], [u8; 32]);

/// Small secrets and their negatives make sums meet their summands.
const SECRETS: [u64; 8] = [1, 2, 3, 16, 17, 32, 64, 1 << 40];

struct Key {
    point: ProjectivePoint,
    kernel: P256Key,
    reference: VerifyingKey,
}

impl Key {
    fn new(secret: Scalar) -> Option<Self> {
        let point = ProjectivePoint::GENERATOR * secret;
        let reference = VerifyingKey::from_affine(point.to_affine()).ok()?;
        let encoded = reference.to_sec1_point(false);
        let coordinate = |bytes: Option<&FieldBytes>| bytes.map(|bytes| (*bytes).into());
        let kernel = P256Key::new(&coordinate(encoded.x())?, &coordinate(encoded.y())?).expect("a point");
        Some(Self {
            point,
            kernel,
            reference,
        })
    }
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(bytes))
}

fn chosen(key: &Key, u1: Scalar, u2: Scalar) -> Option<([u8; 32], Scalar, Scalar)> {
    let sum = ProjectivePoint::GENERATOR * u1 + key.point * u2;
    let point = VerifyingKey::from_affine(sum.to_affine()).ok()?.to_sec1_point(false);
    let r = scalar((*point.x()?).into());
    let s = r * Option::<Scalar>::from(u2.invert())?;
    Some(((u1 * s).to_bytes().into(), r, s))
}

fuzz_target!(|input: Input| {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let secrets = SECRETS.into_iter().map(Scalar::from);
        secrets
            .flat_map(|secret| [secret, -secret])
            .filter_map(Key::new)
            .collect()
    });
    let (place, secret, choose, first, second, hash) = input;
    let own;
    let key = match secret.map(|secret| Key::new(scalar(secret))) {
        Some(Some(key)) => {
            own = key;
            &own
        }
        Some(None) => return,
        None => &keys[usize::from(place) % keys.len()],
    };
    let (hash, r, s) = if choose {
        match chosen(key, scalar(first), scalar(second)) {
            Some((hash, r, s)) => (hash, r.to_bytes().into(), s.to_bytes().into()),
            None => return,
        }
    } else {
        (hash, first, second)
    };
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s);
    let expected = Signature::from_slice(&signature)
        .is_ok_and(|signature| key.reference.verify_prehash(&hash, &signature).is_ok());
    assert_eq!(key.kernel.verify_prehash(&hash, &signature), expected);
    let zero = [0; 32];
    assert!(expected || !choose || r == zero || s == zero, "made to be good");
});

//! RSA: the kernel judges as the `rsa` crate does. Who may choose the modulus, as here, can make any block.
#![no_main]

use jose::kernel::RsaPublicOperation;
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;
use rsa::BoxedUint;
use sha2::Sha256;

/// What differs from all ones: of the modulus, of the signature (or of the modulus less one), and how long they are.
type Input<'a> = (u8, bool, &'a [u8], &'a [u8], &'a [u8]);

fn changed(mut number: Vec<u8>, by: &[u8]) -> Vec<u8> {
    for (byte, by) in number.iter_mut().zip(by) {
        *byte ^= by;
    }
    number
}

fuzz_target!(|input: Input<'_>| {
    let (len, near, modulus, signature, message) = input;
    let len = [256, 384, 512][usize::from(len % 3)];
    let mut modulus = changed(vec![0xff; len], modulus);
    modulus[0] |= 0x80;
    modulus[len - 1] |= 1;
    let signature = changed(if near { modulus.clone() } else { vec![0; len] }, signature);

    let kernel = RsaPublicOperation::new(&modulus, 65537).expect("a modulus with a kernel");
    let number = BoxedUint::from_be_slice_vartime;
    let Ok(reference) = rsa::PublicKey::new(number(&modulus), number(&[1, 0, 1])) else {
        return;
    };
    let expected = reference.pkcs1v15_verify::<Sha256>(message, &signature).is_ok();
    assert_eq!(kernel.verify_pkcs1v15::<Sha256>(message, &signature), expected);
    let expected = reference.pss_verify::<Sha256>(message, &signature).is_ok();
    assert_eq!(kernel.verify_pss::<Sha256>(message, &signature), expected);

    // The block itself, and not only what both think of it.
    let mut buffer = [0; 512];
    if let Some(block) = kernel.apply(&signature, &mut buffer) {
        let [signature, modulus] = [&signature, &modulus].map(|bytes| BigUint::from_bytes_be(bytes));
        let power = signature.modpow(&BigUint::from(65537_u32), &modulus);
        assert_eq!(BigUint::from_bytes_be(block), power);
    } else {
        assert!(signature >= modulus);
    }
});

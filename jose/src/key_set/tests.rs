#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::testing::{self, SECRET, jwk, jwks, parsed};
use crate::{Algorithm, Family, base64url};

fn local(keys: &[String]) -> JwkSet {
    JwkSet::parse(jwks(keys).as_bytes(), KeySource::Local).unwrap()
}

fn outcome(set: &JwkSet, token: &str) -> Result<Option<String>, VerificationError> {
    set.verify(&parsed(token))
        .map(|verified| verified.key().key_id().map(str::to_owned))
}

fn named(algorithm: Algorithm, key_id: &str) -> String {
    jwk(algorithm, &format!(r#","kid":"{key_id}""#))
}

/// The key that the token means, by algorithm, and what signs it.
fn token_for(algorithm: Algorithm, key_id: &str) -> String {
    testing::token(
        algorithm,
        format!(r#"{{"alg":"{algorithm}","kid":"{key_id}"}}"#),
        r#"{"sub":"me"}"#,
    )
}

fn secret(key_id: &str, secret: &[u8]) -> String {
    format!(
        r#"{{"kty":"oct","kid":"{key_id}","k":"{}"}}"#,
        base64url::encode(secret)
    )
}

#[test]
fn every_algorithm_verifies_with_its_key_and_gives_the_claims() {
    for algorithm in Algorithm::ALL {
        let set = local(&[jwk(algorithm, "")]);
        let compact = testing::token(algorithm, testing::header(algorithm), r#"{"sub":"me"}"#);
        let token = parsed(&compact);
        let verified = set.verify(&token).unwrap();
        assert_eq!(verified.claims().subject(), Some("me"));
        assert_eq!(verified.header().algorithm(), algorithm);
        assert_eq!(
            (verified.compact(), verified.payload_segment()),
            (compact.as_str(), token.payload_segment())
        );
        assert!(verified.key().algorithms().contains(algorithm));
    }
}

#[test]
fn a_set_is_an_object_with_a_list_of_keys() {
    for document in [
        "[]",
        "{}",
        r#"{"Keys":[]}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "null",
        r#""keys""#,
        "1",
    ] {
        assert_eq!(
            JwkSet::parse(document.as_bytes(), KeySource::Remote).unwrap_err(),
            JwkSetError::NotASet,
            "{document}"
        );
    }
    let key = jwk(Algorithm::Es256, "");
    for document in [
        String::new(),
        "<html><body>Bad gateway</body></html>".to_owned(),
        format!(r#"{{"keys":[{key}"#),
        format!(r#"{{"keys":[{key}]}} x"#),
        format!("\u{feff}{}", jwks(std::slice::from_ref(&key))),
        format!(r#"{{"keys":[{key}],"keys":[]}}"#),
        jwks(&[jwk(Algorithm::Es256, r#","kid":"a","kid":"b""#)]),
    ] {
        let outcome = JwkSet::parse(document.as_bytes(), KeySource::Remote);
        assert!(matches!(outcome, Err(JwkSetError::Json(_))), "{document}");
    }
    let padded = format!("{}{}", jwks(&[key]), " ".repeat(MAX_SET_LEN));
    assert_eq!(
        JwkSet::parse(padded.as_bytes(), KeySource::Remote).unwrap_err(),
        JwkSetError::TooLarge
    );
    let fitting = padded.get(..MAX_SET_LEN).unwrap();
    assert!(JwkSet::parse(fitting.as_bytes(), KeySource::Remote).is_ok());
}

#[test]
fn keys_that_cannot_be_used_are_left_out_one_by_one_and_reported() {
    let keys = [
        r#"{"kty":"RSA","kid":"short","n":"AQAB","e":"AQAB"}"#.to_owned(),
        named(Algorithm::Es256, "good"),
        secret("secret", &SECRET),
        "1".to_owned(),
        r#"{"kty":"RSA","kid":7}"#.to_owned(),
        jwk(Algorithm::Rs256, r#","use":"enc","kid":"enc""#),
        jwk(Algorithm::EdDsa, r#","d":"AQAB","kid":"private""#),
        jwk(Algorithm::Es384, ""),
    ];
    let set = JwkSet::parse(jwks(&keys).as_bytes(), KeySource::Remote).unwrap();
    assert_eq!(
        set.keys().iter().map(VerifyingKey::key_id).collect::<Vec<_>>(),
        [Some("good"), None]
    );
    let skipped = |index, key_id: Option<&str>, reason| SkippedKey {
        index,
        key_id: key_id.map(str::to_owned),
        reason,
    };
    assert_eq!(
        set.skipped(),
        [
            skipped(0, Some("short"), JwkError::ModulusSize),
            skipped(2, Some("secret"), JwkError::SharedSecret),
            skipped(3, None, JwkError::NotAnObject),
            skipped(4, None, JwkError::WrongType("kid")),
            skipped(5, Some("enc"), JwkError::NotForSignatures),
            skipped(6, Some("private"), JwkError::PrivateKey),
        ]
    );
}

#[test]
fn a_token_may_mean_a_key_that_was_left_out() {
    let encryption = |more: &str| jwk(Algorithm::Rs256, &format!(r#","use":"enc"{more}"#));
    let (named_other, nameless) = (encryption(r#","kid":"b""#), encryption(""));
    let too_many: Vec<String> = (0..=MAX_ATTEMPTS).map(|_| jwk(Algorithm::Es256, "")).collect();
    let good = || named(Algorithm::Es256, "a");
    let unnamed = testing::token(Algorithm::Es256, testing::header(Algorithm::Es256), r#"{"sub":"me"}"#);
    for (keys, token, expected) in [
        (vec![good()], token_for(Algorithm::Es256, "b"), false),
        (
            vec![good(), named_other.clone()],
            token_for(Algorithm::Es256, "a"),
            false,
        ),
        (
            vec![good(), named_other.clone()],
            token_for(Algorithm::Es256, "b"),
            true,
        ),
        (vec![good(), named_other], unnamed.clone(), true),
        (vec![good(), nameless], token_for(Algorithm::Es256, "a"), true),
        (too_many, unnamed, true),
    ] {
        assert_eq!(local(&keys).may_lack_the_key_of(&parsed(&token)), expected, "{keys:?}");
    }
}

#[test]
fn a_set_without_a_usable_key_is_refused_and_says_why() {
    assert_eq!(
        JwkSet::parse(br#"{"keys":[]}"#, KeySource::Remote).unwrap_err(),
        JwkSetError::NoUsableKey { skipped: Vec::new() }
    );
    let error = JwkSet::parse(jwks(&[secret("a", &SECRET)]).as_bytes(), KeySource::Remote).unwrap_err();
    let skipped = SkippedKey {
        index: 0,
        key_id: Some("a".to_owned()),
        reason: JwkError::SharedSecret,
    };
    assert_eq!(error, JwkSetError::NoUsableKey { skipped: vec![skipped] });
}

#[test]
fn two_keys_of_one_id_refuse_the_set_whatever_else_they_are() {
    let good = named(Algorithm::Es256, "a");
    for (first, second) in [
        (good.clone(), good.clone()),
        (good.clone(), named(Algorithm::Rs256, "a")),
        (good.clone(), r#"{"kty":"RSA","kid":"a"}"#.to_owned()),
        (r#"{"kid":"a"}"#.to_owned(), good.clone()),
        (good.clone(), jwk(Algorithm::EdDsa, r#","kid":"\u0061""#)),
    ] {
        let between = named(Algorithm::Es384, "b");
        let set = jwks(&[first, between, second]);
        assert_eq!(
            JwkSet::parse(set.as_bytes(), KeySource::Local).unwrap_err(),
            JwkSetError::DuplicateKeyId,
            "{set}"
        );
    }
    // No id, an empty one and another case are not the same id.
    let keys = [
        jwk(Algorithm::Es256, ""),
        jwk(Algorithm::Es384, ""),
        named(Algorithm::Es512, ""),
        named(Algorithm::EdDsa, ""),
    ];
    assert_eq!(local(&keys).keys().len(), 4);
    assert_eq!(
        local(&[named(Algorithm::Es256, "a"), named(Algorithm::Es384, "A")])
            .keys()
            .len(),
        2
    );
}

#[test]
fn a_token_is_verified_with_the_key_that_it_names() {
    let set = local(&[
        secret("a", &[1; 64]),
        named(Algorithm::Hs256, "b"),
        secret("c", &[2; 64]),
    ]);
    assert_eq!(
        outcome(&set, &token_for(Algorithm::Hs256, "b")),
        Ok(Some("b".to_owned()))
    );
    assert_eq!(
        outcome(&set, &token_for(Algorithm::Hs256, "a")),
        Err(VerificationError::BadSignature)
    );
    assert_eq!(
        outcome(&set, &token_for(Algorithm::Hs256, "d")),
        Err(VerificationError::NoKeyForId)
    );
    assert_eq!(
        outcome(&set, &token_for(Algorithm::Hs256, "B")),
        Err(VerificationError::NoKeyForId)
    );
    assert_eq!(
        outcome(&set, &token_for(Algorithm::Es256, "b")),
        Err(VerificationError::NoSuitableKey)
    );
    assert_eq!(
        outcome(&set, &token_for(Algorithm::Es256, "d")),
        Err(VerificationError::NoKeyForId)
    );
}

#[test]
fn a_token_without_a_name_may_mean_any_key_of_its_algorithm() {
    let set = local(&[
        secret("a", &[1; 64]),
        named(Algorithm::Es256, "b"),
        named(Algorithm::Hs256, "c"),
    ]);
    for key_id in ["", r#","kid":"""#] {
        let header = |algorithm: &str| format!(r#"{{"alg":"{algorithm}"{key_id}}}"#);
        let token = |algorithm: Algorithm| testing::token(algorithm, header(algorithm.as_str()), "{}");
        assert_eq!(outcome(&set, &token(Algorithm::Hs256)), Ok(Some("c".to_owned())));
        assert_eq!(outcome(&set, &token(Algorithm::Es256)), Ok(Some("b".to_owned())));
        assert_eq!(
            outcome(&set, &token(Algorithm::EdDsa)),
            Err(VerificationError::NoSuitableKey)
        );
        let forged = testing::unsigned(header("HS256"), "{}");
        assert_eq!(outcome(&set, &forged), Err(VerificationError::BadSignature));
    }
}

#[test]
fn a_key_without_a_name_may_be_meant_by_any_token() {
    let set = local(&[secret("a", &[1; 64]), jwk(Algorithm::Hs256, "")]);
    assert_eq!(outcome(&set, &token_for(Algorithm::Hs256, "anything")), Ok(None));
    assert_eq!(outcome(&set, &token_for(Algorithm::Hs256, "a")), Ok(None));
    // It does not vouch, and the key that the token names is still unknown: a newer set may have it.
    let stranger = local(&[secret("", &[1; 64])]);
    assert_eq!(
        outcome(&stranger, &token_for(Algorithm::Hs256, "anything")),
        Err(VerificationError::NoKeyForId)
    );
}

#[test]
fn a_key_that_names_its_algorithm_verifies_no_other() {
    for (named_algorithm, used) in [
        (Algorithm::Rs256, Algorithm::Rs512),
        (Algorithm::Rs256, Algorithm::Ps256),
        (Algorithm::Ps384, Algorithm::Rs384),
        (Algorithm::Hs512, Algorithm::Hs256),
    ] {
        let set = local(&[jwk(named_algorithm, &format!(r#","alg":"{named_algorithm}""#))]);
        let token = |algorithm| testing::token(algorithm, testing::header(algorithm), "{}");
        assert!(outcome(&set, &token(named_algorithm)).is_ok());
        assert_eq!(
            outcome(&set, &token(used)),
            Err(VerificationError::NoSuitableKey),
            "{named_algorithm} {used}"
        );
    }
}

#[test]
fn an_ed25519_key_that_names_no_algorithm_ends_the_search_for_keys_of_other_lengths() {
    let edwards = |more: &str| jwk(Algorithm::EdDsa, more);
    let named_token = token_for(Algorithm::Rs256, "a");
    let nameless = testing::token(Algorithm::Rs256, testing::header(Algorithm::Rs256), "{}");
    let rsa = || named(Algorithm::Rs256, "a");
    let nameless_rsa = || jwk(Algorithm::Rs256, "");
    let unreachable = Err(VerificationError::NoSuitableKey);
    let verified = || Ok(Some("a".to_owned()));
    for (keys, token, expected) in [
        ([edwards(""), rsa()], &nameless, unreachable.clone()),
        ([edwards(r#","kid":"b""#), rsa()], &nameless, unreachable.clone()),
        ([edwards(""), rsa()], &named_token, unreachable.clone()),
        ([edwards(r#","use":"enc""#), rsa()], &nameless, unreachable.clone()),
        ([edwards(r#","alg":"""#), rsa()], &nameless, unreachable.clone()),
        ([edwards(r#","kid":"a""#), nameless_rsa()], &named_token, unreachable),
        // Another key is meant, its algorithm is another, or the search does not come as far.
        ([edwards(r#","kid":"b""#), rsa()], &named_token, verified()),
        ([edwards(r#","alg":"EdDSA""#), rsa()], &nameless, verified()),
        ([rsa(), edwards("")], &nameless, verified()),
        ([rsa(), edwards("")], &named_token, verified()),
        ([jwk(Algorithm::Es256, ""), rsa()], &nameless, verified()),
    ] {
        assert_eq!(outcome(&local(&keys), token), expected, "{keys:?}");
    }
    // Signatures of the same length go on to the next key.
    for algorithm in [Algorithm::Es256, Algorithm::Hs512] {
        let set = local(&[edwards(""), named(algorithm, "a")]);
        let token = testing::token(algorithm, testing::header(algorithm), "{}");
        assert_eq!(outcome(&set, &token), verified(), "{algorithm}");
    }
    // A key that is unknown may be published yet.
    let unknown = token_for(Algorithm::Rs256, "c");
    assert_eq!(
        outcome(&local(&[edwards(""), rsa()]), &unknown),
        Err(VerificationError::NoKeyForId)
    );
}

#[test]
fn a_public_key_is_no_shared_secret() {
    // The attacker knows the published key in each of its spellings and uses it as the secret of an HMAC.
    for asymmetric in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let published = jwk(asymmetric, r#","kid":"a""#);
        let members: Vec<String> = crate::json::parse(published.as_bytes())
            .unwrap()
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(_, value)| value.as_str().map(str::to_owned))
            .collect();
        let raw = members.iter().filter_map(|member| base64url::decode(member).ok());
        let spellings = members.iter().map(|member| member.clone().into_bytes()).chain(raw);
        let set = JwkSet::parse(jwks(std::slice::from_ref(&published)).as_bytes(), KeySource::Remote).unwrap();
        let mut tried = 0;
        for secret in spellings.chain([
            published.clone().into_bytes(),
            jwks(std::slice::from_ref(&published)).into_bytes(),
        ]) {
            let input = format!(
                "{}.{}",
                base64url::encode(r#"{"alg":"HS256","kid":"a"}"#),
                base64url::encode("{}")
            );
            let tag = testing::tag::<hmac::Hmac<sha2::Sha256>>(&secret, input.as_bytes());
            let token = format!("{input}.{}", base64url::encode(tag));
            assert_eq!(outcome(&set, &token), Err(VerificationError::NoSuitableKey));
            tried += 1;
        }
        assert!(tried > 4);
    }
}

#[test]
fn a_token_does_not_bring_its_own_key() {
    let own = jwk(Algorithm::Es256, "");
    let stranger = named(Algorithm::Es384, "a");
    let set = local(&[stranger]);
    for (member, value) in [
        ("jwk", own.clone()),
        ("jku", r#""https://attacker.example/keys""#.to_owned()),
        ("x5u", r#""https://attacker.example/certificate""#.to_owned()),
        ("x5c", r#"["AAAA"]"#.to_owned()),
        ("x5t#S256", r#""AAAA""#.to_owned()),
    ] {
        let token = testing::token(
            Algorithm::Es256,
            format!(r#"{{"alg":"ES256","{member}":{value}}}"#),
            "{}",
        );
        assert_eq!(outcome(&set, &token), Err(VerificationError::NoSuitableKey), "{member}");
        // Where its key happens to be known, the member changes nothing.
        assert!(outcome(&local(std::slice::from_ref(&own)), &token).is_ok(), "{member}");
    }
}

#[test]
fn a_signature_of_another_token_or_of_another_form_does_not_verify() {
    for algorithm in Algorithm::ALL {
        let set = local(&[jwk(algorithm, "")]);
        let token = testing::token(algorithm, testing::header(algorithm), r#"{"sub":"me"}"#);
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = base64url::decode(signature).unwrap();
        let other = testing::sign(algorithm, format!("{input}A").as_bytes());
        let mut forged = vec![
            other,
            vec![0; signature.len()],
            vec![0xff; signature.len()],
            signature[1..].to_vec(),
            signature[..signature.len() - 1].to_vec(),
            signature[..signature.len() / 2].to_vec(),
            [signature.clone(), vec![0]].concat(),
            [vec![0], signature.clone()].concat(),
            [signature.clone(), signature.clone()].concat(),
            vec![0],
        ];
        if algorithm.family() == Family::Ecdsa {
            let (r, s) = signature.split_at(signature.len() / 2);
            let zero = vec![0; r.len()];
            forged.push([r, &zero].concat());
            forged.push([&zero, s].concat());
            forged.push([s, r].concat());
        }
        for signature in forged {
            let token = format!("{input}.{}", base64url::encode(&signature));
            assert_eq!(
                outcome(&set, &token),
                Err(VerificationError::BadSignature),
                "{algorithm} {signature:02x?}"
            );
        }
    }
}

#[test]
fn no_more_than_a_few_keys_are_tried_for_one_token() {
    let mut keys: Vec<String> = (1..)
        .take(MAX_ATTEMPTS)
        .map(|number| secret(&format!("{number}"), &[number; 64]))
        .collect();
    let token = testing::token(Algorithm::Hs256, testing::header(Algorithm::Hs256), "{}");
    keys[MAX_ATTEMPTS - 1] = named(Algorithm::Hs256, "last");
    assert_eq!(outcome(&local(&keys), &token), Ok(Some("last".to_owned())));
    keys.insert(0, secret("one more", &[0xff; 64]));
    assert_eq!(outcome(&local(&keys), &token), Err(VerificationError::BadSignature));
    // A token that names its key is not held up by the others.
    assert_eq!(
        outcome(&local(&keys), &token_for(Algorithm::Hs256, "last")),
        Ok(Some("last".to_owned()))
    );
}

#[test]
fn a_set_has_a_key_as_long_as_name_algorithms_and_material_are_the_same() {
    let first = jwk(Algorithm::Es256, r#","kid":"one""#);
    let verified = local(std::slice::from_ref(&first))
        .verify(&parsed(&token_for(Algorithm::Es256, "one")))
        .unwrap();
    for (keys, expected) in [
        (vec![first.clone()], true),
        (vec![named(Algorithm::EdDsa, "two"), first.clone()], true),
        (vec![named(Algorithm::Es256, "two")], false),
        (vec![named(Algorithm::EdDsa, "one")], false),
        (vec![jwk(Algorithm::Es256, r#","kid":"one","alg":"ES256""#)], false),
        (vec![jwk(Algorithm::Es256, "")], false),
    ] {
        assert_eq!(local(&keys).has(verified.key().identity()), expected, "{keys:?}");
    }
}

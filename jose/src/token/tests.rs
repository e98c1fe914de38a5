#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::json::{JsonError, MAX_DEPTH, Value};
use crate::testing::{self, NO_LIMIT, unsigned};
use crate::{Algorithm, base64url};

const HEADER: &str = r#"{"alg":"RS256"}"#;

fn refused(token: impl AsRef<[u8]>) -> TokenError {
    UnverifiedToken::parse(token.as_ref(), NO_LIMIT).expect_err("must be refused")
}

fn header_refused(header: impl AsRef<[u8]>) -> TokenError {
    refused(unsigned(header, "{}"))
}

fn claims_refused(claims: impl AsRef<[u8]>) -> TokenError {
    refused(unsigned(HEADER, claims))
}

#[test]
fn a_token_gives_back_its_parts() {
    let header = r#"{"alg":"ES256","kid":"one","typ":"at+jwt","x":1}"#;
    let claims =
        r#"{"iss":"https://a","sub":"s","aud":["x","y"],"exp":3.9,"nbf":1.1,"iat":2.9,"jti":"j","scope":"a b"}"#;
    let compact = unsigned(header, claims);
    let token = UnverifiedToken::parse(compact.as_bytes(), compact.len()).unwrap();

    assert_eq!(token.compact(), compact);
    assert_eq!(token.header_segment(), base64url::encode(header));
    assert_eq!(token.payload_segment(), base64url::encode(claims));
    assert_eq!(token.signing_input(), compact.strip_suffix(".AAAA").unwrap().as_bytes());
    assert_eq!(token.signature(), [0, 0, 0]);

    let header = token.header_unverified();
    assert_eq!(header.algorithm(), Algorithm::Es256);
    assert_eq!((header.key_id(), header.token_type()), (Some("one"), Some("at+jwt")));
    assert!(header.raw().contains("x"));

    let claims = token.claims_unverified();
    assert_eq!(
        (claims.issuer(), claims.subject(), claims.jwt_id()),
        (Some("https://a"), Some("s"), Some("j"))
    );
    assert_eq!(claims.audience().collect::<Vec<_>>(), ["x", "y"]);
    let seconds =
        [claims.expires_at(), claims.not_before(), claims.issued_at()].map(|date| date.map(NumericDate::seconds));
    assert_eq!(seconds, [Some(3), Some(2), Some(2)]);
    assert_eq!(claims.get("scope").and_then(Value::as_str), Some("a b"));
    assert_eq!(claims.raw().len(), 8);
}

#[test]
fn the_memory_of_a_token_covers_what_it_holds() {
    let memory = |claims: &str| testing::parsed(&unsigned(HEADER, claims)).memory();
    let empty = memory("{}");
    let text = "x".repeat(1000);
    let nested = format!(r#"{{"a":{{"b":["{text}","{text}"]}}}}"#);
    for (claims, at_least) in [
        (format!(r#"{{"a":"{text}"}}"#), 2000),
        // Once as it came, in base64url, and once as it was read.
        (nested, 4600),
        // Two bytes of a list are one value.
        (
            format!(r#"{{"a":[{}0]}}"#, "0,".repeat(1000)),
            1000 * (size_of::<Value>() + 2),
        ),
    ] {
        let more = memory(&claims) - empty;
        assert!(more >= at_least, "{more} for {claims:.20}");
    }
    assert!(empty >= size_of::<Parts>());
}

#[test]
fn a_token_without_any_claim_is_well_formed() {
    let token = testing::parsed(&unsigned(HEADER, "{}"));
    let (header, claims) = (token.header_unverified(), token.claims_unverified());
    assert_eq!((header.key_id(), header.token_type()), (None, None));
    assert_eq!((claims.issuer(), claims.subject(), claims.jwt_id()), (None, None, None));
    assert_eq!(
        (claims.expires_at(), claims.not_before(), claims.issued_at()),
        (None, None, None)
    );
    assert_eq!(claims.audience().count(), 0);
}

#[test]
fn a_token_has_exactly_two_dots() {
    let good = unsigned(HEADER, "{}");
    let (header, payload, signature) = three_parts(&good).unwrap();
    for token in [
        String::new(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{good}.{signature}"),
        format!("{good}."),
        format!("{header}.{payload}.."),
        format!("{good}.{signature}.{signature}.{signature}"),
        "...".to_owned(),
        "..........".to_owned(),
        ".".repeat(100_000),
        format!("{good}{}", ".".repeat(100_000)),
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
    ] {
        let shown: String = token.chars().take(80).collect();
        assert_eq!(refused(&token), TokenError::NotThreeParts, "{shown}");
    }
    for token in ["....", &format!("{header}.a.b.c.d"), "eyJhbGciOiJkaXIifQ..b.c.d"] {
        assert_eq!(refused(token), TokenError::Encrypted, "{token}");
    }
}

#[test]
fn an_empty_part_is_refused() {
    let good = unsigned(HEADER, "{}");
    let (header, payload, signature) = three_parts(&good).unwrap();
    let empty = JsonError::Syntax { line: 1, column: 0 };
    assert_eq!(
        refused(format!(".{payload}.{signature}")),
        TokenError::Json(Part::Header, empty)
    );
    assert_eq!(
        refused(format!("{header}..{signature}")),
        TokenError::Json(Part::Payload, empty)
    );
    assert_eq!(refused(format!("{header}.{payload}.")), TokenError::SignatureMissing);
    assert_eq!(refused(".."), TokenError::Json(Part::Header, empty));
    assert_eq!(refused(format!(".{good}")), TokenError::NotThreeParts);
}

#[test]
fn a_token_over_the_limit_is_refused_whatever_it_is() {
    let good = unsigned(HEADER, "{}");
    assert!(UnverifiedToken::parse(good.as_bytes(), good.len()).is_ok());
    for token in [
        good.as_bytes(),
        b"....................................................",
        &[0xff; 60],
    ] {
        let limit = good.len().min(token.len()) - 1;
        assert_eq!(
            UnverifiedToken::parse(token, limit).unwrap_err(),
            TokenError::TooLarge { limit }
        );
    }
}

#[test]
fn every_part_is_unpadded_base64url() {
    let good = unsigned(HEADER, r#"{"sub":"??>>"}"#);
    let (header, payload, signature) = three_parts(&good).unwrap();
    assert!(payload.contains(['-', '_']), "the table below needs it");
    let spellings = |segment: &str| {
        vec![
            format!("{segment}="),
            format!("{segment}=="),
            format!(" {segment}"),
            format!("{segment} "),
            format!("{segment}\n"),
            format!("{segment}\t"),
            format!("{segment}\0"),
            format!("{segment}%3D"),
            format!("{segment}é"),
            format!("{segment}+"),
            format!("{segment}/"),
            format!("{}\r\n{}", segment.split_at(2).0, segment.split_at(2).1),
        ]
    };
    for other in spellings(header) {
        assert_eq!(
            refused(format!("{other}.{payload}.{signature}")),
            TokenError::Encoding(Part::Header),
            "{other:?}"
        );
    }
    let standard = payload.replace('-', "+").replace('_', "/");
    for other in spellings(payload).into_iter().chain([standard]) {
        assert_eq!(
            refused(format!("{header}.{other}.{signature}")),
            TokenError::Encoding(Part::Payload),
            "{other:?}"
        );
    }
    // "AB" is one byte and four bits that should be zero; "A" is not even a byte.
    for other in spellings(signature)
        .into_iter()
        .chain(["AB".to_owned(), "A".to_owned(), "AAAAA".to_owned()])
    {
        assert_eq!(
            refused(format!("{header}.{payload}.{other}")),
            TokenError::Encoding(Part::Signature),
            "{other:?}"
        );
    }
    for (place, part) in [
        (0, Part::Header),
        (1, Part::Payload),
        (2, Part::Signature),
        (3, Part::Signature),
    ] {
        let mut parts = [header, payload, signature, signature].map(|part| part.as_bytes().to_vec());
        parts[place].push(0xff);
        assert_eq!(refused(parts.join(&b'.')), TokenError::Encoding(part), "{place}");
    }
}

#[test]
fn header_and_claims_are_json_objects() {
    for document in ["[]", r#"[{"alg":"RS256"}]"#, r#""text""#, "null", "1", "true", "0.5"] {
        assert_eq!(
            header_refused(document),
            TokenError::NotAnObject(Part::Header),
            "{document}"
        );
        assert_eq!(
            claims_refused(document),
            TokenError::NotAnObject(Part::Payload),
            "{document}"
        );
    }
}

#[test]
fn header_and_claims_are_strict_json() {
    let deep = |inside: &str| format!(r#"{{"unread":{}{inside}"#, "[".repeat(100_000));
    let deep_enough = format!(
        r#"{{"alg":"RS256","unread":{}{}}}"#,
        "[".repeat(MAX_DEPTH - 1),
        "]".repeat(MAX_DEPTH - 1)
    );
    assert!(UnverifiedToken::parse(unsigned(&deep_enough, &deep_enough).as_bytes(), NO_LIMIT).is_ok());

    let utf_16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let syntax: [&[u8]; 11] = [
        b"",
        b"not json",
        b"\xef\xbb\xbf{\"alg\":\"RS256\"}",
        &utf_16,
        br#"{"alg":"RS256"} x"#,
        br#"{"alg":"RS256"}{}"#,
        b"{'alg':'RS256'}",
        br#"{"alg":"RS256",}"#,
        br#"{"alg":"RS256","unread":"\ud800"}"#,
        br#"{"alg":"RS256","unread":1e999}"#,
        b"{\"alg\":\"RS256\",\"unread\":\"\xff\"}",
    ];
    for document in syntax {
        let shown = String::from_utf8_lossy(document);
        assert!(
            matches!(
                header_refused(document),
                TokenError::Json(Part::Header, JsonError::Syntax { .. })
            ),
            "{shown}"
        );
        assert!(
            matches!(
                claims_refused(document),
                TokenError::Json(Part::Payload, JsonError::Syntax { .. })
            ),
            "{shown}"
        );
    }
    for (document, reason) in [
        (deep(""), JsonError::TooDeep),
        (deep("1"), JsonError::TooDeep),
        (
            r#"{"alg":"RS256","\u0061lg":"HS256"}"#.to_owned(),
            JsonError::DuplicateMember,
        ),
        (
            r#"{"alg":"RS256","exp":1,"\u0065xp":2}"#.to_owned(),
            JsonError::DuplicateMember,
        ),
        (
            r#"{"alg":"RS256","unread":[{"a":1,"a":1}]}"#.to_owned(),
            JsonError::DuplicateMember,
        ),
    ] {
        assert_eq!(header_refused(&document), TokenError::Json(Part::Header, reason));
        assert_eq!(claims_refused(&document), TokenError::Json(Part::Payload, reason));
    }
}

#[test]
fn neither_a_token_nor_the_reason_why_it_was_refused_shows_what_is_in_it() {
    let token = testing::parsed(&unsigned(r#"{"alg":"RS256","kid":"hidden"}"#, r#"{"sub":"hidden"}"#));
    for shown in [
        format!("{token:?}"),
        format!("{:?}", token.header_unverified()),
        format!("{:?}", token.claims_unverified()),
        header_refused(r#"{"alg":"hidden"}"#).to_string(),
        header_refused(r#"{"alg":"RS256","kid":["hidden"]}"#).to_string(),
        claims_refused(r#"{"exp":"hidden"}"#).to_string(),
        claims_refused(r#"{"hidden":hidden}"#).to_string(),
    ] {
        assert!(!shown.contains("hidden") && !shown.contains("aGlkZGVu"), "{shown}");
    }
}

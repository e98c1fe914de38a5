//! Expressions: no text of one makes the reader fall over, and what compiles has an answer or an error within its budget,
//! whatever the claims and headers are.
//!
//! The input is an expression, a line feed, and the claims as JSON; where those are none, there are a few.
#![no_main]

use gatehouse::cel::{Facts, Program};
use jose::json::{self, Object, Value};
use libfuzzer_sys::fuzz_target;

struct Sample<'s> {
    claims: Option<&'s Object>,
    header: &'s [u8],
}

impl Facts for Sample<'_> {
    fn claims(&self) -> Option<&Object> {
        self.claims
    }

    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn path(&self) -> &str {
        "/bank/accounts/"
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        (name == "x-plan").then_some(self.header)
    }

    fn service(&self) -> &str {
        "bank"
    }
}

const CLAIMS: &[u8] =
    br#"{"sub":"alice","level":3,"ratio":0.5,"big":18446744073709551615,"roles":["a","b"],"tenant":{"plan":"gold"}}"#;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (Some(text), rest) = (parts.next(), parts.next().unwrap_or_default()) else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(program) = Program::compile(text) else { return };
    let claims = json::parse(rest)
        .ok()
        .filter(|claims| matches!(claims, Value::Object(_)))
        .or_else(|| json::parse(CLAIMS).ok());
    let sample = Sample {
        claims: claims.as_ref().and_then(Value::as_object),
        header: rest,
    };
    let answer = program.holds(&sample);
    assert_eq!(answer, program.holds(&sample), "the same question has the same answer");
});

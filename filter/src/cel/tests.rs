//! Expressions: what they mean, which make no sense, and that none costs more than it may.
#![allow(clippy::unwrap_used, clippy::panic)]

use jose::json::Object;

use super::{EvaluationError, Facts, Program};
use crate::testing::test;

struct Sample(Option<Object>);

impl Sample {
    fn with(claims: &str) -> Self {
        let claims = jose::json::parse(claims.as_bytes()).unwrap();
        Self(Some(claims.as_object().unwrap().clone()))
    }
}

impl Facts for Sample {
    fn claims(&self) -> Option<&Object> {
        self.0.as_ref()
    }
    fn method(&self) -> &[u8] {
        b"GET"
    }
    fn path(&self) -> &'static str {
        "/bank/accounts/"
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        match name {
            "x-plan" => Some(b"beta"),
            "x-odd" => Some(b"\xff"),
            _ => None,
        }
    }
    fn service(&self) -> &'static str {
        "bank"
    }
}

const CLAIMS: &str = r#"{
    "sub": "alice", "level": 3, "ratio": 0.5, "big": 18446744073709551615, "minus": -2, "staff": true, "none": null,
    "roles": ["teller", "auditor"], "tenant": {"plan": "gold", "a.b": 1}, "name": "José", "empty": []
}"#;

fn evaluated(text: &str) -> Result<bool, EvaluationError> {
    let program = Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    program.holds(&Sample::with(CLAIMS))
}

#[test]
fn expressions_mean_what_the_language_says() {
    for text in [
        "true",
        "!false && (true || false)",
        "claims.sub == 'alice'",
        "claims['sub'] == \"alice\"",
        "claims.tenant.plan == 'gold' && claims.tenant['a.b'] == 1",
        "claims.level >= 3 && claims.level < 4 && claims.level == 3.0 && claims.level != 3.5",
        "claims.level + 1 == 4 && claims.level - 5 == claims.minus && claims.level * 2 == 6",
        "7 / 2 == 3 && -7 / 2 == -3 && 7 % 4 == 3 && -7 % 4 == -3 && 1u + 2u == 3",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5",
        "claims.ratio * 4.0 == 2.0 && 1.5e1 == 15.0 && .5 == 0.5 && 0x1F == 31",
        "claims.big == 18446744073709551615u && claims.big > 9223372036854775807",
        "9007199254740993 != 9007199254740992.0",
        "claims.none == null && claims.sub != null",
        "claims.sub != 3 && claims.level != 'alice'",
        "'teller' in claims.roles && !('tell' in claims.roles)",
        "'plan' in claims.tenant && 'sub' in claims && !('x' in claims)",
        "claims.level in [1, 2, 3] && claims.sub in ['alice', 'bob']",
        "has(claims.sub) && !has(claims.absent) && has(claims.tenant.plan) && !has(claims.tenant.x)",
        "claims.roles[0] == 'teller' && claims.roles == ['teller', 'auditor']",
        "size(claims.roles) == 2 && claims.name.size() == 4 && size(claims.tenant) == 2 && size('') == 0",
        "claims.roles.exists(role, role == 'auditor') && claims.roles.all(r, r != 'x')",
        "claims.roles.exists_one(r, r.startsWith('a')) && claims.empty.all(r, false) && !claims.empty.exists(r, true)",
        "claims.tenant.exists(name, name == 'plan')",
        "claims.roles.exists(role, claims.tenant.plan == 'gold' && role.endsWith('or'))",
        "request.method == 'GET' && request.path.startsWith('/bank/') && service.name == 'bank'",
        "request.headers['x-plan'] == 'beta' && 'x-plan' in request.headers && !('x-y' in request.headers)",
        "has(request.headers.x) == false && 'x-odd' in request.headers",
        "claims.sub.matches('li') && claims.sub.matches('^alice$') && !claims.sub.matches('^lice')",
        "claims.sub.contains('lic') && claims.sub.endsWith('ce')",
        "claims.staff ? claims.level == 3 : false",
        "'a' < 'b' && false < true && 'x' + 'y' == 'xy'",
        r"'\x41\u0042\103\n'.size() == 4 && r'\d' == '\\d' && '\x27' == '\''",
        "string(claims.level) == '3' && int('42') == 42 && double(1) == 1.0 && int(2.9) == 2",
        "true || claims.absent == 1",
        "claims.absent == 1 || true",
        "!(claims.absent == 1 && false)",
        "// a comment\n claims.level\n == 3",
        "[1, 2,].exists(n, n == 2)",
    ] {
        assert_eq!(evaluated(text), Ok(true), "{text}");
    }
}

#[test]
fn what_has_no_answer_is_an_error_and_not_a_no() {
    use EvaluationError::{Missing, NoText, Number, Types};
    for (text, expected) in [
        ("claims.absent == 1", Missing),
        ("!(claims.absent == 1)", Missing),
        ("claims.absent.x == 1", Missing),
        ("has(claims.absent.x)", Missing),
        ("claims.roles[2] == 'x'", Missing),
        ("claims.roles[-1] == 'x'", Missing),
        ("request.headers['x-absent'] == ''", Missing),
        ("request.headers['x-odd'] == ''", NoText),
        ("claims.sub", Types),
        ("claims.sub && true", Types),
        ("claims.sub > 1", Types),
        ("claims.none > 1", Types),
        ("claims.sub + 1 == 2", Types),
        ("claims.level + 1.5 == 4.5", Types),
        ("claims.level.startsWith('3')", Types),
        ("claims.sub.x == 1", Types),
        ("claims.sub.exists(c, c == 'a')", Types),
        ("claims.roles['teller']", Types),
        ("claims.level / 0 == 1", Number),
        ("claims.level % 0 == 1", Number),
        ("9223372036854775807 + claims.level > 0", Number),
        ("-9223372036854775807 - 1 - claims.level > 0", Number),
        ("(-9223372036854775807 - 1) / (claims.level - 4) > 0", Number),
        ("9223372036854775807 * claims.level > 0", Number),
        ("-(-9223372036854775807 - 1) > claims.level", Number),
        ("int(claims.big) == 1", Number),
        ("int(claims.sub) == 1", Number),
        ("claims.roles.all(r, claims.absent)", Missing),
        ("[1, 2].exists_one(n, n / (n - 1) == 2)", Number),
    ] {
        assert_eq!(evaluated(text), Err(expected), "{text}");
    }
    let stranger = Sample(None);
    assert_eq!(
        Program::compile("claims.a == 1").unwrap().holds(&stranger),
        Err(Missing)
    );
    assert_eq!(
        Program::compile("request.method == 'GET'").unwrap().holds(&stranger),
        Ok(true)
    );
    assert_eq!(evaluated("[claims.sub].exists(s, s.matches('x') && false)"), Ok(false));
}

#[test]
fn what_makes_no_sense_is_told_with_its_place() {
    for (text, at, part) in [
        ("", 1, "should be a value"),
        ("claims.a ==", 12, "should be a value"),
        ("claims.a = 1", 10, "write =="),
        ("claims.a & true", 10, "write &&"),
        ("claims.a == 1 claims.b", 15, "an operator is missing"),
        ("(claims.a == 1", 15, "should be )"),
        ("user.name == 'x'", 1, "claims, request, service"),
        ("claims.a == x", 13, "no variable"),
        ("foo(1)", 1, "has, size, int, double, string"),
        ("claims.a.lower() == 'x'", 9, "startsWith, endsWith"),
        ("claims.roles.map(r, r == 1)", 13, "no method"),
        ("has(claims)", 1, "has(claims.name)"),
        ("size(1, 2) == 1", 1, "one argument"),
        ("size(1) == 1", 1, "has no size"),
        ("request.query == 'x'", 8, "method, path, headers"),
        ("request['method'] == 'x'", 1, "has no elements"),
        ("service.prefix == 'x'", 8, "it has: name"),
        ("request.headers['X-Plan'] == 'x'", 17, "lower case"),
        ("request.method == 1", 16, "can't stand between a string and an int"),
        ("request.method && true", 8, "must be a bool, and this is a string"),
        ("!request.method", 9, "must be a bool"),
        ("1 + 2", 3, "must be a bool, and this is an int"),
        ("claims", 1, "must be a bool"),
        ("1 + 'a' == 2", 3, "can't stand between an int and a string"),
        ("1 + 1.0 == 2.0", 3, "can't stand between"),
        ("1 in 2", 3, "can't stand between"),
        ("1 in claims", 3, "can't stand between"),
        ("request == request", 9, "can't stand between"),
        ("'a'.matches(claims.re)", 13, "written here"),
        ("'a'.matches('(')", 13, "no regular expression"),
        ("'a'.matches('a)|(b')", 13, "no regular expression"),
        ("claims.a.all(x, claims.b.all(y, x == y))", 25, "a loop within a loop"),
        ("[claims.a.all(x, x)].all(y, y)", 21, "a loop within a loop"),
        ("claims.a.all(claims, claims)", 14, "a meaning already"),
        ("claims.a.all(x, x) && x", 23, "no variable"),
        ("{'a': 1}.a == 1", 1, "maps are not supported"),
        ("b'a' == claims.a", 1, "bytes are not supported"),
        ("'a", 1, "does not end"),
        ("'\\q' == 'q'", 3, "an escape"),
        ("'\\ud800' == 'q'", 3, "an escape"),
        ("9223372036854775808 == 1", 1, "write u"),
        ("1e999 == 1.0", 1, "too large"),
        ("1x == 1", 2, "a number goes on"),
        ("claims.a == \u{e9}", 13, "means nothing"),
    ] {
        let error = Program::compile(text)
            .err()
            .unwrap_or_else(|| panic!("{text} compiles"));
        assert!(error.problem.contains(part) && error.at == at, "{text}: {error}");
    }
}

#[test]
fn no_expression_is_too_deep_or_too_long_to_be_read() {
    let nested = |open: &str, close: &str, times: usize| format!("{}true{}", open.repeat(times), close.repeat(times));
    for text in [
        nested("(", ")", 100_000 / 32),
        nested("[", "]", 1000),
        nested("!", "", 3000),
        nested("true ? true : ", "", 250),
        format!("claims{} == 1", ".a".repeat(1000)),
        format!("1{} == 1", " + 1".repeat(800)),
        format!("true{}", " && true".repeat(520)),
        "x".repeat(5000),
    ] {
        assert!(Program::compile(&text).is_err(), "{text:.40}");
    }
    // The largest that there may be, in each of the directions in which one can grow, is read and evaluated.
    for text in [
        nested("(", ")", 30),
        nested("!", "", 30),
        nested("true ? true : ", "", 60),
        format!("true{}", " && true".repeat(450)),
        format!("{} == 1 || true", nested_sums(14)),
    ] {
        assert_eq!(evaluated(&text), Ok(true), "{text:.40}");
    }
}

/// Sums in brackets in sums: as deep a tree as the limits allow.
fn nested_sums(depth: usize) -> String {
    let mut text = "claims.level".to_owned();
    for _ in 0..depth {
        text = format!("(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + {text})");
    }
    text
}

#[test]
fn an_evaluation_ends_within_its_budget() {
    let list = |length: usize| format!(r#"{{"a": [{}]}}"#, vec!["1"; length].join(","));
    let with = |text: &str, claims: &str| Program::compile(text).unwrap().holds(&Sample::with(claims));
    let long = vec!["x == 2"; 120].join(" || ");
    assert_eq!(with("claims.a.all(x, x == 1)", &list(256)), Ok(true));
    for (text, claims) in [
        ("claims.a.all(x, x == 1)".to_owned(), list(257)),
        ("claims.a.exists(x, x == 2) || true".to_owned(), list(20_000)),
        (format!("claims.a.exists(x, {long})"), list(256)),
        ("claims.a == claims.a".to_owned(), list(20_000)),
        ("2 in claims.a || true".to_owned(), list(20_000)),
        (
            "claims.a.matches('x*y') || true".to_owned(),
            format!(r#"{{"a": "{}"}}"#, "x".repeat(9000)),
        ),
    ] {
        let answer = with(&text, &claims);
        // A loop that is too long is an error that `||` absorbs, as any; an exhausted budget is not.
        let absorbed = text.ends_with("|| true") && !text.starts_with("2 in");
        assert_eq!(
            answer,
            if absorbed {
                Ok(true)
            } else {
                Err(EvaluationError::TooLong)
            },
            "{text:.40}"
        );
    }
}

/// Words put together at random, most of which make no sense: nothing of it may panic, and what compiles is evaluated.
#[test]
fn nonsense_is_refused_without_a_panic() {
    let words = [
        "claims",
        "request",
        "service",
        ".",
        "headers",
        "method",
        "sub",
        "roles",
        "level",
        "big",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "?",
        ":",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        ">=",
        "in",
        "1",
        "9223372036854775807",
        "0u",
        "18446744073709551615u",
        "1.5",
        "'a'",
        "'\\x4'",
        "r'\\d'",
        "b'a'",
        "has",
        "all",
        "exists",
        "size",
        "startsWith",
        "matches",
        "int",
        "string",
        "x",
        "true",
        "null",
        "'",
        "\\",
        "\u{0}",
        "é",
        "\u{1f600}",
        "0x",
        "1e",
        "//",
        "\n",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % (below as u64)).unwrap()
    };
    let facts = Sample::with(CLAIMS);
    let mut compiled = 0;
    for _ in 0..30_000 {
        let length = 1 + next(9);
        let glue = if next(2) == 0 { "" } else { " " };
        let text: Vec<&str> = (0..length).map(|_| words[next(words.len())]).collect();
        if let Ok(program) = Program::compile(&text.join(glue)) {
            compiled += 1;
            let _answer = program.holds(&facts);
        }
    }
    assert!(compiled > 10, "{compiled} of them make sense");
}

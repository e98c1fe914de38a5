#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    open.repeat(depth) + inside + &close.repeat(depth)
}

#[test]
fn what_is_no_json_is_refused_wherever_it_stands() {
    let documents: [&[u8]; 52] = [
        b"",
        b" ",
        b"\0",
        b"nul",
        b"True",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-",
        b"+1",
        b"01",
        b"-01",
        b"1.",
        b".5",
        b"1e",
        b"1e+",
        b"0x10",
        b"1_000",
        b"'a'",
        b"\"a",
        b"\"\\x41\"",
        b"\"\\u00\"",
        b"\"\\u{41}\"",
        b"\"a\nb\"",
        b"\"a\tb\"",
        b"\"a\0b\"",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1",
        b"]",
        b"{\"a\":1,}",
        b"{,}",
        b"{\"a\" 1}",
        b"{\"a\":}",
        b"{\"a\"}",
        b"{a:1}",
        b"{'a':1}",
        b"{1:1}",
        b"{null:1}",
        b"{\"a\":1",
        b"// a comment\n{}",
        b"{/**/}",
        b"{} // a comment",
        b"{}{}",
        b"{} x",
        b"{}\0",
        b"{}]",
        b"1 2",
        b"\xa0{}",
        b"{}\xe2\x80\x83",
        b"\x0c{}",
    ];
    for document in documents {
        let outcome = parse(document);
        assert!(
            matches!(outcome, Err(JsonError::Syntax { .. })),
            "{:?}: {outcome:?}",
            String::from_utf8_lossy(document)
        );
        // The same in a member that nobody would read.
        let inside = [b"{\"unread\":[".as_slice(), document, b"]}"].concat();
        if !matches!(document, b"" | b" ") {
            let outcome = parse(&inside);
            assert!(outcome.is_err(), "{:?}: {outcome:?}", String::from_utf8_lossy(&inside));
        }
    }
}

#[test]
fn another_encoding_than_utf_8_without_a_mark_is_refused() {
    let utf_16: Vec<u8> = r#"{"a":"b"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf_16_big: Vec<u8> = r#"{"a":"b"}"#.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf_32: Vec<u8> = r#"{"a":"b"}"#.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for document in [
        utf_16.clone(),
        utf_16_big.clone(),
        utf_32,
        [b"\xff\xfe".to_vec(), utf_16].concat(),
        [b"\xfe\xff".to_vec(), utf_16_big].concat(),
        b"\xef\xbb\xbf{\"a\":\"b\"}".to_vec(),
        b"{\"a\":\"b\"}\xef\xbb\xbf".to_vec(),
        // a byte that no UTF-8 has, overlong, a surrogate, beyond U+10FFFF, cut short; in a value and in a name
        b"{\"a\":\"\xff\"}".to_vec(),
        b"{\"a\":\"\xc0\xaf\"}".to_vec(),
        b"{\"a\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"a\":\"\xf4\x90\x80\x80\"}".to_vec(),
        b"{\"a\":\"\xe2\x82\"}".to_vec(),
        b"{\"\xff\":1}".to_vec(),
    ] {
        assert!(
            matches!(parse(&document), Err(JsonError::Syntax { .. })),
            "{}",
            String::from_utf8_lossy(&document)
        );
    }
}

#[test]
fn a_lone_surrogate_is_refused_and_a_pair_is_one_character() {
    for document in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud800\u0041""#,
        r#"{"\ud800":1}"#,
        r#"{"unread":[{"deep":"\udfff"}]}"#,
    ] {
        assert!(
            matches!(parse(document.as_bytes()), Err(JsonError::Syntax { .. })),
            "{document}"
        );
    }
    assert_eq!(
        parse(br#""\ud83d\ude00\u0000""#),
        Ok(Value::String("\u{1f600}\0".to_owned()))
    );
}

#[test]
fn two_members_of_one_name_are_refused_however_they_are_written_and_however_deep() {
    for document in [
        r#"{"exp":1,"exp":2}"#,
        r#"{"exp":1,"exp":1}"#,
        r#"{"exp":1,"\u0065xp":2}"#,
        r#"{"\u0065\u0078\u0070":1,"a":0,"exp":2}"#,
        r#"{"":1,"":2}"#,
        r#"{"a\/b":1,"a/b":2}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        r#"{"a":{"b":{"c":1,"c":2}}}"#,
        r#"{"a":[1,[{"b":null,"b":null}]]}"#,
        r#"[{"a":1},{"a":1,"a":1}]"#,
    ] {
        assert_eq!(
            parse(document.as_bytes()),
            Err(JsonError::DuplicateMember),
            "{document}"
        );
    }
    for document in [
        r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#,
        r#"{"exp":1,"Exp":2,"exp ":3}"#,
        r#"{"\u00e9":1,"e\u0301":2}"#,
    ] {
        assert!(parse(document.as_bytes()).is_ok(), "{document}");
    }
}

#[test]
fn duplicates_are_found_in_large_objects_wherever_they_stand() {
    for count in [2_usize, 23, 24, 25, 26, 100, 1000] {
        let distinct: Vec<String> = (0..count).map(|number| format!(r#""{number}":0"#)).collect();
        assert!(
            parse(format!("{{{}}}", distinct.join(",")).as_bytes()).is_ok(),
            "{count}"
        );
        for place in [0, count / 2, count - 1] {
            let document = format!(r#"{{{},"{place}":0}}"#, distinct.join(","));
            assert_eq!(
                parse(document.as_bytes()),
                Err(JsonError::DuplicateMember),
                "{place} of {count}"
            );
        }
    }
}

#[test]
fn nesting_of_a_hundred_is_read_and_one_more_is_refused() {
    for (open, inside, close) in [
        ("[", "", "]"),
        ("[", "1", "]"),
        (r#"{"a":"#, "null", "}"),
        (r#"[{"a":"#, "1", "}]"),
    ] {
        let containers = open.matches(['[', '{']).count();
        let deepest = nested(MAX_DEPTH / containers, open, inside, close);
        assert!(parse(deepest.as_bytes()).is_ok(), "{open}");
        assert_eq!(
            parse(format!("[{deepest}]").as_bytes()),
            Err(JsonError::TooDeep),
            "{open}"
        );
        assert_eq!(
            parse(format!(r#"{{"unread":{deepest}}}"#).as_bytes()),
            Err(JsonError::TooDeep),
            "{open}"
        );
    }
}

#[test]
fn a_hundred_thousand_brackets_are_refused_without_a_trap() {
    for open in ["[", r#"{"a":"#] {
        assert_eq!(
            parse(nested(100_000, open, "1", "").as_bytes()),
            Err(JsonError::TooDeep),
            "{open}"
        );
    }
}

#[test]
fn a_number_that_no_double_holds_is_refused() {
    let digits = "9".repeat(400);
    for number in ["1e999", "-1e999", "1e400", "1.8e308", "1E+309", &digits] {
        for document in [
            number.to_owned(),
            format!("[{number}]"),
            format!(r#"{{"unread":{{"deep":{number}}}}}"#),
        ] {
            assert!(
                matches!(parse(document.as_bytes()), Err(JsonError::Syntax { .. })),
                "{document}"
            );
        }
    }
}

#[test]
fn numbers_keep_their_value() {
    let table = [
        ("0", Number::Unsigned(0)),
        ("-0", Number::Float(-0.0)),
        ("-1", Number::Negative(-1)),
        ("18446744073709551615", Number::Unsigned(u64::MAX)),
        ("18446744073709551616", Number::Float(18_446_744_073_709_551_616.0)),
        ("-9223372036854775808", Number::Negative(i64::MIN)),
        ("-9223372036854775809", Number::Float(-9_223_372_036_854_775_808.0)),
        ("1.0", Number::Float(1.0)),
        ("1e2", Number::Float(100.0)),
        ("1E-2", Number::Float(0.01)),
        ("1e-999", Number::Float(0.0)),
        ("1.7976931348623157e308", Number::Float(f64::MAX)),
    ];
    for (text, number) in table {
        assert_eq!(parse(text.as_bytes()), Ok(Value::Number(number)), "{text}");
    }
    // The nearest double, not one beside it: digits by which quick conversions go wrong.
    for text in [
        "0.1",
        "123456789.123456789",
        "1.2345678901234567e-7",
        "8.533e+68",
        "9007199254740993.0",
        "5e-324",
    ] {
        let expected = Number::Float(text.parse().unwrap());
        assert_eq!(parse(text.as_bytes()), Ok(Value::Number(expected)), "{text}");
    }
    assert!((Number::Unsigned(3).as_f64() - 3.0).abs() < f64::EPSILON);
    assert!((Number::Negative(-3).as_f64() + 3.0).abs() < f64::EPSILON);
}

#[test]
fn a_document_is_written_as_it_was_read() {
    let text = r#"{"b":[true,false,null,-1,2,2.5,"\"\\\n"],"a":{"":{}},"é":[]}"#;
    let value = parse(text.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    assert_eq!(parse(b" \t\r\n{ } \n").unwrap(), Value::Object(Object::default()));
}

#[test]
fn members_are_found_by_name_and_come_in_order() {
    let document = parse(br#"{"z":1,"a":{"b":"c"},"m":[1],"t":true}"#).unwrap();
    let object = document.as_object().unwrap();
    assert_eq!(
        object.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["z", "a", "m", "t"]
    );
    assert_eq!(
        (object.len(), object.is_empty(), Object::default().is_empty()),
        (4, false, true)
    );
    assert_eq!(
        object
            .get("a")
            .and_then(Value::as_object)
            .and_then(|a| a.get("b"))
            .and_then(Value::as_str),
        Some("c")
    );
    assert_eq!(object.get("m").and_then(Value::as_array).map(<[Value]>::len), Some(1));
    assert_eq!(object.get("z").and_then(Value::as_number), Some(Number::Unsigned(1)));
    assert_eq!(object.get("t").and_then(Value::as_bool), Some(true));
    assert!(object.contains("t") && !object.contains("T") && object.get("zz").is_none());
    let text = Value::String(String::new());
    assert!(
        text.as_object().is_none()
            && text.as_array().is_none()
            && text.as_number().is_none()
            && text.as_bool().is_none()
    );
    assert!(Value::Null.as_str().is_none());
}

#[test]
fn an_error_tells_the_place_and_repeats_nothing() {
    let error = parse(b"{\n  \"secret\": secret }").unwrap_err();
    assert_eq!(error, JsonError::Syntax { line: 2, column: 13 });
    assert_eq!(error.to_string(), "not JSON at line 2, column 13");
}

//! What may stand in a request's body, and what is answered when it does not.

use axum::http::StatusCode;
use serde_json::json;

use super::JSON;
use crate::test_support::{PASSWORD, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// What `SimpleJWT` 5.5 on Django REST framework answers, observed; where a name says "ours", the documentation lists
/// the difference.
#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table")]
async fn every_body_gets_the_answer_that_simple_jwt_gives() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let required = r#"{"username":["This field is required."],"password":["This field is required."]}"#;
    let blank = r#"{"username":["This field may not be blank."],"password":["This field may not be blank."]}"#;
    let no_string = r#"{"username":["Not a valid string."],"password":["Not a valid string."]}"#;
    let multipart =
        "--B\r\nContent-Disposition: form-data; name=\"username\"; filename=\"x\"\r\n\r\nalice\r\n--B--\r\n";
    let deep = "[".repeat(10_000);
    for (name, content_type, body, status, expected) in [
        ("nothing", JSON, "", 400, required),
        ("nothing of any type", "text/plain", "", 400, required),
        ("an empty object", JSON, "{}", 400, required),
        ("an empty form", FORM, "a=b", 400, required),
        (
            "no password",
            JSON,
            r#"{"username":"alice"}"#,
            400,
            r#"{"password":["This field is required."]}"#,
        ),
        (
            "no username",
            JSON,
            r#"{"password":"x"}"#,
            400,
            r#"{"username":["This field is required."]}"#,
        ),
        (
            "no password in a form",
            FORM,
            "username=alice",
            400,
            r#"{"password":["This field is required."]}"#,
        ),
        ("empty strings", JSON, r#"{"username":"","password":""}"#, 400, blank),
        ("white space", JSON, r#"{"username":" \t","password":"  "}"#, 400, blank),
        (
            "nulls",
            JSON,
            r#"{"username":null,"password":null}"#,
            400,
            r#"{"username":["This field may not be null."],"password":["This field may not be null."]}"#,
        ),
        (
            "booleans",
            JSON,
            r#"{"username":true,"password":false}"#,
            400,
            no_string,
        ),
        (
            "lists and objects",
            JSON,
            r#"{"username":[],"password":{"x":1}}"#,
            400,
            no_string,
        ),
        (
            "a NUL",
            JSON,
            r#"{"username":"a\u0000","password":"b"}"#,
            400,
            r#"{"username":["Null characters are not allowed."]}"#,
        ),
        (
            "a list",
            JSON,
            "[1]",
            400,
            r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#,
        ),
        (
            "null",
            JSON,
            "null",
            400,
            r#"{"non_field_errors":["No data provided"]}"#,
        ),
        (
            "a file",
            "multipart/form-data; boundary=B",
            multipart,
            400,
            r#"{"username":["Not a valid string."],"password":["This field is required."]}"#,
        ),
        (
            "text",
            "text/plain",
            "username=alice",
            415,
            r#"{"detail":"Unsupported media type \"text/plain\" in request."}"#,
        ),
        (
            "no type",
            "",
            "{}",
            415,
            r#"{"detail":"Unsupported media type \"\" in request."}"#,
        ),
        (
            "ours: an odd type",
            "x/<script>",
            "{}",
            415,
            r#"{"detail":"Unsupported media type in request."}"#,
        ),
        (
            "ours: no JSON",
            JSON,
            "{nope",
            400,
            r#"{"detail":"JSON parse error - key must be a string at line 1 column 2"}"#,
        ),
        (
            "ours: deep JSON",
            JSON,
            deep.as_str(),
            400,
            r#"{"detail":"JSON parse error - recursion limit exceeded at line 1 column 128"}"#,
        ),
        (
            "ours: no boundary",
            "multipart/form-data",
            "x",
            400,
            r#"{"detail":"Multipart form parse error"}"#,
        ),
    ] {
        let answer = app.post("/api/token/", content_type, body.to_owned()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (status, expected),
            "{name}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
    }
}

#[tokio::test]
async fn credentials_are_understood_in_every_form_that_simple_jwt_understands() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let multipart = format!(
        "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice\r\n\
         --B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{PASSWORD}\r\n--B--\r\n"
    );
    for (name, content_type, body) in [
        (
            "JSON",
            JSON,
            format!(r#"{{"username":"alice","password":"{PASSWORD}"}}"#),
        ),
        (
            "JSON in capitals",
            "APPLICATION/JSON; charset=utf-8",
            format!(r#"{{"username":"alice","password":"{PASSWORD}"}}"#),
        ),
        (
            "extra members",
            JSON,
            format!(r#"{{"username":"alice","password":"{PASSWORD}","x":[1]}}"#),
        ),
        (
            "the last of two",
            JSON,
            format!(r#"{{"username":"bob","username":"alice","password":"{PASSWORD}"}}"#),
        ),
        (
            "white space around the name",
            JSON,
            format!(r#"{{"username":" alice ","password":"{PASSWORD}"}}"#),
        ),
        (
            "full-width letters",
            JSON,
            format!(r#"{{"username":"ａｌｉｃｅ","password":"{PASSWORD}"}}"#),
        ),
        ("a form", FORM, format!("username=alice&password={PASSWORD}")),
        (
            "an encoded form",
            FORM,
            "username=%61lice&password=alice%2Ddemo%2Dpassword".to_owned(),
        ),
        ("multipart", "multipart/form-data; boundary=B", multipart),
    ] {
        let answer = app.post("/api/token/", content_type, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_not_read() {
    let app = TestApp::start().await;
    let body = format!(r#"{{"username":"{}"}}"#, "a".repeat(65 * 1024));
    for content_type in [JSON, FORM, "multipart/form-data; boundary=B"] {
        let answer = app.post("/api/token/", content_type, body.clone()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{content_type}");
        assert_eq!(
            answer.json(),
            json!({ "detail": "Request body is larger than 64 KiB." }),
            "{content_type}"
        );
    }
}

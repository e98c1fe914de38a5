//! A refusal as an HTTP answer: a problem document (RFC 9457) for most, a gRPC status for those who speak gRPC.

use std::time::Duration;

use serde::Serialize;

use super::challenge::challenge;
use super::{Entry, GrpcStatus, Needs, Reason};
use crate::request::{Request, is_grpc};

/// How much of a refusal its answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Challenge and problem document.
    Shown,
    /// The status alone (`strip_failure_response`).
    Stripped,
}

/// An answer that the gate gives itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The gRPC status, for a caller who speaks gRPC.
    pub grpc: Option<GrpcStatus>,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
struct Problem<'p> {
    r#type: String,
    title: &'p str,
    status: u16,
    detail: &'p str,
    code: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'p str>,
}

/// The answer to a refused request.
#[must_use]
pub fn render(
    reason: Reason,
    request: &impl Request,
    needs: Option<&Needs>,
    retry_after: Option<Duration>,
    detail: Detail,
) -> Answer {
    let entry = reason.entry();
    let (scope, methods) = match needs {
        Some(Needs::Scope(scope)) => (Some(&**scope), None),
        Some(Needs::Method(methods)) => (None, Some(methods.to_string())),
        None => (None, None),
    };
    let mut headers = Vec::new();
    if detail == Detail::Shown {
        headers.extend(challenge(&entry, request, scope).map(|value| ("www-authenticate", value)));
    }
    // A 405 without it is no 405 (RFC 9110, section 15.5.6), so a stripped one has it too.
    headers.extend(methods.map(|methods| ("allow", methods)));
    headers.extend(retry_after.map(|pause| ("retry-after", seconds_up(pause).to_string())));
    headers.push(("cache-control", "no-store".to_owned()));
    if is_grpc(request) {
        return grpc(&entry, headers, scope, detail);
    }
    let mut body = Vec::new();
    if detail == Detail::Shown {
        headers.push(("content-type", "application/problem+json".to_owned()));
        if request.method() != b"HEAD" {
            body = problem(&entry, request, scope);
        }
    }
    Answer {
        status: entry.status,
        grpc: None,
        headers,
        body,
    }
}

/// What `/health/` answers: that the gate stands, and nothing else.
#[must_use]
pub fn health(request: &impl Request) -> Answer {
    let body = if request.method() == b"HEAD" {
        Vec::new()
    } else {
        br#"{"status":"ok"}"#.to_vec()
    };
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    Answer {
        status: 200,
        grpc: None,
        headers,
        body,
    }
}

/// Headers only, with the HTTP status 200 by which gRPC clients know that the rest is for them. The content type is said
/// here too: where the host takes the caller for another kind, this still reads as gRPC.
fn grpc(entry: &Entry, mut headers: Vec<(&'static str, String)>, scope: Option<&str>, detail: Detail) -> Answer {
    headers.push(("content-type", "application/grpc".to_owned()));
    if detail == Detail::Shown {
        let mut message = format!("{}: {}", entry.code, entry.detail);
        if let Some(scope) = scope {
            // The message is percent-encoded, and of all that a scope may hold only the percent sign needs it.
            message.extend([" Scope: ", &scope.replace('%', "%25")]);
        }
        headers.push(("grpc-message", message));
    }
    Answer {
        status: 200,
        grpc: Some(entry.grpc),
        headers,
        body: Vec::new(),
    }
}

fn problem(entry: &Entry, request: &impl Request, scope: Option<&str>) -> Vec<u8> {
    let problem = Problem {
        r#type: format!("urn:gatehouse:problem:{}", entry.code),
        title: entry.title,
        status: entry.status,
        detail: entry.detail,
        code: entry.code,
        scope,
        request_id: request_id(request),
    };
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// The request's id, if it is a UUID. Envoy makes it one; anything else came from a client and is not repeated.
pub(crate) fn request_id(request: &impl Request) -> Option<&str> {
    let id = request.first("x-request-id")?;
    let shaped = id.len() == 36
        && id.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if shaped { std::str::from_utf8(id).ok() } else { None }
}

/// Whole seconds, at least one: less would mean `at once`.
fn seconds_up(pause: Duration) -> u64 {
    (pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::refusal::Challenge;
    use crate::testing::{request, test};

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer
            .headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn every_reason_is_answered_in_the_same_form() {
        let get = request(&[
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "gate"),
            (":path", "/bank/"),
        ]);
        for reason in Reason::ALL {
            let entry = reason.entry();
            let answer = render(reason, &get, None, None, Detail::Shown);
            assert_eq!(answer.status, entry.status);
            assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
            assert_eq!(header(&answer, "cache-control"), Some("no-store"));
            assert_eq!(
                header(&answer, "www-authenticate").is_some(),
                entry.challenge != Challenge::None,
                "{reason:?}"
            );
            assert_eq!(
                answer.status == 401,
                entry.grpc == GrpcStatus::Unauthenticated,
                "{reason:?}"
            );
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["type"], format!("urn:gatehouse:problem:{}", entry.code));
            assert_eq!(body["code"], entry.code);
            assert_eq!(body["status"], entry.status);
            assert_eq!(body["title"], entry.title);
            assert_eq!(body["detail"], entry.detail);
            assert_eq!(body.as_object().unwrap().len(), 5);
        }
    }

    #[test]
    fn codes_are_distinct_and_texts_need_no_escaping() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
        for entry in Reason::ALL.map(Reason::entry) {
            assert!(
                entry.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{}",
                entry.code
            );
            // RFC 6750, section 3: what an error_description may hold. `%` would be encoding in a grpc-message.
            assert!(
                entry
                    .detail
                    .bytes()
                    .all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
            );
            assert!(!entry.detail.contains('%'));
        }
    }

    #[test]
    fn grpc_callers_get_trailers_only() {
        for (reason, code) in [
            (Reason::TokenMissing, 16),
            (Reason::AudienceNotAllowed, 7),
            (Reason::KeysUnavailable, 14),
        ] {
            for content_type in ["application/grpc", "application/grpc+proto"] {
                let grpc = request(&[(":method", "POST"), (":path", "/s/m"), ("content-type", content_type)]);
                let answer = render(reason, &grpc, None, None, Detail::Shown);
                assert_eq!((answer.status, answer.grpc.map(GrpcStatus::code)), (200, Some(code)));
                assert_eq!(header(&answer, "content-type"), Some("application/grpc"));
                assert!(header(&answer, "grpc-message").unwrap().starts_with(reason.code()));
                assert!(answer.body.is_empty());
            }
        }
        for content_type in ["application/grpc-web", "application/grpcx", "application/json"] {
            let other = request(&[(":path", "/s/m"), ("content-type", content_type)]);
            assert_eq!(
                render(Reason::TokenMissing, &other, None, None, Detail::Shown).grpc,
                None,
                "{content_type}"
            );
        }
        let connect = request(&[(":method", "CONNECT"), ("content-type", "application/grpc")]);
        assert_eq!(
            render(Reason::TokenMissing, &connect, None, None, Detail::Shown).grpc,
            None
        );
    }

    #[test]
    fn head_gets_no_body_and_a_stripped_answer_tells_nothing() {
        let head = request(&[(":method", "HEAD")]);
        let answer = render(Reason::Expired, &head, None, None, Detail::Shown);
        assert!(answer.body.is_empty());
        assert!(header(&answer, "www-authenticate").is_some());

        let get = request(&[(":method", "GET")]);
        let stripped = render(Reason::Expired, &get, None, None, Detail::Stripped);
        assert_eq!(stripped.status, 401);
        assert!(stripped.body.is_empty());
        assert_eq!(stripped.headers, [("cache-control", "no-store".to_owned())]);
    }

    #[test]
    fn an_answer_names_what_would_pass() {
        let headers = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "gate"),
            (":path", "/bank/"),
        ];
        let get = request(&headers);
        let scope = Needs::Scope("bank.read 100%".into());
        let answer = render(Reason::ScopeInsufficient, &get, Some(&scope), None, Detail::Shown);
        assert_eq!(
            header(&answer, "www-authenticate"),
            Some(
                "Bearer realm=\"https://gate/bank/\", error=\"insufficient_scope\", \
                 error_description=\"The token lacks a scope that is needed here.\", scope=\"bank.read 100%\""
            )
        );
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["scope"], "bank.read 100%");
        let stripped = render(Reason::ScopeInsufficient, &get, Some(&scope), None, Detail::Stripped);
        assert_eq!(stripped.headers, [("cache-control", "no-store".to_owned())]);

        let call = request(&[(":path", "/s/m"), ("content-type", "application/grpc")]);
        let answer = render(Reason::ScopeInsufficient, &call, Some(&scope), None, Detail::Shown);
        assert_eq!(
            header(&answer, "grpc-message"),
            Some("insufficient_scope: The token lacks a scope that is needed here. Scope: bank.read 100%25")
        );

        let methods = Needs::Method("GET, HEAD".into());
        for detail in [Detail::Shown, Detail::Stripped] {
            let answer = render(Reason::MethodNotAllowed, &get, Some(&methods), None, detail);
            assert_eq!((answer.status, header(&answer, "allow")), (405, Some("GET, HEAD")));
        }
    }

    #[test]
    fn retry_after_is_in_whole_seconds_rounded_up() {
        let get = request(&[(":method", "GET")]);
        for (millis, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (5000, "5")] {
            let answer = render(
                Reason::KeysUnavailable,
                &get,
                None,
                Some(Duration::from_millis(millis)),
                Detail::Shown,
            );
            assert_eq!(header(&answer, "retry-after"), Some(expected), "{millis}");
        }
    }

    #[test]
    fn only_an_id_that_envoy_could_have_made_is_repeated() {
        let id = "0f2a1b3c-4d5e-6f70-8192-a3b4c5d6e7f8";
        for (sent, shown) in [
            (id, Some(id)),
            ("<script>", None),
            ("", None),
            ("0f2a1b3c-4d5e-6f70-8192-a3b4c5d6e7f\"", None),
        ] {
            let answer = render(
                Reason::Expired,
                &request(&[("x-request-id", sent)]),
                None,
                None,
                Detail::Shown,
            );
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body.get("request_id").and_then(serde_json::Value::as_str), shown);
        }
    }

    #[test]
    fn health_says_that_the_gate_stands() {
        let get = health(&request(&[(":method", "GET")]));
        assert_eq!((get.status, get.body.as_slice()), (200, &br#"{"status":"ok"}"#[..]));
        assert!(health(&request(&[(":method", "HEAD")])).body.is_empty());
    }
}

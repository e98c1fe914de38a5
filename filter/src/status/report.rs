//! The account of all services, as it is shown: JSON for programs, a page for people.

use serde::Serialize;

use super::page::{page, style_source};
use super::{Form, Health, Probing, State, Target};
use crate::clock::Timestamp;
use crate::refusal::Answer;
use crate::request::Request;
use crate::service::{Access, Backend, Catalogue, Service};

/// The account.
#[derive(Debug, Serialize)]
pub struct Report<'r> {
    /// `down` if some service is, else `unknown` while some has not answered yet or none is asked, else `up`.
    pub(super) status: &'static str,
    /// From one probe of a service to the next.
    pub(super) interval_seconds: f64,
    /// The services, by name.
    pub(super) services: Vec<Row<'r>>,
}

/// What is told of one service.
#[derive(Debug, Serialize)]
pub(super) struct Row<'r> {
    pub(super) name: &'r str,
    pub(super) prefix: &'r str,
    pub(super) cluster: &'r str,
    pub(super) public: bool,
    /// `up`, `down`, `unknown`, or `unchecked` where the service has no `health_path`.
    pub(super) state: &'static str,
    /// Since when it is in that state, as far as is known.
    pub(super) since: Option<String>,
    pub(super) checked_at: Option<String>,
    /// How long the last probe took.
    pub(super) latency_ms: Option<f64>,
    pub(super) last_error: Option<LastError>,
}

/// What was wrong the last time.
#[derive(Debug, Serialize)]
pub(super) struct LastError {
    pub(super) at: String,
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl<'r> Report<'r> {
    /// The account of these services. `known` is asked what is known of a target.
    pub fn new(services: &'r Catalogue, probing: &Probing, known: impl Fn(&Target) -> Health) -> Self {
        let servers = services.iter().filter(|service| service.backend == Backend::Server);
        let mut rows: Vec<Row<'r>> = servers
            .map(|service| Row::of(service, Target::of(service).map(|target| known(&target))))
            .collect();
        rows.sort_by_key(|row| row.name);
        let some = |state: &str| rows.iter().any(|row| row.state == state);
        let status = match (some("down"), some("unknown") || !some("up")) {
            (true, _) => "down",
            (false, true) => "unknown",
            (false, false) => "up",
        };
        Self {
            status,
            interval_seconds: probing.interval.as_secs_f64(),
            services: rows,
        }
    }
}

impl<'r> Row<'r> {
    fn of(service: &'r Service, health: Option<Health>) -> Self {
        let seen = health.filter(|health| health.state != State::Unknown);
        let text = Timestamp::to_rfc3339;
        Self {
            name: &service.name,
            prefix: &service.prefix,
            cluster: &service.cluster,
            public: service.access == Access::Public,
            state: match health.map(|health| health.state) {
                None => "unchecked",
                Some(State::Unknown) => "unknown",
                Some(State::Up) => "up",
                Some(State::Down) => "down",
            },
            since: seen.map(|health| text(health.since)),
            checked_at: seen.map(|health| text(health.checked_at)),
            latency_ms: seen.map(|health| health.latency.as_secs_f64() * 1000.0),
            last_error: seen.and_then(|health| health.last_error).map(|(at, error)| LastError {
                at: text(at),
                code: error.code(),
                detail: error.to_string(),
            }),
        }
    }
}

/// The answer to whoever wants to see the account.
#[must_use]
pub fn show(report: &Report<'_>, form: Form, request: &impl Request) -> Answer {
    let mut headers = vec![
        ("cache-control", "no-store".to_owned()),
        ("vary", "accept".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    let body = match form {
        Form::Json => {
            headers.push(("content-type", "application/json".to_owned()));
            serde_json::to_vec(report).unwrap_or_default()
        }
        Form::Page => {
            headers.push(("content-type", "text/html; charset=utf-8".to_owned()));
            let policy = format!(
                "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                style_source()
            );
            headers.push(("content-security-policy", policy));
            headers.push(("referrer-policy", "no-referrer".to_owned()));
            page(report).into_bytes()
        }
    };
    Answer {
        status: 200,
        grpc: None,
        headers,
        body: if request.method() == b"HEAD" { Vec::new() } else { body },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::keys::Worker;
    use crate::status::{ProbeError, Watch};
    use crate::testing::{request, test};

    fn config() -> Config {
        let services = json!({
            "bank": {"prefix": "/bank/", "cluster": "bank", "public": true, "health_path": "/health/"},
            "a<b>&\"'": {"prefix": "/a/", "cluster": "<i>", "public": true, "health_path": "/well"},
            "fresh": {"prefix": "/fresh/", "cluster": "fresh", "public": true, "health_path": "/health/"},
            "silent": {"prefix": "/silent/", "cluster": "silent", "public": true},
        });
        Config::parse(json!({ "services": services }).to_string().as_bytes()).unwrap()
    }

    fn probing() -> Probing {
        Probing {
            interval: Duration::from_millis(2500),
            timeout: Duration::from_secs(1),
            unhealthy_after: 1,
            healthy_after: 1,
        }
    }

    /// What is known after these answers, one each interval, the first at 2026-11-25T10:15:30Z.
    fn after(answers: &[Result<(), ProbeError>]) -> Health {
        let mut watch = Watch::default();
        let mut now = Timestamp::from_secs(1_795_601_730);
        for answer in answers {
            watch = watch.claim(Worker::default(), &probing(), now).unwrap();
            let latency = Duration::from_micros(1250);
            watch = watch
                .answered(Worker::default(), *answer, latency, &probing(), now)
                .unwrap();
            now = now.plus(probing().interval);
        }
        watch.health
    }

    fn known(target: &Target) -> Health {
        match (target.cluster.as_str(), target.path.as_str()) {
            ("bank", "/health/") => after(&[Ok(()), Err(ProbeError::Status(500)), Ok(())]),
            ("<i>", "/well") => after(&[Err(ProbeError::UnknownCluster)]),
            _ => Health::default(),
        }
    }

    #[test]
    fn the_account_tells_of_each_service_what_is_known() {
        let config = config();
        let report = Report::new(config.services.as_ref().unwrap(), &probing(), known);
        let answer = show(&report, Form::Json, &request(&[(":method", "GET")]));
        assert_eq!(
            serde_json::from_slice::<Value>(&answer.body).unwrap(),
            json!({
                "status": "down",
                "interval_seconds": 2.5,
                "services": [
                    {
                        "name": "a<b>&\"'", "prefix": "/a/", "cluster": "<i>", "public": true, "state": "down",
                        "since": "2026-11-25T10:15:30.000Z", "checked_at": "2026-11-25T10:15:30.000Z", "latency_ms": 1.25,
                        "last_error": {
                            "at": "2026-11-25T10:15:30.000Z",
                            "code": "unknown_cluster",
                            "detail": "Envoy has no cluster of this name",
                        },
                    },
                    {
                        "name": "bank", "prefix": "/bank/", "cluster": "bank", "public": true, "state": "up",
                        "since": "2026-11-25T10:15:35.000Z", "checked_at": "2026-11-25T10:15:35.000Z", "latency_ms": 1.25,
                        "last_error": {
                            "at": "2026-11-25T10:15:32.500Z",
                            "code": "status",
                            "detail": "answered with status 500",
                        },
                    },
                    {
                        "name": "fresh", "prefix": "/fresh/", "cluster": "fresh", "public": true, "state": "unknown",
                        "since": null, "checked_at": null, "latency_ms": null, "last_error": null,
                    },
                    {
                        "name": "silent", "prefix": "/silent/", "cluster": "silent", "public": true, "state": "unchecked",
                        "since": null, "checked_at": null, "latency_ms": null, "last_error": null,
                    },
                ],
            })
        );
    }

    #[test]
    fn one_word_says_how_all_of_them_are() {
        let config = config();
        let status = |health: fn(&Target) -> Health| {
            let services = config.services.as_ref().unwrap();
            Report::new(services, &probing(), health).status
        };
        assert_eq!(status(known), "down");
        assert_eq!(status(|_| Health::default()), "unknown");
        assert_eq!(status(|_| after(&[Ok(())])), "up");
        let some = |target: &Target| match target.cluster.as_str() {
            "fresh" => Health::default(),
            _ => after(&[Ok(())]),
        };
        assert_eq!(status(some), "unknown");
        assert_eq!(Report::new(&Catalogue::default(), &probing(), known).status, "unknown");
    }

    #[test]
    fn the_page_escapes_everything_and_runs_nothing() {
        let config = config();
        let report = Report::new(config.services.as_ref().unwrap(), &probing(), known);
        let answer = show(&report, Form::Page, &request(&[(":method", "GET")]));
        let text = String::from_utf8(answer.body).unwrap();
        assert!(
            text.contains("a&lt;b&gt;&amp;&quot;&#39;<small>/a/ at &lt;i&gt;, public</small>"),
            "{text}"
        );
        assert!(text.contains("1 up, 1 down, 1 unknown, 1 unchecked"), "{text}");
        assert!(text.contains("answered with status 500"), "{text}");
        assert!(
            !text.contains("<i>") && !text.contains("<script") && !text.contains("http"),
            "{text}"
        );
        let policy = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "content-security-policy");
        let policy = &policy.unwrap().1;
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn head_gets_the_headers_alone() {
        let config = config();
        let report = Report::new(config.services.as_ref().unwrap(), &probing(), known);
        for form in [Form::Json, Form::Page] {
            let get = show(&report, form, &request(&[(":method", "GET")]));
            let head = show(&report, form, &request(&[(":method", "HEAD")]));
            assert!(!get.body.is_empty() && head.body.is_empty());
            assert_eq!(get.headers, head.headers);
        }
    }
}

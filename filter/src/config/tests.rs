//! What a configuration may say, and what is said about one that says something else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod cors;
mod endpoints;
mod headers;
mod keys;
mod limits;
mod page;
mod problems;
mod services;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Config, HostFunction, KeyOrigin};
use crate::headers::Padding;
use crate::keys::{KeySetSource, ProviderId};
use crate::matching::{Case, Pattern};
use crate::refusal::Detail;
use crate::requirement::{Absent, Forged, PathPattern, Requirement, Sense, Test};
use crate::testing::{jwks, test};
use crate::token::{Expiration, Place, Prefix};

/// A configuration with everything that is supported, in `snake_case`.
#[allow(clippy::too_many_lines, reason = "it has as many lines as there are fields")]
fn full() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "remote": {
                "issuer": "https://issuer.test",
                "audiences": ["a", "b"],
                "subjects": {"prefix": "user-", "ignore_case": true},
                "require_expiration": true,
                "max_lifetime": "3600s",
                "clock_skew_seconds": 5,
                "remote_jwks": {
                    "http_uri": {"uri": "https://issuer.test:8443/jwks?x=1", "cluster": "issuer", "timeout": "0.5s"},
                    "cache_duration": "300s",
                    "async_fetch": {"fast_listener": true, "failed_refetch_duration": "2s"},
                    "retry_policy": {
                        "num_retries": 3,
                        "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.4s"},
                    },
                },
                "forward": true,
                "from_headers": [{"name": "X-Token", "value_prefix": "Token "}, {"name": "Authorization", "value_prefix": "Bearer "}],
                "from_params": ["jwt"],
                "from_cookies": ["session"],
                "forward_payload_header": "X-Payload",
                "pad_forward_payload_header": true,
                "claim_to_headers": [
                    {"header_name": "X-User-Id", "claim_name": "sub"},
                    {"header_name": "x-tenant", "claim_path": [{"key": "a.b"}, {"key": "c"}]},
                ],
                "payload_in_metadata": "claims",
                "header_in_metadata": "head",
                "failed_status_in_metadata": "failure",
                "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
                "clear_route_cache": true,
            },
            "local": {"local_jwks": {"inline_string": jwks(&[("one", 1)])}},
            "found": {"issuer": "https://found.test/"},
        },
        "discovery": {"found": {
            "cluster": "found",
            "timeout": "4s",
            "metadata": "oauth-authorization-server",
            "metadata_cache_duration": "50s",
            "cache_duration": "40s",
            "jwks_cluster": "found-keys",
            "jwks_authority": "keys.found.test:444",
        }},
        "rules": [
            {"match": {"path": "/open"}},
            {"match": {"prefix": "/a", "case_sensitive": false}, "requires": {"provider_name": "remote"}},
            {"match": {"path_separated_prefix": "/b"}, "requirement_name": "named"},
            {
                "match": {
                    "safe_regex": {"google_re2": {}, "regex": "/c/[0-9]+"},
                    "headers": [
                        {"name": "X-A", "string_match": {"exact": "a"}, "invert_match": true},
                        {"name": ":method", "treat_missing_header_as_empty": true, "safe_regex_match": {"regex": "GET|PUT"}},
                        {"name": "host", "present_match": true},
                        {"name": "x-b", "range_match": {"start": -5, "end": "10"}},
                        {"name": "x-c", "contains_match": "c"},
                        {"name": "x-d"},
                    ],
                    "query_parameters": [
                        {"name": "q", "string_match": {"suffix": "z"}},
                        {"name": "p", "present_match": true},
                    ],
                },
                "requires": {"provider_name": "local"},
            },
            {"match": {"connect_matcher": {}}, "requires": {"provider_name": "local"}},
            {"match": {"path_match_policy": {
                "name": "envoy.path.match.uri_template.uri_template_matcher",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                    "path_template": "/d/{id}",
                },
            }}},
        ],
        "requirement_map": {"named": {"requires_any": {"requirements": [
            {"provider_and_audiences": {"provider_name": "local", "audiences": ["c"]}},
            {"allow_missing": {}},
            {"extract_only_without_validation": {"verification_status_header": "X-Status"}},
        ]}}},
        "filter_state_rules": {"name": "tenant", "requires": {"one": {"provider_name": "local"}}},
        "bypass_cors_preflight": true,
        "strip_failure_response": true,
        "stat_prefix": "edge",
        "per_route": {"namespace": "auth", "forged_headers": "take_out"},
        "services": services::every_field(),
        "endpoints": endpoints::every_field(),
        "headers": headers::section(),
        "cors": cors::every_field(),
        "token_profiles": {"remote": {"typ": ["at+jwt"], "token_type": ["access"]}},
        "token_limits": {"max_token_bytes": 4096},
        "verification": {"host_function": "off"},
        "keys": {
            "keep_last_good": "60s",
            "unknown_key_cooldown": "7s",
            "max_wait": "3s",
            "max_waiting_requests": 10,
            "max_document_bytes": 1000,
        },
    })
}

fn parse(config: &Value) -> Config {
    Config::parse(config.to_string().as_bytes()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(config: &Value) -> Vec<String> {
    match Config::parse(config.to_string().as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// The full configuration with one value put in at a path such as `/providers/remote/issuer`.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = full();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match config.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    config
}

/// Member names in lowerCamelCase where they are the message's, as a proto3 JSON writer writes them.
fn camel(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(camel).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| {
                let mut words = name.split('_');
                let mut camel_name = words.next().unwrap().to_owned();
                for word in words {
                    camel_name += &word[..1].to_uppercase();
                    camel_name += &word[1..];
                }
                (camel_name, camel(value))
            })
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn every_field_arrives_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        // proto3 JSON has no order of members; this one keeps that of the text, and `serde_json` sorts it.
        let [_, local, remote] = &config.providers[..] else {
            panic!("three providers")
        };
        assert_eq!((local.name.as_str(), remote.name.as_str()), ("local", "remote"));
        assert_eq!(remote.rules.issuer.as_deref(), Some("https://issuer.test"));
        assert_eq!(remote.rules.audiences, ["a", "b"]);
        assert_eq!(remote.rules.expiration, Expiration::Required);
        assert_eq!(remote.rules.max_lifetime, Some(Duration::from_hours(1)));
        assert_eq!(remote.rules.clock_skew, Duration::from_secs(5));
        assert_eq!(remote.rules.profile.typ.as_deref(), Some(&["at+jwt".to_owned()][..]));
        assert_eq!(
            remote.rules.profile.token_type.as_deref(),
            Some(&["access".to_owned()][..])
        );
        assert!(remote.forward && remote.clear_route_cache);
        assert_eq!(
            remote.places,
            [
                Place::Header {
                    name: "authorization".to_owned(),
                    prefix: Prefix::Bearer
                },
                Place::Header {
                    name: "x-token".to_owned(),
                    prefix: Prefix::Literal("Token ".to_owned())
                },
                Place::Parameter("jwt".to_owned()),
                Place::Cookie("session".to_owned()),
            ]
        );
        assert_eq!(
            remote
                .claim_headers
                .iter()
                .map(|header| &*header.name)
                .collect::<Vec<_>>(),
            ["x-user-id", "x-tenant"]
        );
        let payload = remote.payload_header.as_ref().unwrap();
        assert_eq!((payload.name.as_str(), payload.padding), ("x-payload", Padding::Added));

        let KeyOrigin::Remote(keys) = &remote.keys else {
            panic!("remote keys")
        };
        let KeySetSource::At(endpoint) = &keys.source else {
            panic!("a known address")
        };
        assert_eq!(
            endpoint.to_string(),
            "https://issuer.test:8443/jwks?x=1 at the cluster issuer"
        );
        assert_eq!(keys.policy.timeout, Duration::from_millis(500));
        assert_eq!(keys.policy.cache_duration, Duration::from_mins(5));
        assert_eq!(keys.policy.first_pause, Duration::from_secs(2));
        assert_eq!(keys.policy.keep_last_good, Duration::from_mins(1));
        assert_eq!(keys.policy.unknown_key_cooldown, Duration::from_secs(7));
        assert_eq!((config.max_wait, config.max_waiting), (Duration::from_secs(3), 10));
        assert_eq!((config.max_token_bytes, config.max_document_bytes), (4096, 1000));
        assert_eq!(config.host_function, HostFunction::Unused);

        assert_eq!(config.rules.len(), 6);
        assert!(matches!(&config.rules[5].path.pattern, PathPattern::Template(template) if template.matches(b"/d/1")));
        assert!(remote.rules.subjects.as_ref().unwrap().matches(b"USER-1"));
        assert_eq!(config.rules[4].path.pattern, PathPattern::Connect);
        assert_eq!(config.rules[0].requires, None);
        assert_eq!(config.rules[1].path.case, Case::Insensitive);
        assert_eq!(
            config.rules[2].path.pattern,
            PathPattern::SeparatedPrefix("/b".to_owned())
        );
        assert!(matches!(&config.rules[2].requires, Some(Requirement::Any(list)) if list.len() == 3));
        let state_rules = config.state_rules.as_ref().unwrap();
        assert_eq!(state_rules.object, "tenant");
        assert_eq!(
            state_rules.requires.get(b"one"),
            Some(&Requirement::Provider(ProviderId::new(1)))
        );
        let route_rules = config.route_rules.as_ref().unwrap();
        assert_eq!(
            (route_rules.namespace.as_str(), route_rules.forged),
            ("auth", Forged::TakeOut)
        );
        assert!(route_rules.named.get(b"named").is_some() && route_rules.named.get(b"one").is_none());
        assert!(config.bypass_cors_preflight);
        assert_eq!(config.refusal_detail, Detail::Stripped);
        assert_eq!(config.stat_prefix, "edge.");
        assert!(config.sanitiser.trusts(b"x_user_roles") && config.sanitiser.trusts(b"X-Payload"));
        assert!(!config.sanitiser.trusts(b"x-real-ip"));
        assert_eq!(
            remote.metadata.iter().collect::<Vec<_>>(),
            ["head", "claims", "failure"]
        );
        assert_eq!(remote.metadata.space_delimited_claims, ["scope"]);
        assert!(config.sanitiser.trusts(b"x_status"));
    }
}

#[test]
fn conditions_of_rules_arrive_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        let conditions = &config.rules[3];
        assert_eq!(
            conditions.path.pattern,
            PathPattern::Regex(Pattern::new("/c/[0-9]+").unwrap())
        );
        let [other, method, host, range, contains, plain] = &conditions.headers[..] else {
            panic!("six headers")
        };
        assert_eq!((other.name.as_str(), other.sense), ("x-a", Sense::Inverted));
        assert_eq!((method.name.as_str(), method.absent), (":method", Absent::Empty));
        assert_eq!((host.name.as_str(), &host.test), (":authority", &Test::Present(true)));
        assert_eq!(
            (&range.test, range.sense, range.absent),
            (&Test::Range(-5, 10), Sense::Plain, Absent::Absent)
        );
        assert!(matches!(&contains.test, Test::Text(text) if text.matches(b"abcd")));
        assert_eq!(plain.test, Test::Present(true));
        assert_eq!(conditions.parameters.len(), 2);
        assert!(conditions.parameters[0].test.as_ref().unwrap().matches(b"xyz"));
        assert_eq!(conditions.parameters[1].test, None);
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = parse(&json!({"providers": {"p": {"local_jwks": {"inline_string": jwks(&[("one", 1)])}}}}));
    let provider = &config.providers[0];
    assert_eq!(provider.rules.issuer, None);
    assert_eq!(provider.rules.clock_skew, Duration::from_mins(1));
    assert_eq!(provider.rules.expiration, Expiration::Optional);
    assert!(!provider.forward);
    assert_eq!(config.max_token_bytes, 8192);
    assert_eq!(config.host_function, HostFunction::WhereItWorks);
    assert_eq!(config.max_wait, Duration::from_secs(5));
    assert_eq!(config.max_waiting, 1000);
    assert_eq!(config.refusal_detail, Detail::Shown);
    assert!(config.services.is_none());
    assert!(!config.sanitiser.trusts(b"x-gatehouse-cluster"));
    assert!(
        parse(&json!({"headers": {}})).sanitiser.trusts(b"X_Real_IP"),
        "edge is the default"
    );
    let zero = with("/providers/remote/clock_skew_seconds", json!(0));
    assert_eq!(parse(&zero).providers[2].rules.clock_skew, Duration::from_mins(1));
}

#[test]
fn bytes_are_base64_in_either_alphabet_and_with_or_without_padding() {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    // Both alphabets differ in what these bytes become.
    let mut set: Value = serde_json::from_str(&jwks(&[("one", 1)])).unwrap();
    set["x"] = json!("~~~???");
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        for blanks in ["", " ", "  "] {
            let encoded = engine.encode(format!("{set}{blanks}"));
            parse(&with("/providers/local/local_jwks", json!({"inline_bytes": encoded})));
        }
    }
}

#[test]
fn integers_and_nulls_are_read_as_proto3_json_has_them() {
    for skew in [json!(7), json!("7"), json!(7.0)] {
        let config = parse(&with("/providers/remote/clock_skew_seconds", skew));
        assert_eq!(config.providers[2].rules.clock_skew, Duration::from_secs(7));
    }
    assert_eq!(
        parse(&with("/providers/remote/issuer", Value::Null)).providers[2]
            .rules
            .issuer,
        None
    );
    let mut config = with("/services", Value::Null);
    config["endpoints"] = Value::Null;
    assert!(parse(&config).services.is_none());
}

#[test]
fn a_protected_service_needs_a_provider() {
    let services = json!({"bank": {"prefix": "/bank/", "cluster": "bank"}});
    assert!(
        errors(&json!({ "services": services }))
            .iter()
            .any(|error| error.starts_with("services.bank: is protected"))
    );
    let public = json!({"bank": {"prefix": "/bank/", "cluster": "bank", "public": true}});
    assert!(errors(&json!({ "services": public })).is_empty());
}

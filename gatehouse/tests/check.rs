//! `gatehouse check`, as it is typed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "what the tests share is more than one of them needs"
)]

mod support;

use serde_json::{Value, json};

use support::{configuration, file, gatehouse, project};

#[test]
fn the_project_s_own_configuration_is_right_and_a_broken_copy_is_not() {
    let said = gatehouse(&["check", &project("envoy.yaml")], "");
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.starts_with("ok: "), "{}", said.out);
    assert!(
        said.out.contains("typed_config.http_filters[1].typed_config"),
        "{}",
        said.out
    );

    let text = std::fs::read_to_string(project("envoy.yaml")).unwrap();
    for (from, to, line_has, problem) in [
        (
            "\"timeout\": \"2s\"",
            "\"timeout\": 2",
            "\"timeout\": 2",
            "it must be a duration",
        ),
        (
            "\"cluster\": \"bank\"",
            "\"cluster\": \"bonk\"",
            "bonk",
            "static_resources.clusters does not have",
        ),
        (
            "\"health_path\": \"/health/\",",
            "\"upstream\": [{\"header\": \"x-track\", \"values\": {\"canary\": \"bonk\"}, \"otherwise\": \"continue\"}],",
            "bonk",
            "static_resources.clusters does not have",
        ),
        (
            "cluster_header: x-gatehouse-cluster",
            "cluster: bank",
            "\"services\"",
            "no route reads what the gate chose",
        ),
        (
            "FAIL_RELOAD\n",
            "FAIL_OPEN\n",
            "FAIL_OPEN",
            "lets every request through",
        ),
        (
            "\"forward\": false,",
            "\"forward\": false",
            "\"claim_to_headers\"",
            "is not JSON at line",
        ),
        (
            "\"require_expiration\": true,",
            "\"forward\": true,",
            "\"forward\": false",
            "has the key \"forward\" twice",
        ),
        ("  listeners:", " listeners:", "clusters:", "is no YAML"),
    ] {
        assert!(text.contains(from), "{from}");
        let broken = text.replace(from, to);
        let said = gatehouse(&["check", "-", "--format", "json"], &broken);
        let is_warning = to.contains("FAIL_OPEN");
        assert_eq!(said.status, i32::from(!is_warning), "{to}: {}", said.out);
        let document: Value = serde_json::from_str(&said.out).unwrap();
        let file = &document["files"][0];
        let findings = [&file["findings"], &file["plugins"][0]["findings"]];
        let mut findings = findings.into_iter().filter_map(Value::as_array).flatten();
        let found = findings.find(|finding| finding["problem"].as_str().unwrap().contains(problem));
        let found = found.unwrap_or_else(|| panic!("{to}: {}", said.out));
        let line = usize::try_from(found["line"].as_u64().unwrap()).unwrap();
        let at = broken.lines().nth(line - 1).unwrap();
        assert!(at.contains(line_has), "{to}: line {line} is {at}");
    }
}

#[test]
fn five_mistakes_are_told_at_once_each_with_its_path_and_its_value() {
    let mut config = configuration();
    config["providers"]["main"]["clock_skew_seconds"] = json!("soon");
    config["providers"]["main"]["audience"] = json!(["orders"]);
    config["rules"][1]["requires"]["provider_name"] = json!("mian");
    config["services"]["orders"]["prefix"] = json!("orders");
    config["services"]["web"]["timeout"] = json!("5m");
    let said = gatehouse(&["check", "-"], &format!("{config:#}"));
    assert_eq!(said.status, 1);
    for (path, value) in [
        ("providers.main.clock_skew_seconds", "\"soon\""),
        ("providers.main.audience", ""),
        ("rules[1].requires.provider_name", "\"mian\""),
        ("services.orders.prefix", "\"orders\""),
        ("services.web.timeout", "\"5m\""),
    ] {
        let block = said
            .out
            .split("\n\n")
            .find(|block| block.contains(&format!("error: {path}\n")));
        let block = block.unwrap_or_else(|| panic!("{path}: {}", said.out));
        assert!(block.contains("--> standard input:"), "{block}");
        assert!(block.contains(value), "{block}");
    }
    assert!(
        said.out.ends_with("standard input: 5 errors, no warnings\n"),
        "{}",
        said.out
    );
}

#[test]
fn secrets_are_never_shown() {
    let mut config = configuration();
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
    config["providers"]["main"]["local_jwks"] =
        json!({"inline_string": format!("{{\"keys\":[{{\"kty\":\"oct\",\"k\":\"{secret}\"")});
    config["providers"]["main"]["client_secret"] = json!(secret);
    for format in ["text", "json"] {
        let said = gatehouse(&["check", "-", "--format", format], &config.to_string());
        assert_eq!(said.status, 1);
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{}", said.out);
        assert!(said.out.contains("client_secret"), "{}", said.out);
    }
}

#[test]
fn what_can_t_be_read_is_another_status_than_what_is_wrong() {
    let good = file("check-good.json", &configuration().to_string());
    let missing = format!("{good}.missing");
    for (arguments, status, says) in [
        (vec!["check", &good], 0, "ok: "),
        (vec!["check", &good, &missing], 2, "can't be read"),
        (vec!["check", "-"], 1, "holds no configuration"),
    ] {
        let said = gatehouse(&arguments, "static_resources: {}");
        assert_eq!(said.status, status, "{arguments:?}: {}", said.out);
        assert!(said.out.contains(says), "{arguments:?}: {}", said.out);
    }
    assert_eq!(gatehouse(&["check"], "").status, 2);
}

#[test]
fn manifests_and_native_filters_are_checked_too() {
    let config = configuration();
    let mut native = config.clone();
    native.as_object_mut().unwrap().remove("services");
    native["@type"] = json!("type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication");
    for (document, place) in [
        (
            json!({
                "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {"name": "edge"},
                "spec": {"failStrategy": "FAIL_CLOSE", "pluginConfig": config},
            }),
            "edge, WasmPlugin",
        ),
        (
            json!({"http_filters": [{"name": "envoy.filters.http.jwt_authn", "typed_config": native}]}),
            "native jwt_authn filter, as Gatehouse would take it at http_filters[0].typed_config",
        ),
    ] {
        let said = gatehouse(&["check", "-"], &document.to_string());
        assert_eq!(said.status, 0, "{}", said.out);
        assert!(said.out.contains(place), "{}", said.out);
        let broken = document.to_string().replace("\"main\"}", "\"nobody\"}");
        let said = gatehouse(&["check", "-"], &broken);
        assert_eq!(said.status, 1, "{}", said.out);
        assert!(
            said.out.contains("error: rules[1].requires.provider_name"),
            "{}",
            said.out
        );
    }
}

//! What a configuration is told: errors, and what is worth a warning.

use serde_json::{Value, json};

use super::{errors, full, parse, with};
use crate::config::Config;
use crate::testing::{jwks, test};

#[test]
fn what_does_less_or_more_than_it_looks_like_is_warned_of() {
    let config = parse(&full());
    let warned = config.warnings.iter().map(|warning| warning.path.as_str());
    let expected = [
        "providers.remote.payload_in_metadata",
        "providers.remote.header_in_metadata",
        "providers.remote.failed_status_in_metadata",
        "requirement_map.named.requires_any.requirements[2].extract_only_without_validation",
    ];
    assert_eq!(warned.collect::<Vec<_>>(), expected);
    let without = parse(&with("/providers/remote/payload_in_metadata", Value::Null));
    assert!(
        without
            .warnings
            .iter()
            .any(|warning| warning.problem == "changes nothing without payload_in_metadata")
    );
}

#[test]
fn keys_that_can_not_be_used_are_left_out_with_a_warning() {
    let mut set: Value = serde_json::from_str(&jwks(&[("one", 1)])).unwrap();
    set["keys"]
        .as_array_mut()
        .unwrap()
        .push(json!({"kty": "EC", "crv": "P-999", "kid": "odd"}));
    let config = parse(&with(
        "/providers/local/local_jwks",
        json!({"inline_string": set.to_string()}),
    ));
    assert!(
        config.warnings[0]
            .to_string()
            .starts_with("providers.local.local_jwks.keys[1]: is left out")
    );
}

#[test]
fn every_error_names_its_field_and_says_what_would_be_right() {
    // One line each: where the full configuration is changed, to what, the path in the error, a part of what it says.
    for line in include_str!("wrong.txt").lines() {
        let [pointer, value, path, part] = line.splitn(4, " | ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let errors = errors(&with(pointer, serde_json::from_str(value).unwrap()));
        let found = errors
            .iter()
            .any(|error| error.starts_with(&format!("{path}: ")) && error.contains(part));
        assert!(found, "{line}\n  got {errors:#?}");
    }
}

#[test]
fn all_errors_are_told_at_once() {
    let mut config = with("/providers/remote/issuer", json!(1));
    config["nonsense"] = json!(1);
    config["rules"][1]["requires"]["provider_name"] = json!("nobody");
    config["services"]["bank"]["cluster"] = json!("");
    config["keys"]["max_wait"] = json!("1h");
    assert_eq!(errors(&config).len(), 5, "{:#?}", errors(&config));
}

#[test]
fn what_is_no_json_object_is_told_as_such() {
    for (text, part) in [
        ("", "is empty"),
        ("   ", "is empty"),
        ("{", "not JSON"),
        ("[]", "no object"),
        ("{} {}", "not JSON"),
        (r#"{"rules":[],"rules":[]}"#, "same name"),
        ("providers: {}", "not JSON"),
    ] {
        let error = Config::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(
            error.starts_with("configuration: ") && error.contains(part),
            "{text}: {error}"
        );
    }
    let twice = r#"{"statPrefix":"a","stat_prefix":"b"}"#;
    assert!(
        Config::parse(twice.as_bytes())
            .unwrap_err()
            .to_string()
            .contains("is there twice, also as statPrefix")
    );
}

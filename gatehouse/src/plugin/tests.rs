use super::{Kind, plugins};
use crate::document::read;

/// Kind, name, place and configuration of each plugin in a file.
fn found(text: &str) -> Vec<(Kind, String, String, String)> {
    let documents = read(text).unwrap();
    plugins(text, &documents)
        .into_iter()
        .map(|plugin| {
            let bytes = String::from_utf8(plugin.configuration.bytes).unwrap();
            (plugin.kind, plugin.name, plugin.place, bytes.trim().to_owned())
        })
        .collect()
}

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const NATIVE: &str = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

#[test]
fn plugins_are_found_in_every_kind_of_file() {
    let string = "\"@type\": type.googleapis.com/google.protobuf.StringValue, value: '{\"rules\":[]}'";
    let structure = "\"@type\": type.googleapis.com/google.protobuf.Struct, value: {rules: []}";
    for (text, kind, name, place) in [
        ("{\"rules\":[]}".to_owned(), Kind::Configuration, "gatehouse", ""),
        ("rules: []".to_owned(), Kind::Configuration, "gatehouse", ""),
        (
            format!("http_filters:\n- name: gate\n  typed_config: {{\"@type\": {WASM}, config: {{configuration: {{{string}}}}}}}"),
            Kind::Wasm,
            "gate",
            "http_filters[0].typed_config",
        ),
        (
            format!("typed_config: {{\"@type\": {WASM}, config: {{name: own, configuration: {{{structure}}}}}}}"),
            Kind::Wasm,
            "own",
            "typed_config",
        ),
        (
            format!("value: {{\"@type\": type.googleapis.com/udpa.type.v1.TypedStruct, type_url: {WASM}, value: {{config: {{rootId: own, configuration: {{{string}}}}}}}}}"),
            Kind::Wasm,
            "own",
            "value",
        ),
        (format!("filter: {{name: n, typed_config: {{\"@type\": {NATIVE}, rules: []}}}}"), Kind::Native, "n", "filter.typed_config"),
        (
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: i}\nspec: {pluginConfig: {rules: []}}".to_owned(),
            Kind::IstioPlugin,
            "i",
            "",
        ),
        (
            "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata: {name: p}\nspec: {wasm: [{name: other, config: {a: 1}}, {config: {rules: []}}]}".to_owned(),
            Kind::ExtensionPolicy,
            "p",
            "spec.wasm[1]",
        ),
        ("a: 1\n---\nrules: []\n---\n".to_owned() + &format!("x: {{\"@type\": {NATIVE}, rules: []}}"), Kind::Native, "envoy.filters.http.jwt_authn", "document 3: x"),
    ] {
        let plugins = found(&text);
        let [(found_kind, found_name, found_place, bytes)] = plugins.as_slice() else { panic!("{text}: {plugins:?}") };
        assert_eq!((*found_kind, found_name.as_str(), found_place.as_str()), (kind, name, place), "{text}");
        assert!(bytes.contains("\"rules\":[]"), "{text}: {bytes}");
    }
}

#[test]
fn what_an_alias_repeats_is_one_plugin_and_what_only_looks_the_same_is_not() {
    let plugin = format!(
        "{{typed_config: {{\"@type\": {WASM}, config: {{configuration: {{value: {{rules: []}}, \"@type\": x.Struct}}}}}}}}"
    );
    let places = |text: &str| -> Vec<String> { found(text).into_iter().map(|(_, _, place, _)| place).collect() };
    assert_eq!(
        places(&format!("listeners:\n- &gate {plugin}\n- *gate\n- [*gate]\n")),
        ["listeners[0].typed_config"]
    );
    assert_eq!(
        places(&format!("listeners:\n- {plugin}\n- {plugin}\n")),
        ["listeners[0].typed_config", "listeners[1].typed_config"]
    );
}

#[test]
fn other_plugins_and_files_without_any_hold_none() {
    for text in [
        format!(
            "typed_config: {{\"@type\": {WASM}, config: {{name: other, configuration: {{\"@type\": x.StringValue, value: abc}}}}}}"
        ),
        "static_resources: {}".to_owned(),
        "apiVersion: v1\nkind: ConfigMap".to_owned(),
        "- rules".to_owned(),
        "a: 1\n---\nb: 2".to_owned(),
    ] {
        assert_eq!(found(&text), [], "{text}");
    }
}

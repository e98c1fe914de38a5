//! The search for plugins through all documents of a file.

use std::collections::HashSet;

use super::{Configuration, Kind, Plugin};
use crate::document::{Content, Node};

const WASM_FILTER: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
const NATIVE_FILTER: &str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

/// Members by which a configuration is known as one of ours.
const OURS: [&str; 5] = ["providers", "rules", "requirement_map", "services", "token_profiles"];

/// Members by which a document is known as something that may hold configurations, but is none.
const SURROUNDINGS: [&str; 12] = [
    "@type",
    "admin",
    "api_version",
    "config",
    "dynamic_resources",
    "filter_chains",
    "http_filters",
    "kind",
    "resources",
    "static_resources",
    "typed_config",
    "virtual_hosts",
];

/// All plugins of a file, in their order. A file that is nothing else is taken for a configuration itself.
pub(crate) fn plugins<'d>(text: &str, documents: &'d [Node]) -> Vec<Plugin<'d>> {
    let mut found = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let mut search = Search {
            document,
            found: Vec::new(),
        };
        let prefix = if documents.len() > 1 {
            format!("document {}: ", index + 1)
        } else {
            String::new()
        };
        search.visit(document, "", None);
        for plugin in &mut search.found {
            plugin.place.insert_str(0, &prefix);
        }
        found.append(&mut search.found);
    }
    // Two listeners often have one filter by an alias of YAML. It stands in the file once, so it is one plugin: where it is
    // met first.
    let mut places = HashSet::new();
    found.retain(|plugin| plugin.carrier.position.is_none_or(|position| places.insert(position)));
    if let ([], [document]) = (found.as_slice(), documents)
        && is_configuration(document)
    {
        found.push(whole_file(text, document));
    }
    found
}

/// Whether a document is a configuration, good or bad: it speaks of what ours speak of, or at least of nothing else.
fn is_configuration(document: &Node) -> bool {
    let is_ours = OURS.iter().any(|name| document.get(name).is_some());
    document.is_map() && (is_ours || !SURROUNDINGS.iter().any(|name| document.get(name).is_some()))
}

/// What is JSON stays as it is, so that the plugin's reader of JSON sees what it would see in Envoy.
fn whole_file<'d>(text: &str, document: &'d Node) -> Plugin<'d> {
    let mut configuration = Configuration::of(document);
    if text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        configuration.bytes = text.as_bytes().to_vec();
    }
    Plugin {
        kind: Kind::Configuration,
        name: "gatehouse".to_owned(),
        place: String::new(),
        document,
        carrier: document,
        configuration,
    }
}

struct Search<'d> {
    document: &'d Node,
    found: Vec<Plugin<'d>>,
}

impl<'d> Search<'d> {
    /// `name` is that of the filter around.
    fn visit(&mut self, node: &'d Node, place: &str, name: Option<&str>) {
        let name = node.get("name").and_then(Node::text).or(name);
        match (message(node), kubernetes_kind(node)) {
            (Some((url, value)), _) if url.ends_with(WASM_FILTER) => return self.wasm(value, place, name),
            (Some((url, value)), _) if url.ends_with(NATIVE_FILTER) => return self.native(value, place, name),
            (_, Some("WasmPlugin")) => return self.istio(node, place),
            (_, Some("EnvoyExtensionPolicy")) => return self.extension_policy(node, place),
            _ => {}
        }
        match &node.content {
            Content::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.visit(element, &format!("{place}[{index}]"), name);
                }
            }
            Content::Map(entries) => {
                for entry in entries {
                    self.visit(&entry.value, &join(place, &entry.key), name);
                }
            }
            _ => {}
        }
    }

    fn wasm(&mut self, value: &'d Node, place: &str, filter: Option<&str>) {
        let Some(config) = value.get("config") else { return };
        let own = config
            .get("name")
            .or_else(|| config.get("root_id"))
            .and_then(Node::text);
        let name = own.filter(|name| !name.is_empty()).or(filter).unwrap_or_default();
        let configuration = match config.get("configuration") {
            Some(any) => any_value(any),
            None => Configuration::missing(value.position),
        };
        let code = config.at(&["vm_config", "code"]);
        if is_ours(&[name, filter.unwrap_or_default()], code, &configuration) {
            self.add(Kind::Wasm, name, place, config, configuration);
        }
    }

    fn native(&mut self, value: &'d Node, place: &str, filter: Option<&str>) {
        let name = filter.unwrap_or("envoy.filters.http.jwt_authn");
        self.add(Kind::Native, name, place, value, Configuration::of(value));
    }

    fn istio(&mut self, node: &'d Node, place: &str) {
        let Some(spec) = node.get("spec") else { return };
        let name = node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
        let configuration = match spec.get("plugin_config") {
            Some(config) => Configuration::of(config),
            None => Configuration::missing(node.position),
        };
        let plugin_name = spec.get("plugin_name").and_then(Node::text).unwrap_or_default();
        if is_ours(&[name, plugin_name], spec.get("url"), &configuration) {
            self.add(Kind::IstioPlugin, name, place, spec, configuration);
        }
    }

    fn extension_policy(&mut self, node: &'d Node, place: &str) {
        let policy = node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
        let list = node.at(&["spec", "wasm"]).map(Node::elements).unwrap_or_default();
        for (index, extension) in list.iter().enumerate() {
            let name = extension.get("name").and_then(Node::text).unwrap_or(policy);
            let configuration = match extension.get("config") {
                Some(config) => Configuration::of(config),
                None => Configuration::missing(extension.position),
            };
            if is_ours(&[name], extension.get("code"), &configuration) {
                let place = format!("{}[{index}]", join(&join(place, "spec"), "wasm"));
                self.add(Kind::ExtensionPolicy, name, &place, extension, configuration);
            }
        }
    }

    fn add(&mut self, kind: Kind, name: &str, place: &str, carrier: &'d Node, configuration: Configuration) {
        self.found.push(Plugin {
            kind,
            name: name.to_owned(),
            place: place.to_owned(),
            document: self.document,
            carrier,
            configuration,
        });
    }
}

/// The type of a message and its fields, whether it stands there itself or as a `TypedStruct`.
fn message(node: &Node) -> Option<(&str, &Node)> {
    let url = node.get("@type")?.text()?;
    if url.ends_with(".TypedStruct") {
        return Some((node.get("type_url")?.text()?, node.get("value")?));
    }
    Some((url, node))
}

fn kubernetes_kind(node: &Node) -> Option<&str> {
    node.get("apiVersion").and_then(|_| node.get("kind")?.text())
}

/// What an `Any` hands to the plugin.
fn any_value(any: &Node) -> Configuration {
    match (any.get("@type").is_some(), any.get("value")) {
        (true, Some(value)) => Configuration::of(value),
        (true, None) => Configuration::missing(any.position),
        (false, _) => Configuration::of(any),
    }
}

/// Whether a plugin is Gatehouse: by its names, by its code, or by what its configuration speaks of.
fn is_ours(names: &[&str], code: Option<&Node>, configuration: &Configuration) -> bool {
    let tells = |text: &str| text.to_ascii_lowercase().contains("gatehouse");
    names.iter().any(|name| tells(name))
        || code.is_some_and(|code| tells(&code.to_json().to_string()))
        || configuration
            .tree
            .as_ref()
            .is_some_and(|tree| OURS.iter().any(|name| tree.get(name).is_some()))
}

fn join(place: &str, key: &str) -> String {
    let plain = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-@".contains(&byte));
    match (place.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{place}.{key}"),
        (_, false) => format!("{place}[{key:?}]"),
    }
}

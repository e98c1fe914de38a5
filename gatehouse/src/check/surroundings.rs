//! What stands around a configuration and must fit it: the clusters that it names, the route that reads its choice, and what
//! happens to requests while the plugin can't run.

use super::{Finding, Severity};
use crate::document::{self, Content, Node, Position};
use crate::plugin::{Kind, Plugin};
use filter::service::CLUSTER_HEADER;

/// Everything that does not fit.
pub(super) fn findings(plugin: &Plugin<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(open_door(plugin));
    let (Some(resources), Some(tree)) = (plugin.document.get("static_resources"), &plugin.configuration.tree) else {
        return findings;
    };
    let is_static = |field: &str| plugin.document.at(&["dynamic_resources", field]).is_none();
    findings.extend(clusters(tree, resources, severity(is_static("cds_config"))));
    let all_routes_known = is_static("lds_config") && !anywhere(resources, &|node| node.get("rds").is_some());
    findings.extend(cluster_header(tree, resources, severity(all_routes_known)));
    findings
}

/// What is certain is an error; what another part of the configuration may mend is a warning.
fn severity(certain: bool) -> Severity {
    if certain { Severity::Error } else { Severity::Warning }
}

/// While the plugin can't run, requests must not pass.
fn open_door(plugin: &Plugin<'_>) -> Option<Finding> {
    let (field, word) = match plugin.kind {
        Kind::Wasm => ("failure_policy", "FAIL_OPEN"),
        Kind::IstioPlugin => ("fail_strategy", "FAIL_OPEN"),
        Kind::ExtensionPolicy => ("fail_open", "true"),
        Kind::Configuration | Kind::Native => return None,
    };
    let is_open = |field: &str, word: &str| {
        let entry = document::field(plugin.carrier, field)?;
        let says = match &entry.value.content {
            Content::Text(text, _) => text == word,
            Content::Bool(flag) => *flag && word == "true",
            _ => false,
        };
        says.then_some(entry)
    };
    let entry = is_open(field, word).or_else(|| is_open("fail_open", "true"))?;
    let better = match plugin.kind {
        Kind::Wasm => "write failure_policy: FAIL_RELOAD",
        Kind::IstioPlugin => "write failStrategy: FAIL_CLOSE",
        _ => "leave it out",
    };
    let problem = format!("lets every request through, unverified, while the plugin can't run; {better}");
    Some(Finding {
        found: entry
            .value
            .text()
            .map(|text| format!("{text:?}"))
            .or(Some("true".to_owned())),
        ..Finding::new(Severity::Warning, &entry.key, &problem, entry.value.position)
    })
}

/// Every cluster that is named must exist.
fn clusters(tree: &Node, resources: &Node, severity: Severity) -> Vec<Finding> {
    let there = resources.get("clusters").map(Node::elements).unwrap_or_default();
    let there: Vec<&str> = there.iter().filter_map(|cluster| cluster.get("name")?.text()).collect();
    let mut named = Vec::new();
    named_clusters(tree, "", &mut named);
    let unknown = named.into_iter().filter(|(_, name, _)| !there.contains(&name.as_str()));
    unknown
        .map(|(path, name, position)| {
            let known = if there.is_empty() {
                "none".to_owned()
            } else {
                there.join(", ")
            };
            let problem = format!("names a cluster that static_resources.clusters does not have; there are: {known}");
            Finding {
                found: Some(format!("{name:?}")),
                ..Finding::new(severity, &path, &problem, position)
            }
        })
        .collect()
}

/// The fields of a configuration that name clusters: `cluster`, those that end in it, and the `values` of an `upstream`.
fn named_clusters(node: &Node, path: &str, found: &mut Vec<(String, String, Option<Position>)>) {
    for entry in node.entries() {
        let path = if path.is_empty() {
            entry.key.clone()
        } else {
            format!("{path}.{}", entry.key)
        };
        let is_value = path.contains(".upstream[") && path.contains(".values.");
        let is_name =
            is_value || entry.key == "cluster" || entry.key.ends_with("_cluster") || entry.key.ends_with("Cluster");
        match entry.value.text() {
            Some(name) if is_name && !name.is_empty() => found.push((path, name.to_owned(), entry.value.position)),
            _ => named_clusters(&entry.value, &path, found),
        }
    }
    for (index, element) in node.elements().iter().enumerate() {
        named_clusters(element, &format!("{path}[{index}]"), found);
    }
}

/// With services, some route must go where the gate says.
fn cluster_header(tree: &Node, resources: &Node, severity: Severity) -> Option<Finding> {
    let services = tree.get("services").filter(|services| !services.entries().is_empty())?;
    let reads_it = |node: &Node| {
        node.get("cluster_header")
            .and_then(Node::text)
            .is_some_and(|name| name.eq_ignore_ascii_case(CLUSTER_HEADER))
    };
    if anywhere(resources, &reads_it) {
        return None;
    }
    let problem =
        format!("choose nothing: no route reads what the gate chose; give one `cluster_header: {CLUSTER_HEADER}`");
    Some(Finding::new(severity, "services", &problem, services.position))
}

fn anywhere(node: &Node, holds: &impl Fn(&Node) -> bool) -> bool {
    holds(node)
        || node.entries().iter().any(|entry| anywhere(&entry.value, holds))
        || node.elements().iter().any(|element| anywhere(element, holds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;

    /// What is found around a plugin in a bootstrap with this beside the listener.
    fn found(beside: &str, connection_manager: &str, wasm: &str) -> Vec<(Severity, String)> {
        let text = format!(
            "static_resources:\n  listeners:\n  - {{{connection_manager}, filter: {{\"@type\": \
             type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, config: {{name: gatehouse, {wasm} \
             configuration: {{\"@type\": type.googleapis.com/google.protobuf.Struct, value: {{services: {{web: \
             {{prefix: /, cluster: web, public: true}}}}}}}}}}}}}}\n{beside}"
        );
        let checked = check("x".to_owned(), &text);
        checked
            .all()
            .map(|finding| (finding.severity, finding.path.clone()))
            .collect()
    }

    #[test]
    fn what_another_part_may_mend_is_a_warning() {
        use Severity::{Error, Warning};
        let clusters = "  clusters:\n  - name: web\n";
        let by_xds = "dynamic_resources: {cds_config: {ads: {}}, lds_config: {ads: {}}}\n";
        let route = "cluster_header: X-Gatehouse-Cluster";
        for (beside, connection_manager, wasm, expected) in [
            (clusters, route, "", vec![]),
            ("", route, "", vec![(Error, "services.web.cluster")]),
            (by_xds, route, "", vec![(Warning, "services.web.cluster")]),
            (clusters, "cluster: web", "", vec![(Error, "services")]),
            (clusters, "rds: {}", "", vec![(Warning, "services")]),
            (
                clusters,
                route,
                "failure_policy: FAIL_OPEN,",
                vec![(Warning, "failure_policy")],
            ),
            (clusters, route, "fail_open: true,", vec![(Warning, "fail_open")]),
            (clusters, route, "failure_policy: FAIL_RELOAD,", vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(severity, path)| (severity, path.to_owned()))
                .collect();
            assert_eq!(
                found(beside, connection_manager, wasm),
                expected,
                "{beside} {connection_manager} {wasm}"
            );
        }
    }

    #[test]
    fn manifests_that_fail_open_are_warned_about() {
        for (text, path) in [
            (
                "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec: {failStrategy: FAIL_OPEN, pluginConfig: {rules: []}}",
                "failStrategy",
            ),
            (
                "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nspec: {wasm: [{failOpen: true, config: {rules: []}}]}",
                "failOpen",
            ),
        ] {
            let checked = check("x".to_owned(), text);
            let found: Vec<_> = checked
                .all()
                .map(|finding| (finding.severity, finding.path.as_str()))
                .collect();
            assert_eq!(found, [(Severity::Warning, path)], "{text}");
        }
    }
}

//! Gatehouse's plugins in a file, whatever kind of file it is: the plugin's own configuration, a whole Envoy configuration or
//! a part of one, a manifest for Istio or Envoy Gateway; and the native filter's configurations, which Gatehouse takes too.

mod search;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::document::{Content, Layout, Node, Position, SyntaxError, read_embedded};

pub(crate) use search::plugins;

/// What sort of thing carries the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file is the configuration.
    Configuration,
    /// Envoy's Wasm filter.
    Wasm,
    /// Envoy's own `jwt_authn`: what Gatehouse would make of it.
    Native,
    /// Istio's `WasmPlugin`.
    IstioPlugin,
    /// Envoy Gateway's `EnvoyExtensionPolicy`.
    ExtensionPolicy,
}

impl Kind {
    /// A word for machines.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Wasm => "wasm",
            Self::Native => "jwt_authn",
            Self::IstioPlugin => "WasmPlugin",
            Self::ExtensionPolicy => "EnvoyExtensionPolicy",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Configuration => "configuration",
            Self::Wasm => "Wasm filter",
            Self::Native => "native jwt_authn filter, as Gatehouse would take it",
            Self::IstioPlugin => "WasmPlugin",
            Self::ExtensionPolicy => "EnvoyExtensionPolicy",
        })
    }
}

/// A plugin, and where it stands.
#[derive(Debug)]
pub(crate) struct Plugin<'d> {
    pub(crate) kind: Kind,
    /// Its name, as far as it has one.
    pub(crate) name: String,
    /// The way to it through the file; empty where it is the file.
    pub(crate) place: String,
    /// The document that it stands in.
    pub(crate) document: &'d Node,
    /// What carries the configuration: failure policy, code, and so on.
    pub(crate) carrier: &'d Node,
    pub(crate) configuration: Configuration,
}

/// A configuration, as the plugin would get it.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// JSON.
    pub(crate) bytes: Vec<u8>,
    /// The same as a tree whose positions are those of the file, where it can be read as one.
    pub(crate) tree: Option<Node>,
    /// Why it can't be.
    pub(crate) trouble: Option<SyntaxError>,
    /// Where it begins.
    pub(crate) position: Option<Position>,
    /// How it stands there.
    pub(crate) layout: Layout,
}

impl Configuration {
    /// A configuration that is written as a text, or as a tree.
    pub(crate) fn of(node: &Node) -> Self {
        if let Content::Text(text, layout) = &node.content {
            let read = read_embedded(text, *layout, node.position);
            let trouble = read.as_ref().err().cloned();
            return Self {
                bytes: text.clone().into_bytes(),
                tree: read.ok().filter(Node::is_map),
                trouble,
                position: node.position,
                layout: *layout,
            };
        }
        Self {
            bytes: node.to_json().to_string().into_bytes(),
            tree: Some(node.clone()),
            trouble: None,
            position: node.position,
            layout: Layout::Other,
        }
    }

    /// None at all; the plugin would get no bytes.
    pub(crate) fn missing(position: Option<Position>) -> Self {
        Self {
            bytes: Vec::new(),
            tree: None,
            trouble: None,
            position,
            layout: Layout::Other,
        }
    }
}

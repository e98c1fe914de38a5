//! `gatehouse check`: everything that is wrong with the configurations in some files, all of it at once.

mod quote;
mod render;
mod surroundings;

use filter::config::{Config, ConfigError, ConfigErrors};
use jose::json::{self, JsonError};
use serde::Serialize;

use crate::document::{self, Layout, Position, in_lines, site};
use crate::paint::printable;
use crate::plugin::{Plugin, plugins};

pub(crate) use render::{as_json, as_text};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// The plugin would not start, or nothing would work.
    Error,
    /// Worth knowing.
    Warning,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The field, as one would write the way to it.
    pub(crate) path: String,
    /// What is wrong, and what would be right; goes on where the path ends.
    pub(crate) problem: String,
    /// What stands there, where it may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
}

/// What came of one plugin.
#[derive(Debug, Serialize)]
pub(crate) struct Examined {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) place: String,
    #[serde(skip)]
    pub(crate) title: String,
    pub(crate) findings: Vec<Finding>,
}

/// What came of one file.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    pub(crate) file: String,
    /// Whether it could be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unreadable: Option<String>,
    /// What is wrong with the file itself.
    pub(crate) findings: Vec<Finding>,
    pub(crate) plugins: Vec<Examined>,
}

impl Finding {
    pub(crate) fn new(severity: Severity, path: &str, problem: &str, position: Option<Position>) -> Self {
        Self {
            severity,
            path: printable(path),
            problem: printable(problem),
            found: None,
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
        }
    }
}

impl Checked {
    pub(crate) fn unreadable(file: String, problem: String) -> Self {
        Self {
            file,
            unreadable: Some(problem),
            findings: Vec::new(),
            plugins: Vec::new(),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        let of_plugins = self.plugins.iter().flat_map(|plugin| &plugin.findings);
        self.findings.iter().chain(of_plugins)
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.all().filter(|finding| finding.severity == severity).count()
    }
}

/// Checks the text of a file.
pub(crate) fn check(file: String, text: &str) -> Checked {
    let mut checked = Checked {
        file,
        unreadable: None,
        findings: Vec::new(),
        plugins: Vec::new(),
    };
    let documents = match document::read(text) {
        Ok(documents) => documents,
        Err(error) => {
            let problem = Finding::new(Severity::Error, "the file", &error.problem, error.position);
            checked.findings.push(problem);
            return checked;
        }
    };
    let plugins = plugins(text, &documents);
    if plugins.is_empty() {
        checked.findings.push(Finding::new(
            Severity::Error,
            "the file",
            "holds no configuration of Gatehouse's; give one, or an Envoy configuration or a manifest with the plugin in it",
            None,
        ));
    }
    checked.plugins = plugins.iter().map(examine).collect();
    checked
}

fn examine(plugin: &Plugin<'_>) -> Examined {
    let mut findings = match Config::parse(&plugin.configuration.bytes) {
        Ok(config) => told(plugin, config.warnings.iter(), Severity::Warning),
        Err(errors) => refused(plugin, &errors),
    };
    findings.extend(surroundings::findings(plugin));
    findings.sort_by_key(|finding| (finding.severity, finding.line, finding.column));
    Examined {
        kind: plugin.kind.word(),
        name: plugin.name.clone(),
        place: plugin.place.clone(),
        title: plugin.kind.to_string(),
        findings,
    }
}

fn told<'e>(plugin: &Plugin<'_>, errors: impl Iterator<Item = &'e ConfigError>, severity: Severity) -> Vec<Finding> {
    let tree = plugin.configuration.tree.as_ref();
    let finding = |error: &ConfigError| {
        let site = tree.map(|tree| site(tree, &error.path));
        let position = site.and_then(|site| site.position).or(plugin.configuration.position);
        Finding {
            found: site.and_then(|site| quote::quoted(&site, error)),
            ..Finding::new(severity, &error.path, &error.problem, position)
        }
    };
    errors.map(finding).collect()
}

/// The plugin says that a text is no JSON by the text's own lines; whoever has the file counts from its top.
fn refused(plugin: &Plugin<'_>, errors: &ConfigErrors) -> Vec<Finding> {
    let mut findings = told(plugin, errors.iter(), Severity::Error);
    let [finding] = findings.as_mut_slice() else {
        return findings;
    };
    let configuration = &plugin.configuration;
    let placed = match json::parse(&configuration.bytes) {
        _ if configuration.bytes.trim_ascii().is_empty() => None,
        Err(JsonError::Syntax { line, column }) => syntax_position(plugin, Position { line, column }).map(|position| {
            (
                position,
                format!(
                    "is not JSON at line {}, column {}; it must be one JSON object",
                    position.line, position.column
                ),
            )
        }),
        Err(JsonError::DuplicateMember) => {
            let trouble = configuration.trouble.as_ref();
            trouble.and_then(|trouble| Some((trouble.position?, trouble.problem.clone())))
        }
        _ => None,
    };
    if let Some((position, problem)) = placed {
        *finding = Finding::new(Severity::Error, &finding.path, &problem, Some(position));
    }
    findings
}

/// A place in the text of a configuration as one in its file, where the two go line by line.
fn syntax_position(plugin: &Plugin<'_>, within: Position) -> Option<Position> {
    let configuration = &plugin.configuration;
    let start = configuration
        .position
        .filter(|_| configuration.layout == Layout::Lines)?;
    let text = String::from_utf8_lossy(&configuration.bytes);
    let blank_lines = text.lines().take_while(|line| line.trim().is_empty()).count();
    Some(in_lines(start, within, blank_lines))
}

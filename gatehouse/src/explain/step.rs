//! One step of a story.

use serde::Serialize;
use serde_json::Value;

use crate::paint::printable;

/// Whether what the token says may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disclosure {
    Shown,
    Hidden,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mark {
    /// Something was found or chosen.
    Note,
    /// Something was checked, and is right.
    Good,
    /// Something was checked, and is wrong.
    Bad,
    /// Something could not be told.
    Open,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// What it is about.
    pub(crate) about: &'static str,
    pub(crate) mark: Mark,
    /// One line.
    pub(crate) text: String,
    /// The same for programs, where there is more to it than the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Value>,
}

impl Step {
    pub(crate) fn new(about: &'static str, mark: Mark, text: &str) -> Self {
        Self {
            about,
            mark,
            text: printable(text),
            data: None,
        }
    }

    pub(crate) fn with(self, data: Value) -> Self {
        Self {
            data: Some(data),
            ..self
        }
    }
}

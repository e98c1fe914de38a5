//! What is wrong with a configuration, and where.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// The field, as one would write the way to it.
    pub path: String,
    /// What is wrong, and what would be right.
    pub problem: String,
    /// What of the field it is that is wrong.
    pub subject: Subject,
}

/// What of a field is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// What it says, or that it is missing.
    Value,
    /// That it is there at all: nobody knows what it means.
    Name,
}

/// Everything that is wrong; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    pub(super) fn of(error: ConfigError) -> Self {
        Self(vec![error])
    }

    /// The errors one by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

/// Where errors are collected while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Report {
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
}

impl Report {
    pub(super) fn add(&self, path: impl Into<String>, problem: impl Into<String>) {
        self.add_about(Subject::Value, path.into(), problem.into());
    }

    /// Notes a field that nobody asked for.
    pub(super) fn add_unknown(&self, path: impl Into<String>, problem: impl Into<String>) {
        self.add_about(Subject::Name, path.into(), problem.into());
    }

    fn add_about(&self, subject: Subject, path: String, problem: String) {
        let error = ConfigError { path, problem, subject };
        let mut errors = self.errors.borrow_mut();
        // A field may be asked for more than once.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }

    /// Notes what the native filter passes over in silence, and what is passed over here too.
    pub(super) fn warn(&self, path: impl Into<String>, problem: impl Into<String>) {
        self.warnings.borrow_mut().push(ConfigError {
            path: path.into(),
            problem: problem.into(),
            subject: Subject::Value,
        });
    }

    /// The warnings, if there are no errors.
    pub(super) fn finish(self) -> Result<Vec<ConfigError>, ConfigErrors> {
        let errors = self.errors.into_inner();
        if errors.is_empty() {
            Ok(self.warnings.into_inner())
        } else {
            Err(ConfigErrors(errors))
        }
    }
}

//! Conditions in the Common Expression Language (<https://github.com/google/cel-spec>): the part of it that says yes or no
//! about a request.
//!
//! Of our own, because a gate needs three things that the general interpreters don't promise. What can't work is found when
//! the configuration loads, types included. An evaluation ends within a bound that the configuration can't raise: there is
//! at most one loop at a time, over a list of bounded length, and every step is paid for. And nothing a request can hold
//! makes it panic, which would take the worker's VM with it.
//!
//! `make fuzz` feeds it nonsense. The names, operators and meanings are the language's; what is left out (maps and bytes as
//! literals, timestamps, macros that build lists) is an error that says so.

mod check;
mod evaluate;
mod lexer;
mod operators;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;
mod value;

use std::sync::Arc;

use jose::json::Object;

pub use evaluate::EvaluationError;
use syntax::Expression;

/// The longest text of an expression, in bytes.
pub const MAX_TEXT: usize = 4096;

/// An expression that was found to make sense.
#[derive(Debug, Clone)]
pub struct Program {
    root: Arc<Expression>,
}

/// Why an expression makes no sense, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at character {at})")]
pub struct CelError {
    /// The place in the text, in characters from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
}

impl CelError {
    fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
    }
}

/// What an expression can ask about.
pub trait Facts {
    /// `claims`: what the caller's token says; nothing where there is no caller.
    fn claims(&self) -> Option<&Object>;
    /// `request.method`
    fn method(&self) -> &[u8];
    /// `request.path`: in the form in which services see it, without the query.
    fn path(&self) -> &str;
    /// `request.headers`: the first value under a name in lower case. What only the gate may set is not there.
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// `service.name`
    fn service(&self) -> &str;
}

impl Program {
    /// Reads an expression and checks it as far as that goes without a request.
    pub fn compile(text: &str) -> Result<Self, CelError> {
        if text.len() > MAX_TEXT {
            return Err(CelError::new(
                1,
                format!("the expression is longer than {MAX_TEXT} bytes"),
            ));
        }
        let root = parse::parse(text)?;
        check::check(&root)?;
        Ok(Self { root: Arc::new(root) })
    }

    /// Whether it holds. An error is neither yes nor no.
    pub fn holds(&self, facts: &dyn Facts) -> Result<bool, EvaluationError> {
        evaluate::evaluate(&self.root, facts)
    }
}

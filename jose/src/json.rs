//! Strict JSON (RFC 8259) for documents that may come from an attacker: the whole document is read and every rule holds
//! everywhere in it, also in members that nobody asks for. A parser which skips what it doesn't need would accept
//! tokens that another part of the system reads differently.
//!
//! Refused, over and above what is no JSON at all:
//!
//! - two members of one name in one object, however deep, also when one of the names is written with escapes
//!   (RFC 7515 section 4 and RFC 7519 section 4 leave the choice between refusing and taking the last; two readers that
//!   choose differently can be played against each other);
//! - nesting of more than [`MAX_DEPTH`] containers, as in Envoy's own filter;
//! - numbers that a double can't hold, such as `1e999`;
//! - lone surrogates, bytes that are not UTF-8, a byte order mark, UTF-16 and UTF-32;
//! - anything but white space behind the document.

mod read;
#[cfg(test)]
mod tests;
mod value;

pub use value::{Number, Object, Value};

/// Documents nested deeper are refused; the outermost container counts as one.
pub const MAX_DEPTH: usize = 100;

/// Why a document was refused. None of the reasons repeats any of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is not JSON, or goes on behind the end of the JSON.
    #[error("not JSON at line {line}, column {column}")]
    Syntax {
        /// The line, from 1
        line: usize,
        /// The column, from 1, in bytes
        column: usize,
    },
    /// An object has two members of one name.
    #[error("two members of one object have the same name")]
    DuplicateMember,
    /// It is nested too deep.
    #[error("nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// Reads a whole document.
pub fn parse(document: &[u8]) -> Result<Value, JsonError> {
    read::document(document)
}

//! Regular expressions with RE2's meaning.

use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_automata::util::syntax;

/// An expression that is too large when compiled would take the memory of all others.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// A regular expression that speaks about a whole text, byte by byte. A `.` is any byte but a line feed, and `\d`, `\w`,
/// `\s` and letters without case are those of ASCII.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    compiled: PikeVM,
}

/// Why an expression is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It can't be compiled.
    #[error("is no regular expression that Gatehouse can use (RE2's syntax, without classes of Unicode)")]
    Syntax,
    /// It can be compiled, but RE2 reads it in another way.
    #[error("has {0}, which means something else to RE2; write a backslash before what is meant literally")]
    Ambiguous(&'static str),
}

impl Pattern {
    /// Compiles an expression.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        if let Some(what) = ambiguity(source) {
            return Err(PatternError::Ambiguous(what));
        }
        let compile = |text: &str| {
            let compiler = thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(MAX_COMPILED_BYTES));
            PikeVM::builder()
                .syntax(syntax::Config::new().unicode(false).utf8(false))
                .thompson(compiler)
                .build(text)
                .map_err(|_| PatternError::Syntax)
        };
        // Alone first: `a)|(b` is no expression, though it becomes one between parentheses.
        compile(source)?;
        let compiled = compile(&format!(r"\A(?:{source})\z"))?;
        let source = source.to_owned();
        Ok(Self { source, compiled })
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        self.compiled.is_match(&mut self.compiled.create_cache(), text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

/// What an expression holds that the two syntaxes read differently without a complaint from either: operators within
/// classes, nested classes, the newer word boundaries, repetitions without a lower bound, the flag for comments.
fn ambiguity(source: &str) -> Option<&'static str> {
    let mut within_class = false;
    let mut rest = source;
    loop {
        let mut letters = rest.chars();
        let letter = letters.next()?;
        let after = letters.as_str();
        rest = after;
        match letter {
            '\\' => {
                if after.starts_with(['<', '>']) {
                    return Some(r"\< or \>");
                }
                if after.starts_with("b{") || after.starts_with("B{") {
                    return Some(r"\b{");
                }
                letters.next();
                rest = letters.as_str();
            }
            '[' if !within_class => {
                within_class = true;
                // Directly behind the beginning, a closing bracket is a member.
                rest = rest.strip_prefix('^').unwrap_or(rest);
                rest = rest.strip_prefix(']').unwrap_or(rest);
            }
            '[' => match after.strip_prefix(':').and_then(|class| class.split_once(":]")) {
                Some((_, after)) => rest = after,
                None => return Some("[ within a class"),
            },
            ']' => within_class = false,
            '&' | '-' | '~' if within_class && after.starts_with(letter) => {
                return Some("&&, -- or ~~ within a class");
            }
            '{' if !within_class && after.trim_start().starts_with(',') => return Some("{,"),
            '(' if !within_class => {
                let flags = after.strip_prefix('?').unwrap_or_default();
                let flags = flags.split([')', ':']).next().unwrap_or_default();
                if !flags.starts_with(['P', '<']) && flags.contains(['x', 'R', 'u']) {
                    return Some("a flag that RE2 has not");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    #[test]
    fn the_whole_text_must_match_byte_by_byte() {
        for (source, text, expected) in [
            ("/a", &b"/a"[..], true),
            ("/a", b"/ab", false),
            ("/a", b"x/a", false),
            ("/a|/ab", b"/ab", true),
            ("a|b", b"ab", false),
            ("^/a$", b"/a", true),
            ("/a.*", b"/a/\xff", true),
            ("/a.", b"/a\xff", true),
            ("/a.*", b"/a\n", false),
            ("(?s)/a.*", b"/a\n", true),
            ("(?m)^a$", b"a\nb", false),
            ("/[^/]+/x", b"/\xff/x", true),
            (r"/\d+", b"/12", true),
            (r"/\d+", "/١".as_bytes(), false),
            (r"/\w+", "/é".as_bytes(), false),
            ("[[:alpha:]]+", b"aB", true),
            ("[]a]+", b"]a", true),
            (r"[a\]-]+", b"]-a", true),
            ("", b"", true),
            ("", b"a", false),
            ("é", "é".as_bytes(), true),
        ] {
            assert_eq!(
                Pattern::new(source).unwrap().matches(text),
                expected,
                "{source} {text:?}"
            );
        }
    }

    #[test]
    fn what_is_no_expression_or_another_one_to_re2_is_refused() {
        for source in [
            "(",
            "a)|(b",
            "[a",
            "*",
            r"\p{L}",
            r"\Qa\E",
            "(?=a)",
            r"(a)\1",
            r"(?P<n>a",
            "a{100000}",
        ] {
            assert_eq!(Pattern::new(source), Err(PatternError::Syntax), "{source}");
        }
        for source in [
            "[a[b]]",
            "[a&&b]",
            "[a--b]",
            "[a~~b]",
            r"\<a",
            r"a\>",
            r"\b{start}a",
            "a{,3}",
            "(?x)a b",
            "(?ix)a",
            "(?u)a",
            "(?R:a)",
        ] {
            assert!(
                matches!(Pattern::new(source), Err(PatternError::Ambiguous(_))),
                "{source}"
            );
        }
    }

    #[test]
    fn no_expression_makes_much_work_of_a_short_text() {
        let pattern = Pattern::new("(a*)*(a*)*b").unwrap();
        assert!(!pattern.matches(&[b'a'; 10_000]));
    }
}

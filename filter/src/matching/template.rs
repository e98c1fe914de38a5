//! Envoy's templates of paths (`UriTemplateMatchConfig`), such as `/users/{id}/**`.
//!
//! Apart from [`Pattern`](super::Pattern) because a template is no expression: at most one part of it has no end of its own,
//! so one pass over the path decides, and there is nothing to compile.

/// The longest template that Envoy takes.
const MAX_LEN: usize = 256;
/// As many variables as Envoy takes.
const MAX_VARIABLES: usize = 5;
/// The longest name of a variable that Envoy takes.
const MAX_NAME_LEN: usize = 16;

/// A template that speaks about a whole path, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// This text, never empty and never followed by another one.
    Literal(String),
    /// `*` and `{name}`: what is left of a segment, at least one byte.
    Segment,
    /// `**`: anything, also nothing and also slashes. Only literals follow.
    Rest,
}

/// Why a template is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It has none of the lengths that Envoy takes.
    #[error("must have between 1 and {MAX_LEN} characters")]
    Length,
    /// It does not begin as a path does.
    #[error("must begin with /")]
    NoPath,
    /// A segment is empty before the end.
    #[error("has an empty segment, which only the end may be; write one / between two segments")]
    EmptySegment,
    /// A letter that no path has, or a brace that is not a variable's.
    #[error(
        "holds a character that has no place there; beside * and {{name}} a segment may hold what RFC 3986 allows in a path"
    )]
    Character,
    /// `*` beside other text.
    #[error(
        "has a * beside other text, which Envoy reads as a repetition; let * and ** begin their segments, or encode it as %2A"
    )]
    Star,
    /// A variable has no closing brace, no name or no pattern.
    #[error(
        "has a variable of another form than {{name}} or {{name=pattern}}; a name is a letter and up to 15 letters, digits and _"
    )]
    Variable,
    /// A name that is there twice.
    #[error("names two variables alike")]
    RepeatedName,
    /// More than five.
    #[error("has more than {MAX_VARIABLES} variables")]
    TooManyVariables,
    /// `*`, `**` or `{name}` behind a `**`.
    #[error("has a * or a variable behind a **; only text may follow one")]
    BehindRest,
    /// Text behind `*` or `**` within a segment, and further segments.
    #[error("goes on after text that follows a * or ** directly; there, such text may only end the template")]
    Suffix,
}

impl PathTemplate {
    /// Reads a template.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        if source.is_empty() || source.len() > MAX_LEN {
            return Err(TemplateError::Length);
        }
        let rest = source.strip_prefix('/').ok_or(TemplateError::NoPath)?;
        let mut reader = Reader::default();
        reader.literal("/");
        if !rest.is_empty() {
            reader.segments(rest)?;
        }
        Ok(Self(reader.parts))
    }

    /// Whether the whole path, which carries no query, matches.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        let mut rest = path;
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            let following = match parts.peek() {
                Some(Part::Literal(text)) => text.as_bytes(),
                _ => b"",
            };
            let after = match part {
                Part::Literal(text) => rest.strip_prefix(text.as_bytes()),
                Part::Segment => after_segment(rest, following),
                Part::Rest => {
                    let middle = rest.strip_suffix(following);
                    return middle.is_some_and(|middle| middle.iter().all(|byte| *byte == b'/' || is_plain(*byte)));
                }
            };
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }
}

/// What follows the part of a segment that a `*` stands for, if it can stand for it; the segment may go on with a literal.
fn after_segment<'p>(path: &'p [u8], following: &[u8]) -> Option<&'p [u8]> {
    let until_slash = |text: &[u8]| text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
    let len = until_slash(path).checked_sub(until_slash(following))?;
    let (segment, after) = path.split_at_checked(len)?;
    (!segment.is_empty() && segment.iter().all(|byte| is_plain(*byte))).then_some(after)
}

/// `pchar` of RFC 3986, section 3.3. A percent sign is taken as it is, whatever follows.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

/// What has been read of a template.
#[derive(Debug, Default)]
struct Reader<'t> {
    parts: Vec<Part>,
    names: Vec<&'t str>,
}

impl<'t> Reader<'t> {
    fn segments(&mut self, source: &'t str) -> Result<(), TemplateError> {
        let mut rest = source;
        loop {
            rest = self.segment(rest)?;
            match rest.strip_prefix('/') {
                None => return Ok(()),
                Some(after) => {
                    self.literal("/");
                    if after.is_empty() {
                        return Ok(());
                    }
                    rest = after;
                }
            }
        }
    }

    /// Reads a segment; what is left begins with a slash or is empty.
    fn segment(&mut self, source: &'t str) -> Result<&'t str, TemplateError> {
        if let Some(after) = self.star(source)? {
            let (suffix, after) = split_segment(after);
            self.text(suffix)?;
            return if suffix.is_empty() || after.is_empty() {
                Ok(after)
            } else {
                Err(TemplateError::Suffix)
            };
        }
        let end = source.find(['/', '{']).unwrap_or(source.len());
        let (text, rest) = source.split_at_checked(end).unwrap_or((source, ""));
        self.text(text)?;
        let Some(variable) = rest.strip_prefix('{') else {
            return if text.is_empty() {
                Err(TemplateError::EmptySegment)
            } else {
                Ok(rest)
            };
        };
        let (variable, rest) = variable.split_once('}').ok_or(TemplateError::Variable)?;
        self.variable(variable)?;
        let (suffix, rest) = split_segment(rest);
        self.text(suffix)?;
        Ok(rest)
    }

    /// Reads `name` or `name=pattern`, where a pattern is segments of text, `*` and `**`.
    fn variable(&mut self, source: &'t str) -> Result<(), TemplateError> {
        let (name, pattern) = source
            .split_once('=')
            .map_or((source, "*"), |(name, pattern)| (name, pattern));
        let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.len() <= MAX_NAME_LEN;
        if !is_name || pattern.is_empty() {
            return Err(TemplateError::Variable);
        }
        if self.names.contains(&name) {
            return Err(TemplateError::RepeatedName);
        }
        self.names.push(name);
        if self.names.len() > MAX_VARIABLES {
            return Err(TemplateError::TooManyVariables);
        }
        for (index, segment) in pattern.split('/').enumerate() {
            if index > 0 {
                self.literal("/");
            }
            match self.star(segment)? {
                Some("") => {}
                Some(_) => return Err(TemplateError::Star),
                None if segment.is_empty() => return Err(TemplateError::EmptySegment),
                None => self.text(segment)?,
            }
        }
        Ok(())
    }

    /// Reads a `*` or `**`, if there is one; what is left.
    fn star<'s>(&mut self, source: &'s str) -> Result<Option<&'s str>, TemplateError> {
        let (part, after) = match (source.strip_prefix("**"), source.strip_prefix('*')) {
            (Some(after), _) => (Part::Rest, after),
            (None, Some(after)) => (Part::Segment, after),
            (None, None) => return Ok(None),
        };
        if self.parts.contains(&Part::Rest) {
            return Err(TemplateError::BehindRest);
        }
        self.parts.push(part);
        Ok(Some(after))
    }

    fn text(&mut self, text: &str) -> Result<(), TemplateError> {
        if text.contains('*') {
            return Err(TemplateError::Star);
        }
        if !text.bytes().all(is_plain) {
            return Err(TemplateError::Character);
        }
        self.literal(text);
        Ok(())
    }

    fn literal(&mut self, text: &str) {
        if let Some(Part::Literal(before)) = self.parts.last_mut() {
            before.push_str(text);
        } else if !text.is_empty() {
            self.parts.push(Part::Literal(text.to_owned()));
        }
    }
}

fn split_segment(source: &str) -> (&str, &str) {
    let end = source.find('/').unwrap_or(source.len());
    source.split_at_checked(end).unwrap_or((source, ""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    /// As Envoy 1.40 was seen to match.
    #[test]
    fn paths_match_as_in_envoy() {
        for (template, matching, others) in [
            ("/", &["/"][..], &["/a", ""][..]),
            ("/a/b", &["/a/b"], &["/a", "/a/b/", "/a/bc", "/A/b"]),
            ("/a/", &["/a/"], &["/a", "/a/b"]),
            (
                "/a/*",
                &["/a/b", "/a/b=c", "/a/b*c", "/a/%2f", "/a/b;c", "/a/b:c@d", "/a/b,c'd"],
                &["/a/", "/a", "/a/b/c", "/A/b", "/a/\"", "/a/b|c", "/a/b\u{e9}", "/a/b#x"],
            ),
            (
                "/a/**",
                &["/a/", "/a/b/c", "/a//", "/a/="],
                &["/a", "/b/c", "/a/\"", "/a/b|c"],
            ),
            ("/**", &["/", "//", "/a/b"], &["", "/ "]),
            ("/**.m", &["/.m", "/a.m", "/a/b.m"], &["/a.mx", "/axm", "/m"]),
            ("/*.m", &["/a.m", "/a.m.m"], &["/.m", "/a/b.m", "/m"]),
            ("/*=", &["/a=", "/a=="], &["/=", "/a"]),
            ("/*/", &["/a/"], &["/a", "//"]),
            ("/**/", &["//", "/a/", "/a/b/"], &["/", "/a"]),
            ("/{a=x/*/y}/z", &["/x/q/y/z"], &["/x/y/z", "/x//y/z", "/x/q/r/y/z"]),
            ("/**/a", &["//a", "/x/a", "/x/y/a"], &["/a", "/x/ab"]),
            ("/**/a/b", &["//a/b", "/x/a/b"], &["/a/b"]),
            ("/*/**", &["/a/", "/a/b/c"], &["/a", "//b"]),
            ("/{a=x/**}", &["/x/", "/x/y/z"], &["/x"]),
            ("/a(b+c.d$", &["/a(b+c.d$"], &["/a(bbc.d$", "/a(b+cxd$"]),
            ("/%41", &["/%41"], &["/A"]),
            ("/a{b}", &["/ax", "/axy"], &["/a", "/ax/y", "/b"]),
            ("/a{b}c", &["/axc", "/axcc"], &["/ac", "/axcd", "/a/c"]),
            ("/a{b=**}", &["/a", "/ax", "/a/x"], &["/b"]),
            ("/a{b=x}y", &["/axy"], &["/a/xy", "/ax"]),
            ("/a{b}/c{d}e", &["/a1/c2e"], &["/a1/ce", "/a/c2e", "/a1/c2"]),
            ("/{b}c/d", &["/xc/d", "/cc/d"], &["/c/d", "/x/d", "/xc"]),
            ("/{a}/{b}/{c}/{d}/{e}", &["/1/2/3/4/5"], &["/1/2/3/4"]),
        ] {
            let parsed = PathTemplate::new(template).unwrap();
            for path in matching {
                assert!(parsed.matches(path.as_bytes()), "{template} {path}");
            }
            for path in others {
                assert!(!parsed.matches(path.as_bytes()), "{template} {path}");
            }
        }
        assert!(!PathTemplate::new("/*").unwrap().matches(b"/\xff"));
    }

    #[test]
    fn what_envoy_refuses_or_reads_as_an_expression_is_no_template() {
        use TemplateError::{
            BehindRest, Character, EmptySegment, Length, NoPath, RepeatedName, Star, Suffix, TooManyVariables, Variable,
        };
        let long = format!("/{}", "a".repeat(256));
        for (template, error) in [
            ("", Length),
            (&long, Length),
            ("a", NoPath),
            ("//", EmptySegment),
            ("/a//b", EmptySegment),
            ("/{a}{b}", Character),
            ("/a{b}{c}", Character),
            ("/a{b}c{d}", Character),
            ("/{b}a{c}", Character),
            ("/*{a}", Character),
            ("/a}", Character),
            ("/{a={b}}", Character),
            ("/\u{e9}", Character),
            ("/a b", Character),
            ("/a?b", Character),
            ("/a#", Character),
            ("/a[", Character),
            ("/a^", Character),
            ("/a|b", Character),
            ("/***", Star),
            ("/a*", Star),
            ("/a*/b", Star),
            ("/{a}*", Star),
            ("/{a=b*}", Star),
            ("/{a=*x}", Star),
            ("/**/*", BehindRest),
            ("/**/{a}", BehindRest),
            ("/**/a{b}", BehindRest),
            ("/{a=**}/*", BehindRest),
            ("/{a=**/**}", BehindRest),
            ("/*b/c", Suffix),
            ("/**a/b", Suffix),
            ("/{a=}", Variable),
            ("/{}", Variable),
            ("/a{}", Variable),
            ("/{1a}", Variable),
            ("/{a-b}", Variable),
            ("/{aaaaaaaaaaaaaaaaa}", Variable),
            ("/{a", Variable),
            ("/{a=/x}", EmptySegment),
            ("/{a=x/}", EmptySegment),
            ("/{a}/{a}", RepeatedName),
            ("/{a}/{b}/{c}/{d}/{e}/{f}", TooManyVariables),
        ] {
            assert_eq!(PathTemplate::new(template), Err(error), "{template}");
        }
    }
}

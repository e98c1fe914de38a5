//! A file in YAML or JSON as a tree that knows where everything stands in it.
//!
//! Positions are the reason for a tree of our own: an error that names a line is mended in half the time.

mod field_path;
mod yaml;

use std::fmt;

use serde_json::{Map, Number, Value};

pub(crate) use field_path::{Reach, Site, field, site};

/// A place in a file; both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// A value and its place. The place is missing where JSON was read that YAML's grammar does not know.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) position: Option<Position>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(String, Layout),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// How a text stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Line by line, each behind the same indentation (YAML's `|`).
    Lines,
    /// In quotes, folded, or bare.
    Other,
}

/// A member of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_position: Option<Position>,
    pub(crate) value: Node,
}

/// Why a file is no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct SyntaxError {
    pub(crate) position: Option<Position>,
    pub(crate) problem: String,
}

/// The documents of a file. JSON has one; YAML has as many as are separated by `---`.
pub(crate) fn read(text: &str) -> Result<Vec<Node>, SyntaxError> {
    if !text.trim_start().starts_with(['{', '[']) {
        return yaml::documents(text);
    }
    // What begins like JSON is JSON or YAML in braces. If it is neither, JSON's complaint is the clearer one.
    match (
        serde_json::from_str::<Value>(text),
        yaml::documents(&without_tabs(text)),
    ) {
        (_, Ok(documents)) => Ok(documents),
        (Ok(value), Err(_)) => Ok(vec![Node::unplaced(value)]),
        (Err(error), Err(_)) => Err(SyntaxError {
            position: Some(Position {
                line: error.line(),
                column: error.column(),
            }),
            problem: format!("is no JSON: {}", cause(&error)),
        }),
    }
}

/// JSON within a text: the same tree, its positions as they are in the file around it.
pub(crate) fn read_embedded(text: &str, layout: Layout, start: Option<Position>) -> Result<Node, SyntaxError> {
    // YAML tells where the first line with something in it begins.
    let blank_lines = text.lines().take_while(|line| line.trim().is_empty()).count();
    let place = |position: Position| match layout {
        Layout::Lines => Some(in_lines(start?, position, blank_lines)),
        Layout::Other => start,
    };
    let documents = yaml::documents(&without_tabs(text)).map_err(|error| SyntaxError {
        position: error.position.and_then(place),
        ..error
    })?;
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (Some(mut document), None) => {
            document.place(&place);
            Ok(document)
        }
        _ => Err(SyntaxError {
            position: start,
            problem: "must be one document".to_owned(),
        }),
    }
}

/// The place in the file of a place in a text that stands line by line in it.
pub(crate) fn in_lines(start: Position, within: Position, blank_lines: usize) -> Position {
    Position {
        line: (start.line + within.line).saturating_sub(1 + blank_lines),
        column: start.column + within.column - 1,
    }
}

/// Tabs stand between the tokens of JSON only, and YAML does not take them everywhere.
fn without_tabs(text: &str) -> String {
    text.replace('\t', " ")
}

/// What `serde_json` says, without the place at its end.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_owned()
}

impl Node {
    fn unplaced(value: Value) -> Self {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(flag) => Content::Bool(flag),
            Value::Number(number) => Content::Number(number),
            Value::String(text) => Content::Text(text, Layout::Other),
            Value::Array(elements) => Content::List(elements.into_iter().map(Self::unplaced).collect()),
            Value::Object(members) => {
                let entry = |(key, value)| Entry {
                    key,
                    key_position: None,
                    value: Self::unplaced(value),
                };
                Content::Map(members.into_iter().map(entry).collect())
            }
        };
        Self {
            content,
            position: None,
        }
    }

    fn place(&mut self, to: &impl Fn(Position) -> Option<Position>) {
        self.position = self.position.and_then(to);
        match &mut self.content {
            Content::List(elements) => elements.iter_mut().for_each(|element| element.place(to)),
            Content::Map(entries) => {
                for entry in entries {
                    entry.key_position = entry.key_position.and_then(to);
                    entry.value.place(to);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn elements(&self) -> &[Self] {
        match &self.content {
            Content::List(elements) => elements,
            _ => &[],
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// A member, by the name that protobuf gives it or by its name in JSON.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        field(self, name).map(|entry| &entry.value)
    }

    /// A member of a member and so on.
    pub(crate) fn at(&self, names: &[&str]) -> Option<&Self> {
        names.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The same as JSON, as Envoy hands it to a plugin.
    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(flag) => Value::Bool(*flag),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text, _) => Value::String(text.clone()),
            Content::List(elements) => Value::Array(elements.iter().map(Self::to_json).collect()),
            Content::Map(entries) => {
                let members = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn position(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn json_is_read_as_json_whatever_yaml_thinks_of_it() {
        for text in [
            "{\n\t\"a\": [1, 2.5, -3, true, null, \"x\"]\n}",
            r#"{"a":[1,2.5,-3,true,null,"x"]}"#,
            "{\"a\": [1, 2.5, -3, true, null, \"\\u0078\"]}",
            "a: [1, 2.5, -3, yes, ~, x]",
            "a:\n- 1\n- 2.5\n- -3\n- true\n-\n- 'x'\n",
        ] {
            let documents = read(text).unwrap();
            let expected = serde_json::json!({"a": [1, 2.5, -3, true, null, "x"]});
            assert_eq!(documents[0].to_json(), expected, "{text}");
        }
        let faces = read(r#"{"a": "\ud83d\ude00"}"#).unwrap();
        assert_eq!(faces[0].to_json(), serde_json::json!({"a": "😀"}));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected, problem) in [
            ("{\n  \"a\": 1,\n  \"b\" 2\n}", position(3, 7), "expected `:`"),
            ("a: 1\nb: [1\nc: 2\n", position(3, 2), "illegal"),
            ("a:\n\t- 1\n", position(2, 2), "tab"),
            ("a: 1\nb: 2\na: 3\n", position(3, 1), "has the key \"a\" twice"),
            ("? [1]\n: 2\n", position(1, 3), "key"),
            ("a: *nobody\n", position(1, 4), "anchor"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.position, Some(expected), "{text}: {error}");
            assert!(error.problem.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn embedded_json_is_found_where_it_stands_in_the_file() {
        let file = "x:\n  value: |\n\n    {\n      \"a\": {\n        \"b\": 1\n      }\n    }\n";
        let documents = read(file).unwrap();
        let node = documents[0].at(&["x", "value"]).unwrap();
        let Content::Text(text, layout) = &node.content else {
            panic!("no text")
        };
        let embedded = read_embedded(text, *layout, node.position).unwrap();
        assert_eq!(embedded.at(&["a", "b"]).unwrap().position, Some(position(6, 14)));

        let documents = read("x: '{\"a\": 1}'\n").unwrap();
        let node = documents[0].get("x").unwrap();
        let Content::Text(text, layout) = &node.content else {
            panic!("no text")
        };
        let embedded = read_embedded(text, *layout, node.position).unwrap();
        assert_eq!(embedded.get("a").unwrap().position, Some(position(1, 4)));

        let error = read_embedded("\n{\"a\": 1,\n \"a\": 2}", Layout::Lines, Some(position(5, 3))).unwrap_err();
        assert_eq!(error.position, Some(position(6, 4)), "{error}");
    }

    #[test]
    fn a_few_lines_of_aliases_do_not_fill_the_memory() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{aliases}]");
        }
        assert!(read(&text).unwrap_err().problem.contains("aliases"));
        let deep = "[".repeat(100_000);
        assert!(read(&format!("a: {deep}")).is_err());
    }
}

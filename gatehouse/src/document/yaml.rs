//! YAML, event by event. What plain words mean is read as Envoy reads it: `yes` and `on` are booleans.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, SpannedEventReceiver, Tag};

use super::{Content, Entry, Layout, Node, Position, SyntaxError};

/// Enough for the largest configuration that anybody writes; what aliases multiply beyond it is an attack or an accident.
const MAX_NODES: usize = 2_000_000;
/// Envoy's own messages nest less than half as deep.
const MAX_DEPTH: usize = 200;

/// All documents of a text.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    let loaded = parser.load(&mut builder, true);
    if let Some(error) = builder.error {
        return Err(error);
    }
    loaded.map_err(|error| syntax_error(&error))?;
    Ok(builder.documents)
}

fn syntax_error(error: &ScanError) -> SyntaxError {
    SyntaxError {
        position: Some(Position {
            line: error.marker().line(),
            column: error.marker().col() + 1,
        }),
        problem: format!("is no YAML: {}", error.info()),
    }
}

/// A container that is not closed yet.
enum Open {
    List(Vec<Node>),
    /// The entries so far, and the key that waits for its value.
    Map(Vec<Entry>, Option<(String, Position)>),
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<(Open, Position, usize)>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    error: Option<SyntaxError>,
}

impl<'i> SpannedEventReceiver<'i> for Builder {
    fn on_event(&mut self, event: Event<'i>, span: Span) {
        if self.error.is_some() {
            return;
        }
        let position = Position {
            line: span.start.line(),
            column: span.start.col() + 1,
        };
        let done = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let layout = if style == ScalarStyle::Literal {
                    Layout::Lines
                } else {
                    Layout::Other
                };
                let content = if style == ScalarStyle::Plain && tag.as_deref().is_none_or(|tag| !is_text(tag)) {
                    plain(&text)
                } else {
                    Content::Text(text.into_owned(), layout)
                };
                self.add(content, position, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(Open::List(Vec::new()), position, anchor),
            Event::MappingStart(anchor, _) => self.begin(Open::Map(Vec::new(), None), position, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, position),
            _ => Ok(()),
        };
        self.error = done.err();
    }
}

impl Builder {
    fn begin(&mut self, open: Open, position: Position, anchor: usize) -> Result<(), SyntaxError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(wrong(position, format!("is nested more than {MAX_DEPTH} deep")));
        }
        self.open.push((open, position, anchor));
        Ok(())
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        let Some((open, position, anchor)) = self.open.pop() else {
            return Ok(());
        };
        let content = match open {
            Open::List(elements) => Content::List(elements),
            Open::Map(entries, _) => Content::Map(entries),
        };
        self.add(content, position, anchor)
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), SyntaxError> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(wrong(position, "names an anchor that is not finished yet".to_owned()));
        };
        // The sum of what was copied is bounded before it is copied.
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err(wrong(position, "multiplies aliases beyond all bounds".to_owned()));
        }
        let node = node.clone();
        self.put(node, position)
    }

    fn add(&mut self, content: Content, position: Position, anchor: usize) -> Result<(), SyntaxError> {
        self.nodes += 1;
        let node = Node {
            content,
            position: Some(position),
        };
        if anchor > 0 {
            let size = size(&node);
            self.nodes += size;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.put(node, position)
    }

    fn put(&mut self, node: Node, position: Position) -> Result<(), SyntaxError> {
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some((Open::List(elements), ..)) => elements.push(node),
            Some((Open::Map(entries, waiting), ..)) => match waiting.take() {
                None => *waiting = Some((key(&node, entries, position)?, position)),
                Some((key, key_position)) => entries.push(Entry {
                    key,
                    key_position: Some(key_position),
                    value: node,
                }),
            },
        }
        Ok(())
    }
}

fn wrong(position: Position, problem: String) -> SyntaxError {
    SyntaxError {
        position: Some(position),
        problem,
    }
}

/// A key; one that stands there already is an error: two readers that choose differently would see two configurations.
fn key(node: &Node, entries: &[Entry], position: Position) -> Result<String, SyntaxError> {
    let key = match &node.content {
        Content::Text(text, _) => text.clone(),
        Content::Bool(flag) => flag.to_string(),
        Content::Number(number) => number.to_string(),
        _ => return Err(wrong(position, "is no key; a key must be a text".to_owned())),
    };
    if entries.iter().any(|entry| entry.key == key) {
        return Err(wrong(position, format!("has the key {key:?} twice; keep one of them")));
    }
    Ok(key)
}

fn size(node: &Node) -> usize {
    let below: usize = match &node.content {
        Content::List(elements) => elements.iter().map(size).sum(),
        Content::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
        _ => 0,
    };
    below + 1
}

/// Whether a tag says that what looks like something else is a text: `!!str`, or `!`.
fn is_text(tag: &Tag) -> bool {
    tag.suffix == "str" || tag.suffix.is_empty()
}

fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Content::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Content::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Content::Bool(false),
        _ => {}
    }
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number = || {
        if let Ok(number) = text.parse::<u64>() {
            return Some(number.into());
        }
        if let Ok(number) = text.parse::<i64>() {
            return Some(number.into());
        }
        serde_json::Number::from_f64(text.parse().ok()?)
    };
    match is_number.then(number).flatten() {
        Some(number) => Content::Number(number),
        None => Content::Text(text.to_owned(), Layout::Other),
    }
}

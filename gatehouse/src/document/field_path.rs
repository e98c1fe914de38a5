//! From a field's path, as the filter's errors write it, to the place in a tree.

use super::{Entry, Node, Position};

/// Where a path leads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'n> {
    /// The last value on the way that is there.
    pub(crate) node: &'n Node,
    /// Where its key stands, or it itself where it has none.
    pub(crate) position: Option<Position>,
    /// Whether the way goes on to something that is not there.
    pub(crate) reach: Reach,
}

/// How far a path could be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Whole,
    Part,
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

/// A member of a map, by the name that protobuf gives a field or by the one that JSON gives it.
pub(crate) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Entry> {
    let entries = node.entries();
    let exact = entries.iter().find(|entry| entry.key == name);
    exact.or_else(|| entries.iter().find(|entry| entry.key == camel_case(name)))
}

/// Follows a path as far as it goes.
pub(crate) fn site<'n>(root: &'n Node, path: &str) -> Site<'n> {
    let mut site = Site {
        node: root,
        position: root.position,
        reach: Reach::Whole,
    };
    for step in steps(path) {
        let next = match step {
            Step::Name(name) => field(site.node, &name).map(|entry| (&entry.value, entry.key_position)),
            Step::Index(index) => site.node.elements().get(index).map(|node| (node, node.position)),
        };
        let Some((node, position)) = next else {
            return Site {
                reach: Reach::Part,
                ..site
            };
        };
        site = Site {
            node,
            position: position.or(site.position),
            reach: Reach::Whole,
        };
    }
    site
}

/// `a.b[2]["c.d"]`
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let end = end_of_quoted(quoted);
            let name = quoted.get(..end).unwrap_or(quoted);
            let name = serde_json::from_str(&format!("\"{name}\"")).unwrap_or_else(|_| name.to_owned());
            steps.push(Step::Name(name));
            rest = quoted.get(end..).unwrap_or_default().trim_start_matches("\"]");
        } else if let Some((index, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            steps.extend(index.parse().ok().map(Step::Index));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if !name.is_empty() {
                steps.push(Step::Name(name.to_owned()));
            } else if end == 0 && after.starts_with('[') && !after.contains(']') {
                break;
            }
            rest = after;
        }
    }
    steps
}

fn end_of_quoted(text: &str) -> usize {
    let mut escaped = false;
    for (index, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index,
            _ => {}
        }
    }
    text.len()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_as_the_filter_puts_them_together() {
        let name = |name: &str| Step::Name(name.to_owned());
        for (path, expected) in [
            ("", vec![]),
            ("rules", vec![name("rules")]),
            ("rules[2].match", vec![name("rules"), Step::Index(2), name("match")]),
            (
                "providers[\"a.b\"].issuer",
                vec![name("providers"), name("a.b"), name("issuer")],
            ),
            ("[\"a]\\\"[\"][0]", vec![name("a]\"["), Step::Index(0)]),
            ("a[", vec![name("a")]),
            ("a[\"", vec![name("a"), name("")]),
        ] {
            assert_eq!(steps(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_leads_to_its_place_or_to_the_last_one_on_the_way() {
        let documents =
            super::super::read("providers:\n  a.b:\n    clockSkewSeconds: x\n    audiences: [a, b]\n").unwrap();
        for (path, line, column, reach) in [
            ("providers[\"a.b\"].clock_skew_seconds", 3, 5, Reach::Whole),
            ("providers[\"a.b\"].audiences[1]", 4, 20, Reach::Whole),
            ("providers[\"a.b\"].remote_jwks.http_uri", 2, 3, Reach::Part),
            ("rules", 1, 1, Reach::Part),
        ] {
            let site = site(&documents[0], path);
            assert_eq!(
                (site.position, site.reach),
                (Some(Position { line, column }), reach),
                "{path}"
            );
        }
    }
}

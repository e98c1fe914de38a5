//! The pages about the command show what it really says. `UPDATE_PAGES=1 cargo test -p gatehouse-command --test pages` writes
//! it there anew; what has changed is then for the reader of the difference to judge.
#![allow(clippy::unwrap_used)]
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "what the tests share is more than one of them needs"
)]

mod support;

use support::{gatehouse_in, project};

const BEGIN: &str = "```console\n";
const END: &str = "```\n";

/// A page with each of its examples (a command line behind `$ `) as it would be now, and how many there are.
fn renewed(page: &str) -> (String, usize) {
    let mut blocks = page.split(BEGIN);
    let mut renewed = blocks.next().unwrap().to_owned();
    let mut count = 0;
    for block in blocks {
        let (example, after) = block.split_once(END).unwrap();
        let command = example.lines().next().unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        let ["$", "gatehouse", arguments @ ..] = words.as_slice() else {
            panic!("a block begins with {command}")
        };
        let said = gatehouse_in(&project(""), arguments, "");
        assert_eq!(said.err, "", "{command}");
        renewed.extend([BEGIN, command, "\n", said.out.trim_end(), "\n", END, after]);
        count += 1;
    }
    (renewed, count)
}

#[test]
fn every_example_says_what_stands_below_it() {
    for (page, count) in [("docs/check.md", 2), ("docs/explain.md", 2)] {
        let text = std::fs::read_to_string(project(page)).unwrap();
        let (renewed, examples) = renewed(&text);
        assert_eq!(examples, count, "{page}");
        if std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(project(page), renewed).unwrap();
        } else {
            assert_eq!(text, renewed, "{page}: with UPDATE_PAGES=1 this test writes it anew");
        }
    }
}

//! The page that describes the configuration.

use serde_json::Value;

use super::full;
use crate::config::Config;
use crate::testing::test;

#[test]
fn the_page_of_the_configuration_names_every_field_and_its_examples_are_right() {
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| names(value, found)),
            Value::Object(object) => object.iter().for_each(|(name, value)| {
                found.push(name.clone());
                names(value, found);
            }),
            _ => {}
        }
    }
    let page = include_str!("../../../../docs/filter-configuration.md");
    let mut found = Vec::new();
    names(&full(), &mut found);
    // What is chosen freely is no field.
    found.retain(|name| {
        ![
            "remote",
            "local",
            "found",
            "named",
            "bank",
            "token",
            "one",
            "gold",
            "canary",
            "x-caller",
            "accept-language",
            "cache-control",
            "x-robots-tag",
        ]
        .contains(&name.as_str())
    });
    for name in found {
        assert!(page.contains(&format!("`{name}")), "{name} is not described");
    }
    let examples: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        Config::parse(example.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{example}"));
    }
}

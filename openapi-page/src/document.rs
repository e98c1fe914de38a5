//! As much of OpenAPI 3.1 as the page shows. A member that it does not know is left out, never an error.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Document {
    pub(crate) info: Info,
    #[serde(default)]
    pub(crate) paths: BTreeMap<String, PathItem>,
    #[serde(default)]
    pub(crate) components: Components,
}

#[derive(Deserialize)]
pub(crate) struct Info {
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Components {
    #[serde(default)]
    pub(crate) schemas: BTreeMap<String, Schema>,
}

#[derive(Deserialize)]
pub(crate) struct PathItem {
    get: Option<Operation>,
    put: Option<Operation>,
    post: Option<Operation>,
    patch: Option<Operation>,
    delete: Option<Operation>,
}

impl PathItem {
    /// The operations with their methods, reading first.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&'static str, &Operation)> {
        [
            ("get", &self.get),
            ("post", &self.post),
            ("put", &self.put),
            ("patch", &self.patch),
            ("delete", &self.delete),
        ]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) summary: Option<String>,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) request_body: Option<Body>,
    #[serde(default)]
    pub(crate) responses: BTreeMap<String, Response>,
    #[serde(default)]
    pub(crate) security: Vec<BTreeMap<String, Vec<String>>>,
}

impl Operation {
    /// The scopes of all its ways to be allowed.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.security
            .iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .map(String::as_str)
    }
}

#[derive(Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(rename = "in")]
    pub(crate) place: String,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) schema: Schema,
}

#[derive(Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) content: BTreeMap<String, Media>,
}

#[derive(Deserialize)]
pub(crate) struct Response {
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) content: BTreeMap<String, Media>,
}

#[derive(Deserialize)]
pub(crate) struct Media {
    pub(crate) schema: Option<Schema>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    r#type: Option<Types>,
    format: Option<String>,
    pub(crate) description: Option<String>,
    items: Option<Box<Schema>>,
    #[serde(default, rename = "enum")]
    values: Vec<serde_json::Value>,
    #[serde(default)]
    one_of: Vec<Schema>,
    #[serde(default)]
    pub(crate) properties: BTreeMap<String, Schema>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
}

/// One type or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Types {
    One(String),
    Many(Vec<String>),
}

impl Schema {
    /// In a few words: `integer`, `array of AccountView`, `string (uuid) or null`.
    pub(crate) fn kind(&self) -> String {
        if let Some(reference) = &self.reference {
            return reference.rsplit('/').next().unwrap_or_default().to_owned();
        }
        if !self.values.is_empty() {
            let values: Vec<String> = self.values.iter().map(ToString::to_string).collect();
            return values.join(" or ");
        }
        if !self.one_of.is_empty() {
            let kinds: Vec<String> = self.one_of.iter().map(Self::kind).collect();
            return kinds.join(" or ");
        }
        let types = match &self.r#type {
            None => return String::new(),
            Some(Types::One(one)) => std::slice::from_ref(one),
            Some(Types::Many(many)) => many,
        };
        let kinds: Vec<String> = types.iter().map(|one| self.kind_of(one)).collect();
        kinds.join(" or ")
    }

    fn kind_of(&self, r#type: &str) -> String {
        match (r#type, &self.items, &self.format) {
            ("array", Some(items), _) => format!("array of {}", items.kind()),
            ("null" | "object" | "array", ..) | (_, _, None) => r#type.to_owned(),
            (_, _, Some(format)) => format!("{type} ({format})"),
        }
    }
}

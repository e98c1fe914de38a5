//! An OpenAPI document as a page for people: one piece of HTML without scripts, fonts or pictures from anywhere.
//!
//! Each service writes its own document and serves this page beside it, so both stand in a crate that knows neither HTTP nor
//! any service. What a page of this kind usually is, a program that a browser fetches from somebody's server, would need a
//! weaker Content-Security-Policy than [`CONTENT_SECURITY_POLICY`] on the very host where people send their tokens.

mod document;

use std::collections::BTreeMap;

use askama::Template;

use document::{Body, Document, Operation, Response, Schema};

/// What a browser may do with the page: show it, with the style that stands in it. The hash is of that style.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'sha256-FGhW5HUZI6H4izc7b/rMRR6bCoB5aO6xLbjFp/hagFc='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It is no OpenAPI 3.1 document, or one that says something which this page can't show.
    #[error("the document can't be read: {0}")]
    Document(#[from] serde_json::Error),
    /// The template failed.
    #[error("the page can't be written: {0}")]
    Template(#[from] askama::Error),
}

/// Writes the page. `document` is OpenAPI 3.1 in JSON; `address` is where it can be fetched, seen from the page.
///
/// # Errors
/// When `document` is no such document.
pub fn render(document: &str, address: &str) -> Result<String, PageError> {
    let document: Document = serde_json::from_str(document)?;
    let page = Page {
        title: &document.info.title,
        version: &document.info.version,
        description: document.info.description.as_deref().unwrap_or_default(),
        address,
        operations: document
            .paths
            .iter()
            .flat_map(|(path, item)| {
                item.operations()
                    .map(move |(method, operation)| (path, method, operation))
            })
            .map(|(path, method, operation)| OperationView::new(path, method, operation))
            .collect(),
        schemas: document
            .components
            .schemas
            .iter()
            .map(|(name, schema)| SchemaView::new(name, schema))
            .collect(),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: &'a str,
    version: &'a str,
    description: &'a str,
    address: &'a str,
    operations: Vec<OperationView<'a>>,
    schemas: Vec<SchemaView<'a>>,
}

struct OperationView<'a> {
    method: String,
    path: &'a str,
    summary: &'a str,
    description: &'a str,
    /// What the token must allow; empty where no token is needed.
    scopes: Vec<&'a str>,
    protected: bool,
    parameters: Vec<ParameterView<'a>>,
    body: Vec<ContentView<'a>>,
    body_required: bool,
    responses: Vec<ResponseView<'a>>,
}

struct ParameterView<'a> {
    name: &'a str,
    place: &'a str,
    required: bool,
    kind: String,
    description: &'a str,
}

struct ContentView<'a> {
    media_type: &'a str,
    kind: String,
}

struct ResponseView<'a> {
    status: &'a str,
    description: &'a str,
    content: Vec<ContentView<'a>>,
}

struct SchemaView<'a> {
    name: &'a str,
    description: &'a str,
    members: Vec<MemberView<'a>>,
}

struct MemberView<'a> {
    name: &'a str,
    kind: String,
    required: bool,
    description: &'a str,
}

impl<'a> OperationView<'a> {
    fn new(path: &'a str, method: &str, operation: &'a Operation) -> Self {
        Self {
            method: method.to_uppercase(),
            path,
            summary: operation.summary.as_deref().unwrap_or_default(),
            description: operation.description.as_deref().unwrap_or_default(),
            scopes: operation.scopes().collect(),
            protected: !operation.security.is_empty(),
            parameters: operation
                .parameters
                .iter()
                .map(|parameter| ParameterView {
                    name: &parameter.name,
                    place: &parameter.place,
                    required: parameter.required,
                    kind: parameter.schema.kind(),
                    description: parameter.description.as_deref().unwrap_or_default(),
                })
                .collect(),
            body: operation.request_body.as_ref().map(content).unwrap_or_default(),
            body_required: operation.request_body.as_ref().is_some_and(|body| body.required),
            responses: operation
                .responses
                .iter()
                .map(|(status, response)| ResponseView::new(status, response))
                .collect(),
        }
    }
}

impl<'a> ResponseView<'a> {
    fn new(status: &'a str, response: &'a Response) -> Self {
        Self {
            status,
            description: &response.description,
            content: kinds(&response.content),
        }
    }
}

impl<'a> SchemaView<'a> {
    fn new(name: &'a str, schema: &'a Schema) -> Self {
        let members = schema.properties.iter().map(|(member, kind)| MemberView {
            name: member,
            kind: kind.kind(),
            required: schema.required.contains(member),
            description: kind.description.as_deref().unwrap_or_default(),
        });
        Self {
            name,
            description: schema.description.as_deref().unwrap_or_default(),
            members: members.collect(),
        }
    }
}

fn content(body: &Body) -> Vec<ContentView<'_>> {
    kinds(&body.content)
}

fn kinds(content: &BTreeMap<String, document::Media>) -> Vec<ContentView<'_>> {
    content
        .iter()
        .map(|(media_type, media)| ContentView {
            media_type,
            kind: media.schema.as_ref().map(Schema::kind).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests;

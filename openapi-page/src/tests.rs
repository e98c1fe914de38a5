#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{CONTENT_SECURITY_POLICY, render};

const DOCUMENT: &str = r##"{
  "openapi": "3.1.0",
  "info": {"title": "Shop <&>", "version": "1.2.3", "description": "What is for sale."},
  "paths": {
    "/orders/{id}/": {
      "summary": "not shown",
      "get": {
        "summary": "One order",
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}],
        "responses": {"200": {"description": "The order", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
        "security": [{"bearer": ["orders.read", "orders.list"]}]
      },
      "post": {
        "requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}}},
        "responses": {"204": {"description": "Done"}}
      }
    }
  },
  "components": {"schemas": {"Order": {
    "type": "object", "description": "<script>alert(1)</script>", "required": ["id"],
    "properties": {
      "id": {"type": "string", "format": "uuid", "description": "Its \"name\""},
      "note": {"type": ["string", "null"]},
      "state": {"type": "string", "enum": ["open", "closed"]}
    }
  }}}
}"##;

#[test]
fn the_page_shows_operations_answers_and_schemas() {
    let page = render(DOCUMENT, "../openapi.json").unwrap();
    for shown in [
        "Version 1.2.3",
        "What is for sale.",
        "href=\"../openapi.json\"",
        "<code>/orders/{id}/</code> One order",
        "Needs a bearer token with <code>orders.read</code> and <code>orders.list</code>.",
        "<td><code>id</code> (required)</td><td>path</td><td>string (uuid)</td>",
        "<td>200</td><td>The order</td><td><code>application/json</code> Order",
        "Body (may be left out): <code>application/json</code> array of Order",
        "Public.",
        "<td><code>note</code></td><td>string or null</td>",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    assert!(!page.contains("not shown"));
}

#[test]
fn nothing_of_the_document_becomes_markup() {
    let page = render(DOCUMENT, "\"><script>").unwrap();
    assert!(!page.contains("<script") && !page.contains("Shop <&>"), "{page}");
}

#[test]
fn the_page_asks_nobody_for_anything_and_its_style_is_the_one_that_is_allowed() {
    let page = render(DOCUMENT, "../openapi.json").unwrap();
    assert!(!page.contains("src=") && !page.contains("http") && !page.contains("@import") && !page.contains(" style="));
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, rest) = rest.split_once("</style>").unwrap();
    assert!(!rest.contains("<style>"));
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(CONTENT_SECURITY_POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
}

#[test]
fn what_is_no_openapi_document_is_an_error() {
    for document in ["", "[]", "{}", "{\"info\": {\"title\": 1, \"version\": \"1\"}}"] {
        assert!(render(document, "x").is_err(), "{document}");
    }
}

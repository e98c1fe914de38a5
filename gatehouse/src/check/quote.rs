//! What stands in a field, where it helps to see it and harms nobody.

use filter::config::{ConfigError, Subject};

use crate::document::{Content, Reach, Site};

/// More would hide the message.
const MAX_CHARS: usize = 60;

/// Parts of paths under which secrets stand.
const SECRET_PLACES: [&str; 6] = ["jwks", "secret", "password", "passphrase", "private", "credential"];

/// The value, cut to a sane length. Not where it may be a secret: key material, or a field of which nobody knows what it
/// holds; and never a token.
pub(super) fn quoted(site: &Site<'_>, error: &ConfigError) -> Option<String> {
    if site.reach == Reach::Part || error.subject == Subject::Name {
        return None;
    }
    let path = error.path.to_ascii_lowercase();
    let is_remote_key_set = path.contains("remote_jwks");
    if !is_remote_key_set && SECRET_PLACES.iter().any(|place| path.contains(place)) {
        return None;
    }
    match &site.node.content {
        Content::Text(text, _) if is_token(text) => Some("(a token)".to_owned()),
        Content::Text(text, _) => Some(format!("{:?}", cut(text))),
        Content::Null => Some("null".to_owned()),
        Content::Bool(flag) => Some(flag.to_string()),
        Content::Number(number) => Some(number.to_string()),
        Content::List(_) | Content::Map(_) => None,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whether there may be a token in it, or a key: long words without blanks.
fn is_token(text: &str) -> bool {
    text.contains("eyJ") || text.contains("-----BEGIN")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{read, site};

    #[test]
    fn values_are_shown_unless_they_may_be_secret() {
        let text = format!(
            "timeout: 5m\nlong: {}\nlocal_jwks: {{inline_string: abc}}\nremote_jwks: {{cache_duration: 5}}\n\
             token: Bearer eyJhbGciOiJub25lIn0.e30.abc\nlist: [1]\nflag: yes\nnothing: ~\nclient_secret: abc\n",
            "x".repeat(100)
        );
        let documents = read(&text).unwrap();
        for (path, subject, expected) in [
            ("timeout", Subject::Value, Some("\"5m\"".to_owned())),
            ("timeout", Subject::Name, None),
            ("long", Subject::Value, Some(format!("\"{}…\"", "x".repeat(60)))),
            ("local_jwks.inline_string", Subject::Value, None),
            ("remote_jwks.cache_duration", Subject::Value, Some("5".to_owned())),
            ("remote_jwks.http_uri", Subject::Value, None),
            ("token", Subject::Value, Some("(a token)".to_owned())),
            ("list", Subject::Value, None),
            ("list[0]", Subject::Value, Some("1".to_owned())),
            ("flag", Subject::Value, Some("true".to_owned())),
            ("nothing", Subject::Value, Some("null".to_owned())),
            ("client_secret", Subject::Value, None),
        ] {
            let error = ConfigError {
                path: path.to_owned(),
                problem: String::new(),
                subject,
            };
            assert_eq!(quoted(&site(&documents[0], path), &error), expected, "{path}");
        }
    }
}

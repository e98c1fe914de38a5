//! Values made of constants, claims and parts of the request: `{claims.tenant}/{request.method}`.
//!
//! What is filled in can't be taken for what stands around it: a value that stands alone is written as a claim's header is,
//! one among others is percent-encoded but for what RFC 3986 calls unreserved. So two callers who differ never get the same
//! value by choosing their names well.

use jose::json::Object;

use super::claims::{ClaimPath, UnusableClaim, header_text, plain_text};
use crate::request::Request;
use crate::service::percent_encoded;

/// What a template may ask for, as it is written.
const HOLES: &str = "{claims.NAME}, {claims[\"NAME\"]}, {request.method}, {request.host}, {request.path}, \
                     {request.scheme}, {request.id}, {service}";

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without `}`
    #[error("has a {{ that is never closed; write {{{{ for the character itself")]
    Unclosed,
    /// `}` without `{`
    #[error("has a }} that closes nothing; write }}}} for the character itself")]
    Stray,
    /// Something that there is not.
    #[error("asks for {{{0}}}, which there is not; there are {HOLES}")]
    Unknown(String),
    /// Two values in one.
    #[error("has two values side by side, of which nobody could tell where one ends; put something between them")]
    Adjacent,
    /// A character that a header can't carry.
    #[error("holds something other than visible ASCII and blanks inside it, which no header carries unharmed")]
    NotPlain,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Claim(ClaimPath),
    Method,
    Host,
    Path,
    Scheme,
    Id,
    Service,
}

/// A value with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueTemplate(Vec<Piece>);

/// What fills the holes.
#[derive(Debug)]
pub struct Facts<'f, R> {
    /// The request as it came.
    pub request: &'f R,
    /// Its path, as the gate reads it.
    pub path: &'f [u8],
    /// The claims of the caller, if there is one.
    pub claims: Option<&'f Object>,
    /// The service's name, if there is one.
    pub service: Option<&'f str>,
}

impl ValueTemplate {
    /// Reads a template. An empty text is one of an empty value.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if !is_plain(text) {
            return Err(TemplateError::NotPlain);
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut constant = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(place);
            constant.push_str(before);
            if let Some(after) = after.strip_prefix("{{") {
                constant.push('{');
                rest = after;
            } else if let Some(after) = after.strip_prefix("}}") {
                constant.push('}');
                rest = after;
            } else if let Some(after) = after.strip_prefix('{') {
                let (hole, after) = after.split_once('}').ok_or(TemplateError::Unclosed)?;
                if !constant.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut constant)));
                } else if !pieces.is_empty() {
                    return Err(TemplateError::Adjacent);
                }
                pieces.push(Piece::parse(hole).ok_or_else(|| TemplateError::Unknown(hole.to_owned()))?);
                rest = after;
            } else {
                return Err(TemplateError::Stray);
            }
        }
        constant.push_str(rest);
        if !constant.is_empty() {
            pieces.push(Piece::Text(constant));
        }
        Ok(Self(pieces))
    }

    /// The value for a request; none where something that it is made of is not there.
    pub fn value<R: Request>(&self, facts: &Facts<'_, R>) -> Result<Option<Vec<u8>>, UnusableClaim> {
        if let [alone] = &self.0[..] {
            return alone.alone(facts);
        }
        let mut value = Vec::new();
        for piece in &self.0 {
            let Some(part) = piece.among_others(facts)? else {
                return Ok(None);
            };
            value.extend_from_slice(&part);
        }
        Ok(Some(value))
    }
}

/// Whether a header carries a text as it is: visible ASCII, and blanks inside it.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

impl Piece {
    fn parse(hole: &str) -> Option<Self> {
        Some(match hole {
            "request.method" => Self::Method,
            "request.host" => Self::Host,
            "request.path" => Self::Path,
            "request.scheme" => Self::Scheme,
            "request.id" => Self::Id,
            "service" => Self::Service,
            other => Self::Claim(claim_path(other.strip_prefix("claims")?)?),
        })
    }

    fn alone<R: Request>(&self, facts: &Facts<'_, R>) -> Result<Option<Vec<u8>>, UnusableClaim> {
        Ok(match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Claim(claim) => match self.claim_text(claim, facts)? {
                Some(text) => Some(header_text(&text)?),
                None => None,
            },
            // What HTTP lets through in these is visible ASCII but for odd bytes in a path or an id.
            _ => self.of_request(facts).map(|bytes| encoded(bytes, u8::is_ascii_graphic)),
        })
    }

    fn among_others<R: Request>(&self, facts: &Facts<'_, R>) -> Result<Option<Vec<u8>>, UnusableClaim> {
        let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        Ok(match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Claim(claim) => self
                .claim_text(claim, facts)?
                .map(|text| encoded(text.as_bytes(), unreserved)),
            // A path is encoded already, and its slashes are what one reads it by.
            Self::Path => self
                .of_request(facts)
                .map(|bytes| encoded(bytes, |byte| unreserved(byte) || b"/%".contains(byte))),
            _ => self.of_request(facts).map(|bytes| encoded(bytes, unreserved)),
        })
    }

    #[allow(clippy::unused_self, reason = "beside its neighbour")]
    fn claim_text<R>(&self, claim: &ClaimPath, facts: &Facts<'_, R>) -> Result<Option<String>, UnusableClaim> {
        plain_text(facts.claims.and_then(|claims| claim.find(claims)))
    }

    fn of_request<'f, R: Request>(&self, facts: &Facts<'f, R>) -> Option<&'f [u8]> {
        let bytes = match self {
            Self::Text(_) | Self::Claim(_) => None,
            Self::Method => facts.request.first(":method"),
            Self::Host => facts.request.first(":authority"),
            Self::Path => Some(facts.path),
            Self::Scheme => facts.request.first(":scheme"),
            Self::Id => facts.request.first("x-request-id"),
            Self::Service => facts.service.map(str::as_bytes),
        };
        bytes.filter(|bytes| !bytes.is_empty())
    }
}

fn encoded(bytes: &[u8], is_kept: impl Fn(&u8) -> bool) -> Vec<u8> {
    let mut value = String::with_capacity(bytes.len());
    for byte in bytes {
        if is_kept(byte) {
            value.push(char::from(*byte));
        } else {
            value.extend(percent_encoded(*byte));
        }
    }
    value.into_bytes()
}

/// `.tenant.id`, `["https://a.example/tenant"].id`: the names on the way to a claim.
fn claim_path(text: &str) -> Option<ClaimPath> {
    let mut names = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = if let Some(quoted) = rest.strip_prefix("[\"") {
            quoted.split_once("\"]")?
        } else {
            let plain = rest.strip_prefix('.')?;
            plain.split_at(plain.find(['.', '[']).unwrap_or(plain.len()))
        };
        if name.is_empty() {
            return None;
        }
        names.push(name.to_owned());
        rest = after;
    }
    (!names.is_empty()).then(|| ClaimPath::new(names))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{request, test};

    fn value(template: &str) -> Result<Option<String>, UnusableClaim> {
        let claims = jose::json::parse(
            r#"{"sub":"alice","tenant":{"id":"a/b"},"https://x.example/plan":"gold","n":7,"name":"José","list":["a"],
                "bad":"a\nb","":"x","empty":"","null":null,"slash":"x/GET"}"#
                .as_bytes(),
        )
        .unwrap();
        let request = request(&[
            (":method", "GET"),
            (":authority", "gate:8080"),
            (":scheme", "https"),
            (":path", "/bank/a%20b?x=1"),
            ("x-request-id", "id-1"),
        ]);
        let facts = Facts {
            request: &request,
            path: b"/bank/a%20b",
            claims: claims.as_object(),
            service: Some("bank"),
        };
        let value = ValueTemplate::parse(template).unwrap().value(&facts)?;
        Ok(value.map(|bytes| String::from_utf8(bytes).unwrap()))
    }

    #[test]
    fn holes_are_filled_so_that_nothing_can_be_mistaken() {
        for (template, expected) in [
            ("gatehouse", Some("gatehouse")),
            ("a b", Some("a b")),
            ("{{}} 100%", Some("{} 100%")),
            ("{claims.sub}", Some("alice")),
            ("{claims.tenant.id}", Some("a/b")),
            ("{claims.name}", Some("UTF-8''Jos%C3%A9")),
            ("{claims[\"https://x.example/plan\"]}", Some("gold")),
            ("{claims[\"tenant\"].id}", Some("a/b")),
            ("{claims.n}", Some("7")),
            ("{claims.list}", Some("WyJhIl0=")),
            ("{claims.tenant.id}/{request.method}", Some("a%2Fb/GET")),
            ("{claims.slash}/{request.method}", Some("x%2FGET/GET")),
            ("{claims.name};{claims.list}", Some("Jos%C3%A9;WyJhIl0%3D")),
            ("{request.method} {request.path}", Some("GET /bank/a%20b")),
            ("{request.host}", Some("gate:8080")),
            ("{request.scheme}://{request.host}", Some("https://gate%3A8080")),
            ("{request.id}-{service}", Some("id-1-bank")),
            ("{claims.absent}", None),
            ("{claims.empty}", None),
            ("{claims.null}", None),
            ("{claims.sub.deeper}", None),
            ("user-{claims.absent}", None),
            ("", Some("")),
        ] {
            assert_eq!(value(template).unwrap().as_deref(), expected, "{template}");
        }
        for template in ["{claims.bad}", "user-{claims.bad}"] {
            assert_eq!(value(template), Err(UnusableClaim), "{template}");
        }
    }

    #[test]
    fn a_text_that_could_mean_two_things_is_no_template() {
        for (text, expected) in [
            ("{claims.sub", TemplateError::Unclosed),
            ("a}", TemplateError::Stray),
            ("{claims.sub}}", TemplateError::Stray),
            ("{}", TemplateError::Unknown(String::new())),
            ("{claims}", TemplateError::Unknown("claims".to_owned())),
            ("{claims.}", TemplateError::Unknown("claims.".to_owned())),
            ("{claims.a..b}", TemplateError::Unknown("claims.a..b".to_owned())),
            ("{claims[a]}", TemplateError::Unknown("claims[a]".to_owned())),
            ("{claimsub}", TemplateError::Unknown("claimsub".to_owned())),
            ("{request.body}", TemplateError::Unknown("request.body".to_owned())),
            ("{claims.a}{claims.b}", TemplateError::Adjacent),
            (" a", TemplateError::NotPlain),
            ("a\r\nb", TemplateError::NotPlain),
            ("a\tb", TemplateError::NotPlain),
            ("é", TemplateError::NotPlain),
        ] {
            assert_eq!(ValueTemplate::parse(text), Err(expected), "{text:?}");
        }
        let told = TemplateError::Unknown("x".to_owned()).to_string();
        assert!(
            told.starts_with("asks for {x}, which there is not; there are {claims.NAME}"),
            "{told}"
        );
    }
}

//! Who asks for what: all that a service's conditions can look at.

use jose::Claims;
use jose::json::Object;

use crate::cel::Facts;
use crate::headers::Sanitiser;
use crate::request::Request;

/// A request to a service, and whose it is.
#[derive(Debug)]
pub struct Question<'q, R> {
    /// The request.
    pub request: &'q R,
    /// Its path, in the form in which services see it.
    pub path: &'q str,
    /// The claims of the token that let it in; none where the service is public.
    pub claims: Option<&'q Claims>,
    /// The service's name.
    pub service: &'q str,
    /// The names that only the gate may set: a client's copies of them decide nothing.
    pub sanitiser: &'q Sanitiser,
}

impl<R> Question<'_, R> {
    /// The claims as they stand; none of them where there is no token, which then has neither scopes nor anything else.
    pub(super) fn raw_claims(&self) -> &Object {
        static NOTHING: Object = Object::new();
        self.claims.map_or(&NOTHING, Claims::raw)
    }
}

impl<R: Request> Facts for Question<'_, R> {
    fn claims(&self) -> Option<&Object> {
        self.claims.map(Claims::raw)
    }

    fn method(&self) -> &[u8] {
        self.request.method()
    }

    fn path(&self) -> &str {
        self.path
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        if self.sanitiser.trusts(name.as_bytes()) {
            return None;
        }
        let mut headers = self.request.headers();
        headers.find_map(|(candidate, value)| candidate.eq_ignore_ascii_case(name.as_bytes()).then_some(value))
    }

    fn service(&self) -> &str {
        self.service
    }
}

//! Issuer discovery: the issuer's metadata tell where its key set is.
//!
//! `OpenID` Connect Discovery 1.0 (section 4) and RFC 8414 (section 3) say the same with two addresses. Only clusters that the
//! configuration names are ever asked, and the key set must be where the configuration expects it: whoever can change the
//! metadata can't make Envoy ask others.

use std::time::Duration;

use jose::json;

use super::{DocumentError, Endpoint};

/// The kinds of metadata documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetadataKind {
    /// `OpenID` Connect Discovery 1.0, section 4: the name is put behind the issuer.
    OpenId,
    /// RFC 8414, section 3.1: the name is put between the issuer's host and its path.
    OAuth,
}

/// Which documents are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataChoice {
    /// That of `OpenID` Connect, and where there is none (404), that of RFC 8414.
    #[default]
    Either,
    /// This one alone.
    Only(MetadataKind),
}

/// How an issuer's key set is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    issuer: String,
    /// The issuer as an address.
    base: Endpoint,
    /// Which documents are asked for.
    pub choice: MetadataChoice,
    /// The cluster that is asked for the key set.
    pub keys_cluster: String,
    /// The host and port that the key set's address must have, if they are not the issuer's.
    pub keys_authority: Option<String>,
    /// How long a document counts as fresh.
    pub document_duration: Duration,
}

impl Discovery {
    /// Of an issuer that one cluster serves. `None` if the issuer is no URI that names a document: those have neither query
    /// nor fragment (RFC 8414, section 2).
    #[must_use]
    pub fn new(issuer: &str, cluster: &str, document_duration: Duration) -> Option<Self> {
        let base = Endpoint::new(cluster, issuer).filter(|base| !base.path.contains('?'))?;
        Some(Self {
            issuer: issuer.to_owned(),
            base,
            choice: MetadataChoice::default(),
            keys_cluster: cluster.to_owned(),
            keys_authority: None,
            document_duration,
        })
    }

    /// The kind of document that is asked for first.
    #[must_use]
    pub fn first(&self) -> MetadataKind {
        match self.choice {
            MetadataChoice::Either => MetadataKind::OpenId,
            MetadataChoice::Only(kind) => kind,
        }
    }

    /// The kind that is asked for where there is no document of this one.
    #[must_use]
    pub fn instead_of(&self, kind: MetadataKind) -> Option<MetadataKind> {
        (self.choice == MetadataChoice::Either && kind == MetadataKind::OpenId).then_some(MetadataKind::OAuth)
    }

    /// Where a document is.
    #[must_use]
    pub fn document(&self, kind: MetadataKind) -> Endpoint {
        // Both take one closing slash off the issuer.
        let path = self.base.path.strip_suffix('/').unwrap_or(&self.base.path);
        let path = match kind {
            MetadataKind::OpenId => format!("{path}/.well-known/openid-configuration"),
            MetadataKind::OAuth => format!("/.well-known/oauth-authorization-server{path}"),
        };
        Endpoint {
            path,
            ..self.base.clone()
        }
    }

    /// Where the key set is, by what the document says. The document must be this issuer's, letter by letter
    /// (Discovery, section 4.3; RFC 8414, section 3.3).
    pub fn read(&self, document: &[u8]) -> Result<Endpoint, DocumentError> {
        let document = json::parse(document).map_err(DocumentError::NotMetadata)?;
        let member = |name: &str| document.as_object().and_then(|members| members.get(name)?.as_str());
        if member("issuer") != Some(&self.issuer) {
            return Err(DocumentError::WrongIssuer(self.issuer.clone()));
        }
        self.accept(member("jwks_uri").ok_or(DocumentError::NoAddress)?)
    }

    /// An address of a key set, if it is one that may be asked.
    pub fn accept(&self, uri: &str) -> Result<Endpoint, DocumentError> {
        let keys = Endpoint::new(&self.keys_cluster, uri).ok_or(DocumentError::NoAddress)?;
        // Section 3 of Discovery asks for https; a mesh that speaks http inside may go on to do so.
        if self.base.scheme == "https" && keys.scheme != "https" {
            return Err(DocumentError::PlainAddress);
        }
        let expected = Endpoint {
            scheme: keys.scheme.clone(),
            authority: self
                .keys_authority
                .clone()
                .unwrap_or_else(|| self.base.authority.clone()),
            ..keys.clone()
        };
        if keys.origin() != expected.origin() {
            return Err(DocumentError::ForeignAddress {
                found: keys.authority,
                expected: expected.authority,
            });
        }
        Ok(keys)
    }

    /// All that tells this discovery from others.
    #[must_use]
    pub fn identity(&self) -> String {
        format!(
            "{} of {} in {:?}, keys at {} of {}",
            self.issuer,
            self.base.cluster,
            self.choice,
            self.keys_authority.as_deref().unwrap_or_default(),
            self.keys_cluster
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::testing::test;

    fn discovery(issuer: &str) -> Discovery {
        Discovery::new(issuer, "issuer", Duration::from_hours(1)).unwrap()
    }

    #[test]
    fn documents_are_where_the_two_specifications_put_them() {
        for (issuer, open_id, oauth) in [
            (
                "https://a.test",
                "https://a.test/.well-known/openid-configuration",
                "https://a.test/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.test/",
                "https://a.test/.well-known/openid-configuration",
                "https://a.test/.well-known/oauth-authorization-server",
            ),
            (
                "http://a.test:8080/one/two",
                "http://a.test:8080/one/two/.well-known/openid-configuration",
                "http://a.test:8080/.well-known/oauth-authorization-server/one/two",
            ),
            (
                "https://a.test/one/",
                "https://a.test/one/.well-known/openid-configuration",
                "https://a.test/.well-known/oauth-authorization-server/one",
            ),
        ] {
            let discovery = discovery(issuer);
            assert_eq!(discovery.document(MetadataKind::OpenId).uri(), open_id);
            assert_eq!(discovery.document(MetadataKind::OAuth).uri(), oauth);
        }
    }

    #[test]
    fn an_issuer_that_names_no_document_can_not_be_discovered() {
        for issuer in [
            "",
            "issuer",
            "urn:issuer",
            "https://a.test/?x=1",
            "https://a.test/#x",
            "ftp://a.test",
        ] {
            assert_eq!(Discovery::new(issuer, "issuer", Duration::ZERO), None, "{issuer}");
        }
    }

    fn said(discovery: &Discovery, document: &str) -> String {
        match discovery.read(document.as_bytes()) {
            Ok(endpoint) => endpoint.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn keys_may_be_at_the_issuers_host_or_at_the_one_that_the_configuration_names() {
        for (issuer, authority, uri, expected) in [
            (
                "https://a.test",
                None,
                "https://A.test:443/k",
                "https://A.test:443/k at the cluster c",
            ),
            (
                "http://a:8080",
                None,
                "http://a:8080/k?v=1",
                "http://a:8080/k?v=1 at the cluster c",
            ),
            (
                "http://a:8080",
                None,
                "https://a:8080/k",
                "https://a:8080/k at the cluster c",
            ),
            (
                "https://a.test",
                Some("b.test"),
                "https://b.test/k",
                "https://b.test/k at the cluster c",
            ),
            (
                "https://a.test",
                Some("b.test"),
                "https://a.test/k",
                "its jwks_uri is at a.test, not at b.test",
            ),
            (
                "https://a.test",
                None,
                "https://b.test/k",
                "its jwks_uri is at b.test, not at a.test",
            ),
            (
                "https://a.test",
                None,
                "https://a.test:8443/k",
                "its jwks_uri is at a.test:8443, not at a.test",
            ),
            (
                "https://a.test",
                None,
                "https://169.254.169.254/k",
                "its jwks_uri is at 169.254.169.254",
            ),
            ("https://a.test", None, "https://a.test@b.test/k", "it has no jwks_uri"),
            (
                "https://a.test",
                None,
                "http://a.test/k",
                "its jwks_uri is http, though the issuer is https",
            ),
            ("https://a.test", None, "file:///etc/passwd", "it has no jwks_uri"),
            ("https://a.test", None, "/k", "it has no jwks_uri"),
        ] {
            let discovery = Discovery {
                keys_cluster: "c".to_owned(),
                keys_authority: authority.map(str::to_owned),
                ..discovery(issuer)
            };
            let said = said(&discovery, &json!({"issuer": issuer, "jwks_uri": uri}).to_string());
            assert!(said.starts_with(expected), "{uri}: {said}");
        }
    }

    #[test]
    fn a_document_counts_if_it_is_the_issuers_letter_by_letter() {
        for (document, expected) in [
            (
                r#"{"issuer":"https://a.test","jwks_uri":"https://a.test/k"}"#,
                "https://a.test/k",
            ),
            (
                r#"{"issuer":"https://a.test/","jwks_uri":"https://a.test/k"}"#,
                "its issuer is not exactly https://a.test, the provider's",
            ),
            (
                r#"{"issuer":"https://A.test","jwks_uri":"https://a.test/k"}"#,
                "its issuer is not exactly",
            ),
            (
                r#"{"issuer":["https://a.test"],"jwks_uri":"https://a.test/k"}"#,
                "its issuer is not exactly",
            ),
            (r#"{"jwks_uri":"https://a.test/k"}"#, "its issuer is not exactly"),
            ("[]", "its issuer is not exactly"),
            (r#"{"issuer":"https://a.test"}"#, "it has no jwks_uri"),
            (r#"{"issuer":"https://a.test","jwks_uri":7}"#, "it has no jwks_uri"),
            ("<html>", "no JSON object of issuer metadata"),
            (
                r#"{"issuer":"https://a.test","issuer":"https://a.test"}"#,
                "no JSON object of issuer metadata",
            ),
        ] {
            let said = said(&discovery("https://a.test"), document);
            assert!(said.starts_with(expected), "{document}: {said}");
        }
    }

    #[test]
    fn the_second_document_is_asked_for_only_where_either_will_do() {
        let either = discovery("https://a.test");
        assert_eq!(either.first(), MetadataKind::OpenId);
        assert_eq!(either.instead_of(MetadataKind::OpenId), Some(MetadataKind::OAuth));
        assert_eq!(either.instead_of(MetadataKind::OAuth), None);
        for kind in [MetadataKind::OpenId, MetadataKind::OAuth] {
            let only = Discovery {
                choice: MetadataChoice::Only(kind),
                ..either.clone()
            };
            assert_eq!((only.first(), only.instead_of(kind)), (kind, None));
        }
    }
}

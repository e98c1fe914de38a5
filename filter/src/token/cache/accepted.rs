//! What becomes of a token that a provider accepted, worked out once and used as often as the token comes.

use std::sync::Arc;

use jose::claims::{AUTHORIZED_PARTY, CLIENT_ID};
use jose::json::Value;
use jose::{Claims, KeyIdentity, UnverifiedToken, VerifiedToken};

use crate::config::Provider;
use crate::headers::{UnusableClaim, header_text};
use crate::metadata::MetadataEntry;

/// A token that was verified, and what its provider makes of it. It holds the key's identity and not the key, which would
/// outlive its removal from the set.
#[derive(Debug)]
pub struct Accepted {
    token: UnverifiedToken,
    key: KeyIdentity,
    headers: Vec<Option<Result<Vec<u8>, UnusableClaim>>>,
    metadata: Vec<MetadataEntry>,
    caller: Arc<Caller>,
}

/// Who is asking, as access logs need it: each a line of visible ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `sub`
    pub subject: Option<String>,
    /// `iss`
    pub issuer: Option<String>,
    /// `azp`, else `client_id`: the client that the token was issued to.
    pub client: Option<String>,
    /// The id of the key that vouches for the token, or the one that the token names where the key has none.
    pub key_id: Option<String>,
}

impl Accepted {
    /// What the provider makes of a token that passed with it.
    #[must_use]
    pub fn new(provider: &Provider, token: &VerifiedToken) -> Self {
        let claims = token.claims().raw();
        // What can't be written is remembered, not refused here: no allowance may forgive it, since the token is good.
        let mut headers: Vec<_> = provider
            .claim_headers
            .iter()
            .map(|header| header.value(claims).transpose())
            .collect();
        let payload = provider.payload_header.as_ref();
        headers.extend(payload.map(|header| Some(Ok(header.value(token.payload_segment())))));
        headers.shrink_to_fit();
        let caller = Arc::new(Caller::of(token));
        Self {
            token: token.as_unverified().clone(),
            key: token.key().identity(),
            headers,
            metadata: provider.metadata.accepted(token.as_unverified()),
            caller,
        }
    }

    /// The token.
    pub(super) fn token(&self) -> &UnverifiedToken {
        &self.token
    }

    /// What it says; a key vouched for it.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.token.claims_unverified()
    }

    /// The key that vouches for it.
    #[must_use]
    pub fn key(&self) -> KeyIdentity {
        self.key
    }

    /// The headers that its claims become, in the order of [`Provider::header_names`]; none where a claim makes no header.
    pub fn headers(&self) -> impl Iterator<Item = &Option<Result<Vec<u8>, UnusableClaim>>> {
        self.headers.iter()
    }

    /// What is noted of it.
    #[must_use]
    pub fn metadata(&self) -> &[MetadataEntry] {
        &self.metadata
    }

    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// How much memory this takes beside the token, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let values = self.headers.iter().flatten().flatten();
        let entries = self.metadata.iter();
        size_of::<Self>()
            + self.headers.capacity() * size_of::<Option<Result<Vec<u8>, UnusableClaim>>>()
            + values.map(Vec::capacity).sum::<usize>()
            + self.metadata.capacity() * size_of::<MetadataEntry>()
            + entries
                .map(|entry| entry.key.capacity() + entry.value.capacity())
                .sum::<usize>()
            + self.caller.memory()
    }
}

impl Caller {
    fn of(token: &VerifiedToken) -> Self {
        let claims = token.claims();
        let claim = |name: &str| claims.get(name).and_then(Value::as_str);
        Self {
            subject: claims.subject().and_then(line),
            issuer: claims.issuer().and_then(line),
            client: claim(AUTHORIZED_PARTY).or_else(|| claim(CLIENT_ID)).and_then(line),
            key_id: token.key().key_id().or(token.header().key_id()).and_then(line),
        }
    }

    fn memory(&self) -> usize {
        let texts = [&self.subject, &self.issuer, &self.client, &self.key_id]
            .into_iter()
            .flatten();
        size_of::<Self>() + texts.map(String::capacity).sum::<usize>()
    }
}

/// Text as one line of visible ASCII; none where it holds control characters.
fn line(text: &str) -> Option<String> {
    String::from_utf8(header_text(text).ok()?).ok()
}

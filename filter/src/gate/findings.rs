//! What the hearing of a request found out, for the steps that follow it.
//!
//! Apart from the hearing because it outlives it: the hearing decides which tokens pass, this knows what that means for the
//! request, and by which of them the caller is known.

use std::sync::Arc;

use jose::Claims;

use super::RouteCache;
use super::contested::Contested;
use crate::config::Provider;
use crate::headers::{FoldedName, UnusableClaim};
use crate::keys::ProviderId;
use crate::metadata::MetadataEntry;
use crate::refusal::Reason;
use crate::service::Service;
use crate::token::{Accepted, Caller, Place, Spent};

/// What is known of a request so far.
#[derive(Debug, Default)]
pub(super) struct Findings<'c> {
    /// The tokens that passed, in the order in which they did, and who accepted them.
    pub(super) tokens: Vec<(ProviderId, Arc<Accepted>)>,
    /// The headers that their claims became.
    pub(super) headers: Vec<(&'c str, Result<Vec<u8>, UnusableClaim>)>,
    /// The places of those that do not go on.
    pub(super) spent: Spent<'c>,
    /// The tokens that what is asked for now has refused so far, and the native filter maybe not.
    pub(super) contested: Contested<'c>,
    /// The headers that say that a token failed.
    pub(super) marks: Vec<String>,
    /// What is noted of tokens, passed or failed.
    pub(super) metadata: Vec<MetadataEntry>,
    /// What becomes of the route.
    pub(super) route: RouteCache,
}

impl<'c> Findings<'c> {
    /// Takes a token for what it says, whether it is known or was verified just now: its claims become headers, and it
    /// leaves the request, unless it goes on.
    pub(super) fn accept(&mut self, id: ProviderId, provider: &'c Provider, place: &'c Place, accepted: Arc<Accepted>) {
        self.headers.extend(headers(provider, &accepted));
        if !provider.forward {
            self.spent.add(place);
        }
        if provider.clear_route_cache {
            self.route = RouteCache::Clear;
        }
        self.note(accepted.metadata().iter().cloned());
        self.tokens.push((id, accepted));
    }

    /// Sees to it that the headers speak of the caller whom the service judges. Of several tokens that passed, another may
    /// have had the last word about a name: then the service would let in one caller and hear of the other.
    pub(super) fn speak_for(&mut self, service: &Service, providers: &'c [Provider]) {
        if self.tokens.len() < 2 {
            return;
        }
        let Some((id, accepted)) = self.token(Some(service)) else {
            return;
        };
        let Some(provider) = providers.get(id.index()) else {
            return;
        };
        let own: Vec<_> = headers(provider, accepted).collect();
        let names = provider.header_names().map(|name| FoldedName::new(name.as_bytes()));
        let names: Vec<FoldedName> = names.collect();
        self.headers
            .retain(|(name, _)| !names.iter().any(|known| known.matches(name.as_bytes())));
        self.headers.extend(own);
    }

    /// Notes that this provider's token was refused, where the native filter may have accepted it. A token that goes on, and
    /// any cookie, is still there for what that asks next.
    pub(super) fn contest(&mut self, provider: &Provider, place: &'c Place, reason: Reason) {
        self.contested.doubt(reason);
        if !provider.forward && !matches!(place, Place::Cookie(_)) {
            self.contested.mark(place, reason);
        }
    }

    /// Notes entries; the last word counts where a key is written twice.
    pub(super) fn note(&mut self, entries: impl IntoIterator<Item = MetadataEntry>) {
        for entry in entries {
            self.metadata.retain(|known| known.key != entry.key);
            self.metadata.push(entry);
        }
    }

    /// The token by which the caller is known: the first that passed; to a service, the first that a provider of its choice
    /// accepted.
    fn token(&self, service: Option<&Service>) -> Option<&(ProviderId, Arc<Accepted>)> {
        let mut tokens = self.tokens.iter();
        tokens.find(|(provider, _)| service.is_none_or(|service| service.accepts(*provider)))
    }

    /// What that token says.
    pub(super) fn claims(&self, service: Option<&Service>) -> Option<&Claims> {
        self.token(service).map(|(_, token)| token.claims())
    }

    /// Who is asking, by that token.
    pub(super) fn caller(&self, service: Option<&Service>) -> Option<Arc<Caller>> {
        let (_, token) = self.token(service)?;
        Some(Arc::clone(token.caller()))
    }
}

/// The headers that a token's claims become.
fn headers<'c>(
    provider: &'c Provider,
    accepted: &Accepted,
) -> impl Iterator<Item = (&'c str, Result<Vec<u8>, UnusableClaim>)> {
    let headers = provider.header_names().zip(accepted.headers().cloned());
    headers.filter_map(|(name, value)| Some((name, value?)))
}

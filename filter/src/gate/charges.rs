//! Which buckets a request is charged to.
//!
//! What can be told without a token is charged on arrival, before anything is verified: guessing tokens costs the guesser
//! too. What is counted by caller is charged when the caller is known and the request would go on. Either happens once for
//! a request, however long it waits.

use jose::Claims;

use super::{asks_for_health, path_of};
use crate::address::ClientAddress;
use crate::config::Config;
use crate::limit::{self, Charge, Limit, Per};
use crate::request::Request;
use crate::service::{CleanPath, Service};

/// What a request owes on arrival, whatever it carries. `/health/` owes nothing: those who watch the gate ask often, and
/// cost nothing.
#[must_use]
pub fn on_arrival(request: &impl Request, config: &Config, address: Option<ClientAddress>) -> Vec<Charge> {
    if !config.limits.list.iter().any(|limit| !limit.per.needs_caller()) {
        return Vec::new();
    }
    let path = path_of(request.target().unwrap_or(b"/"));
    let clean = config
        .services
        .as_ref()
        .and_then(|catalogue| Some((catalogue, CleanPath::parse(path).ok()?)));
    if clean
        .as_ref()
        .is_some_and(|(_, path)| asks_for_health(request, path.as_str()))
    {
        return Vec::new();
    }
    // A path that is not clean is no service's, and will be refused; it counts where all requests count.
    let service = clean
        .as_ref()
        .and_then(|(catalogue, path)| catalogue.find(path.as_str()));
    let path = clean.as_ref().map_or(path, |(_, path)| path.as_str().as_bytes());
    charges(request, config, path, service, |per| {
        Some(match per {
            Per::Everyone => Vec::new(),
            Per::ClientAddress { ipv6_bits } => limit::of_address(address, *ipv6_bits),
            Per::Header(name) => limit::of_header(request.values(name)),
            Per::Subject | Per::Claim(_) => return None,
        })
    })
}

/// What a request owes whose caller is known. One that passes without a token owes nothing here.
pub(super) fn of_caller(
    request: &impl Request,
    config: &Config,
    path: &[u8],
    service: Option<&Service>,
    claims: Option<&Claims>,
) -> Vec<Charge> {
    let Some(claims) = claims.filter(|_| !config.limits.list.is_empty()) else {
        return Vec::new();
    };
    charges(request, config, path, service, |per| {
        let value = match per {
            Per::Subject => claims.raw().get("sub"),
            Per::Claim(claim) => claim.find(claims.raw()),
            Per::Everyone | Per::ClientAddress { .. } | Per::Header(_) => return None,
        };
        Some(limit::of_claim(claims.issuer(), value))
    })
}

fn charges(
    request: &impl Request,
    config: &Config,
    path: &[u8],
    service: Option<&Service>,
    whose: impl Fn(&Per) -> Option<Vec<u8>>,
) -> Vec<Charge> {
    let applies = |limit: &Limit| {
        let serves = |name: &String| service.is_some_and(|service| service.name == *name);
        (limit.services.is_empty() || limit.services.iter().any(serves))
            && limit
                .matches
                .as_ref()
                .is_none_or(|rule| rule.matches(request, path, &config.sanitiser))
    };
    let limits = config.limits.list.iter().enumerate();
    limits
        .filter_map(|(place, limit)| {
            let whose = whose(&limit.per)?;
            applies(limit).then_some(Charge { limit: place, whose })
        })
        .collect()
}

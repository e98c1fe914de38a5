//! What is written into a request that passes.

use super::{Case, Decision, Destination, Identity, RouteCache, refuse};
use crate::headers::Edits;
use crate::refusal::Reason;
use crate::request::{Request, query_of};
use crate::service::{CLUSTER_HEADER, TIMEOUT_HEADER};
use crate::token::{Place, without_parameters};

impl<R: Request> Case<'_, R> {
    pub(super) fn write(
        &self,
        target: &[u8],
        destination: Option<&Destination<'_>>,
        identities: &[Identity<'_>],
        edits: &mut Edits,
    ) -> Result<RouteCache, Decision> {
        let mut route = RouteCache::Keep;
        let mut spent_parameters = Vec::new();
        for identity in identities {
            let Some(provider) = self.config.providers.get(identity.provider.index()) else {
                continue;
            };
            for header in &provider.claim_headers {
                let value = header
                    .value(identity.token.claims().raw())
                    .map_err(|_| refuse(Reason::ClaimUnusable))?;
                if let Some(value) = value {
                    edits.set(&header.name, value);
                }
            }
            if let Some(header) = &provider.payload_header {
                edits.set(&header.name, header.value(identity.token.payload_segment()));
            }
            if !provider.forward {
                match identity.place {
                    Place::Header { name, .. } => edits.remove(name),
                    Place::Parameter(name) => spent_parameters.push(name.as_str()),
                }
            }
            if provider.clear_route_cache {
                route = RouteCache::Clear;
            }
        }
        self.write_target(target, destination, &spent_parameters, edits);
        if let Some(service) = destination.and_then(|destination| destination.service) {
            edits.set(CLUSTER_HEADER, service.cluster.clone().into_bytes());
            if let Some(timeout) = service.timeout {
                edits.set(TIMEOUT_HEADER, timeout.as_millis().to_string().into_bytes());
            }
            route = RouteCache::Clear;
        }
        Ok(route)
    }

    /// The path as the service sees it, the query without the tokens that were in it; written only where it differs.
    fn write_target(
        &self,
        target: &[u8],
        destination: Option<&Destination<'_>>,
        spent_parameters: &[&str],
        edits: &mut Edits,
    ) {
        if self.request.target().is_none() {
            return;
        }
        let mut written = match destination {
            Some(Destination {
                path,
                service: Some(service),
            }) => service.upstream_path(path.as_str()).into_bytes(),
            Some(Destination { path, service: None }) => path.as_str().as_bytes().to_vec(),
            None => crate::request::path_of(target).to_vec(),
        };
        if let Some(query) = query_of(target) {
            let kept = if spent_parameters.is_empty() {
                query.to_vec()
            } else {
                without_parameters(query, spent_parameters)
            };
            if !kept.is_empty() || spent_parameters.is_empty() {
                written.push(b'?');
                written.extend_from_slice(&kept);
            }
        }
        let path_changes = destination.is_some() || !spent_parameters.is_empty();
        if path_changes && written != target {
            edits.set(":path", written);
        }
    }
}

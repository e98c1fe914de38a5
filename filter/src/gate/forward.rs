//! What is written into a request that passes.

use super::{Case, Decision, Destination, Findings, RouteCache, refuse};
use crate::config::Config;
use crate::headers::{Edit, Edits, Facts};
use crate::refusal::Reason;
use crate::request::{Request, path_of, query_of};
use crate::service::{Backend, CLUSTER_HEADER, Catalogue, instruct_router};
use crate::token::{without_cookies, without_parameters};
use crate::witness::Witness;

/// What is to be taken out of a request's trailers, since servers exist that merge them into the headers. Whose service it
/// is can't be told any more: what one service does not want, none gets there.
#[must_use]
pub fn clean_trailers(trailers: &impl Request, config: &Config) -> Vec<Edit> {
    let mut edits = Edits::default();
    config.sanitiser.sanitise(trailers, &mut edits);
    let services = config.services.iter().flat_map(Catalogue::iter);
    let rules = services.map(|service| &service.header_rules);
    for rules in rules.chain([&config.header_rules]) {
        rules.request.strip(trailers, &mut edits);
    }
    edits.into_edits().collect()
}

impl<R: Request, W: Witness> Case<'_, R, W> {
    pub(super) fn write(
        &self,
        target: &[u8],
        destination: Option<&Destination<'_>>,
        cluster: Option<&str>,
        findings: Findings<'_>,
        edits: &mut Edits,
    ) -> Result<RouteCache, Decision> {
        for name in findings.spent.headers() {
            edits.remove(name);
        }
        let spent_cookies: Vec<&str> = findings.spent.cookies().collect();
        if !spent_cookies.is_empty() {
            match without_cookies(self.request, &spent_cookies) {
                Some(kept) => edits.set("cookie", kept),
                None => edits.remove("cookie"),
            }
        }
        let spent_parameters: Vec<&str> = findings.spent.parameters().collect();
        self.write_target(target, destination, &spent_parameters, edits);
        let service = destination.and_then(|destination| destination.service);
        let path = destination.map_or(path_of(target), |destination| destination.path.as_str().as_bytes());
        let facts = Facts {
            request: self.request,
            path,
            claims: findings.claims(service).map(jose::Claims::raw),
            service: service.map(|service| service.name.as_str()),
        };
        let rules = self.config.header_rules(service);
        let applied = rules.request.apply(&facts, edits);
        applied.map_err(|_| refuse(Reason::ClaimUnusable))?;
        for (name, value) in findings.headers {
            edits.set(name, value.map_err(|_| refuse(Reason::ClaimUnusable))?);
        }
        for mark in &findings.marks {
            edits.set(mark, b"false".to_vec());
        }
        if let Some((service, cluster)) = service.zip(cluster) {
            edits.set(CLUSTER_HEADER, cluster.as_bytes().to_vec());
            instruct_router(self.request, service.timeout, service.retries.as_ref(), edits);
            return Ok(RouteCache::Clear);
        }
        Ok(findings.route)
    }

    /// The path as the service sees it, the query without the tokens that were in it; written only where it differs.
    fn write_target(
        &self,
        target: &[u8],
        destination: Option<&Destination<'_>>,
        spent_parameters: &[&str],
        edits: &mut Edits,
    ) {
        let may_change = destination.is_some() || !spent_parameters.is_empty();
        if self.request.target().is_none() || !may_change {
            return;
        }
        if let Some(Destination {
            service: Some(service), ..
        }) = destination
            && let Backend::Resource(only) = service.backend
        {
            edits.set(":path", only.as_bytes().to_vec());
            return;
        }
        let mut written = match destination {
            Some(Destination {
                path,
                service: Some(service),
            }) => service.upstream_path(path.as_str()).into_bytes(),
            Some(Destination { path, service: None }) => path.as_str().as_bytes().to_vec(),
            None => path_of(target).to_vec(),
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
        if written != target {
            edits.set(":path", written);
        }
    }
}

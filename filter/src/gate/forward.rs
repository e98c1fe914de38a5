//! What is written into a request that passes.

use super::{Case, Decision, Destination, Findings, RouteCache, refuse};
use crate::headers::Edits;
use crate::refusal::Reason;
use crate::request::{Request, query_of};
use crate::service::{Backend, CLUSTER_HEADER, instruct_router};
use crate::token::{without_cookies, without_parameters};
use crate::witness::Witness;

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
        for (name, value) in findings.headers {
            edits.set(name, value.map_err(|_| refuse(Reason::ClaimUnusable))?);
        }
        for mark in &findings.marks {
            edits.set(mark, b"false".to_vec());
        }
        let service = destination.and_then(|destination| destination.service);
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
        if self.request.target().is_none() {
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

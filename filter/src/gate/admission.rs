//! What a service asks of a request, once it is known who is asking: its method, what the token allows, its length. And
//! which of the service's clusters gets it.
//!
//! In this order, so that nobody learns by the answer what only others may do.

use super::{Case, Decision, Findings, Passage, Refusal, refuse};
use crate::authorization::{Denial, Question};
use crate::refusal::{Needs, Reason};
use crate::request::Request;
use crate::service::{Access, BodyError, Service, UpstreamError, check_body};
use crate::witness::{Fact, Witness};

impl<'c, R: Request, W: Witness> Case<'c, R, W> {
    /// The cluster that takes the request from whoever the findings say is asking.
    pub(super) fn admit(
        &self,
        service: &'c Service,
        path: &str,
        findings: &Findings<'_>,
        passage: Passage,
    ) -> Result<&'c str, Decision> {
        // A preflight asks what may be asked, for nobody; the request that follows it is judged.
        if passage == Passage::Preflight {
            return Ok(&service.cluster);
        }
        if let Some(methods) = &service.methods
            && !methods.contain(self.request.method())
        {
            let refusal = Refusal::needing(Reason::MethodNotAllowed, Needs::Method(methods.allow()));
            return Err(Decision::Refuse(refusal));
        }
        let question = Question {
            request: self.request,
            path,
            claims: findings.claims(Some(service)),
            service: &service.name,
            sanitiser: &self.config.sanitiser,
        };
        if service.access == Access::Protected {
            self.authorize(service, &question).map_err(Decision::Refuse)?;
        }
        if let Some(limit) = service.max_body_bytes {
            check_body(self.request, limit).map_err(|error| {
                refuse(match error {
                    BodyError::LengthUnknown => Reason::LengthRequired,
                    BodyError::TooLong => Reason::BodyTooLarge,
                })
            })?;
        }
        let chosen = service.choose(&question);
        if !service.upstream.is_empty() {
            self.witness.sees(Fact::Upstream(service, chosen));
        }
        chosen.map_err(|error| {
            refuse(match error {
                UpstreamError::Unknown => Reason::UpstreamUnknown,
                UpstreamError::Expression(_) => Reason::ExpressionFailed,
            })
        })
    }

    fn authorize(&self, service: &Service, question: &Question<'_, R>) -> Result<(), Refusal> {
        // The hearing ends with a caller or with a refusal; should that ever change, this does not let nobody in.
        if question.claims.is_none() {
            return Err(Refusal::of(Reason::TokenMissing));
        }
        let verdict = service.authorization.check(question);
        self.witness.sees(Fact::Authorized(service, verdict.as_ref().copied()));
        verdict.map_err(|denial| match denial {
            Denial::Scope(needed) => Refusal::needing(Reason::ScopeInsufficient, Needs::Scope(needed)),
            Denial::Audience => Refusal::of(Reason::AudienceNotAllowed),
            Denial::Condition => Refusal::of(Reason::AccessDenied),
            Denial::Expression(_) => Refusal::of(Reason::ExpressionFailed),
        })
    }
}

//! What a service asks of a request, once it is known who is asking: its method, what the token allows, its length.
//!
//! In this order, so that nobody learns by the answer what only others may do.

use super::{Case, Decision, Findings, Refusal, refuse};
use crate::authorization::{Denial, Question};
use crate::refusal::{Needs, Reason};
use crate::request::Request;
use crate::service::{Access, BodyError, Service, check_body};
use crate::witness::{Fact, Witness};

impl<R: Request, W: Witness> Case<'_, R, W> {
    /// Whether the service takes the request from whoever the findings say is asking.
    pub(super) fn admit(&self, service: &Service, path: &str, findings: &Findings<'_>) -> Result<(), Decision> {
        if let Some(methods) = &service.methods
            && !methods.contain(self.request.method())
        {
            let refusal = Refusal::needing(Reason::MethodNotAllowed, Needs::Method(methods.allow()));
            return Err(Decision::Refuse(refusal));
        }
        if service.access == Access::Protected {
            self.authorize(service, path, findings).map_err(Decision::Refuse)?;
        }
        if let Some(limit) = service.max_body_bytes {
            check_body(self.request, limit).map_err(|error| {
                refuse(match error {
                    BodyError::LengthUnknown => Reason::LengthRequired,
                    BodyError::TooLong => Reason::BodyTooLarge,
                })
            })?;
        }
        Ok(())
    }

    fn authorize(&self, service: &Service, path: &str, findings: &Findings<'_>) -> Result<(), Refusal> {
        // The hearing ends with a caller or with a refusal; should that ever change, this does not let nobody in.
        let claims = findings.claims_for(service).ok_or(Refusal::of(Reason::TokenMissing))?;
        let question = Question {
            request: self.request,
            path,
            claims,
        };
        let verdict = service.authorization.check(&question);
        self.witness.sees(Fact::Authorized(service, verdict.as_ref().copied()));
        verdict.map_err(|denial| match denial {
            Denial::Scope(needed) => Refusal::needing(Reason::ScopeInsufficient, Needs::Scope(needed)),
            Denial::Audience => Refusal::of(Reason::AudienceNotAllowed),
            Denial::Condition => Refusal::of(Reason::AccessDenied),
        })
    }
}

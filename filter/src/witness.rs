//! Who watches a decision being made: every fact that it is built on is told to a witness, at the moment when it counts.
//!
//! So an explanation tells what the gate did, not what a second reading of the rules thinks that it would do. Apart from
//! the gate because token and gate both speak to it. The plugin's own witness is [`Nobody`], who leaves no code behind.

use jose::{TokenError, UnverifiedToken, VerifiedToken};

use crate::authorization::Denial;
use crate::keys::ProviderId;
use crate::refusal::Reason;
use crate::requirement::{Requirement, RouteWord, Rule, Verdict, Whose};
use crate::service::{Service, UpstreamError};
use crate::token::{Check, Failure, Found, Place, Repeated};

/// Sees facts as they come up. A witness changes nothing: what it keeps is its own affair.
pub trait Witness {
    /// A fact came up.
    fn sees(&self, fact: Fact<'_>);
}

/// The witness of requests in the proxy: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nobody;

impl Witness for Nobody {
    #[inline(always)]
    fn sees(&self, _: Fact<'_>) {}
}

/// One step on the way to a decision. What a fact holds is the gate's own state, tokens with their signatures included:
/// what of it is shown is for the witness to choose.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Fact<'f> {
    /// A client sent a name that only the gate may set, or mentioned one in `Connection`; as the configuration has it.
    Forged(&'f str),
    /// There are services: the path in its unambiguous form, and whose it is.
    Service {
        /// The path, cleaned.
        path: &'f str,
        /// The service with the longest prefix that covers it.
        service: Option<&'f Service>,
    },
    /// It is a CORS preflight, and those need no token.
    Preflight,
    /// It is a CORS preflight, which the gate answers; whether this origin may ask.
    PreflightAnswered(bool),
    /// The route says something to the gate, which counts instead of the rules.
    Route(&'f RouteWord),
    /// The first rule that matches, and its place in the list; `None` where no rule does.
    Rule(Option<(usize, &'f Rule)>),
    /// No rule matched, so an object of the filter state chose; this is its name, and what it asks for.
    State(&'f str, Option<&'f Requirement>),
    /// The service is protected, and the rules found nobody whom it accepts: a token of one of its providers is needed.
    CallerNeeded(&'f Service),
    /// The requirement asks whose token there is. What follows, up to the verdict, answers this question.
    Asked(Whose<'f>),
    /// These places were looked at, and this stands there.
    Looked(&'f [Place], Result<&'f [Found<'f>], Repeated>),
    /// One of the tokens that were found is judged now.
    Judging(&'f Found<'f>),
    /// It was read, or it can't be.
    Read(Result<&'f UnverifiedToken, TokenError>),
    /// The provider that judges it; `None` where nobody vouches for its issuer.
    Provider(Option<ProviderId>),
    /// A rule of the provider's was held against what the token says.
    Checked(Check, Result<(), Reason>),
    /// Its signature was verified on an earlier request, by a key that its issuer still publishes.
    Remembered,
    /// Its signature was held against the keys.
    Signature(Result<&'f VerifiedToken, Failure>),
    /// What came of the question that was asked last.
    Answered(Verdict),
    /// The service held its authorization against the caller's token.
    Authorized(&'f Service, Result<(), &'f Denial>),
    /// Of the clusters that the service chooses from, this one gets the request; or none does.
    Upstream(&'f Service, Result<&'f str, UpstreamError>),
}

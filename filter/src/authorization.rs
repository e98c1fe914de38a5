//! Whether a caller may do what they ask for: scopes, audiences and what else their token says of them.
//!
//! Apart from the requirements, which settle who is asking: here the token has been accepted, and a refusal is a 403. All
//! that is asked for must hold; what can't be decided is refused.

mod condition;
mod question;
mod scope;

use std::sync::Arc;

pub use condition::{ClaimCondition, ClaimTest};
pub use question::Question;
pub use scope::{ScopeError, Scopes};

use crate::cel::{EvaluationError, Program};
use crate::request::Request;
use crate::service::{Methods, covers_segments};

/// What a service asks of its callers.
#[derive(Debug, Clone, Default)]
pub struct Authorization {
    /// What holds for every request to it, but for the scopes.
    pub conditions: Conditions,
    /// The scopes that it asks for, where no rule does.
    pub scopes: Scopes,
    /// What holds for some requests besides; the first that matches counts. Where there are rules and none matches, the
    /// request is refused.
    pub rules: Option<Vec<AuthorizationRule>>,
}

/// What is asked for under some paths or for some methods.
#[derive(Debug, Clone)]
pub struct AuthorizationRule {
    /// Under which paths, in whole segments; none means all.
    pub prefixes: Vec<String>,
    /// For which methods; `None` means all.
    pub methods: Option<Methods>,
    /// What is asked for, but for the scopes.
    pub conditions: Conditions,
    /// The scopes that are asked for, the service's own among them: who lacks several is told all of them at once.
    pub scopes: Scopes,
}

/// What must hold of a token's claims.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// `aud` has one of these, if there are any.
    pub audiences: Vec<String>,
    /// All of these hold.
    pub claims: Vec<ClaimCondition>,
    /// This holds.
    pub expression: Option<Program>,
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The token lacks one of these scopes.
    Scope(Arc<str>),
    /// The token is for another audience.
    Audience,
    /// Something that is asked for does not hold.
    Condition,
    /// Whether an expression holds can't be said.
    Expression(EvaluationError),
}

impl Authorization {
    /// Whether the request may go on.
    pub fn check<R: Request>(&self, question: &Question<'_, R>) -> Result<(), Denial> {
        let rule = match &self.rules {
            None => None,
            Some(rules) => {
                let rule = rules.iter().find(|rule| rule.matches(question));
                Some(rule.ok_or(Denial::Condition)?)
            }
        };
        let conditions = [Some(&self.conditions), rule.map(|rule| &rule.conditions)];
        for conditions in conditions.iter().flatten() {
            conditions.check_audience(question)?;
        }
        let scopes = rule.map_or(&self.scopes, |rule| &rule.scopes);
        scopes
            .check(question.raw_claims())
            .map_err(|ScopeError(needed)| Denial::Scope(needed))?;
        conditions
            .iter()
            .flatten()
            .try_for_each(|conditions| conditions.check(question))
    }
}

impl AuthorizationRule {
    fn matches<R: Request>(&self, question: &Question<'_, R>) -> bool {
        let mut prefixes = self.prefixes.iter();
        let methods = self.methods.as_ref();
        (self.prefixes.is_empty() || prefixes.any(|prefix| covers_segments(prefix, question.path)))
            && methods.is_none_or(|methods| methods.contain(question.request.method()))
    }
}

impl Conditions {
    fn check_audience<R>(&self, question: &Question<'_, R>) -> Result<(), Denial> {
        let wanted = |audience: &str| self.audiences.iter().any(|wanted| wanted == audience);
        if self.audiences.is_empty() || question.claims.is_some_and(|claims| claims.audience().any(wanted)) {
            Ok(())
        } else {
            Err(Denial::Audience)
        }
    }

    fn check<R: Request>(&self, question: &Question<'_, R>) -> Result<(), Denial> {
        let mut claims = self.claims.iter();
        let claims_hold = claims.all(|condition| condition.holds(question.raw_claims()));
        let expression = self.expression.as_ref().filter(|_| claims_hold);
        let expression_holds = match expression {
            None => true,
            Some(program) => program.holds(question).map_err(Denial::Expression)?,
        };
        if claims_hold && expression_holds {
            Ok(())
        } else {
            Err(Denial::Condition)
        }
    }
}

//! What a request leaves for its answer.

use super::calls;
use super::worker::Worker;
use crate::gate::AnswerPlan;
use crate::headers::Edit;
use crate::limit::{Standing, fields};
use crate::request::HeaderList;

/// What is known of a request when its answer comes.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// How it stands with the limits that it was charged to.
    pub(super) standings: Vec<Standing>,
    /// What is to be done to the answer.
    plan: Option<AnswerPlan>,
}

impl Worker {
    /// Notes what is to be done to the answer to a request that has come.
    pub(super) fn plan_answer(&mut self, id: u32, request: &HeaderList) {
        let Some(plugin) = &self.plugin else { return };
        if let Some(plan) = AnswerPlan::of(request, &plugin.config) {
            self.carried.entry(id).or_default().plan = Some(plan);
        }
    }

    /// The answer to a request has come, from the service or from the gate itself.
    pub(super) fn answering(&mut self, id: u32) {
        let Some(carried) = self.carried.remove(&id) else {
            return;
        };
        let Some(plugin) = &self.plugin else { return };
        let vary = carried.plan.as_ref().and_then(AnswerPlan::vary);
        let planned = carried.plan.map(|plan| plan.edits(calls::response_headers));
        let mut edits: Vec<Edit> = planned.into_iter().flatten().collect();
        if !carried.standings.is_empty() {
            let fields = fields(&plugin.config.limits.list, &carried.standings);
            edits.extend(fields.map(|(name, value)| Edit::Set(name.to_owned(), value.into_bytes())));
        }
        calls::edit_response_headers(edits);
        if let Some(name) = vary {
            calls::vary_by(name);
        }
    }
}

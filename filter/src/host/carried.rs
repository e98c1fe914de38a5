//! What a request leaves for its answer.

use super::calls;
use super::worker::Worker;
use crate::headers::Edit;
use crate::limit::{Standing, fields};

/// What is known of a request when its answer comes.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// How it stands with the limits that it was charged to.
    pub(super) standings: Vec<Standing>,
}

impl Worker {
    /// The answer to a request has come, from the service or from the gate itself.
    pub(super) fn answering(&mut self, id: u32) {
        let Some(carried) = self.carried.remove(&id) else {
            return;
        };
        let Some(plugin) = &self.plugin else { return };
        let fields = fields(&plugin.config.limits.list, &carried.standings);
        let edits = fields.map(|(name, value)| Edit::Set(name.to_owned(), value.into_bytes()));
        calls::edit_response_headers(edits.to_vec());
    }
}

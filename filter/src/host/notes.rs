//! What is noted of a request for statistics and access logs.

use super::calls;
use super::worker::Worker;
use crate::gate::Passage;
use crate::metadata::{METADATA_PREFIX, MetadataEntry};
use crate::token::Caller;

impl Worker {
    /// Counts a request that passed, and tells the access log who made it.
    pub(super) fn passed(&mut self, passage: Passage, caller: Option<&Caller>, metadata: &[MetadataEntry]) {
        note(metadata);
        let Some(plugin) = &mut self.plugin else { return };
        plugin.counters.forwarded(passage, plugin.account.judged());
        let Some(caller) = caller else { return };
        for field in &plugin.config.access_log {
            if let Some(value) = field.of(caller) {
                calls::set_property(field.property(), value);
            }
        }
    }
}

/// The property that stands for a key of dynamic metadata.
pub(super) fn property_of(key: &str) -> String {
    format!("{METADATA_PREFIX}{key}")
}

/// Writes what the native filter writes into dynamic metadata.
pub(super) fn note(metadata: &[MetadataEntry]) {
    for entry in metadata {
        calls::set_property(&property_of(&entry.key), &entry.value);
    }
}

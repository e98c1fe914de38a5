//! `suspicious_activity` as it is written.

use crate::config::reader::Fields;

/// `suspicious_activity`
#[derive(Debug)]
pub(in crate::config) struct SuspiciousActivity {
    pub(in crate::config) path: String,
    pub(in crate::config) watch: Option<Vec<String>>,
    pub(in crate::config) lines_per_minute: Option<u64>,
    pub(in crate::config) refusals_per_minute: Option<u64>,
    pub(in crate::config) ignored_headers: Vec<String>,
}

impl SuspiciousActivity {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            watch: fields.has("watch").then(|| fields.strings("watch")),
            lines_per_minute: fields.integer("lines_per_minute"),
            refusals_per_minute: fields.integer("refusals_per_minute"),
            ignored_headers: fields.strings("ignored_headers"),
        }
    }
}

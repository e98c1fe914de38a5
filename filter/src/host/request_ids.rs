//! Request ids where nobody before the gate made one.
//!
//! The host has no randomness to give. An id has to be unique, not secret: it is the hash of a running number and the time,
//! by a key of this worker's own.

use super::calls;
use super::worker::Worker;
use crate::config::Config;
use crate::headers::{Edit, REQUEST_ID, RequestIds, has_request_id, request_id};
use crate::limit::Key;
use crate::request::HeaderList;

/// Readings of the clock that the key is drawn from, as that of the limits is.
const READINGS: usize = 256;

/// Makes ids.
pub(super) struct Maker {
    key: Key,
    made: u64,
}

impl Maker {
    /// `None` where ids pass as they came.
    pub(super) fn prepare(config: &Config) -> Option<Self> {
        if config.request_ids == RequestIds::Pass {
            return None;
        }
        let readings = (0..READINGS).flat_map(|_| calls::moment().nanoseconds().to_le_bytes());
        let drawn = Key::gathered(&readings.collect::<Vec<u8>>());
        Some(Self {
            key: Key::from_bytes(&drawn).unwrap_or_default(),
            made: 0,
        })
    }

    fn make(&mut self) -> String {
        self.made = self.made.wrapping_add(1);
        let (number, time) = (self.made.to_le_bytes(), calls::moment().nanoseconds().to_le_bytes());
        request_id([&b"high"[..], b"low"].map(|half| self.key.hash(&[&number, &time, half])))
    }
}

impl Worker {
    /// The request with its id. One that is made goes on, stands in the refusal, and in Envoy's log.
    pub(super) fn identified(&mut self, request: HeaderList) -> HeaderList {
        let maker = self.plugin.as_mut().and_then(|plugin| plugin.ids.as_mut());
        let Some(maker) = maker.filter(|_| !has_request_id(&request)) else {
            return request;
        };
        let id = maker.make().into_bytes();
        calls::edit_headers(vec![Edit::Set(REQUEST_ID.to_owned(), id.clone())]);
        request.with(REQUEST_ID, id)
    }
}

//! The host's functions that the gate uses.
//!
//! The SDK's wrappers panic on every status they don't expect, and a panic kills the worker's VM. Each function here says
//! why its call can only succeed, or gives the failure back. Of the functions that read, only those that return bytes are
//! used: the others panic on what is not UTF-8.

use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, GrpcStatusCode, LogLevel, MapType, MetricType, Status};

use crate::clock::Timestamp;
use crate::headers::Edit;
use crate::refusal::{Answer, GrpcStatus};
use crate::request::{Body, HeaderList};
use crate::requirement::RouteWord;

/// A reading of the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    nanoseconds: u64,
}

impl Moment {
    /// The time that it shows.
    pub(super) fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(self.nanoseconds / 1_000_000)
    }

    /// How many microseconds later this is than another reading; none if the clock was set back meanwhile.
    pub(super) fn microseconds_since(self, earlier: Self) -> Option<u64> {
        Some(self.nanoseconds.checked_sub(earlier.nanoseconds)? / 1000)
    }

    /// Nanoseconds since the epoch: different for every instance that asks.
    pub(super) fn nanoseconds(self) -> u64 {
        self.nanoseconds
    }
}

/// Reads the clock, which never fails.
pub(super) fn moment() -> Moment {
    let now = hostcalls::get_current_time()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = now.and_then(|since| u64::try_from(since.as_nanos()).ok());
    Moment {
        nanoseconds: nanoseconds.unwrap_or_default(),
    }
}

/// The time.
pub(super) fn now() -> Timestamp {
    moment().timestamp()
}

/// Writes a line, if the host wants lines of that level. Both calls always succeed.
pub(super) fn log(level: LogLevel, line: impl FnOnce() -> String) {
    let wanted = hostcalls::get_log_level().is_ok_and(|wanted| wanted as u32 <= level as u32);
    if wanted {
        let _written = hostcalls::log(level, &line());
    }
}

/// The plugin's configuration. Only in `on_configure`, where the buffer exists.
pub(super) fn configuration(size: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// The request's headers. Only while the effective context is a living stream, for which the map exists.
pub(super) fn request_headers(body: Body) -> HeaderList {
    HeaderList::new(hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default()).with_body(body)
}

/// The response's headers. Only in `on_http_response_headers`, where the map exists.
pub(super) fn response_headers() -> HeaderList {
    HeaderList::new(hostcalls::get_map_bytes(MapType::HttpResponseHeaders).unwrap_or_default())
}

/// The request's trailers. Only in `on_http_request_trailers`, where the map exists.
pub(super) fn request_trailers() -> HeaderList {
    HeaderList::new(hostcalls::get_map_bytes(MapType::HttpRequestTrailers).unwrap_or_default())
}

/// Changes a request's headers. Only while the effective context is a living stream.
pub(super) fn edit_headers(edits: Vec<Edit>) {
    edit(MapType::HttpRequestHeaders, edits);
}

/// Changes a response's headers. Only in `on_http_response_headers`, where the map exists.
pub(super) fn edit_response_headers(edits: Vec<Edit>) {
    edit(MapType::HttpResponseHeaders, edits);
}

/// Says that a response depends on a header of its request, beside what it says of others. Only in
/// `on_http_response_headers`.
pub(super) fn vary_by(name: &str) {
    let _added = hostcalls::add_map_value_bytes(MapType::HttpResponseHeaders, "vary", name.as_bytes());
}

/// Changes a request's trailers. Only in `on_http_request_trailers`.
pub(super) fn edit_trailers(edits: Vec<Edit>) {
    edit(MapType::HttpRequestTrailers, edits);
}

fn edit(map: MapType, edits: Vec<Edit>) {
    for edit in edits {
        // Removing what is not there succeeds as well.
        let _done = match edit {
            Edit::Remove(name) => hostcalls::set_map_value_bytes(map, &name, None),
            Edit::Set(name, value) => hostcalls::set_map_value_bytes(map, &name, Some(&value)),
        };
    }
}

/// Has the host choose the route anew. Hosts that don't know the function choose it late anyway.
pub(super) fn clear_route_cache() {
    let _known = hostcalls::call_foreign_function("clear_route_cache", None);
}

/// What the host's function for verifying signatures says, in its own encoding; nothing where the host lacks it or can't
/// make sense of the question.
pub(super) fn verify_signature(arguments: &[u8]) -> Option<Vec<u8>> {
    let answer = hostcalls::call_foreign_function("verify_signature", Some(arguments)).ok()?;
    Some(answer.unwrap_or_default())
}

/// Answers the request. At most once for a stream: a second answer is refused by the host, and the SDK panics.
pub(super) fn answer(answer: &Answer) {
    let _sent = match answer.grpc {
        None => {
            let headers = answer
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let body = Some(answer.body.as_slice()).filter(|body| !body.is_empty());
            hostcalls::send_http_response(u32::from(answer.status), headers, body)
        }
        Some(status) => {
            let headers = answer
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes()))
                .collect();
            hostcalls::send_grpc_response(grpc_code(status), None, headers)
        }
    };
}

const fn grpc_code(status: GrpcStatus) -> GrpcStatusCode {
    match status {
        GrpcStatus::InvalidArgument => GrpcStatusCode::InvalidArgument,
        GrpcStatus::PermissionDenied => GrpcStatusCode::PermissionDenied,
        GrpcStatus::ResourceExhausted => GrpcStatusCode::ResourceExhausted,
        GrpcStatus::Unimplemented => GrpcStatusCode::Unimplemented,
        GrpcStatus::Unavailable => GrpcStatusCode::Unavailable,
        GrpcStatus::Unauthenticated => GrpcStatusCode::Unauthenticated,
    }
}

/// Lets a request that waited go on. Only while it is the effective context.
pub(super) fn resume() {
    let _resumed = hostcalls::resume_http_request();
}

/// Makes a context the one that calls act on; whether it still exists.
pub(super) fn act_for(context: u32) -> bool {
    hostcalls::set_effective_context(context).is_ok()
}

/// Sets the time between ticks. Always succeeds.
pub(super) fn tick_every(period: Duration) {
    let _set = hostcalls::set_tick_period(period);
}

/// Declares a property of requests: text that may be written more than once. Without this, writing it a second time (as
/// two gates in one filter chain do) is refused by the host, and the SDK panics. Hosts other than Envoy lack the function
/// and the refusal.
pub(super) fn declare_property(name: &str) {
    // DeclarePropertyArguments { string name = 1; bool readonly = 2; WasmType type = 3 (String is 1); }
    let Ok(len) = u8::try_from(name.len()) else { return };
    let mut arguments = vec![0x0a, len];
    arguments.extend_from_slice(name.as_bytes());
    arguments.extend_from_slice(&[0x18, 0x01]);
    let _declared = hostcalls::call_foreign_function("declare_property", Some(&arguments));
}

/// Sets a property of the request, for access logs. Only for declared names, while the effective context is a living
/// stream.
pub(super) fn set_property(name: &str, value: &str) {
    let _set = hostcalls::set_property(vec![name], Some(value.as_bytes()));
}

/// An object of the request's filter state, as text. Only while the effective context is a living stream. Nothing where
/// there is none; an object that has no text is none, as it is to the native filter.
pub(super) fn filter_state(object: &str) -> Option<Vec<u8>> {
    hostcalls::get_property(vec!["filter_state", object]).unwrap_or_default()
}

/// What the metadata of the request's route says under a name. Only while the effective context is a living stream.
pub(super) fn route_word(namespace: &str) -> RouteWord {
    match hostcalls::get_property(vec!["xds", "route_metadata", "filter_metadata", namespace]) {
        Ok(None) => RouteWord::Silent,
        Ok(Some(fields)) => RouteWord::read(&fields),
        Err(_) => RouteWord::Unreadable,
    }
}

/// Shared data: the value and the number to swap it by. Reading always succeeds.
pub(super) fn shared(key: &str) -> (Option<Vec<u8>>, Option<u32>) {
    hostcalls::get_shared_data(key).unwrap_or_default()
}

/// Replaces shared data, if its number is still this one; without a number, whatever it is.
pub(super) fn swap_shared(key: &str, value: &[u8], number: Option<u32>) -> Result<(), Status> {
    hostcalls::set_shared_data(key, Some(value), number)
}

/// The number that no shared data has: the host counts up from one, and no process lives to see the end.
const NO_NUMBER: u32 = u32::MAX;

/// Creates shared data; an error where it exists. A number is what makes this exclusive: without one, of two workers that
/// create the same data at the same time the second overwrites what the first wrote.
pub(super) fn create_shared(key: &str, value: &[u8]) -> Result<(), Status> {
    hostcalls::set_shared_data(key, Some(value), Some(NO_NUMBER))
}

/// The address of the request's client, as the host determined it, with its port. Only while the effective context is a
/// living stream.
pub(super) fn source_address() -> Option<Vec<u8>> {
    hostcalls::get_property(vec!["source", "address"]).ok().flatten()
}

/// A new counter. Always succeeds.
pub(super) fn counter(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Counter, name).ok()
}

/// A new gauge. Always succeeds.
pub(super) fn gauge(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Gauge, name).ok()
}

/// A new histogram. Always succeeds.
pub(super) fn histogram(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Histogram, name).ok()
}

/// Adds to a counter or a gauge.
pub(super) fn increase(metric: u32, by: i64) {
    let _increased = hostcalls::increment_metric(metric, by);
}

/// Sets a gauge, or adds a value to a histogram.
pub(super) fn record(metric: u32, value: u64) {
    let _recorded = hostcalls::record_metric(metric, value);
}

/// A GET to a cluster. Only from a root context: its answer must outlive any request. An unknown cluster, and one without
/// a host to ask, are errors.
pub(super) fn get(cluster: &str, headers: Vec<(&str, &str)>, timeout: Duration) -> Result<u32, Status> {
    hostcalls::dispatch_http_call(cluster, headers, None, Vec::new(), timeout)
}

/// The status of a call's answer. Only in `on_http_call_response`, and only if there are headers.
pub(super) fn call_status() -> Option<u16> {
    let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status").ok()??;
    std::str::from_utf8(&status).ok()?.parse().ok()
}

/// How the body of a call's answer is encoded. Only in `on_http_call_response`, and only if there are headers.
pub(super) fn call_encoding() -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, "content-encoding").ok()?
}

/// The body of a call's answer. Only in `on_http_call_response`.
pub(super) fn call_body(size: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

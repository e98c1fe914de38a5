//! The adapter between the gate and a proxy-wasm host: it reads what the gate needs, carries out what the gate decides,
//! and keeps the little that lasts longer than a request. No rule is written here.
//!
//! Contexts of the SDK die with their streams, so what waits or is shared lies in one [`Worker`](worker::Worker) for each
//! root context; the contexts only pass events on.

mod calls;
mod carried;
mod contexts;
mod counters;
mod fetching;
mod limits;
mod notes;
mod probing;
mod request_ids;
mod signatures;
mod suspicion;
mod worker;

use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    // Installs the panic hook, so that a defect ends in the log and not only in a dead VM. The level bounds nothing here:
    // lines are written through `calls::log`, which asks the host for its level.
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|context_id| Box::new(contexts::Root::new(context_id)));
}}

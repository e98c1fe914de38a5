//! The SDK's contexts: they pass the host's events on to the worker.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

use super::calls;
use super::worker::Worker;
use crate::config::Config;
use crate::gate::Refusal;
use crate::headers::Edit;
use crate::refusal::{Detail, Reason};
use crate::request::{Body, Request};

/// Shared by the contexts of one plugin in one VM, which is one thread. The host calls one of them at a time.
type Shared = Rc<RefCell<Worker>>;

/// One plugin in one VM.
pub(super) struct Root {
    worker: Shared,
}

impl Root {
    pub(super) fn new(context_id: u32) -> Self {
        Self {
            worker: Rc::new(RefCell::new(Worker::new(context_id))),
        }
    }

    fn with(&self, act: impl FnOnce(&mut Worker)) {
        match self.worker.try_borrow_mut() {
            Ok(mut worker) => act(&mut worker),
            Err(_) => calls::log(LogLevel::Error, || {
                "an event came while another was being handled".to_owned()
            }),
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token_id: u32, headers: usize, body_size: usize, _trailers: usize) {
        let (status, encoding) = if headers > 0 {
            (calls::call_status(), calls::call_encoding())
        } else {
            (None, None)
        };
        self.with(|worker| worker.answered(token_id, status, encoding.as_deref(), body_size));
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        match Config::parse(&calls::configuration(size)) {
            Ok(config) => {
                self.with(|worker| worker.configure(config));
                true
            }
            Err(errors) => {
                for error in errors.iter() {
                    calls::log(LogLevel::Error, || format!("configuration: {error}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.with(Worker::tick);
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            context_id,
            worker: Rc::clone(&self.worker),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request.
struct Stream {
    context_id: u32,
    worker: Shared,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _headers: usize, end_of_stream: bool) -> Action {
        let body = if end_of_stream { Body::None } else { Body::Follows };
        let request = calls::request_headers(body);
        if let Ok(mut worker) = self.worker.try_borrow_mut() {
            return worker.arrived(self.context_id, request);
        }
        calls::answer(&Refusal::of(Reason::GateNotReady).answer(&request, Detail::Shown));
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if let Ok(mut worker) = self.worker.try_borrow_mut() {
            worker.answering(self.context_id);
        }
        Action::Continue
    }

    /// Servers exist that merge trailers into the headers.
    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        let trailers = calls::request_trailers();
        let edits = if let Ok(worker) = self.worker.try_borrow() {
            worker.sanitised(&trailers)
        } else {
            // Which of them are trusted can't be known: none goes on.
            let names = trailers
                .headers()
                .filter_map(|(name, _)| std::str::from_utf8(name).ok());
            names.map(|name| Edit::Remove(name.to_owned())).collect()
        };
        calls::edit_trailers(edits);
        Action::Continue
    }
}

impl Drop for Stream {
    /// Also when the caller hung up while its request waited: from here on its number means nothing.
    fn drop(&mut self) {
        if let Ok(mut worker) = self.worker.try_borrow_mut() {
            worker.gone(self.context_id);
        }
    }
}

//! How the services are: each is asked for its health by one worker at a time, and what it answered is known to all.
//!
//! Apart from the services, which say where a request goes: here nothing is decided about requests. What a service
//! answers to a probe changes what is shown, never where a caller is sent.

mod accept;
mod page;
mod probe;
mod report;
mod watch;

pub use accept::Form;
pub use probe::{ProbeError, Target, read_answer};
pub use report::{Report, show};
pub use watch::{Health, Probing, State, Watch};

//! The keys of the providers: held per worker, fetched by one worker at a time, kept when a fetch fails.
//!
//! Everything here is a state machine that is told the time and what happened; the host carries messages for it.

mod course;
mod discovery;
mod document;
mod endpoint;
mod held;
mod ledger;
mod waiting;

pub use course::{KeySetSource, Known, LastFetch, Outcome, Step};
pub use discovery::{Discovery, MetadataChoice, MetadataKind};
pub use document::{DocumentError, Response, read_document};
pub use endpoint::Endpoint;
pub use held::{KeyStore, Keys, Outlook, RefreshPolicy, RemoteKeys, Retries};
pub use ledger::{Denied, Failure, Ledger, Worker};
pub use waiting::{Guest, RoomFull, WaitingRoom};

/// A provider, by its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(usize);

impl ProviderId {
    /// The provider at that place.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// Its place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Why keys are to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// There are none.
    Cold,
    /// They are about to grow old, or have.
    Due,
    /// A token names a key that is not among them.
    UnknownKey,
}

/// A fetch that a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// Whose keys.
    pub provider: ProviderId,
    /// Why.
    pub why: Why,
}

//! Keys on the curves whose kernel works with a table for each key. A table makes a verification many times faster, but
//! it takes memory and time to build, and who can publish many keys could ask for many. So it is built with the first
//! signature that a key is asked about, [`MAX_TABLES`] of one curve exist at a time, and a key without one is served by
//! the general crate.
//!
//! Apart from the algorithms, because this is about the life of a key and not about what a signature is. Key sets are
//! read anew at every refresh, so equal keys share one table, wherever they were read; it goes with the last of them. No
//! table is ever taken from a key for the sake of another, so nobody can make us build one again and again but who changes
//! the keys.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use ed25519_dalek::ed25519;
use rsa::signature::{Error, Verifier};
use sha2::{Digest, Sha256};

use crate::kernel::{Ed25519Key, P256Key};

/// So many tables of one curve exist at a time, all key sets taken together. With 60 KB for a key on P-256 and 88 KB for
/// one on Ed25519 this is 9.5 MB at most.
pub const MAX_TABLES: usize = 64;

/// So many keys of one set may have a table, the first ones, so that one issuer's set can't take the room of all others.
/// Published sets have two or three keys.
pub const MAX_TABLES_OF_A_SET: usize = 8;

static P256_TABLES: Tables<P256Key> = Tables::new(MAX_TABLES);
static ED25519_TABLES: Tables<Ed25519Key> = Tables::new(MAX_TABLES);

/// A kernel whose keys have a table, beside the crate that verifies without one.
pub trait Kernel: Sized + 'static {
    /// The crate's key
    type General: Verifier<Self::Signature> + Clone + PartialEq + fmt::Debug;
    /// The crate's signature
    type Signature;

    /// Builds the table. `None` if the kernel does not serve the key.
    fn build(key: &Self::General) -> Option<Self>;

    /// Verifies with it.
    fn verifies(&self, message: &[u8], signature: &Self::Signature) -> bool;

    /// The tables that exist.
    fn tables() -> &'static Tables<Self>;
}

impl Kernel for P256Key {
    type General = p256::ecdsa::VerifyingKey;
    type Signature = p256::ecdsa::Signature;

    fn build(key: &Self::General) -> Option<Self> {
        let point = key.to_sec1_point(false);
        let (x, y) = (point.x()?.as_slice(), point.y()?.as_slice());
        Self::new(x.try_into().ok()?, y.try_into().ok()?)
    }

    fn verifies(&self, message: &[u8], signature: &Self::Signature) -> bool {
        self.verify_prehash(&Sha256::digest(message).into(), &signature.to_bytes().into())
    }

    fn tables() -> &'static Tables<Self> {
        &P256_TABLES
    }
}

impl Kernel for Ed25519Key {
    type General = ed25519_dalek::VerifyingKey;
    type Signature = ed25519::Signature;

    fn build(key: &Self::General) -> Option<Self> {
        Self::new(key.as_bytes())
    }

    fn verifies(&self, message: &[u8], signature: &Self::Signature) -> bool {
        self.verify(message, &signature.to_bytes())
    }

    fn tables() -> &'static Tables<Self> {
        &ED25519_TABLES
    }
}

/// A key and, from its first signature on, its table.
pub struct TabledKey<K: Kernel> {
    general: K::General,
    /// Empty until it is needed and as long as there is no room, `None` if it is forgone.
    table: OnceLock<Option<Arc<K>>>,
}

impl<K: Kernel> TabledKey<K> {
    /// Builds nothing, but takes the table that an equal key has.
    #[must_use]
    pub fn new(general: K::General) -> Self {
        let table = OnceLock::new();
        if let Some(known) = K::tables().find(&general) {
            table.get_or_init(|| Some(known));
        }
        Self { general, table }
    }

    /// Goes without a table for good, unless it has one.
    pub(crate) fn forgo_table(&self) {
        self.table.get_or_init(|| None);
    }

    /// Whether it has its table.
    #[cfg(test)]
    pub(crate) fn has_table(&self) -> bool {
        matches!(self.table.get(), Some(Some(_)))
    }

    fn table(&self) -> Option<&K> {
        if let Some(decided) = self.table.get() {
            return decided.as_deref();
        }
        let table = K::tables().find_or_build(&self.general)?;
        self.table.get_or_init(|| Some(table)).as_deref()
    }
}

impl<K: Kernel> Verifier<K::Signature> for TabledKey<K> {
    fn verify(&self, message: &[u8], signature: &K::Signature) -> Result<(), Error> {
        match self.table() {
            Some(table) if table.verifies(message, signature) => Ok(()),
            Some(_) => Err(Error::new()),
            None => self.general.verify(message, signature),
        }
    }
}

impl<K: Kernel> fmt::Debug for TabledKey<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TabledKey").field(&self.general).finish()
    }
}

/// The tables of one curve that some key still has.
pub struct Tables<K: Kernel> {
    most: usize,
    kept: Mutex<Vec<(K::General, Weak<K>)>>,
}

impl<K: Kernel> Tables<K> {
    const fn new(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::new(Vec::new()),
        }
    }

    /// The table of an equal key.
    fn find(&self, key: &K::General) -> Option<Arc<K>> {
        find(&self.kept.lock().unwrap_or_else(PoisonError::into_inner), key)
    }

    /// The table of an equal key, or a new one if there is room. It is built under the lock, so that of two who need it
    /// one waits instead of building another.
    fn find_or_build(&self, key: &K::General) -> Option<Arc<K>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = find(&kept, key) {
            return Some(table);
        }
        kept.retain(|(_, table)| table.strong_count() > 0);
        if kept.len() >= self.most {
            return None;
        }
        let table = Arc::new(K::build(key)?);
        kept.push((key.clone(), Arc::downgrade(&table)));
        Some(table)
    }
}

fn find<K: Kernel>(kept: &[(K::General, Weak<K>)], key: &K::General) -> Option<Arc<K>> {
    kept.iter()
        .filter(|(other, _)| other == key)
        .find_map(|(_, table)| table.upgrade())
}

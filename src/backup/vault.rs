//! Storage as backups need it: compressed streams in and out, a piece at a time.

// The platform is single-threaded: nobody needs these futures to be `Send`.
#![allow(async_fn_in_trait)]

use super::dump::DumpError;
use super::verify::Refused;

/// Gives the next piece of what is to be stored, `None` at its end.
pub type Pieces<'a> = &'a mut dyn FnMut() -> Result<Option<Vec<u8>>, DumpError>;
/// Takes the next piece of what was stored.
pub type Taker<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Refused>;

/// Where backups are. Every method has a deadline of its own.
pub trait Vault {
    /// Stores `pieces` under `key`, gzipped, and returns how many bytes that are. If it fails, in `pieces` too, nothing is
    /// stored there, except when the answer was lost.
    async fn write(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError>;

    /// Hands what is stored under `key`, unpacked, to `take`. `bytes`: its length in storage, if that is known; it is
    /// [`Refused::Truncated`] or [`Refused::Trailing`] if it has another.
    async fn read(&self, key: &str, bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused>;
}

/// Storage in memory, for native tests. Nothing is compressed.
#[cfg(test)]
pub mod memory {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::{DumpError, Pieces, Refused, Taker, Vault};

    /// What is stored, by key.
    #[derive(Debug, Default)]
    pub struct Memory {
        pub files: RefCell<BTreeMap<String, Vec<u8>>>,
        /// Every call fails while set.
        pub down: Cell<bool>,
    }

    impl Vault for Memory {
        async fn write(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError> {
            if self.down.get() {
                return Err(DumpError::Lost);
            }
            let mut bytes = Vec::new();
            while let Some(piece) = pieces()? {
                bytes.extend(piece);
            }
            let length = bytes.len() as u64;
            assert!(self.files.borrow_mut().insert(key.to_owned(), bytes).is_none(), "{key} was written twice");
            Ok(length)
        }

        async fn read(&self, key: &str, bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused> {
            if self.down.get() {
                return Err(Refused::Lost);
            }
            let Some(stored) = self.files.borrow().get(key).cloned() else { return Err(Refused::Missing) };
            match bytes {
                Some(bytes) if (stored.len() as u64) < bytes => return Err(Refused::Truncated),
                Some(bytes) if (stored.len() as u64) > bytes => return Err(Refused::Trailing),
                _ => {}
            }
            stored.chunks(1_000).try_for_each(take)
        }
    }
}

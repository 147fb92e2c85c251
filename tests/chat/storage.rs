//! Storage for files and Telegram's file server, scripted: what lies where, what fails how.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use tideclaw::chat::ports::{FetchError, Lost};

use super::clock::Clock;

/// How a download goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The connection breaks in the middle: nothing is kept.
    Cut,
    /// The file server answers with this status.
    Status(u16),
    /// Storage takes nothing.
    StorageDown,
    /// Nothing happens, ever.
    Hang,
    /// It is stored, but the answer is lost.
    StoredButLost,
}

#[derive(Default)]
pub struct Storage {
    /// What Telegram has: by `file_id`.
    pub telegram: RefCell<BTreeMap<String, Vec<u8>>>,
    /// What is stored: by key.
    pub stored: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Keys in the order they were written.
    pub written: RefCell<Vec<String>>,
    pub faults: RefCell<VecDeque<Fault>>,
    /// Downloads under way.
    pub running: Cell<usize>,
    pub most: Cell<usize>,
    pub heads_down: Cell<bool>,
}

/// Counts a download, also when it is dropped.
struct Running<'a>(&'a Storage);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
    }
}

impl Storage {
    /// Puts a file where Telegram would have it.
    pub fn put(&self, file_id: &str, bytes: impl Into<Vec<u8>>) {
        self.telegram.borrow_mut().insert(file_id.into(), bytes.into());
    }

    pub fn fails(&self, fault: Fault) {
        self.faults.borrow_mut().push_back(fault);
    }

    pub async fn fetch(&self, clock: &Clock, path: &str, key: &str, limit: u64) -> Result<u64, FetchError> {
        self.running.set(self.running.get() + 1);
        self.most.set(self.most.get().max(self.running.get()));
        let _running = Running(self);
        clock.sleep(300).await;
        let fault = self.faults.borrow_mut().pop_front();
        match fault {
            Some(Fault::Cut | Fault::StorageDown) => return Err(FetchError::Lost),
            Some(Fault::Status(status)) => return Err(FetchError::Refused(status)),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::StoredButLost) | None => {}
        }
        let id = path.strip_prefix("documents/").unwrap();
        let bytes = self.telegram.borrow().get(id).cloned().ok_or(FetchError::Refused(404))?;
        if bytes.len() as u64 > limit {
            return Err(FetchError::TooBig(bytes.len() as u64));
        }
        let size = bytes.len() as u64;
        self.store(key, bytes);
        if matches!(fault, Some(Fault::StoredButLost)) { Err(FetchError::Lost) } else { Ok(size) }
    }

    fn store(&self, key: &str, bytes: Vec<u8>) {
        self.written.borrow_mut().push(key.to_owned());
        let before = self.stored.borrow_mut().insert(key.to_owned(), bytes);
        assert_eq!(before, None, "{key} was written twice");
    }

    pub async fn size(&self, clock: &Clock, key: &str) -> Result<Option<u64>, Lost> {
        clock.sleep(20).await;
        Ok(self.stored.borrow().get(key).map(|bytes| bytes.len() as u64))
    }

    pub async fn head(&self, clock: &Clock, key: &str, limit: u64) -> Result<Vec<u8>, Lost> {
        clock.sleep(20).await;
        if self.heads_down.get() {
            return Err(Lost);
        }
        let bytes = self.stored.borrow().get(key).cloned().ok_or(Lost)?;
        Ok(bytes.into_iter().take(limit as usize).collect())
    }

    pub async fn write(&self, clock: &Clock, key: &str, bytes: Vec<u8>) -> Result<(), Lost> {
        clock.sleep(20).await;
        if matches!(self.faults.borrow_mut().pop_front(), Some(Fault::StorageDown)) {
            return Err(Lost);
        }
        self.store(key, bytes);
        Ok(())
    }

    pub async fn list(
        &self,
        clock: &Clock,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<String>, bool), Lost> {
        clock.sleep(20).await;
        if matches!(self.faults.borrow_mut().pop_front(), Some(Fault::StorageDown)) {
            return Err(Lost);
        }
        let stored = self.stored.borrow();
        let keys: Vec<_> = stored.keys().filter(|key| key.starts_with(prefix) && key.as_str() > after).collect();
        // As R2 may: fewer than asked for, although there are more.
        let page = limit.min(7);
        Ok((keys.iter().take(page).map(|key| key.to_string()).collect(), keys.len() > page))
    }

    pub async fn delete(&self, clock: &Clock, keys: &[String]) -> Result<(), Lost> {
        clock.sleep(20).await;
        keys.iter().for_each(|key| drop(self.stored.borrow_mut().remove(key)));
        Ok(())
    }
}

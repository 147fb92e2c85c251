//! A flag one task raises and another awaits, inside one object.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// Raised once; stays raised until [`Signal::reset`]. One waiter.
#[derive(Debug, Default)]
pub struct Signal {
    raised: Cell<bool>,
    waiter: RefCell<Option<Waker>>,
}

impl Signal {
    pub fn raise(&self) {
        self.raised.set(true);
        if let Some(waker) = self.waiter.take() {
            waker.wake();
        }
    }

    pub fn reset(&self) {
        self.raised.set(false);
    }

    pub fn is_raised(&self) -> bool {
        self.raised.get()
    }

    /// Ready when the flag is up; otherwise remembers who asked.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.raised.get() {
            return Poll::Ready(());
        }
        self.waiter.replace(Some(context.waker().clone()));
        Poll::Pending
    }

    /// Resolves when the flag is up.
    pub async fn raised(&self) {
        poll_fn(|context| self.poll(context)).await
    }
}

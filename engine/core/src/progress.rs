//! What is shared with running work: a flag that ends it, and counters that can be read at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::error::{EngineError, Result};

/// Ends all work that holds a clone of it, within a chunk of a file.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Cancel>);

#[derive(Debug, Default)]
struct Cancel {
    set: AtomicBool,
    waiting: Notify,
}

impl CancelToken {
    /// Idempotent.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::SeqCst);
        self.0.waiting.notify_waiters();
    }

    /// Whether it is set.
    pub fn is_canceled(&self) -> bool {
        self.0.set.load(Ordering::Relaxed)
    }

    /// Canceled, when it is set.
    ///
    /// # Errors
    /// [`EngineError::Canceled`].
    pub fn check(&self) -> Result<()> {
        if self.is_canceled() {
            Err(EngineError::Canceled)
        } else {
            Ok(())
        }
    }

    /// Waits until it is set.
    pub async fn canceled(&self) {
        let notified = self.0.waiting.notified();
        tokio::pin!(notified);
        // Registered before the flag is read, so that a call of `cancel` in between is not missed.
        notified.as_mut().enable();
        if !self.is_canceled() {
            notified.await;
        }
    }
}

/// Counters of running work. They only grow; several tasks may share one.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    bytes_read: AtomicU64,
    rows_read: AtomicU64,
    rows_rejected: AtomicU64,
    rows_written: AtomicU64,
}

impl Progress {
    /// Of input.
    pub fn bytes_read(&self) -> u64 {
        self.0.bytes_read.load(Ordering::Relaxed)
    }

    /// Records seen, rejected ones among them.
    pub fn rows_read(&self) -> u64 {
        self.0.rows_read.load(Ordering::Relaxed)
    }

    /// Records that could not be read.
    pub fn rows_rejected(&self) -> u64 {
        self.0.rows_rejected.load(Ordering::Relaxed)
    }

    /// Rows in blocks and parts.
    pub fn rows_written(&self) -> u64 {
        self.0.rows_written.load(Ordering::Relaxed)
    }

    /// Count input.
    pub fn add_read(&self, bytes: u64, rows: u64, rejected: u64) {
        self.0.bytes_read.fetch_add(bytes, Ordering::Relaxed);
        self.0.rows_read.fetch_add(rows, Ordering::Relaxed);
        self.0.rows_rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    /// Count output.
    pub fn add_written(&self, rows: u64) {
        self.0.rows_written.fetch_add(rows, Ordering::Relaxed);
    }
}

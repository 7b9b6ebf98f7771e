//! A sink in a thread of its own, for the one final task: while it makes text of some rows, the next are merged.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow::array::RecordBatch;

use super::PartSink;
use crate::error::{EngineError, Result};
use crate::part::Part;

/// Batches that wait for the thread.
const QUEUED_BATCHES: usize = 4;

type Sink = Box<dyn PartSink>;

/// Writes through another sink. The first batch is written at once: small results need no thread.
pub(crate) struct Aside {
    state: State,
}

enum State {
    Here(Sink, bool),
    There(SyncSender<RecordBatch>, JoinHandle<Result<Sink>>),
    Ended,
}

impl Aside {
    pub(crate) fn new(sink: Sink) -> Self {
        Self {
            state: State::Here(sink, false),
        }
    }

    fn join(thread: JoinHandle<Result<Sink>>) -> Result<Sink> {
        thread
            .join()
            .map_err(|_| EngineError::internal("the thread of a sink panicked"))?
    }
}

impl Drop for Aside {
    /// After a task has ended nothing of it goes on.
    fn drop(&mut self) {
        if let State::There(sender, thread) = std::mem::replace(&mut self.state, State::Ended) {
            drop(sender);
            // The task has failed or was canceled before.
            let _ = thread.join();
        }
    }
}

fn write_all(mut sink: Sink, batches: &Receiver<RecordBatch>) -> Result<Sink> {
    for batch in batches {
        sink.write(&batch)?;
    }
    Ok(sink)
}

impl PartSink for Aside {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Here(mut sink, false) => {
                sink.write(batch)?;
                self.state = State::Here(sink, true);
                Ok(())
            }
            State::Here(sink, true) => {
                let (sender, receiver) = sync_channel(QUEUED_BATCHES);
                let thread = std::thread::spawn(move || write_all(sink, &receiver));
                self.state = State::There(sender, thread);
                self.write(batch)
            }
            State::There(sender, thread) => {
                // A thread that failed hangs up, and says why when it is joined.
                if sender.send(batch.clone()).is_err() {
                    Self::join(thread)?;
                    return Err(EngineError::internal("the thread of a sink ended early"));
                }
                self.state = State::There(sender, thread);
                Ok(())
            }
            State::Ended => Err(EngineError::internal("a sink went on after an error")),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Part> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Here(sink, _) => sink.finish(),
            State::There(sender, thread) => {
                drop(sender);
                Self::join(thread)?.finish()
            }
            State::Ended => Err(EngineError::internal("a sink went on after an error")),
        }
    }
}

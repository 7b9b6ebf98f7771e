//! One shard of a text file while it is read: batches for the plan, counts for progress, rejects for their file.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use karyaksham_text::{ReadAt, TEXT_COLUMN, TextError, TextScan};

use crate::error::{EngineError, Result};
use crate::job::{FileReject, FileShardReport};
use crate::part::RejectsPartWriter;
use crate::scan::{ScanOutcome, Shape, Surroundings};

/// The scan of one shard, shared by the plan that consumes it and the task that answers for it.
pub struct TextRun {
    bytes: Arc<dyn ReadAt>,
    file: usize,
    path: String,
    name: String,
    surroundings: Surroundings,
    is_text: bool,
    shape: Shape,
    wants_nothing: bool,
    state: Mutex<State>,
}

struct State {
    scan: Box<dyn TextScan>,
    done: bool,
    counted: Counted,
    rejects: Option<RejectsPartWriter>,
    first_reject: Option<FileReject>,
}

/// What the progress counters have been told.
#[derive(Debug, Default)]
struct Counted {
    bytes: u64,
    rows: u64,
    rejected: u64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("done", &self.done)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TextRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextRun")
            .field("file", &self.file)
            .field("path", &self.path)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl TextRun {
    pub(super) fn new(
        (scan, is_text): (Box<dyn TextScan>, bool),
        (shape, wants_nothing): (Shape, bool),
        bytes: Arc<dyn ReadAt>,
        file: usize,
        path: String,
        name: String,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            bytes,
            file,
            path,
            name,
            surroundings,
            is_text,
            shape,
            wants_nothing,
            state: Mutex::new(State {
                scan,
                done: false,
                counted: Counted::default(),
                rejects: None,
                first_reject: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in the scan ends the task; what it left behind is only read for its account.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The next batch that has rows.
    pub(super) fn next_rows(&self) -> Result<Option<RecordBatch>> {
        let mut state = self.lock();
        while let Some(batch) = self.step(&mut state)? {
            if batch.num_rows() > 0 && !self.wants_nothing {
                return self.shaped(batch).map(Some);
            }
        }
        Ok(None)
    }

    /// Rows of the table; the text that they carry stays as it is.
    fn shaped(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let Ok(text) = batch.schema().index_of(TEXT_COLUMN) else {
            return self.shape.apply(batch);
        };
        let of_file: Vec<usize> = (0..text).collect();
        let shaped = self.shape.apply(batch.project(&of_file)?)?;
        let mut fields = shaped.schema().fields().to_vec();
        fields.push(Arc::clone(&batch.schema().fields()[text]));
        let mut columns = shaped.columns().to_vec();
        columns.push(Arc::clone(batch.column(text)));
        Ok(RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            columns,
        )?)
    }

    /// Rows come as text, through [`TextRun::next_text`] alone.
    pub(in crate::scan) fn is_text(&self) -> bool {
        self.is_text
    }

    /// Append lines to `out`; how many, or None at the end.
    pub(in crate::scan) fn next_text(&self, out: &mut Vec<u8>) -> Result<Option<usize>> {
        self.advance(&mut self.lock(), |scan| scan.next_text(out))
    }

    fn step(&self, state: &mut State) -> Result<Option<RecordBatch>> {
        self.advance(state, |scan| scan.next_batch())
    }

    /// About one chunk of work, and its account.
    fn advance<T>(
        &self,
        state: &mut State,
        work: impl FnOnce(&mut dyn TextScan) -> std::result::Result<Option<T>, TextError>,
    ) -> Result<Option<T>> {
        if state.done {
            return Ok(None);
        }
        self.surroundings.cancel.check()?;
        let rows = work(&mut *state.scan).map_err(|e| EngineError::from(e).in_file(&self.path))?;
        state.done = rows.is_none();
        let report = state.scan.report();
        let bytes = self.bytes.stored_bytes(report.first, report.end);
        let (rows_read, rejected) = (report.rows_read, report.rows_rejected);
        let counted = &mut state.counted;
        self.surroundings.progress.add_read(
            bytes.saturating_sub(counted.bytes),
            rows_read.saturating_sub(counted.rows),
            rejected.saturating_sub(counted.rejected),
        );
        let has_rejects = rejected > counted.rejected;
        *counted = Counted {
            bytes,
            rows: rows_read,
            rejected,
        };
        if has_rejects || state.done {
            self.keep_rejects(state)?;
        }
        Ok(rows)
    }

    fn keep_rejects(&self, state: &mut State) -> Result<()> {
        for reject in state.scan.take_rejects() {
            let reject = FileReject {
                file: self.name.clone(),
                reject,
            };
            if state.rejects.is_none() {
                state.rejects = Some(RejectsPartWriter::new(&self.surroundings.destination)?);
            }
            if let Some(writer) = &mut state.rejects {
                writer.push(&reject)?;
            }
            state.first_reject.get_or_insert(reject);
        }
        Ok(())
    }

    pub(in crate::scan) fn stopped_at_reject(&self) -> bool {
        self.lock().scan.report().stopped_at_reject
    }

    pub(in crate::scan) fn finish(&self) -> Result<ScanOutcome> {
        let mut state = self.lock();
        while self.step(&mut state)?.is_some() {}
        let report = FileShardReport {
            file: self.file,
            report: state.scan.report().clone(),
        };
        let rejects = state
            .rejects
            .take()
            .map(RejectsPartWriter::finish)
            .transpose()?;
        Ok(ScanOutcome {
            report,
            rejects,
            first_reject: state.first_reject.take(),
        })
    }
}

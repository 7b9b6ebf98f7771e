//! Rows between stages. In memory they are the batches themselves; in a file they are an Arrow IPC stream, which is
//! read batch by batch, and which, unlike an IPC file, may hold dictionaries that differ from batch to batch.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::{Destination, Keep, create, not_kept, open_whole};
use crate::error::{EngineError, Result};

/// The file's name in the folder of the attempt.
const FILE_NAME: &str = "block.arrow";

/// What is larger goes into a file; rows take several times the bytes of their text.
const MEMORY_LIMIT_BYTES: usize = 128 << 20;

/// A string column is copied when it holds on to more than this many times the bytes it shows.
const MAX_SLACK: usize = 2;

/// Rows for a later stage.
#[derive(Debug, Clone)]
pub struct Block {
    rows: u64,
    size_bytes: u64,
    held: Held,
}

#[derive(Debug, Clone)]
enum Held {
    Memory(Arc<[RecordBatch]>),
    File(PathBuf),
}

impl Block {
    /// A block that another process wrote. Its file is looked at when it is read.
    pub fn open(path: impl Into<PathBuf>, rows: u64, size_bytes: u64) -> Self {
        Self {
            rows,
            size_bytes,
            held: Held::File(path.into()),
        }
    }

    /// Where the file is; None in memory.
    pub fn path(&self) -> Option<&Path> {
        match &self.held {
            Held::Memory(_) => None,
            Held::File(path) => Some(path),
        }
    }

    /// Rows in it.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the file, or of the rows in memory.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The batches in the order they were written, one at a time.
    ///
    /// # Errors
    /// TransientIo PART_LOST where the file is gone or not whole.
    pub fn batches(&self) -> Result<Batches> {
        let source = match &self.held {
            Held::Memory(batches) => Reading::Memory {
                batches: Arc::clone(batches),
                next: 0,
            },
            Held::File(path) => {
                let file = open_whole(path, self.size_bytes)?;
                Reading::File(StreamReader::try_new_buffered(file, None)?)
            }
        };
        Ok(Batches {
            source,
            rows_left: self.rows,
        })
    }
}

/// The batches of a [`Block`]; ends with an error when rows are missing.
pub struct Batches {
    source: Reading,
    rows_left: u64,
}

enum Reading {
    Memory {
        batches: Arc<[RecordBatch]>,
        next: usize,
    },
    File(StreamReader<std::io::BufReader<File>>),
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match &mut self.source {
            Reading::Memory { batches, next } => {
                let batch = batches.get(*next).cloned();
                *next += 1;
                batch
            }
            Reading::File(reader) => match reader.next() {
                Some(Ok(batch)) => Some(batch),
                Some(Err(error)) => return Some(Err(error.into())),
                None => None,
            },
        };
        let Some(batch) = batch else {
            let missing = std::mem::take(&mut self.rows_left);
            return (missing > 0).then(|| {
                Err(EngineError::transient(
                    "PART_LOST",
                    format!("A block of rows ends {missing} rows early."),
                ))
            });
        };
        self.rows_left = self.rows_left.saturating_sub(batch.num_rows() as u64);
        Some(Ok(batch))
    }
}

/// Gathers the rows of one task.
pub struct BlockWriter {
    schema: SchemaRef,
    path: PathBuf,
    rows: u64,
    held_bytes: usize,
    batches: Vec<RecordBatch>,
    file: Option<StreamWriter<BufWriter<File>>>,
}

impl BlockWriter {
    /// For the attempt that owns `destination`.
    ///
    /// # Errors
    /// Those of making the file.
    pub fn new(schema: SchemaRef, destination: &Destination) -> Result<Self> {
        let mut writer = Self {
            schema,
            path: destination.staging_dir.join(FILE_NAME),
            rows: 0,
            held_bytes: 0,
            batches: Vec::new(),
            file: None,
        };
        if destination.keep == Keep::File {
            writer.spill()?;
        }
        Ok(writer)
    }

    /// Add rows.
    ///
    /// # Errors
    /// ResourceError DISK_FULL, and others of writing.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        let batch = compact(batch)?;
        if let Some(file) = &mut self.file {
            file.write(&batch)?;
            return Ok(());
        }
        self.held_bytes += held_bytes(&batch)?;
        self.batches.push(batch);
        if self.held_bytes > MEMORY_LIMIT_BYTES {
            self.spill()?;
        }
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// All of them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<Block> {
        let (held, size_bytes) = match self.file.take() {
            None => (Held::Memory(self.batches.into()), self.held_bytes as u64),
            Some(mut writer) => {
                writer.finish()?;
                let buffered = writer.into_inner()?;
                let file = buffered
                    .into_inner()
                    .map_err(|e| not_kept(e.into_error()))?;
                let size_bytes = file.metadata()?.len();
                (Held::File(self.path), size_bytes)
            }
        };
        Ok(Block {
            rows: self.rows,
            size_bytes,
            held,
        })
    }

    fn spill(&mut self) -> Result<()> {
        let file = BufWriter::with_capacity(1 << 20, create(&self.path).map_err(not_kept)?);
        let mut writer = StreamWriter::try_new(file, &self.schema)?;
        for batch in self.batches.drain(..) {
            writer.write(&batch)?;
        }
        self.file = Some(writer);
        Ok(())
    }
}

/// The batch with its own strings only: views may hold on to whole chunks of a file for a few short strings.
pub(crate) fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns: Vec<ArrayRef> = batch.columns().iter().map(compact_column).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        batch.schema(),
        columns,
        &options,
    )?)
}

fn compact_column(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => {
            let views = column.as_string_view();
            let held: usize = views.data_buffers().iter().map(|b| b.len()).sum();
            if held > MAX_SLACK * views.total_buffer_bytes_used() {
                return Arc::new(views.gc());
            }
        }
        DataType::BinaryView => {
            let views = column.as_binary_view();
            let held: usize = views.data_buffers().iter().map(|b| b.len()).sum();
            if held > MAX_SLACK * views.total_buffer_bytes_used() {
                return Arc::new(views.gc());
            }
        }
        _ => {}
    }
    Arc::clone(column)
}

/// What the rows take, without counting twice what slices share.
fn held_bytes(batch: &RecordBatch) -> Result<usize> {
    let mut total = 0;
    for column in batch.columns() {
        total += column.to_data().get_slice_memory_size()?;
        total += match column.data_type() {
            DataType::Utf8View => column.as_string_view().total_buffer_bytes_used(),
            DataType::BinaryView => column.as_binary_view().total_buffer_bytes_used(),
            _ => 0,
        };
    }
    Ok(total)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringViewArray};
    use arrow::datatypes::{Field, Schema};

    fn sample(rows: usize) -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("s", DataType::Utf8View, true),
        ]);
        let numbers: Int64Array = (0..rows as i64)
            .map(|n| (n % 5 != 0).then_some(n))
            .collect();
        let strings: StringViewArray = (0..rows)
            .map(|n| (n % 7 != 0).then(|| format!("a string longer than twelve bytes {n}")))
            .collect();
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers), Arc::new(strings)]).unwrap()
    }

    fn destination(keep: Keep) -> (tempfile::TempDir, Destination) {
        let dir = tempfile::tempdir().unwrap();
        let staging_dir = dir.path().to_path_buf();
        (dir, Destination { staging_dir, keep })
    }

    #[test]
    fn both_ways_of_keeping_give_the_same_rows_back() {
        let batch = sample(20_000);
        for keep in [Keep::Memory, Keep::File] {
            let (_dir, destination) = destination(keep);
            let mut writer = BlockWriter::new(batch.schema(), &destination).unwrap();
            for at in (0..20_000).step_by(1_000) {
                writer.write(&batch.slice(at, 1_000)).unwrap();
            }
            let block = writer.finish().unwrap();
            assert_eq!(block.path().is_some(), keep == Keep::File);
            assert_eq!(block.rows(), 20_000);
            for _twice in 0..2 {
                let read: Vec<RecordBatch> = block.batches().unwrap().map(Result::unwrap).collect();
                let whole = arrow::compute::concat_batches(&batch.schema(), &read).unwrap();
                assert_eq!(whole, batch);
            }
        }
    }

    #[test]
    fn a_large_block_moves_into_a_file() {
        let (_dir, destination) = destination(Keep::Memory);
        let batch = sample(100_000);
        let mut writer = BlockWriter::new(batch.schema(), &destination).unwrap();
        let mut rows = 0;
        while rows < 2_500_000 {
            writer.write(&batch).unwrap();
            rows += 100_000;
        }
        let block = writer.finish().unwrap();
        assert!(block.path().is_some());
        let read: usize = block
            .batches()
            .unwrap()
            .map(|b| b.unwrap().num_rows())
            .sum();
        assert_eq!(read, rows);
    }

    #[test]
    fn a_cut_off_block_is_lost_and_not_short() {
        let (_dir, destination) = destination(Keep::File);
        let batch = sample(10_000);
        let mut writer = BlockWriter::new(batch.schema(), &destination).unwrap();
        writer.write(&batch).unwrap();
        let block = writer.finish().unwrap();
        let path = block.path().unwrap().to_path_buf();
        let half = block.size_bytes() / 2;
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(half)
            .unwrap();
        let error = block.batches().err().unwrap();
        assert_eq!(error.to_fault().code, "PART_LOST");
        let claimed = Block::open(&path, 10_000, half);
        assert!(claimed.batches().unwrap().any(|batch| batch.is_err()));
    }

    #[test]
    fn few_rows_of_a_large_batch_do_not_hold_on_to_it() {
        let batch = sample(50_000).slice(10, 3);
        let small = compact(&batch).unwrap();
        assert_eq!(small, batch);
        let buffers = small.column(1).as_string_view().data_buffers();
        assert!(buffers.iter().map(|b| b.len()).sum::<usize>() < 1_000);
    }
}

//! Rows between stages, in segments: runs of rows of one partition. In memory a segment is a batch. In a file it is an
//! Arrow IPC stream, which, unlike an IPC file, may hold dictionaries that differ from batch to batch; the file ends in a
//! table of its segments, so that any partition, and any range of sorted rows, is read without the rest:
//!
//! `segment ... table (JSON), length of the table (8 bytes, little endian), "KARYBLK1"`

mod writer;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec::IntoIter;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use arrow::ipc::reader::StreamReader;
use serde::{Deserialize, Serialize};

pub use self::writer::BlockWriter;
use super::open_whole;
use crate::error::{EngineError, Result};

const MAGIC: &[u8; 8] = b"KARYBLK1";

/// Of the length and the magic.
const FOOT_BYTES: u64 = 16;

/// A string column is copied when it holds on to more than this many times the bytes it shows.
const MAX_SLACK: usize = 2;

/// Rows of one partition that come one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which.
    pub partition: usize,
    /// How many rows.
    pub rows: u64,
    /// Of sorted blocks, the sort key of the first row, as bytes.
    pub key: Vec<u8>,
    /// Where it is in the file.
    offset: u64,
    length: u64,
}

/// Rows for a later stage.
#[derive(Debug, Clone)]
pub struct Block {
    rows: u64,
    size_bytes: u64,
    held: Held,
}

#[derive(Debug, Clone)]
enum Held {
    Memory(Arc<[(Segment, RecordBatch)]>),
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

    /// What it consists of, in the order of its rows.
    ///
    /// # Errors
    /// TransientIo PART_LOST where the file is gone or not whole.
    pub fn segments(&self) -> Result<Vec<Segment>> {
        match &self.held {
            Held::Memory(held) => Ok(held.iter().map(|(segment, _)| segment.clone()).collect()),
            Held::File(path) => read_table(&mut open_whole(path, self.size_bytes)?),
        }
    }

    /// All rows in the order they were written, batch by batch.
    ///
    /// # Errors
    /// TransientIo PART_LOST where the file is gone or not whole.
    pub fn batches(&self) -> Result<Batches> {
        let batches = self.picked(&|_| true, 0, u64::MAX)?;
        if batches.rows_left == self.rows {
            return Ok(batches);
        }
        let found = batches.rows_left;
        Err(lost(&format!("has {found} of {} rows", self.rows)))
    }

    /// The rows of one partition.
    ///
    /// # Errors
    /// As [`Self::batches`].
    pub fn partition(&self, partition: usize) -> Result<Batches> {
        self.picked(&|segment| segment.partition == partition, 0, u64::MAX)
    }

    /// The rows from number `from` up to and without number `to`.
    ///
    /// # Errors
    /// As [`Self::batches`].
    pub fn slice(&self, from: u64, to: u64) -> Result<Batches> {
        self.picked(&|_| true, from, to)
    }

    fn picked(&self, wanted: &dyn Fn(&Segment) -> bool, from: u64, to: u64) -> Result<Batches> {
        let mut row = 0;
        let mut rows_left = 0;
        let mut pick = |segment: &Segment| {
            let first = row;
            if wanted(segment) {
                row += segment.rows;
            } else {
                return None;
            }
            let (skip, end) = (from.max(first) - first, to.min(row).saturating_sub(first));
            let rows = end.saturating_sub(skip);
            rows_left += rows;
            (rows > 0).then_some((skip, rows))
        };
        let source = match &self.held {
            Held::Memory(held) => {
                let mut slices = Vec::new();
                for (segment, batch) in held.iter() {
                    if let Some((skip, rows)) = pick(segment) {
                        slices.push(batch.slice(skip as usize, rows as usize));
                    }
                }
                Picked::Memory(slices.into_iter())
            }
            Held::File(path) => {
                let mut file = open_whole(path, self.size_bytes)?;
                let mut runs = Vec::new();
                for segment in read_table(&mut file)? {
                    if let Some((skip, rows)) = pick(&segment) {
                        let (offset, length) = (segment.offset, segment.length);
                        runs.push(Run {
                            offset,
                            length,
                            skip,
                            rows,
                        });
                    }
                }
                Picked::File {
                    file,
                    runs: runs.into_iter(),
                    open: None,
                }
            }
        };
        Ok(Batches { source, rows_left })
    }
}

/// Rows of a [`Block`]; ends with an error when rows are missing.
pub struct Batches {
    source: Picked,
    rows_left: u64,
}

enum Picked {
    Memory(IntoIter<RecordBatch>),
    File {
        file: File,
        runs: IntoIter<Run>,
        open: Option<Box<Open>>,
    },
}

/// Rows of a segment in a file.
struct Run {
    offset: u64,
    length: u64,
    skip: u64,
    rows: u64,
}

/// A segment that is being read.
struct Open {
    reader: StreamReader<BufReader<Take<File>>>,
    skip: u64,
    rows: u64,
}

impl Batches {
    /// Whether there is nothing more to come.
    pub fn is_empty(&self) -> bool {
        self.rows_left == 0
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match &mut self.source {
            Picked::Memory(slices) => slices.next().map(Ok),
            Picked::File { file, runs, open } => next_of_file(file, runs, open).transpose(),
        };
        match batch {
            Some(Ok(batch)) => {
                self.rows_left = self.rows_left.saturating_sub(batch.num_rows() as u64);
                Some(Ok(batch))
            }
            Some(Err(error)) => Some(Err(error)),
            None => {
                let missing = std::mem::take(&mut self.rows_left);
                (missing > 0).then(|| Err(lost(&format!("ends {missing} rows early"))))
            }
        }
    }
}

fn next_of_file(
    file: &File,
    runs: &mut IntoIter<Run>,
    open: &mut Option<Box<Open>>,
) -> Result<Option<RecordBatch>> {
    loop {
        if let Some(mut now) = open.take()
            && now.rows > 0
            && let Some(batch) = now.reader.next().transpose()?
        {
            let rows = batch.num_rows() as u64;
            let skip = now.skip.min(rows);
            let taken = (rows - skip).min(now.rows);
            now.skip -= skip;
            now.rows -= taken;
            *open = Some(now);
            if taken > 0 {
                return Ok(Some(batch.slice(skip as usize, taken as usize)));
            }
            continue;
        }
        let Some(run) = runs.next() else {
            return Ok(None);
        };
        // The copies share their place in the file; one segment is read at a time.
        let mut from = file.try_clone()?;
        from.seek(SeekFrom::Start(run.offset))?;
        let buffered = BufReader::with_capacity(1 << 18, from.take(run.length));
        *open = Some(Box::new(Open {
            reader: StreamReader::try_new(buffered, None)?,
            skip: run.skip,
            rows: run.rows,
        }));
    }
}

fn read_table(file: &mut File) -> Result<Vec<Segment>> {
    let size_bytes = file.metadata()?.len();
    let end = size_bytes.checked_sub(FOOT_BYTES);
    let end = end.ok_or_else(|| lost("is too short"))?;
    let mut foot = [0; FOOT_BYTES as usize];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut foot)?;
    let (length, magic) = foot.split_at(8);
    if magic != MAGIC {
        return Err(lost("does not end as a block does"));
    }
    let length = length.try_into().map(u64::from_le_bytes).unwrap_or(0);
    let start = end.checked_sub(length);
    let start = start.ok_or_else(|| lost("has a table longer than itself"))?;
    let mut table = vec![0; length as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut table)?;
    let segments: Vec<Segment> =
        serde_json::from_slice(&table).map_err(|_| lost("has a table that can't be read"))?;
    let fits = |s: &Segment| s.offset.checked_add(s.length).is_some_and(|to| to <= start);
    match segments.iter().all(fits) {
        true => Ok(segments),
        false => Err(lost("has a table that does not fit it")),
    }
}

fn lost(what: &str) -> EngineError {
    EngineError::transient("PART_LOST", format!("A block of rows {what}."))
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::part::{Destination, Keep, Layout};
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
            let mut writer =
                BlockWriter::new(batch.schema(), &Layout::Whole, &destination).unwrap();
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
        let mut writer = BlockWriter::new(batch.schema(), &Layout::Whole, &destination).unwrap();
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
        let mut writer = BlockWriter::new(batch.schema(), &Layout::Whole, &destination).unwrap();
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
        let error = claimed.batches().err().unwrap();
        assert_eq!(error.to_fault().code, "PART_LOST");
    }

    #[test]
    fn partitions_and_ranges_are_read_without_the_rest() {
        use datafusion::physical_expr::PhysicalSortExpr;
        use datafusion::physical_expr::expressions::Column;
        let batch = sample(100_000);
        let key = || Arc::new(Column::new("n", 0));
        let hashed = Layout::Hashed {
            keys: vec![key()],
            partitions: 5,
        };
        let order = PhysicalSortExpr::new_default(key());
        let sorted = Layout::Sorted {
            order: [order].into(),
            ranges: 3,
        };
        for keep in [Keep::Memory, Keep::File] {
            for (layout, partitions) in [(&hashed, 5), (&sorted, 1)] {
                let (_dir, destination) = destination(keep);
                let mut writer = BlockWriter::new(batch.schema(), layout, &destination).unwrap();
                for at in (0..100_000).step_by(1_000) {
                    writer.write(&batch.slice(at, 1_000)).unwrap();
                }
                let block = writer.finish().unwrap();
                let rows = |batches: Batches| batches.map(|b| b.unwrap().num_rows()).sum::<usize>();
                let of_each = (0..partitions).map(|p| rows(block.partition(p).unwrap()));
                assert_eq!(of_each.sum::<usize>(), 100_000);
                for (from, to) in [(0, 1), (7, 20_000), (16_380, 16_390), (99_999, 100_000)] {
                    let slice = block.slice(from, to).unwrap();
                    let read: Vec<RecordBatch> = slice.map(Result::unwrap).collect();
                    let whole = arrow::compute::concat_batches(&batch.schema(), &read).unwrap();
                    assert_eq!(whole.num_rows() as u64, to - from);
                    if partitions == 1 {
                        assert_eq!(whole, batch.slice(from as usize, whole.num_rows()));
                    }
                }
            }
        }
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

//! Sorted blocks cut into ranges of the order of all their rows, so that each range can be merged by a task of its own.
//! Blocks know the keys of some of their rows; the bounds are chosen among these, so that ranges have about as many rows
//! each. A bound is a row of a block and not only its key: rows with that key in earlier blocks are before it, those in
//! later blocks after it. So ties never gather in one range, and each task finds the same bounds by itself.

use std::sync::Mutex;

use datafusion::arrow::datatypes::Schema;
use datafusion::physical_expr::LexOrdering;

use crate::error::{EngineError, Result};
use crate::part::{Block, Segment, SortKeys};

/// The bounds between the ranges of some blocks.
#[derive(Debug)]
pub struct Ranges {
    blocks: Vec<(Block, Vec<Segment>)>,
    bounds: Vec<Bound>,
    keys: Mutex<SortKeys>,
}

/// The first row of a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    key: Vec<u8>,
    block: usize,
    row: u64,
}

impl Ranges {
    /// At most `count` ranges of sorted `blocks`; where there are fewer, the last ones are empty.
    ///
    /// # Errors
    /// TransientIo PART_LOST where a block is gone.
    pub fn of(
        blocks: &[Block],
        order: &LexOrdering,
        schema: &Schema,
        count: usize,
    ) -> Result<Self> {
        let with_segments = |block: &Block| Ok((block.clone(), block.segments()?));
        let blocks: Vec<_> = blocks.iter().map(with_segments).collect::<Result<_>>()?;
        let mut samples: Vec<(Bound, u64)> = Vec::new();
        for (number, (_, segments)) in blocks.iter().enumerate() {
            let mut row = 0;
            for segment in segments {
                let key = segment.key.clone();
                let block = number;
                samples.push((Bound { key, block, row }, segment.rows));
                row += segment.rows;
            }
        }
        samples.sort_unstable();
        let rows: u64 = samples.iter().map(|(_, rows)| rows).sum();
        let mut bounds = Vec::with_capacity(count);
        let mut before = 0;
        for (bound, segment_rows) in samples {
            let wanted = (bounds.len() as u64 + 1) * rows / count.max(1) as u64;
            if before >= wanted && before > 0 && bounds.len() + 1 < count {
                bounds.push(bound);
            }
            before += segment_rows;
        }
        Ok(Self {
            blocks,
            bounds,
            keys: Mutex::new(SortKeys::new(order, schema)?),
        })
    }

    /// The rows of a block, from one and up to another, that are in a range.
    ///
    /// # Errors
    /// TransientIo PART_LOST where the block is gone.
    pub fn rows_of(&self, block: usize, range: usize) -> Result<(u64, u64)> {
        if range > self.bounds.len() {
            let rows = self.blocks[block].0.rows();
            return Ok((rows, rows));
        }
        let from = match range.checked_sub(1) {
            Some(lower) => self.rows_before(block, &self.bounds[lower])?,
            None => 0,
        };
        let to = match self.bounds.get(range) {
            Some(upper) => self.rows_before(block, upper)?,
            None => self.blocks[block].0.rows(),
        };
        Ok((from, to))
    }

    /// How many rows of a block come before a bound.
    fn rows_before(&self, number: usize, bound: &Bound) -> Result<u64> {
        if number == bound.block {
            return Ok(bound.row);
        }
        let (block, segments) = &self.blocks[number];
        let is_before = |key: &[u8]| match number < bound.block {
            true => key <= bound.key.as_slice(),
            false => key < bound.key.as_slice(),
        };
        // The last segment that begins before the bound is the one that may have rows on both sides of it.
        let begun = segments.partition_point(|segment| is_before(&segment.key));
        let Some(last) = begun.checked_sub(1) else {
            return Ok(0);
        };
        let first: u64 = segments[..last].iter().map(|segment| segment.rows).sum();
        let mut rows = first;
        let mut keys = self
            .keys
            .lock()
            .map_err(|_| EngineError::internal("ranges were left half way"))?;
        for batch in block.slice(first, first + segments[last].rows)? {
            let of_rows = keys.of(&batch?)?;
            let (mut before, mut after) = (0, of_rows.num_rows());
            while before < after {
                let middle = before.midpoint(after);
                match is_before(of_rows.row(middle).as_ref()) {
                    true => before = middle + 1,
                    false => after = middle,
                }
            }
            rows += before as u64;
            if before < of_rows.num_rows() {
                break;
            }
        }
        Ok(rows)
    }
}

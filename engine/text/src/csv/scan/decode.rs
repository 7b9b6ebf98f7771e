//! Good rows of a chunk into columns, or into text. What is wrong with a row is found before anybody asks whether it is
//! wanted. Where few rows are wanted, the columns that the filter does not look at are only checked, and made for the
//! wanted rows afterwards.

use crate::{BadRowPolicy, TextError};

use super::super::field::{Nulled, Rows};
use super::super::tokens::RowMap;
use super::carried::Carried;
use super::faults::Decoded;
use super::{CsvScan, RESERVED_ROWS};

impl CsvScan {
    /// Decode rows until the batch is full or the chunk is done; under `FailJob` until the first reject. Returns the
    /// rows that were handed on.
    pub(super) fn decode_some(&mut self, text: Option<&mut Vec<u8>>) -> Result<usize, TextError> {
        let fails = self.options.bad_rows == BadRowPolicy::FailJob;
        let room = self.rows_per_batch() - self.batch_rows;
        let mut count = room.min(self.left_rows());
        if let (true, Some(bad)) = (fails, self.tokens.bad.first()) {
            count = count.min(bad.before - self.decoded);
        }
        let only_checks = text.is_some() || self.filtered.as_ref().is_some_and(|f| f.is_sparse());
        self.found.nulled.clear();
        self.read_columns(count, room, only_checks);

        let bad = &self.tokens.bad[self.passed_bad..];
        let bad_before = self.decoded + count;
        let bad_count = bad
            .iter()
            .take_while(|bad| bad.before <= bad_before)
            .count();
        let decoded = Decoded {
            from: self.decoded,
            count,
            bad_count,
        };
        let settled = if self.found.faults.is_empty() && bad_count == 0 {
            self.report.rows_read += count as u64;
            None
        } else {
            Some(self.settle(decoded))
        };
        let good = settled.as_ref().map(|settled| settled.good.as_slice());
        let wanted = match &mut self.filtered {
            None => None,
            Some(filtered) => {
                self.report.rows_passed += good.map_or(count, <[u32]>::len) as u64;
                Some(filtered.keep(count, good)?)
            }
        };
        let rows = self.hand_on(decoded, good, wanted.as_deref(), only_checks, text);

        self.decoded += count;
        if let Some(next) = settled.and_then(|settled| settled.stop) {
            self.stop_at(next);
        } else if self.chunk_is_decoded() {
            self.end_chunk();
        } else {
            self.note_progress(self.tokens.row_start_or_boundary(self.decoded));
        }
        Ok(rows)
    }

    fn read_columns(&mut self, count: usize, room: usize, only_checks: bool) {
        if count == 0 {
            return;
        }
        let rows = Rows {
            data: self.buffer.data(),
            tokens: &self.tokens,
            map: self.tokens.map(self.decoded),
            count,
            before: 0,
            room: room.min(count.max(RESERVED_ROWS)),
        };
        for rows in rows.blocks() {
            if let Some(filtered) = &mut self.filtered {
                filtered.read(rows, &mut self.found);
            }
            for column in &self.checked {
                column.check(rows, &mut self.found);
            }
            for output in &mut self.columns {
                if output.filtered.is_some() {
                    continue;
                }
                if only_checks {
                    output.column.check(rows, &mut self.found);
                } else {
                    output.column.append(rows, &mut self.found);
                }
            }
        }
    }

    /// Put the wanted rows into the batch or the text. `good`: the rows that can be read, where not all of them;
    /// `wanted`: which of those are wanted, where not all of them are.
    fn hand_on(
        &mut self,
        decoded: Decoded,
        good: Option<&[u32]>,
        wanted: Option<&[u32]>,
        only_checks: bool,
        text: Option<&mut Vec<u8>>,
    ) -> usize {
        let mapped: Vec<u32>;
        let kept = match (good, wanted) {
            (Some(good), Some(wanted)) => {
                mapped = wanted.iter().map(|row| good[*row as usize]).collect();
                Some(mapped.as_slice())
            }
            (good, wanted) => good.or(wanted),
        };
        let rows = kept.map_or(decoded.count, <[u32]>::len);
        if let Some(text) = text {
            self.write_text(decoded, kept, text);
            if self.filtered.is_none() {
                self.report.rows_passed += rows as u64;
            }
            return rows;
        }
        if let Some(carried) = self.carried.take() {
            self.carried = Some(self.carry(carried, decoded, kept));
        }
        let first_row = self.batch_rows;
        self.batch_rows += rows;
        let all_are_kept = rows == decoded.count;
        if only_checks {
            self.tokens
                .entries(decoded.from, kept.unwrap_or_default(), &mut self.entries);
        }
        let made = Rows {
            data: self.buffer.data(),
            tokens: &self.tokens,
            map: RowMap::Listed(&self.entries),
            count: rows,
            before: 0,
            room: rows,
        };
        for output in &mut self.columns {
            match (output.filtered, &self.filtered) {
                (Some(position), Some(filtered)) => output
                    .column
                    .extend(filtered.array(position), wanted.unwrap_or_default()),
                _ if only_checks => output.column.append(made, &mut self.found),
                _ if all_are_kept => {}
                _ => output.column.select(first_row, kept.unwrap_or_default()),
            }
        }
        rows
    }

    fn carry(&mut self, mut carried: Carried, decoded: Decoded, kept: Option<&[u32]>) -> Carried {
        let nulled = self.find(decoded, kept);
        carried.add(self.buffer.data(), &self.tokens, &self.entries, &nulled);
        carried
    }

    fn write_text(&mut self, decoded: Decoded, kept: Option<&[u32]>, text: &mut Vec<u8>) {
        let nulled = self.find(decoded, kept);
        if let Some(verbatim) = &self.verbatim {
            let data = self.buffer.data();
            verbatim.write(data, &self.tokens, &self.entries, &nulled, text);
        }
    }

    /// Find the first fields of the kept rows; returns what became null in them.
    fn find(&mut self, decoded: Decoded, kept: Option<&[u32]>) -> Vec<Nulled> {
        let all: Vec<u32>;
        let kept = match kept {
            Some(kept) => kept,
            None => {
                all = (0..decoded.count as u32).collect();
                &all
            }
        };
        self.tokens.entries(decoded.from, kept, &mut self.entries);
        let mut nulled: Vec<Nulled> = self
            .found
            .nulled
            .iter()
            .filter_map(|null| {
                let place = kept.binary_search(&(null.row as u32)).ok()?;
                Some(Nulled {
                    row: place,
                    ..*null
                })
            })
            .collect();
        nulled.sort_unstable();
        nulled
    }
}

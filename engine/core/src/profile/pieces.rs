//! The rows of a source in pieces, looked at in parallel and merged in order. A piece of a text file may begin inside a
//! record: its start is guessed, and when its turn to be merged comes it must begin where the one before ended, or it is
//! looked at again from there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use arrow::array::RecordBatch;
use karyaksham_text::{SIZE_UNKNOWN, ShardRange, Start};

use super::column::{Limits, Statistics};
use crate::error::{EngineError, Result};
use crate::job::{FileFormat, Source};
use crate::preview::rows::{Rows, Span};
use crate::scan::{Footer, TextFile, open_arrow};
use crate::task::panicked;

/// Of the memory, what the statistics of one piece may take.
const MEMORY_PARTS: usize = 4;

/// Batches that threads share at a time, where they share one piece.
const ROUND_BATCHES: usize = 16;

const BATCH_ROWS: usize = 8192;

/// Spans of files in the order of their rows. Only the first can be one whose start is guessed.
type Piece = Vec<(usize, Span)>;

/// What was found in a piece.
struct Looked {
    statistics: Vec<Statistics>,
    rejected: u64,
    first: u64,
    end: u64,
}

/// The statistics of all columns of a source, and how many rows could not be read.
pub(super) fn look_at_all(
    source: &Source,
    threads: usize,
    memory_bytes: usize,
    piece_bytes: u64,
) -> Result<(Vec<Statistics>, u64)> {
    let pieces = pieces(source, piece_bytes)?;
    let width = source.columns.len();
    let limits = Limits::within(memory_bytes / MEMORY_PARTS, width);
    let at_once = memory_bytes / (limits.bytes() * width).max(1);
    // One more than those at work holds what is merged.
    let workers = threads
        .min(pieces.len())
        .min(at_once.saturating_sub(1))
        .max(1);
    let look = |piece: &Piece| guarded(|| look(source, piece, limits, threads / workers));
    let merged = Merged::new(limits, width);
    let next = AtomicUsize::new(0);
    let take = || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        pieces.get(number).map(|piece| (number, piece))
    };
    let work = || {
        while let Some((number, piece)) = take() {
            let looked = look(piece);
            if !merged.take(number, |end| again_from(looked, piece, end, look)) {
                break;
            }
        }
    };
    thread::scope(|scope| {
        (1..workers).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    merged.finish()
}

/// A panic as an error, so that no other thread waits for this one.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

/// The piece as it was looked at, or, where its guessed start was wrong, looked at again from `end`.
fn again_from(
    looked: Result<Looked>,
    piece: &Piece,
    end: u64,
    look: impl Fn(&Piece) -> Result<Looked>,
) -> Result<Looked> {
    let looked = looked?;
    match piece.first() {
        Some((file, Span::Text(range))) if range.start == Start::Guess && looked.first != end => {
            let mut exact = piece.clone();
            exact[0] = (
                *file,
                Span::Text(ShardRange {
                    start: Start::Exact(end),
                    ..*range
                }),
            );
            look(&exact)
        }
        _ => Ok(looked),
    }
}

/// What is known of the pieces so far.
struct Merged {
    state: Mutex<State>,
    turned: Condvar,
}

struct State {
    /// Rows that could not be read.
    rejected: u64,
    /// The piece whose turn it is.
    next: usize,
    /// Where the one before ended.
    end: u64,
    statistics: Result<Vec<Statistics>>,
}

impl Merged {
    fn new(limits: Limits, width: usize) -> Self {
        Self {
            state: Mutex::new(State {
                next: 0,
                end: 0,
                rejected: 0,
                statistics: Ok((0..width).map(|_| Statistics::new(limits)).collect()),
            }),
            turned: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait for the turn of the piece `number`, and merge what `looked` gives for the end of the one before. False
    /// after an error.
    fn take(&self, number: usize, looked: impl FnOnce(u64) -> Result<Looked>) -> bool {
        let mut state = self.lock();
        while state.next != number {
            state = self
                .turned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let end = state.end;
        if let Ok(statistics) = &mut state.statistics {
            let merged = guarded(|| {
                let looked = looked(end)?;
                for (all, found) in statistics.iter_mut().zip(looked.statistics) {
                    all.merge(found);
                }
                Ok((looked.end, looked.rejected))
            });
            match merged {
                Ok((end, rejected)) => {
                    state.end = end;
                    state.rejected += rejected;
                }
                Err(error) => state.statistics = Err(error),
            }
        }
        state.next += 1;
        self.turned.notify_all();
        state.statistics.is_ok()
    }

    fn finish(self) -> Result<(Vec<Statistics>, u64)> {
        let state = self.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        Ok((state.statistics?, state.rejected))
    }
}

/// A source in pieces, at least one.
fn pieces(source: &Source, piece_bytes: u64) -> Result<Vec<Piece>> {
    let mut pieces: Vec<Piece> = vec![Vec::new()];
    let mut bytes = 0;
    for file in 0..source.files.len() {
        for (span, stored) in spans(source, file, piece_bytes)? {
            let guessed = matches!(span, Span::Text(range) if range.start == Start::Guess);
            if guessed || bytes > 0 && bytes + stored > piece_bytes {
                pieces.push(Vec::new());
                bytes = 0;
            }
            bytes += stored;
            if let Some(piece) = pieces.last_mut() {
                match (piece.last_mut(), span) {
                    (Some((before, Span::Blocks(_, count))), Span::Blocks(_, more))
                        if *before == file =>
                    {
                        *count += more;
                    }
                    _ => piece.push((file, span)),
                }
            }
        }
    }
    Ok(pieces)
}

/// The spans of a file with their stored bytes.
fn spans(source: &Source, file: usize, piece_bytes: u64) -> Result<Vec<(Span, u64)>> {
    let block = |(number, (_, bytes))| (Span::Blocks(number, 1), bytes);
    Ok(match source.format {
        FileFormat::Parquet => {
            let groups = Footer::read(source, file)?.row_groups.into_iter();
            groups.enumerate().map(block).collect()
        }
        FileFormat::Arrow => {
            let opened = open_arrow(source, file)?;
            opened.batches().enumerate().map(block).collect()
        }
        FileFormat::Csv | FileFormat::Ndjson => {
            let shards = TextFile::open(source, file)?
                .shards(piece_bytes)?
                .into_iter();
            let span = |range: ShardRange| match range.hi {
                SIZE_UNKNOWN => Span::File,
                _ => Span::Text(range),
            };
            shards.map(|(range, bytes)| (span(range), bytes)).collect()
        }
    })
}

fn look(source: &Source, piece: &Piece, limits: Limits, threads: usize) -> Result<Looked> {
    let width = source.columns.len();
    let mut statistics: Vec<Statistics> = (0..width).map(|_| Statistics::new(limits)).collect();
    let mut rows = Rows::of(source, BATCH_ROWS, piece.clone())?;
    if threads > 1 {
        let mut round = next_round(&mut rows)?;
        while !round.is_empty() {
            round = share(&mut rows, &round, &mut statistics, threads)?;
        }
    } else {
        while let Some(batch) = rows.next_batch()? {
            for (column, found) in statistics.iter_mut().enumerate() {
                update(found, &batch, column)?;
            }
        }
    }
    let (first, end) = rows.ends();
    Ok(Looked {
        statistics,
        rejected: rows.rejected(),
        first,
        end,
    })
}

fn update(statistics: &mut Statistics, batch: &RecordBatch, column: usize) -> Result<()> {
    let array = batch.columns().get(column).ok_or_else(|| {
        EngineError::source_error("SOURCE_CHANGED", "The file has fewer columns than it had.")
            .hint("Inspect the file again.")
    })?;
    statistics.update(array)
}

/// Some batches; none at the end.
fn next_round(rows: &mut Rows<'_>) -> Result<Vec<RecordBatch>> {
    let mut round = Vec::with_capacity(ROUND_BATCHES);
    while round.len() < ROUND_BATCHES
        && let Some(batch) = rows.next_batch()?
    {
        if batch.num_rows() > 0 {
            round.push(batch);
        }
    }
    Ok(round)
}

/// Look at all columns of a round while the next one is read, which is one more piece of work. Whichever thread is free
/// takes the next piece of it; each column still sees its rows in order.
fn share(
    rows: &mut Rows<'_>,
    round: &[RecordBatch],
    statistics: &mut [Statistics],
    threads: usize,
) -> Result<Vec<RecordBatch>> {
    type Work<'a> = Box<dyn FnOnce() -> Result<()> + Send + 'a>;
    let mut next = Ok(Vec::new());
    {
        let next = &mut next;
        let read: Work = Box::new(move || {
            *next = next_round(rows);
            Ok(())
        });
        let columns = statistics.iter_mut().enumerate().map(|(column, found)| {
            let look = move || {
                round
                    .iter()
                    .try_for_each(|batch| update(found, batch, column))
            };
            Box::new(look) as Work
        });
        let all = Mutex::new(std::iter::once(read).chain(columns));
        let take = || all.lock().ok()?.next();
        let run = || {
            while let Some(work) = take() {
                work()?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            let mut done: Result<()> = run();
            for other in others {
                let ended = other
                    .join()
                    .map_err(|_| EngineError::internal("a thread of a profile panicked"));
                done = done.and(ended?);
            }
            done
        })?;
    }
    next
}

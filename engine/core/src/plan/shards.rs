//! Files into shards: pieces of text files whose starts are guessed and later proved to join, runs of row groups of
//! Parquet files, and runs of batches of Arrow files.

use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;

use crate::error::{EngineError, Result};
use crate::job::{FileFormat, Job, Source, type_text};
use crate::scan::{Footer, Piece, RowGroups, Shard, Table, TextFile, open_arrow, pruning_of};

/// Smaller shards are not worth a task, where the job does not say.
const SMALLEST_BYTES: u64 = 16 << 20;

/// Larger shards take too long to do again.
const LARGEST_BYTES: u64 = 256 << 20;

/// Shards for each task that can run at once, so that all of them end at about the same time.
const ROUNDS: u64 = 8;

/// The shards of one source, in the order of its rows.
///
/// # Errors
/// SourceError for files that are missing, have changed or are not what they should be.
pub fn of_source(job: &Job, index: usize) -> Result<Vec<Shard>> {
    let source = &job.sources[index];
    if source.files.is_empty() {
        return Err(EngineError::invalid_job(
            "NO_FILES",
            format!("Table '{}' has no files.", source.name),
        ));
    }
    let size_bytes: u64 = source.files.iter().map(|file| file.size_bytes).sum();
    let target = target_bytes(job, size_bytes);
    let mut shards = Vec::new();
    let table = match source.format {
        FileFormat::Parquet | FileFormat::Arrow => Some(Table::new(index, source, 1)?.schema()),
        FileFormat::Csv | FileFormat::Ndjson => None,
    };
    for file in 0..source.files.len() {
        let mut header_lines = 0;
        let pieces: Vec<(Piece, u64)> = match (source.format, &table) {
            (FileFormat::Parquet, Some(table)) => {
                let footer = Footer::read(source, file)?;
                check_columns(source, file, table, &footer.schema)?;
                let runs = runs(footer.row_groups, source.files[file].size_bytes, target);
                sized(runs, Piece::Parquet)
            }
            (FileFormat::Arrow, Some(table)) => {
                let opened = open_arrow(source, file)?;
                check_columns(source, file, table, opened.schema())?;
                let batches = opened.batches().collect();
                let runs = runs(batches, source.files[file].size_bytes, target);
                sized(runs, Piece::Arrow)
            }
            _ => {
                let text = TextFile::open(source, file)?;
                header_lines = text.header_lines()?;
                let shards = text.shards(target)?.into_iter();
                shards
                    .map(|(range, stored_bytes)| (Piece::Text(range), stored_bytes))
                    .collect()
            }
        };
        shards.extend(pieces.into_iter().map(|(piece, stored_bytes)| Shard {
            source: index,
            file,
            piece,
            stored_bytes,
            header_lines,
        }));
    }
    Ok(shards)
}

/// Those of a source's shards whose files can hold rows that a pipeline wants: one at least.
///
/// # Errors
/// InvalidJob where the value in a folder's name does not fit its column.
pub fn wanted(
    pipeline: &Arc<dyn ExecutionPlan>,
    source: &Source,
    shards: &[Shard],
) -> Result<Vec<Shard>> {
    let mut leaf = pipeline;
    while let [child] = leaf.children().as_slice() {
        leaf = *child;
    }
    let Some(pruning) = pruning_of(leaf.as_ref()) else {
        return Ok(shards.to_vec());
    };
    let mut kept = Vec::with_capacity(source.files.len());
    for file in 0..source.files.len() {
        kept.push(pruning.keeps(source, file)?);
    }
    if !kept.contains(&true) {
        // Something must say that there are no rows.
        let smallest = (0..kept.len()).min_by_key(|file| source.files[*file].size_bytes);
        kept.iter_mut()
            .enumerate()
            .for_each(|(n, keep)| *keep = Some(n) == smallest);
    }
    Ok(shards.iter().filter(|s| kept[s.file]).cloned().collect())
}

fn target_bytes(job: &Job, size_bytes: u64) -> u64 {
    if let Some(wanted) = job.shard_size_bytes {
        return wanted.max(1);
    }
    let parallelism = job.parallelism.unwrap_or(1).max(1) as u64;
    (size_bytes / (parallelism * ROUNDS)).clamp(SMALLEST_BYTES, LARGEST_BYTES)
}

/// Runs with the bytes of each.
fn sized(runs: Vec<RowGroups>, piece: fn(RowGroups) -> Piece) -> Vec<(Piece, u64)> {
    let runs = runs.into_iter();
    runs.map(|run| (run.hi - run.lo, run))
        .map(|(bytes, run)| (piece(run), bytes))
        .collect()
}

/// Whether the columns of a file can be those of its table.
fn check_columns(source: &Source, file: usize, table: &Schema, in_file: &Schema) -> Result<()> {
    let path = &source.files[file].path;
    for name in source.columns_in(file) {
        let Ok(found) = in_file.field_with_name(name) else {
            let message = format!("The file has no column '{name}' any more.");
            return Err(EngineError::source_error("SOURCE_CHANGED", message)
                .hint("Inspect the file again.")
                .in_file(path));
        };
        let Ok(wanted) = table.field_with_name(name) else {
            continue;
        };
        if !can_cast_types(found.data_type(), wanted.data_type()) {
            let message = format!(
                "Column '{name}' is {}, and {} in {}.",
                type_text(found.data_type()),
                type_text(wanted.data_type()),
                source.files[0].shown_name(),
            );
            return Err(EngineError::source_error("SCHEMA_MISMATCH", message)
                .hint("Read the files as tables of their own.")
                .in_file(path));
        }
    }
    Ok(())
}

/// Runs of blocks, each with its rows and bytes, of about `target` bytes, at least one run.
fn runs(blocks: Vec<(u64, u64)>, size_bytes: u64, target: u64) -> Vec<RowGroups> {
    let of = blocks.len();
    let mut runs: Vec<RowGroups> = Vec::new();
    for (index, (rows, bytes)) in blocks.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.hi - run.lo + bytes <= target => {
                run.count += 1;
                run.rows += rows;
                run.hi += bytes;
            }
            last => {
                let lo = last.map_or(0, |run| run.hi);
                runs.push(RowGroups {
                    first: index,
                    count: 1,
                    of,
                    rows: *rows,
                    lo,
                    hi: lo + bytes,
                });
            }
        }
    }
    if runs.is_empty() {
        runs.push(RowGroups {
            first: 0,
            count: 0,
            of,
            rows: 0,
            lo: 0,
            hi: 0,
        });
    }
    // The footer goes with the last, so that the shards of a file end where it ends.
    if let Some(last) = runs.last_mut() {
        last.hi = last.hi.max(size_bytes);
    }
    runs
}

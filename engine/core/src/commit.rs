//! Parts in order become one result, whole or absent. An [`OutputWriter`] gathers them in a hidden file beside the
//! target, which takes the target's name when all is there; [`commit_parts`] does the same with a folder of files. What
//! was at the target's name stays readable until then, and is replaced in one step.

mod arrow;
mod folder;
mod objects;
mod parquet;
mod rejects;
mod target;

use std::io::{self, Read, Write};
use std::path::Path;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use ::arrow::ipc::reader::StreamReader;
use serde::Serialize;

use crate::error::{EngineError, Result};
use crate::job::{Column, Output, OutputFormat, schema_of};
use crate::part::Part;
use crate::sink::{self, Joined, Packing};
use crate::storage::{Storage, is_uri};

pub use folder::{MANIFEST_NAME, SUCCESS_NAME};
pub use rejects::RejectsWriter;

use arrow::ArrowFile;
use parquet::ParquetFile;
use target::{Target, not_written};

/// Many files instead of one: `target_dir` with a whole file for each part that has rows (one at least), in order. What an
/// earlier call made is replaced; a folder of anything else is left alone. `sha256` is that of the manifest.
///
/// # Errors
/// InvalidJob OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, INVALID_OUTPUT; those of writing.
pub fn commit_parts(
    target_dir: impl AsRef<Path>,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
) -> Result<Committed> {
    commit_parts_in_storage(target_dir, &Storage::default(), parts, output, columns)
}

/// The same, where `target_dir` may be a URI that is reached as `storage` says.
///
/// # Errors
/// As `commit_parts`.
pub fn commit_parts_in_storage(
    target_dir: impl AsRef<Path>,
    storage: &Storage,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
) -> Result<Committed> {
    if output.format == OutputFormat::Table {
        return Err(EngineError::invalid_job(
            "INVALID_OUTPUT",
            "A table for a terminal can't be written as parts.",
        )
        .hint("Choose CSV, NDJSON, Parquet or Arrow."));
    }
    match target_dir.as_ref().to_str().filter(|path| is_uri(path)) {
        Some(uri) => objects::commit(uri, storage, parts, output, columns),
        None => folder::commit(target_dir.as_ref(), parts, output, columns),
    }
}

/// What stands at the target now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Committed {
    /// Of the result.
    pub rows: u64,
    /// Of the file.
    pub size_bytes: u64,
    /// Of its bytes, in lower-case hexadecimal digits, where it was asked for.
    pub sha256: Option<String>,
}

/// One output file from parts in order. Dropped without a commit it leaves nothing behind.
pub struct OutputWriter {
    schema: SchemaRef,
    rows: u64,
    assembly: Option<Assembly>,
}

enum Assembly {
    /// The target, what comes before the first row, and how parts of compressed text are joined.
    Bytes(Target, Vec<u8>, Option<Joined>),
    Parquet(Box<ParquetFile>),
    Arrow(ArrowFile),
    /// The target, and the rows that are shown.
    Table(Target, Vec<RecordBatch>),
}

impl OutputWriter {
    /// A file at `target`, or standard output for `-`. The folder must exist.
    ///
    /// # Errors
    /// InvalidJob OUTPUT_NOT_WRITABLE, INVALID_OUTPUT, INVALID_DIALECT, UNKNOWN_TYPE.
    pub fn new(
        target: impl AsRef<Path>,
        output: &Output,
        columns: &[Column],
        checksum: bool,
    ) -> Result<Self> {
        Self::in_storage(target, &Storage::default(), output, columns, checksum)
    }

    /// The same, where `target` may be the URI of an object that is reached as `storage` says.
    ///
    /// # Errors
    /// As `new`.
    pub fn in_storage(
        target: impl AsRef<Path>,
        storage: &Storage,
        output: &Output,
        columns: &[Column],
        checksum: bool,
    ) -> Result<Self> {
        sink::check(output)?;
        let schema = schema_of(columns)?;
        let target = Target::create(target.as_ref(), storage, checksum)?;
        let assembly = match output.format {
            OutputFormat::Csv | OutputFormat::Ndjson => {
                let mut joined = Packing::of(output)?.map(Joined::new);
                let head = match &mut joined {
                    Some(joined) => joined.head(&head(output, columns)?)?,
                    None => head(output, columns)?,
                };
                Assembly::Bytes(target, head, joined)
            }
            OutputFormat::Parquet => Assembly::Parquet(Box::new(ParquetFile::new(target, output))),
            OutputFormat::Arrow => Assembly::Arrow(ArrowFile::new(target)),
            OutputFormat::Table => Assembly::Table(target, Vec::new()),
        };
        Ok(Self {
            schema,
            rows: 0,
            assembly: Some(assembly),
        })
    }

    /// Add the next part. After an error there is nothing left to commit.
    ///
    /// # Errors
    /// ResourceError DISK_FULL; Canceled where standard output was closed; TransientIo PART_LOST.
    pub fn append(&mut self, part: &Part) -> Result<()> {
        let mut assembly = self.assembly.take().ok_or_else(ended)?;
        assembly.append(part)?;
        self.rows += part.rows();
        self.assembly = Some(assembly);
        Ok(())
    }

    /// Make it whole: flush, sync, rename, sync the folder.
    ///
    /// # Errors
    /// Those of writing; the target is then as it was before.
    pub fn commit(&mut self) -> Result<Committed> {
        let target = match self.assembly.take().ok_or_else(ended)? {
            Assembly::Bytes(mut target, head, joined) => {
                target.write_all(&head).map_err(not_written)?;
                if let Some(joined) = joined {
                    target.write_all(&joined.end()).map_err(not_written)?;
                }
                target
            }
            Assembly::Parquet(file) => file.finish(&self.schema)?,
            Assembly::Arrow(file) => file.finish(&self.schema)?,
            Assembly::Table(mut target, batches) => {
                let table = sink::table::render(&self.schema, &batches, self.rows)?;
                target.write_all(table.as_bytes()).map_err(not_written)?;
                target
            }
        };
        let (size_bytes, sha256) = target.commit()?;
        Ok(Committed {
            rows: self.rows,
            size_bytes,
            sha256,
        })
    }

    /// Remove what was written. Nothing happens after a commit, or the second time.
    pub fn abort(&mut self) {
        self.assembly = None;
    }
}

impl Assembly {
    fn append(&mut self, part: &Part) -> Result<()> {
        match self {
            Self::Bytes(target, head, joined) => {
                target.write_all(head).map_err(not_written)?;
                head.clear();
                let Some(joined) = joined else {
                    return target.append(part.content(), part.size_bytes());
                };
                let wanted = joined.take_in(part.content(), part.size_bytes())?;
                let mut reader = part.content().reader(part.size_bytes())?.take(wanted);
                io::copy(&mut reader, target).map_err(not_written)?;
                Ok(())
            }
            Self::Parquet(file) => file.append(part),
            Self::Arrow(file) => file.append(part),
            Self::Table(_, batches) => {
                let mut shown: usize = batches.iter().map(RecordBatch::num_rows).sum();
                if shown >= sink::table::MAX_ROWS {
                    return Ok(());
                }
                let reader = part.content().reader(part.size_bytes())?;
                for batch in StreamReader::try_new(reader, None)? {
                    let batch = batch?;
                    shown += batch.num_rows();
                    batches.push(batch);
                    if shown >= sink::table::MAX_ROWS {
                        break;
                    }
                }
                Ok(())
            }
        }
    }
}

/// What comes before the first row of text.
fn head(output: &Output, columns: &[Column]) -> Result<Vec<u8>> {
    if output.format != OutputFormat::Csv || !output.header {
        return Ok(Vec::new());
    }
    let names = columns.iter().map(|column| column.name.as_str());
    let delimiter = sink::delimiter(output)?;
    Ok(sink::csv::header(names, delimiter, output.formula_safe))
}

fn ended() -> EngineError {
    EngineError::internal("the output was committed or given up before")
}

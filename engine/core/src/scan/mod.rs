//! Sources as tables. While a job is planned, a table is a leaf with one or two empty partitions, so that the plan has
//! the same form for two shards and for two thousand; when a task runs, [`bind`] puts one real shard in its place.

mod arrow;
mod counted;
mod ipc;
mod parquet;
mod shape;
mod text;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::job::{FileFormat, FileReject, FileShardReport, Job, Source};
use crate::part::{Destination, RejectsPart};
use crate::progress::{CancelToken, Progress};
use crate::storage::Opened;

pub(crate) use self::arrow::{ArrowRows, open as open_arrow};
pub use self::counted::RowGroups;
pub(crate) use self::ipc::{CONTINUATION, IpcFile, MAGIC};
pub use self::parquet::Footer;
pub(crate) use self::shape::Shape;
use self::text::{Chosen, Filter};
pub(crate) use self::text::{Reading, TextFile};

/// What one scan task reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Index of the source within the job.
    pub source: usize,
    /// Index of the file within the source.
    pub file: usize,
    /// Which part of the file.
    pub piece: Piece,
    /// Bytes of the file that there are to read.
    pub stored_bytes: u64,
    /// Physical lines of the file before its first record, for text.
    pub header_lines: u64,
}

/// Part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// Bytes of a text file.
    Text(karyaksham_text::ShardRange),
    /// Row groups of a Parquet file.
    Parquet(RowGroups),
    /// Batches of an Arrow file.
    Arrow(RowGroups),
}

/// One source of a job, as DataFusion sees it.
#[derive(Debug)]
pub struct Table {
    source: usize,
    format: FileFormat,
    schema: SchemaRef,
    /// How many of the last columns the names of folders give.
    in_folders: usize,
    partitions: usize,
}

impl Table {
    /// The source number `index` of a job, which has `shards` shards.
    ///
    /// # Errors
    /// SourceError UNSUPPORTED_FORMAT, InvalidJob for columns that can't be read.
    pub fn new(index: usize, source: &Source, shards: usize) -> Result<Self> {
        let schema = match source.format {
            FileFormat::Csv | FileFormat::Ndjson => text::schema(source)?,
            FileFormat::Parquet => parquet::schema(source)?,
            FileFormat::Arrow => arrow::schema(source)?,
        };
        Ok(Self {
            source: index,
            format: source.format,
            schema,
            in_folders: source.files.first().map_or(0, |f| f.partition.len()),
            partitions: shards.clamp(1, 2),
        })
    }
}

impl Table {
    /// Whether a condition looks at nothing but the names of folders.
    fn is_of_folders(&self, condition: &Expr) -> bool {
        let first = self.schema.fields().len() - self.in_folders;
        let in_folder = |name: &str| self.schema.index_of(name).is_ok_and(|i| i >= first);
        text::applies(condition) && condition.column_refs().iter().all(|c| in_folder(&c.name))
    }

    /// Whether a condition looks at no structs and lists, which the scan reads in part.
    fn is_of_values(&self, condition: &Expr) -> bool {
        let is_value = |name: &str| {
            let field = self.schema.field_with_name(name);
            field.is_ok_and(|field| !field.data_type().is_nested())
        };
        condition.column_refs().iter().all(|c| is_value(&c.name))
    }

    fn pruning(&self, filters: &[Expr], state: &dyn Session) -> DataFusionResult<Option<Pruning>> {
        let conditions = filters.iter().filter(|f| self.is_of_folders(f));
        let conditions: Vec<Expr> = conditions.cloned().collect();
        let filter = Filter::new(&conditions, &self.schema, state)?;
        Ok(filter.map(|filter| Pruning {
            filter,
            table: Arc::clone(&self.schema),
        }))
    }
}

/// What the names of folders say of whole files: those in which no row is wanted are not read.
#[derive(Debug, Clone)]
pub struct Pruning {
    filter: Filter,
    table: SchemaRef,
}

impl Pruning {
    /// Whether a file of the source may hold rows that are wanted.
    ///
    /// # Errors
    /// InvalidJob where the value in a folder's name does not fit its column.
    pub fn keeps(&self, source: &Source, file: usize) -> Result<bool> {
        let chosen = self.filter.for_file(source, file, &self.table)?;
        Ok(!matches!(chosen, Chosen::Nothing))
    }
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let projection = projection
            .cloned()
            .unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let pruning = self.pruning(filters, state)?;
        Ok(match self.format {
            FileFormat::Parquet => parquet::leaf(
                self.source,
                &self.schema,
                self.in_folders,
                projection,
                (pruning, parquet::chooses_few(filters)),
                self.partitions,
            )?,
            FileFormat::Arrow => arrow::leaf(
                self.source,
                &self.schema,
                projection,
                pruning,
                self.partitions,
            ),
            format => {
                let filter = text::Filter::new(filters, &self.schema, state)?;
                text::leaf(
                    (self.source, format),
                    &self.schema,
                    projection,
                    (filter, pruning),
                    self.partitions,
                )
            }
        })
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let can_apply = |filter: &&Expr| match self.format {
            FileFormat::Csv => text::applies(filter),
            FileFormat::Ndjson => text::applies(filter) && self.is_of_values(filter),
            FileFormat::Parquet | FileFormat::Arrow => false,
        };
        let support = |filter| match can_apply(filter) {
            true => TableProviderFilterPushDown::Exact,
            false if self.is_of_folders(filter) => TableProviderFilterPushDown::Inexact,
            false if self.format == FileFormat::Parquet && text::applies(filter) => {
                TableProviderFilterPushDown::Inexact
            }
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }
}

/// Index of the source that a leaf stands for; None for everything else.
pub fn source_of(plan: &dyn ExecutionPlan) -> Option<usize> {
    let leaf = plan.downcast_ref::<DataSourceExec>()?;
    text::source_of(leaf)
        .or_else(|| parquet::source_of(leaf))
        .or_else(|| arrow::source_of(leaf))
}

/// Which files a leaf wants; None: all.
pub fn pruning_of(plan: &dyn ExecutionPlan) -> Option<&Pruning> {
    let leaf = plan.downcast_ref::<DataSourceExec>()?;
    text::pruning_of(leaf)
        .or_else(|| parquet::pruning_of(leaf))
        .or_else(|| arrow::pruning_of(leaf))
}

/// The leaf with other types for its columns, which its source can be read as; None: as it is.
pub fn with_types(
    leaf: &DataSourceExec,
    map: &dyn Fn(usize, &DataType) -> DataType,
) -> Option<Arc<dyn ExecutionPlan>> {
    text::with_types(leaf, map)
}

/// A leaf with the columns `keys` and a last one that carries each row as text, of the columns `text` with `delimiter`
/// between them; None where the leaf can't. Columns by their places in the leaf.
pub fn carrying(
    leaf: &dyn ExecutionPlan,
    keys: &[usize],
    text: &[usize],
    delimiter: u8,
) -> Option<Arc<dyn ExecutionPlan>> {
    text::carrying(leaf.downcast_ref()?, keys, text, delimiter)
}

/// What watches a scan, and where it leaves its rejects.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Ends the scan.
    pub cancel: CancelToken,
    /// Counts what it reads.
    pub progress: Progress,
    /// For rejects.
    pub destination: Destination,
}

/// A shard that is being read.
#[derive(Debug, Clone)]
pub enum Running {
    /// Of a text file.
    Text(Arc<text::run::TextRun>),
    /// Of a Parquet or Arrow file.
    Counted(Arc<counted::CountedRun>),
}

/// What a scan says at its end.
#[derive(Debug)]
pub struct ScanOutcome {
    /// Of the bytes and rows it read.
    pub report: FileShardReport,
    /// Rows that could not be read, if any.
    pub rejects: Option<RejectsPart>,
    /// The first of them.
    pub first_reject: Option<FileReject>,
}

/// The leaf with one real shard in it, and the handle on its scan. With `verbatim` the result is the leaf's rows as
/// text with that delimiter: where the file has them so, the handle gives them, see [`Running::next_text`], and the leaf
/// gives none.
///
/// # Errors
/// SourceError for a file that is gone or has changed.
pub fn bind(
    leaf: &DataSourceExec,
    job: &Job,
    shard: &Shard,
    verbatim: Option<u8>,
    surroundings: Surroundings,
) -> Result<(Arc<dyn ExecutionPlan>, Running)> {
    let source = job
        .sources
        .get(shard.source)
        .ok_or_else(|| EngineError::internal("a task names no source of its job"))?;
    match &shard.piece {
        Piece::Text(range) => {
            let file = shard.file;
            text::bind(leaf, job, source, file, *range, verbatim, surroundings)
        }
        Piece::Parquet(groups) => parquet::bind(leaf, source, shard.file, groups, surroundings),
        Piece::Arrow(batches) => arrow::bind(leaf, source, shard.file, batches, surroundings),
    }
}

impl Running {
    /// Read what the plan did not ask for (a LIMIT, say), so that every row of the shard is accounted for, and give
    /// the account.
    ///
    /// # Errors
    /// Those of reading.
    pub fn finish(&self) -> Result<ScanOutcome> {
        match self {
            Self::Text(run) => run.finish(),
            Self::Counted(run) => Ok(run.finish()),
        }
    }

    /// Whether rows come as text.
    pub fn is_text(&self) -> bool {
        match self {
            Self::Text(run) => run.is_text(),
            Self::Counted(_) => false,
        }
    }

    /// Append lines to `out`; how many, or None at the end.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_text(&self, out: &mut Vec<u8>) -> Result<Option<usize>> {
        match self {
            Self::Text(run) => run.next_text(out),
            Self::Counted(_) => Ok(None),
        }
    }

    /// Whether the scan stopped at a reject, because the policy says so.
    pub fn stopped_at_reject(&self) -> bool {
        match self {
            Self::Text(run) => run.stopped_at_reject(),
            Self::Counted(_) => false,
        }
    }
}

/// Open the file of a source, refusing one that has changed since the job was made.
pub(crate) fn open_unchanged(source: &Source, file: usize) -> Result<Opened> {
    let reference = source
        .files
        .get(file)
        .ok_or_else(|| EngineError::internal("a task names no file of its source"))?;
    Opened::unchanged(&source.storage, reference).map_err(|e| e.in_file(&reference.path))
}

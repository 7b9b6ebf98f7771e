//! The text scan as a data source of DataFusion. It runs where it is polled: a task has one thread, and its scan is
//! most of its work.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source::{DataSource, DataSourceExec};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, Partitioning};
use karyaksham_text::{CsvScan, FileSource, ScanOptions, ShardRange};

use super::{Running, ScanOutcome, Surroundings, open_unchanged};
use crate::error::{EngineError, Result};
use crate::job::{FileReject, FileShardReport, Job, MAX_RECORD_BYTES, Source};
use crate::part::RejectsPartWriter;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// The columns of a CSV source. All of them may be NULL: an empty field is.
pub(super) fn schema(source: &Source) -> Result<SchemaRef> {
    if source.columns.is_empty() {
        return Err(EngineError::invalid_job(
            "NO_COLUMNS",
            format!("Table '{}' has no columns.", source.name),
        ));
    }
    let mut fields = Vec::with_capacity(source.columns.len());
    for column in &source.columns {
        let data_type = column.arrow_type()?;
        if !readable(&data_type) {
            let message = format!(
                "Column '{}' can't be read as {}.",
                column.name, column.data_type
            );
            return Err(EngineError::invalid_job("UNSUPPORTED_TYPE", message)
                .hint("Text can be read as Int64, Float64, Decimal128(18, s) or (38, s), Date32, Timestamp(us), Timestamp(us, UTC), Boolean and Utf8.")
                .detail("column", column.name.clone()));
        }
        fields.push(Field::new(&column.name, data_type, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn readable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Int64
        | DataType::Float64
        | DataType::Date32
        | DataType::Boolean
        | DataType::Utf8View => true,
        DataType::Decimal128(precision, scale) => {
            matches!(precision, 18 | 38) && (0..=*precision as i8).contains(scale)
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            zone.as_deref().is_none_or(|zone| zone == "UTC")
        }
        _ => false,
    }
}

pub(super) fn leaf(
    source: usize,
    schema: &SchemaRef,
    projection: Vec<usize>,
    partitions: usize,
) -> Arc<dyn ExecutionPlan> {
    DataSourceExec::from_data_source(CsvSource {
        source,
        projected: project(schema, &projection),
        schema: Arc::clone(schema),
        projection,
        partitions,
        run: None,
    })
}

pub(super) fn source_of(leaf: &DataSourceExec) -> Option<usize> {
    csv_source(leaf).map(|source| source.source)
}

fn csv_source(leaf: &DataSourceExec) -> Option<&CsvSource> {
    leaf.data_source().downcast_ref::<CsvSource>()
}

fn project(schema: &SchemaRef, projection: &[usize]) -> SchemaRef {
    Arc::new(Schema::new(
        projection
            .iter()
            .map(|i| Arc::clone(&schema.fields()[*i]))
            .collect::<Vec<_>>(),
    ))
}

pub(super) fn bind(
    leaf: &DataSourceExec,
    job: &Job,
    source: &Source,
    file: usize,
    range: ShardRange,
    surroundings: Surroundings,
) -> Result<(Arc<dyn ExecutionPlan>, Running)> {
    let planned = csv_source(leaf)
        .ok_or_else(|| EngineError::internal("a text shard for a leaf that is none"))?;
    let dialect = source
        .dialect
        .as_ref()
        .ok_or_else(|| no_dialect(source))?
        .to_text()?;
    let path = source.files[file].path.clone();
    drop(open_unchanged(source, file)?);
    let bytes =
        FileSource::open(Path::new(&path)).map_err(|e| EngineError::from(e).in_file(&path))?;
    let options = ScanOptions {
        dialect,
        schema: Arc::clone(&planned.schema),
        projection: planned.projection.clone(),
        bad_rows: job.bad_rows.policy,
        batch_rows: BATCH_ROWS,
        max_record_bytes: job.max_record_bytes.unwrap_or(MAX_RECORD_BYTES),
    };
    let run = Arc::new(CsvRun {
        file,
        state: Mutex::new(State {
            scan: CsvScan::new(Arc::new(bytes), Arc::new(options), range),
            done: false,
            counted: Counted::default(),
            rejects: None,
            first_reject: None,
        }),
        path,
        name: source.files[file].shown_name().to_owned(),
        surroundings,
    });
    let bound = CsvSource {
        partitions: 1,
        run: Some(Arc::clone(&run)),
        ..planned.clone()
    };
    Ok((DataSourceExec::from_data_source(bound), Running::Csv(run)))
}

pub(crate) fn no_dialect(source: &Source) -> EngineError {
    EngineError::invalid_job(
        "INVALID_DIALECT",
        format!(
            "Table '{}' is CSV, and its dialect is not given.",
            source.name
        ),
    )
    .hint("Inspect the file first.")
}

/// A table of text files in a plan; with `run`, one shard of it.
#[derive(Debug, Clone)]
struct CsvSource {
    source: usize,
    schema: SchemaRef,
    projection: Vec<usize>,
    projected: SchemaRef,
    partitions: usize,
    run: Option<Arc<CsvRun>>,
}

impl DataSource for CsvSource {
    fn open(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let run = self
            .run
            .clone()
            .ok_or_else(|| EngineError::internal("a plan ran without its shard"))?;
        let batches = futures::stream::iter(std::iter::from_fn(move || {
            run.next_rows().map_err(Into::into).transpose()
        }));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.projected),
            batches,
        )))
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let names: Vec<&str> = self
            .projected
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(
            f,
            "source={}, format=csv, columns=[{}]",
            self.source,
            names.join(", ")
        )
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions)
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.projected))
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> DataFusionResult<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(&self.projected)))
    }

    fn with_fetch(&self, _limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        None
    }

    fn fetch(&self) -> Option<usize> {
        None
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DataFusionResult<Option<Arc<dyn DataSource>>> {
        let mut indices = Vec::new();
        for expr in projection.iter() {
            match expr.expr.downcast_ref::<Column>() {
                Some(column) if column.name() == expr.alias => {
                    indices.push(self.projection[column.index()])
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(Arc::new(Self {
            projected: project(&self.schema, &indices),
            projection: indices,
            ..self.clone()
        })))
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}

/// The scan of one shard, shared by the plan that consumes it and the task that answers for it.
#[derive(Debug)]
pub struct CsvRun {
    file: usize,
    path: String,
    name: String,
    surroundings: Surroundings,
    state: Mutex<State>,
}

struct State {
    scan: CsvScan,
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

impl CsvRun {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in the scan ends the task; what it left behind is only read for its account.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The next batch that has rows.
    fn next_rows(&self) -> Result<Option<RecordBatch>> {
        let mut state = self.lock();
        while let Some(batch) = self.step(&mut state)? {
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// About one chunk of work.
    fn step(&self, state: &mut State) -> Result<Option<RecordBatch>> {
        if state.done {
            return Ok(None);
        }
        self.surroundings.cancel.check()?;
        let batch = state
            .scan
            .next_batch()
            .map_err(|e| EngineError::from(e).in_file(&self.path))?;
        state.done = batch.is_none();
        let report = state.scan.report();
        let (bytes, rows, rejected) = (report.bytes_read, report.rows_read, report.rows_rejected);
        let counted = &mut state.counted;
        self.surroundings.progress.add_read(
            bytes.saturating_sub(counted.bytes),
            rows.saturating_sub(counted.rows),
            rejected.saturating_sub(counted.rejected),
        );
        let has_rejects = rejected > counted.rejected;
        *counted = Counted {
            bytes,
            rows,
            rejected,
        };
        if has_rejects || state.done {
            self.keep_rejects(state)?;
        }
        Ok(batch)
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

    pub(super) fn stopped_at_reject(&self) -> bool {
        self.lock().scan.report().stopped_at_reject
    }

    pub(super) fn finish(&self) -> Result<ScanOutcome> {
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

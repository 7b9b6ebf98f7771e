//! Arrow IPC files as a data source of DataFusion: shards are runs of batches. Dictionaries are decoded, strings become
//! views, as everywhere else inside.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
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

use super::counted::{CountedRun, RowGroups};
use super::ipc::{IpcFile, IpcRows};
use super::shape::{Shape, project};
use super::{Pruning, Running, Surroundings, open_unchanged};
use crate::error::{EngineError, Result};
use crate::job::Source;
use crate::sink::portable_type;

/// Rows of a batch; those of the file may be much larger.
const BATCH_ROWS: usize = 8192;

/// The type that a table has for a column of an Arrow file.
pub(crate) fn table_type(in_file: &DataType) -> DataType {
    match portable_type(in_file) {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other,
    }
}

/// The schema of a table with the columns of an Arrow file.
pub(super) fn table_schema(in_file: &Schema) -> SchemaRef {
    let fields = in_file.fields().iter();
    let fields = fields.map(|f| Field::new(f.name(), table_type(f.data_type()), f.is_nullable()));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns of an Arrow source, from its first file.
pub(super) fn schema(source: &Source) -> Result<SchemaRef> {
    let in_file = table_schema(open(source, 0)?.schema());
    source.schema(&in_file)
}

/// Open a file of a source.
///
/// # Errors
/// SourceError: the file is missing, has changed, or is no Arrow file.
pub(crate) fn open(source: &Source, file: usize) -> Result<IpcFile> {
    let opened = open_unchanged(source, file)?;
    IpcFile::open(opened).map_err(|e| e.in_file(&source.files[file].path))
}

/// The rows of one file, in batches of a table.
#[derive(Debug)]
pub(crate) struct ArrowRows {
    rows: IpcRows,
    shape: Shape,
    waiting: VecDeque<RecordBatch>,
}

impl ArrowRows {
    /// Of `count` batches from the number `first` on.
    pub(crate) fn new(
        file: IpcFile,
        source: &Source,
        number: usize,
        (schema, projection): (&SchemaRef, &[usize]),
        first: usize,
        count: usize,
    ) -> Result<Self> {
        let shape = Shape::of_schema(source, number, schema, projection, file.schema())?;
        Ok(Self {
            rows: file.rows(first, count, shape.read().to_vec()),
            shape,
            waiting: VecDeque::new(),
        })
    }

    /// The next rows; None at the end.
    ///
    /// # Errors
    /// SourceError INVALID_ARROW.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.waiting.pop_front() {
                return Ok(Some(batch));
            }
            let Some(batch) = self.rows.next_batch()? else {
                return Ok(None);
            };
            let batch = self.shape.apply(batch)?;
            for at in (0..batch.num_rows()).step_by(BATCH_ROWS) {
                let rows = BATCH_ROWS.min(batch.num_rows() - at);
                self.waiting.push_back(batch.slice(at, rows));
            }
        }
    }
}

pub(super) fn leaf(
    source: usize,
    schema: &SchemaRef,
    projection: Vec<usize>,
    pruning: Option<Pruning>,
    partitions: usize,
) -> Arc<dyn ExecutionPlan> {
    DataSourceExec::from_data_source(ArrowSource {
        source,
        projected: project(schema, &projection),
        schema: Arc::clone(schema),
        projection,
        pruning,
        partitions,
        run: None,
    })
}

pub(super) fn source_of(leaf: &DataSourceExec) -> Option<usize> {
    let source = leaf.data_source().downcast_ref::<ArrowSource>()?;
    Some(source.source)
}

pub(super) fn pruning_of(leaf: &DataSourceExec) -> Option<&Pruning> {
    let source = leaf.data_source().downcast_ref::<ArrowSource>()?;
    source.pruning.as_ref()
}

pub(super) fn bind(
    leaf: &DataSourceExec,
    source: &Source,
    file: usize,
    batches: &RowGroups,
    surroundings: Surroundings,
) -> Result<(Arc<dyn ExecutionPlan>, Running)> {
    let planned = leaf
        .data_source()
        .downcast_ref::<ArrowSource>()
        .ok_or_else(|| EngineError::internal("an Arrow shard for a leaf that is none"))?;
    let table = (&planned.schema, planned.projection.as_slice());
    let rows = ArrowRows::new(
        open(source, file)?,
        source,
        file,
        table,
        batches.first,
        batches.count,
    )
    .map_err(|e| e.in_file(&source.files[file].path))?;
    let counted = Arc::new(CountedRun::new(file, batches, surroundings));
    let run = ArrowRun {
        path: source.files[file].path.clone(),
        rows: Mutex::new(rows),
        counted: Arc::clone(&counted),
    };
    let bound = ArrowSource {
        partitions: 1,
        run: Some(Arc::new(run)),
        ..planned.clone()
    };
    Ok((
        DataSourceExec::from_data_source(bound),
        Running::Counted(counted),
    ))
}

#[derive(Debug)]
struct ArrowRun {
    path: String,
    rows: Mutex<ArrowRows>,
    counted: Arc<CountedRun>,
}

impl ArrowRun {
    fn next_batch(&self) -> Result<Option<RecordBatch>> {
        // A panic in the reader ends the task; nothing is read after it.
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = rows.next_batch().map_err(|e| e.in_file(&self.path))?;
        if let Some(batch) = &batch {
            self.counted.saw(batch.num_rows() as u64)?;
        }
        Ok(batch)
    }
}

/// A table of Arrow files in a plan; with `run`, one shard of it.
#[derive(Debug, Clone)]
struct ArrowSource {
    source: usize,
    schema: SchemaRef,
    projection: Vec<usize>,
    projected: SchemaRef,
    pruning: Option<Pruning>,
    partitions: usize,
    run: Option<Arc<ArrowRun>>,
}

impl DataSource for ArrowSource {
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
            run.next_batch().map_err(Into::into).transpose()
        }));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.projected),
            batches,
        )))
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let fields = self.projected.fields().iter();
        let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
        write!(
            f,
            "source={}, format=arrow, columns=[{}]",
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

//! Parquet files through DataFusion's own reader, restricted to the row groups of one shard. Rows are counted from the
//! footer, because row groups that the statistics rule out are accounted for without being read.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::source::{DataSource, DataSourceExec};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, Partitioning};
use futures::StreamExt;

use super::counted::{CountedRun, RowGroups};
use super::shape::value_of;
use super::{Pruning, Running, Surroundings, open_unchanged};
use crate::error::{EngineError, Result};
use crate::job::Source;
use crate::storage::{ObjectReaders, Opened, metadata};

/// What the footer of a file says.
#[derive(Debug)]
pub struct Footer {
    /// Columns, strings as views.
    pub schema: SchemaRef,
    /// Rows and compressed bytes of each row group.
    pub row_groups: Vec<(u64, u64)>,
}

impl Footer {
    /// Read the footer of a source's file.
    ///
    /// # Errors
    /// SourceError: the file is missing, has changed, or is no Parquet file.
    pub fn read(source: &Source, file: usize) -> Result<Self> {
        let opened = open_unchanged(source, file)?;
        let metadata = metadata(&opened).map_err(|e| e.in_file(&source.files[file].path))?;
        let row_groups = metadata.metadata().row_groups().iter();
        Ok(Self {
            schema: Arc::new(
                datafusion::datasource::file_format::parquet::transform_schema_to_view(
                    metadata.schema(),
                ),
            ),
            row_groups: row_groups
                .map(|g| {
                    (
                        g.num_rows().max(0) as u64,
                        g.compressed_size().max(0) as u64,
                    )
                })
                .collect(),
        })
    }
}

/// Planning's stand-in for the files of a source.
#[derive(Debug, Clone)]
struct StandIn {
    source: usize,
    pruning: Option<Pruning>,
}

/// The columns of a Parquet source, from the footer of its first file.
pub(super) fn schema(source: &Source) -> Result<SchemaRef> {
    source.schema(&Footer::read(source, 0)?.schema)
}

/// Whether conditions look as if few rows fulfil them. Then the columns that they don't look at are decoded for those rows
/// alone; where most rows are wanted that takes longer than to decode all and drop some.
pub(super) fn chooses_few(conditions: &[Expr]) -> bool {
    let mut ranges = Vec::new();
    for condition in conditions {
        match condition {
            Expr::BinaryExpr(binary) => match binary.op {
                Operator::Eq | Operator::IsNotDistinctFrom => return true,
                Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                    ranges.extend(condition.column_refs());
                }
                _ => {}
            },
            Expr::InList(list) if !list.negated => return true,
            Expr::Between(between) if !between.negated => return true,
            Expr::Like(like) if !like.negated => return true,
            Expr::IsNull(_) => return true,
            _ => {}
        }
    }
    // From one value to another, or limits for several columns.
    ranges.len() > 1
}

pub(super) fn leaf(
    source: usize,
    schema: &SchemaRef,
    in_folders: usize,
    projection: Vec<usize>,
    (pruning, chooses_few): (Option<Pruning>, bool),
    partitions: usize,
) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
    let (in_file, in_folders) = schema
        .fields()
        .split_at(schema.fields().len() - in_folders.min(schema.fields().len()));
    let in_file = Arc::new(Schema::new(in_file.to_vec()));
    let schema = TableSchema::builder(in_file)
        .with_table_partition_cols(in_folders.to_vec())
        .build();
    let stand_in = || {
        FileGroup::new(vec![PartitionedFile::new("source", 1).with_extension(
            StandIn {
                source,
                pruning: pruning.clone(),
            },
        )])
    };
    let reader = ParquetSource::new(schema)
        .with_pushdown_filters(chooses_few)
        .with_reorder_filters(true);
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(reader))
        .with_file_groups((0..partitions).map(|_| stand_in()).collect())
        .with_projection_indices(Some(projection))?
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

pub(super) fn source_of(leaf: &DataSourceExec) -> Option<usize> {
    stand_in(leaf).map(|stand_in| stand_in.source)
}

pub(super) fn pruning_of(leaf: &DataSourceExec) -> Option<&Pruning> {
    stand_in(leaf)?.pruning.as_ref()
}

fn stand_in(leaf: &DataSourceExec) -> Option<&StandIn> {
    let config = leaf.data_source().downcast_ref::<FileScanConfig>()?;
    let file = config.file_groups.first()?.files().first()?;
    file.extension::<StandIn>()
}

pub(super) fn bind(
    leaf: &DataSourceExec,
    source: &Source,
    file: usize,
    groups: &RowGroups,
    surroundings: Surroundings,
) -> Result<(Arc<dyn ExecutionPlan>, Running)> {
    let config = leaf
        .data_source()
        .downcast_ref::<FileScanConfig>()
        .ok_or_else(|| EngineError::internal("a Parquet shard for a leaf that is none"))?;
    let opened = open_unchanged(source, file)?;
    let reference = &source.files[file];
    let mut access = vec![RowGroupAccess::Skip; groups.of];
    access
        .iter_mut()
        .skip(groups.first)
        .take(groups.count)
        .for_each(|group| *group = RowGroupAccess::Scan);
    let mut partitioned = PartitionedFile::new("", reference.size_bytes)
        .with_extension(ParquetAccessPlan::new(access));
    let location = match &opened {
        Opened::File(..) => local(&reference.path),
        Opened::Object(object) => Ok(object.object().key().clone()),
    };
    partitioned.object_meta.location = location.map_err(|e| e.in_file(&reference.path))?;
    for field in config.table_partition_cols() {
        let value = reference.partition.get(field.name());
        let value = value_of(field, value.and_then(Option::as_deref))?;
        partitioned.partition_values.push(value);
    }
    let mut bound = FileScanConfigBuilder::from(config.clone())
        .with_file_groups(vec![FileGroup::new(vec![partitioned])]);
    if let Opened::Object(object) = &opened {
        let reader = config
            .file_source()
            .downcast_ref::<ParquetSource>()
            .ok_or_else(|| EngineError::internal("a Parquet leaf has another reader"))?;
        let objects = Arc::new(ObjectReaders(object.object().clone()));
        let reader = reader.clone().with_parquet_file_reader_factory(objects);
        bound = bound.with_source(Arc::new(reader));
    }
    let config = bound.build();
    let run = Arc::new(CountedRun::new(file, groups, surroundings));
    let metered = Metered {
        inner: Arc::new(config),
        run: Arc::clone(&run),
    };
    Ok((
        DataSourceExec::from_data_source(metered),
        Running::Counted(run),
    ))
}

/// Where DataFusion finds a local file.
fn local(path: &str) -> Result<object_store::path::Path> {
    let path = std::path::absolute(Path::new(path))?;
    object_store::path::Path::from_absolute_path(path)
        .map_err(|e| EngineError::source_error("SOURCE_NOT_FOUND", e.to_string()))
}

/// The reader of row groups, watched.
#[derive(Debug)]
struct Metered {
    inner: Arc<FileScanConfig>,
    run: Arc<CountedRun>,
}

impl DataSource for Metered {
    fn open(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let inner = self.inner.open(partition, context)?;
        let schema = inner.schema();
        let run = Arc::clone(&self.run);
        let watched = inner.map(move |batch| {
            let batch = batch?;
            run.saw(batch.num_rows() as u64)?;
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, watched)))
    }

    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        self.inner.fmt_as(t, f)
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(1)
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        self.inner.eq_properties()
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> DataFusionResult<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(
            self.inner.eq_properties().schema(),
        )))
    }

    fn with_fetch(&self, _limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        None
    }

    fn fetch(&self) -> Option<usize> {
        self.inner.fetch()
    }

    fn try_swapping_with_projection(
        &self,
        _: &ProjectionExprs,
    ) -> DataFusionResult<Option<Arc<dyn DataSource>>> {
        Ok(None)
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        self.inner.apply_expressions(f)
    }
}

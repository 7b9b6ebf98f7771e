//! The text scan as a data source of DataFusion. It runs where it is polled: a task has one thread, and its scan is
//! most of its work.

mod file;
mod filter;
pub(super) mod run;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
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
use karyaksham_text::{ShardRange, TEXT_COLUMN};

pub(crate) use self::file::{Carries, Reading, TextFile};
pub(super) use self::filter::{Chosen, Filter, applies};
use self::run::TextRun;
use super::shape::{Shape, project};
use super::{Pruning, Running, Surroundings};
use crate::error::{EngineError, Result};
use crate::job::{FileFormat, Job, MAX_RECORD_BYTES, Source};

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// The columns of a text source. All of them may be NULL: an empty field is, and a missing key.
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
        if !readable(&data_type, source.format) {
            let message = format!(
                "Column '{}' can't be read as {}.",
                column.name, column.data_type
            );
            return Err(EngineError::invalid_job("UNSUPPORTED_TYPE", message)
                .hint("Text can be read as Int64, Float64, Decimal128(18, s) or (38, s), Date32, Timestamp(us), Timestamp(us, UTC), Boolean and Utf8; NDJSON also as List and Struct of these.")
                .detail("column", column.name.clone()));
        }
        fields.push(Field::new(&column.name, data_type, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn readable(data_type: &DataType, format: FileFormat) -> bool {
    let nests = format == FileFormat::Ndjson;
    match data_type {
        DataType::List(item) => nests && item.is_nullable() && readable(item.data_type(), format),
        DataType::Struct(fields) => {
            nests
                && !fields.is_empty()
                && fields
                    .iter()
                    .all(|field| field.is_nullable() && readable(field.data_type(), format))
        }
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
    (source, format): (usize, FileFormat),
    schema: &SchemaRef,
    projection: Vec<usize>,
    (filter, pruning): (Option<Filter>, Option<Pruning>),
    partitions: usize,
) -> Arc<dyn ExecutionPlan> {
    DataSourceExec::from_data_source(TextSource {
        source,
        format,
        projected: project(schema, &projection),
        schema: Arc::clone(schema),
        projection,
        filter,
        pruning,
        partitions,
        carries: None,
        run: None,
    })
}

/// The leaf with other columns, by their places in it, and each row also as the text of all columns that it has now, in
/// a last column.
pub(super) fn carrying(
    leaf: &DataSourceExec,
    keys: &[usize],
    text: &[usize],
    delimiter: u8,
) -> Option<Arc<dyn ExecutionPlan>> {
    let source = text_source(leaf).filter(|source| source.carries.is_none())?;
    let of_table = |places: &[usize]| places.iter().map(|at| source.projection[*at]).collect();
    let mut fields: Vec<Arc<Field>> = keys
        .iter()
        .map(|at| Arc::clone(&source.projected.fields()[*at]))
        .collect();
    fields.push(Arc::new(Field::new(
        TEXT_COLUMN,
        DataType::BinaryView,
        false,
    )));
    Some(DataSourceExec::from_data_source(TextSource {
        projection: of_table(keys),
        projected: Arc::new(Schema::new(fields)),
        carries: Some(Carries {
            columns: of_table(text),
            delimiter,
        }),
        ..source.clone()
    }))
}

pub(super) fn source_of(leaf: &DataSourceExec) -> Option<usize> {
    text_source(leaf).map(|source| source.source)
}

pub(super) fn pruning_of(leaf: &DataSourceExec) -> Option<&Pruning> {
    text_source(leaf)?.pruning.as_ref()
}

/// The leaf with structs of fewer fields for some columns; None where nothing changes.
pub(super) fn with_types(
    leaf: &DataSourceExec,
    map: &dyn Fn(usize, &DataType) -> DataType,
) -> Option<Arc<dyn ExecutionPlan>> {
    let source = text_source(leaf).filter(|source| source.format == FileFormat::Ndjson)?;
    let mut table: Vec<Field> = source
        .schema
        .fields()
        .iter()
        .map(|f| f.as_ref().clone())
        .collect();
    let mut fields: Vec<Field> = vec![];
    for (number, field) in source.projected.fields().iter().enumerate() {
        let data_type = map(number, field.data_type());
        let column = &mut table[source.projection[number]];
        // A column that comes twice is one column of the file.
        if source.projection[..number].contains(&source.projection[number]) {
            return None;
        }
        *column = column.clone().with_data_type(data_type.clone());
        fields.push(field.as_ref().clone().with_data_type(data_type));
    }
    if source
        .projected
        .fields()
        .iter()
        .zip(&fields)
        .all(|(old, new)| old.as_ref() == new)
    {
        return None;
    }
    Some(DataSourceExec::from_data_source(TextSource {
        schema: Arc::new(Schema::new(table)),
        projected: Arc::new(Schema::new(fields)),
        ..source.clone()
    }))
}

fn text_source(leaf: &DataSourceExec) -> Option<&TextSource> {
    leaf.data_source().downcast_ref::<TextSource>()
}

pub(super) fn bind(
    leaf: &DataSourceExec,
    job: &Job,
    source: &Source,
    file: usize,
    range: ShardRange,
    verbatim: Option<u8>,
    surroundings: Surroundings,
) -> Result<(Arc<dyn ExecutionPlan>, Running)> {
    let planned = text_source(leaf)
        .ok_or_else(|| EngineError::internal("a text shard for a leaf that is none"))?;
    let (shape, schema) = Shape::of_text(source, file, &planned.schema, &planned.projection)
        .map_err(|e| e.in_file(&source.files[file].path))?;
    let (filter, nothing) = match &planned.filter {
        None => (None, false),
        Some(filter) => match filter.for_file(source, file, &planned.schema)? {
            Chosen::All => (None, false),
            Chosen::Nothing => (None, true),
            Chosen::By(filter) => (Some(filter), false),
        },
    };
    let reading = Reading {
        schema,
        projection: shape.read().to_vec(),
        filter,
        verbatim: verbatim.filter(|_| shape.is_plain() && !nothing),
        carries: planned.carries.clone(),
        validate: job.bad_rows.validate,
        bad_rows: job.bad_rows.policy,
        batch_rows: BATCH_ROWS,
        max_record_bytes: job.max_record_bytes.unwrap_or(MAX_RECORD_BYTES),
    };
    let text = TextFile::open_within(source, file, job.max_text_bytes)?;
    let bytes = text.bytes();
    let (scan, is_text) = text.scan(reading, range)?;
    let path = source.files[file].path.clone();
    let name = source.files[file].shown_name().to_owned();
    let run = Arc::new(TextRun::new(
        (scan, is_text),
        (shape, nothing),
        bytes,
        file,
        path,
        name,
        surroundings,
    ));
    let bound = TextSource {
        partitions: 1,
        run: Some(Arc::clone(&run)),
        ..planned.clone()
    };
    Ok((DataSourceExec::from_data_source(bound), Running::Text(run)))
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
struct TextSource {
    source: usize,
    format: FileFormat,
    schema: SchemaRef,
    projection: Vec<usize>,
    projected: SchemaRef,
    filter: Option<Filter>,
    pruning: Option<Pruning>,
    partitions: usize,
    carries: Option<Carries>,
    run: Option<Arc<TextRun>>,
}

impl DataSource for TextSource {
    fn open(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let run = self
            .run
            .clone()
            .ok_or_else(|| EngineError::internal("a plan ran without its shard"))?;
        // Columns may have got other names.
        let schema = Arc::clone(&self.projected);
        let renamed = move |batch: RecordBatch| {
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let (schema, columns) = (Arc::clone(&schema), batch.columns().to_vec());
            Ok(RecordBatch::try_new_with_options(schema, columns, &rows)?)
        };
        let batches = futures::stream::iter(std::iter::from_fn(move || {
            let batch = run.next_rows().map_err(Into::into).transpose()?;
            Some(batch.and_then(&renamed))
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
            "source={}, format={}, columns=[{}]",
            self.source,
            self.format.name(),
            names.join(", ")
        )?;
        if self.carries.is_some() {
            write!(f, ", rows as text")?;
        }
        match &self.filter {
            Some(filter) => write!(f, ", filter={filter}"),
            None => Ok(()),
        }
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
        if self.carries.is_some() {
            return Ok(None);
        }
        let (mut indices, mut fields) = (Vec::new(), Vec::new());
        for expr in projection.iter() {
            let Some(column) = expr.expr.downcast_ref::<Column>() else {
                return Ok(None);
            };
            let field = self.projected.field(column.index()).clone();
            fields.push(field.with_name(&expr.alias));
            indices.push(self.projection[column.index()]);
        }
        Ok(Some(Arc::new(Self {
            projected: Arc::new(Schema::new(fields)),
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

//! Parquet: the ranges that the decoder names, those of a row group together; of local files as before, by reading them
//! in place.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::{Object, Opened};
use crate::error::{EngineError, Result};

/// Read from the end of a file at first: most footers are in it.
const FOOTER_BYTES: usize = 128 << 10;

/// Readers of one object, for DataFusion.
#[derive(Debug)]
pub(crate) struct ObjectReaders(pub(crate) Object);

impl ParquetFileReaderFactory for ObjectReaders {
    fn create_reader(
        &self,
        _partition: usize,
        _file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> DataFusionResult<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(self.0.clone()))
    }
}

impl AsyncFileReader for Object {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.range(range).map(|bytes| bytes.map_err(outer)).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.ranges(ranges).map(|all| all.map_err(outer)).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let mut reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
        if let Some(options) = options {
            reader = reader
                .with_column_index_policy(options.column_index_policy())
                .with_offset_index_policy(options.offset_index_policy());
        }
        let size_bytes = self.size_bytes();
        async move { Ok(Arc::new(reader.load_and_finish(self, size_bytes).await?)) }.boxed()
    }
}

fn outer(error: EngineError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// What the footer says.
///
/// # Errors
/// SourceError INVALID_PARQUET; those of reading.
pub(crate) fn metadata(opened: &Opened) -> Result<ArrowReaderMetadata> {
    Ok(match opened {
        Opened::File(file, _) => ArrowReaderMetadata::load(file, ArrowReaderOptions::default())?,
        Opened::Object(object) => {
            let mut object = object.object().clone();
            let storage = object.storage().clone();
            storage.wait(async move {
                let options = ArrowReaderOptions::default();
                Ok(ArrowReaderMetadata::load_async(&mut object, options).await?)
            })?
        }
    })
}

/// Batches, one after the other.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// The rows of some row groups, or of all, but for the first `skipped` of them, with the columns of `mask`.
///
/// # Errors
/// SourceError INVALID_PARQUET.
pub(crate) fn rows(
    opened: Opened,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    (groups, skipped): (Option<Range<usize>>, usize),
    batch_rows: usize,
) -> Result<Batches> {
    let groups = groups
        .unwrap_or(0..metadata.metadata().num_row_groups())
        .collect();
    Ok(match opened {
        Opened::File(file, _) => {
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_batch_size(batch_rows)
                .with_row_groups(groups)
                .with_offset(skipped)
                .with_projection(mask)
                .build()?;
            Box::new(reader.map(|batch| batch.map_err(Into::into)))
        }
        Opened::Object(object) => {
            let object = object.object().clone();
            let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(object, metadata)
                .with_batch_size(batch_rows)
                .with_row_groups(groups)
                .with_offset(skipped)
                .with_projection(mask)
                .build()?;
            let batches = futures::executor::block_on_stream(stream);
            Box::new(batches.map(|batch| batch.map_err(Into::into)))
        }
    })
}

//! One Arrow IPC file from the streams of the parts.

use std::io::BufWriter;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::FileWriter;

use super::target::{Target, not_written};
use crate::error::{EngineError, Result};
use crate::part::Part;
use crate::sink::portable_schema;

/// The file, begun with the first part because the parts know its schema best.
pub(super) enum ArrowFile {
    Empty(Option<Box<Target>>),
    Begun(Box<FileWriter<BufWriter<Target>>>),
}

impl ArrowFile {
    pub(super) fn new(target: Target) -> Self {
        Self::Empty(Some(Box::new(target)))
    }

    pub(super) fn append(&mut self, part: &Part) -> Result<()> {
        let reader =
            StreamReader::try_new_buffered(part.content().reader(part.size_bytes())?, None)?;
        let writer = self.begin(&reader.schema())?;
        for batch in reader {
            writer.write(&batch?).map_err(write_error)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, schema: &SchemaRef) -> Result<Target> {
        self.begin(&portable_schema(schema))?
            .finish()
            .map_err(write_error)?;
        match self {
            Self::Begun(writer) => writer
                .into_inner()
                .map_err(write_error)?
                .into_inner()
                .map_err(|e| not_written(e.into_error())),
            Self::Empty(_) => Err(EngineError::internal("an Arrow file ended before it began")),
        }
    }

    fn begin(&mut self, schema: &Schema) -> Result<&mut FileWriter<BufWriter<Target>>> {
        if let Self::Empty(target) = self
            && let Some(target) = target.take()
        {
            let writer = FileWriter::try_new_buffered(*target, schema).map_err(write_error)?;
            *self = Self::Begun(Box::new(writer));
        }
        match self {
            Self::Begun(writer) => Ok(writer),
            Self::Empty(_) => Err(EngineError::internal("an Arrow file could not be begun")),
        }
    }
}

fn write_error(error: ArrowError) -> EngineError {
    match error {
        ArrowError::IoError(_, inner) => not_written(inner),
        other => other.into(),
    }
}

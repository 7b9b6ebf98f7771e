//! Arrow out: a part is an IPC stream of plain types, whose batches the commit writes into one IPC file.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;

use super::PartSink;
use super::portable::{portable, portable_schema};
use crate::error::Result;
use crate::part::{Destination, Part, PartBuffer};

/// A part in Arrow.
pub(super) struct ArrowSink {
    schema: SchemaRef,
    writer: StreamWriter<PartBuffer>,
    rows: u64,
}

impl ArrowSink {
    pub(super) fn new(schema: &Schema, destination: &Destination) -> Result<Self> {
        let schema = portable_schema(schema);
        let buffer = PartBuffer::new(destination, "output.arrow")?;
        Ok(Self {
            writer: StreamWriter::try_new(buffer, &schema)?,
            schema,
            rows: 0,
        })
    }
}

impl PartSink for ArrowSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        for batch in portable(batch, &self.schema)? {
            self.writer.write(&batch)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Part> {
        self.writer.finish()?;
        let (content, size_bytes) = self.writer.into_inner()?.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

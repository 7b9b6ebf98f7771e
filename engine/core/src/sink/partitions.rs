//! Rows out into folders named by their values, as Hive does: `year=2024/month=01`. One task writes many folders; its
//! part is a bundle: the files of all folders one after the other, then an index of them, then the length of the index.
//! The commit makes a file of each, see [`crate::commit::commit_parts`].

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use serde::{Deserialize, Serialize};

use super::PartSink;
use crate::error::{EngineError, Result};
use crate::job::{Column, Output, OutputFormat};
use crate::part::{Content, Destination, Keep, Part, PartBuffer, not_kept};

/// Folders that one task writes at most: each holds memory, and a table of more folders than rows helps nobody.
const MAX_FOLDERS: usize = 1_000;

/// Of formats that hold more for each.
const MAX_FOLDERS_OF_COLUMNS: usize = 100;

/// The name for NULL.
const NULL_NAME: &str = "__HIVE_DEFAULT_PARTITION__";

/// Bytes of the length of the index.
const FOOT_BYTES: u64 = 8;

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bundled {
    /// `year=2024/month=01`.
    pub(crate) folder: String,
    pub(crate) rows: u64,
    pub(crate) size_bytes: u64,
}

/// The files of a bundle in their order.
///
/// # Errors
/// TransientIo PART_LOST; InternalError for what is no bundle.
pub(crate) fn index(part: &Part) -> Result<Vec<Bundled>> {
    let wrong = |_| EngineError::internal("a part of folders has no index");
    let foot = part.content().last(part.size_bytes(), FOOT_BYTES)?;
    let length = u64::from_le_bytes(foot.try_into().map_err(|_| wrong(()))?);
    let bytes = part
        .content()
        .last(part.size_bytes(), length.saturating_add(FOOT_BYTES))?;
    serde_json::from_slice(&bytes[..length as usize]).map_err(|_| wrong(()))
}

/// Whether a result with these columns can be written into folders.
///
/// # Errors
/// InvalidJob INVALID_OUTPUT.
pub(crate) fn check(output: &Output, columns: &[Column]) -> Result<()> {
    let refused = |message: String| Err(EngineError::invalid_job("INVALID_OUTPUT", message));
    let mut seen = std::collections::HashSet::new();
    for name in &output.partition_by {
        let Some(column) = columns.iter().find(|column| column.name == *name) else {
            return refused(format!(
                "The result has no column '{name}' to make folders of."
            ));
        };
        if !names_folders(&column.arrow_type()?) {
            let data_type = &column.data_type;
            return refused(format!(
                "Folders can't be named by '{name}', which is {data_type}."
            ));
        }
        if !seen.insert(name) {
            return refused(format!("Folders are to be named by '{name}' twice."));
        }
    }
    if !output.partition_by.is_empty() && output.partition_by.len() == columns.len() {
        return refused("No column is left to be written into the files.".to_owned());
    }
    match output.format {
        OutputFormat::Table if !output.partition_by.is_empty() => {
            refused("A table for a terminal can't be written into folders.".to_owned())
        }
        _ => Ok(()),
    }
}

fn names_folders(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Boolean
                | DataType::Date32
                | DataType::Decimal128(..)
                | DataType::Timestamp(..)
        )
}

/// One task's rows, by folder.
pub(super) struct PartitionSink {
    output: Output,
    by: Vec<usize>,
    kept: Vec<usize>,
    schema: SchemaRef,
    converter: RowConverter,
    destination: Destination,
    folders: HashMap<OwnedRow, usize>,
    open: Vec<Folder>,
    rows: u64,
}

struct Folder {
    name: String,
    sink: Box<dyn PartSink>,
}

impl PartitionSink {
    pub(super) fn new(output: &Output, schema: &Schema, destination: &Destination) -> Result<Self> {
        let by: Result<Vec<usize>, _> = output
            .partition_by
            .iter()
            .map(|name| schema.index_of(name))
            .collect();
        let by = by?;
        let kept: Vec<usize> = (0..schema.fields().len())
            .filter(|i| !by.contains(i))
            .collect();
        let fields = by.iter().map(|i| schema.field(*i).data_type().clone());
        Ok(Self {
            output: Output {
                partition_by: Vec::new(),
                ..output.clone()
            },
            converter: RowConverter::new(fields.map(SortField::new).collect())?,
            schema: Arc::new(schema.project(&kept)?),
            by,
            kept,
            destination: destination.clone(),
            folders: HashMap::new(),
            open: Vec::new(),
            rows: 0,
        })
    }

    /// The folder of the values in `row`.
    fn folder(&mut self, keys: &[ArrayRef], schema: &Schema, row: usize) -> Result<usize> {
        let limit = match self.output.format {
            OutputFormat::Parquet => MAX_FOLDERS_OF_COLUMNS,
            _ => MAX_FOLDERS,
        };
        if self.open.len() == limit {
            let message = format!("The rows of one task belong into more than {limit} folders.");
            return Err(EngineError::resource("TOO_MANY_PARTITIONS", message)
                .hint("Make folders of columns with fewer values, or sort the result by them."));
        }
        let mut parts = Vec::with_capacity(keys.len());
        for (key, index) in keys.iter().zip(&self.by) {
            let value = match key.is_null(row) {
                true => NULL_NAME.to_owned(),
                false => {
                    let text = cast(&key.slice(row, 1), &DataType::Utf8)?;
                    escaped(text.as_string::<i32>().value(0))
                }
            };
            parts.push(format!("{}={value}", escaped(schema.field(*index).name())));
        }
        let staging_dir = self
            .destination
            .staging_dir
            .join(self.open.len().to_string());
        fs::create_dir_all(&staging_dir).map_err(not_kept)?;
        let destination = Destination {
            staging_dir,
            keep: Keep::Sparse,
        };
        let sink = super::open(&self.output, Arc::clone(&self.schema), &destination)?;
        self.open.push(Folder {
            name: parts.join("/"),
            sink,
        });
        Ok(self.open.len() - 1)
    }
}

impl PartSink for PartitionSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys: Vec<ArrayRef> = self
            .by
            .iter()
            .map(|i| Arc::clone(batch.column(*i)))
            .collect();
        let rows = self.converter.convert_columns(&keys)?;
        let mut of_folder: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut last: Option<(usize, usize)> = None;
        for (number, row) in rows.iter().enumerate() {
            let folder = match last {
                Some((before, folder)) if rows.row(before) == row => folder,
                _ => match self.folders.get(&row.owned()) {
                    Some(folder) => *folder,
                    None => {
                        let folder = self.folder(&keys, batch.schema_ref(), number)?;
                        self.folders.insert(row.owned(), folder);
                        folder
                    }
                },
            };
            last = Some((number, folder));
            of_folder.entry(folder).or_default().push(number as u32);
        }
        let batch = batch.project(&self.kept)?;
        self.rows += batch.num_rows() as u64;
        for (folder, numbers) in of_folder {
            let sink = &mut self.open[folder].sink;
            if numbers.len() == batch.num_rows() {
                sink.write(&batch)?;
                continue;
            }
            let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
            let numbers = UInt32Array::from(numbers);
            let columns: Result<Vec<ArrayRef>, _> = batch
                .columns()
                .iter()
                .map(|c| take(c, &numbers, None))
                .collect();
            let schema = batch.schema();
            sink.write(&RecordBatch::try_new_with_options(
                schema, columns?, &options,
            )?)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Part> {
        self.open.sort_by(|a, b| a.name.cmp(&b.name));
        let mut bundle = PartBuffer::new(&self.destination, "output.folders")?;
        let mut index = Vec::with_capacity(self.open.len());
        for folder in self.open {
            let part = folder.sink.finish()?;
            let mut reader = part.content().reader(part.size_bytes())?;
            io::copy(&mut reader, &mut bundle).map_err(not_kept)?;
            if let Content::File(path) = part.content() {
                fs::remove_file(path).map_err(not_kept)?;
            }
            index.push(Bundled {
                folder: folder.name,
                rows: part.rows(),
                size_bytes: part.size_bytes(),
            });
        }
        let index = serde_json::to_vec(&index)
            .map_err(|e| EngineError::internal(format!("an index is not JSON: {e}")))?;
        bundle.push(&index)?;
        bundle.push(&(index.len() as u64).to_le_bytes())?;
        let (content, size_bytes) = bundle.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

/// A name as Hive writes it: what a path or a reader could misunderstand as `%` and two digits.
fn escaped(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0'..='\x1f'
            | '\x7f'
            | '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^' => name.push_str(&format!("%{:02X}", character as u32)),
            other => name.push(other),
        }
    }
    name
}

/// Reads the files of a bundle one after the other.
pub(crate) fn unbundled(part: &Part) -> Result<(Vec<Bundled>, Box<dyn Read + Send>)> {
    Ok((index(part)?, part.content().reader(part.size_bytes())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_nothing_that_a_path_could_misunderstand() {
        assert_eq!(escaped("a b,ü"), "a b,ü");
        assert_eq!(escaped("../x=1%"), "..%2Fx%3D1%25");
        assert_eq!(escaped("12:30\n"), "12%3A30%0A");
    }

    #[test]
    fn dates_and_decimals_name_folders_and_lists_do_not() {
        assert!(names_folders(&DataType::Decimal128(18, 2)));
        assert!(!names_folders(&DataType::Float64));
        assert!(!names_folders(&DataType::Binary));
    }
}

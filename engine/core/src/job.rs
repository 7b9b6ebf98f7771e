//! A job as it crosses the border: plain data, the same keys as `karyaksham_engine/types.py`, and its translation to
//! Arrow and to the text crate.

mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use karyaksham_text as text;
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, Result};
use crate::storage::Storage;

pub use self::types::{parse_type, type_text};
pub use crate::dialect::{Dialect, DialectOverrides, one_byte};
pub use karyaksham_text::BadRowPolicy;

/// Longest record that is read, where the job does not say.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// What `plan` takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// One query.
    pub sql: String,
    /// The tables that the query may use.
    pub sources: Vec<Source>,
    /// What the result is written as.
    pub output: Output,
    /// What becomes of rows that can't be read.
    pub bad_rows: BadRows,
    /// Target size of a shard; None: chosen from the size of the file and `parallelism`.
    #[serde(default)]
    pub shard_size_bytes: Option<u64>,
    /// How many tasks can run at once; only a hint for the size of shards.
    #[serde(default)]
    pub parallelism: Option<usize>,
    /// Into how many partitions rows go where they must meet; None: chosen from the size of the files. The rows of a
    /// result that has no order of its own come in the order of these.
    #[serde(default)]
    pub exchange_partitions: Option<usize>,
    /// Rows of the one file can be carried as the text that they are in the result, where they are only moved. Found
    /// when the job is planned.
    #[serde(default)]
    pub carries_text: bool,
    /// Microseconds since the epoch: what `now()` says in every task. None: the time of planning.
    #[serde(default)]
    pub planned_at_us: Option<i64>,
    /// A longer record is rejected.
    #[serde(default)]
    pub max_record_bytes: Option<usize>,
    /// Longest text of a compressed file; None: as much as is believable of its size.
    #[serde(default)]
    pub max_text_bytes: Option<u64>,
}

/// One table of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The table name that the SQL uses.
    pub name: String,
    /// More names for the same table.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the files are.
    pub format: FileFormat,
    /// In the order of their rows.
    pub files: Vec<FileRef>,
    /// How the bytes are to be read, for text.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// All columns of the files, in their order.
    pub columns: Vec<Column>,
    /// How the files are reached. It is given beside a job, and never part of what is written down of it.
    #[serde(skip)]
    pub storage: Storage,
}

/// A file, as it was when the job was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileRef {
    /// Where it is.
    pub path: String,
    /// Its size; a file of another size is another file.
    pub size_bytes: u64,
    /// Of an object: its version; an object with another ETag is another object. None: as it is when it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// What people call it; None: the last part of the path.
    #[serde(default)]
    pub name: Option<String>,
    /// Its columns in its order, where they are not those of the table; what is missing is NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// How its bytes are to be read, where it is not as the table says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Columns that its folders name, such as `year=2024`, with their values as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub partition: BTreeMap<String, Option<String>>,
    /// Of text: what is known of its records. Only for planning and previews; no part of what a task is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<RecordIndex>,
}

/// What an earlier reading of a text file found. It is a hint: shards that begin at its marks must join all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordIndex {
    /// Records of the file, rejected ones among them.
    pub rows: u64,
    /// Some of them, in their order. Offsets are those of the text that is read.
    pub marks: Vec<text::Mark>,
}

impl Source {
    /// The columns that are in the file `number`, in its order.
    pub fn columns_in(&self, number: usize) -> Vec<&str> {
        let file = self.files.get(number);
        let in_folders = |name: &str| file.is_some_and(|f| f.partition.contains_key(name));
        match file.and_then(|f| f.columns.as_ref()) {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => {
                let names = self.columns.iter().map(|column| column.name.as_str());
                names.filter(|name| !in_folders(name)).collect()
            }
        }
    }

    /// How the bytes of the file `number` are to be read.
    pub fn dialect_of(&self, number: usize) -> Option<&Dialect> {
        let own = self
            .files
            .get(number)
            .and_then(|file| file.dialect.as_ref());
        own.or(self.dialect.as_ref())
    }

    /// The schema of the table, where the first of its files knows its types exactly: `in_file` has its columns as a table
    /// has them.
    ///
    /// # Errors
    /// SourceError SOURCE_CHANGED where the file has other columns; InvalidJob UNKNOWN_TYPE.
    pub(crate) fn schema(&self, in_file: &Schema) -> Result<SchemaRef> {
        let known = self.columns_in(0);
        let same = known.len() == in_file.fields().len()
            && known.iter().all(|name| in_file.index_of(name).is_ok());
        if !same && !self.columns.is_empty() {
            let message = format!(
                "The columns of table '{}' are not those of its file any more.",
                self.name
            );
            return Err(EngineError::source_error("SOURCE_CHANGED", message)
                .hint("Inspect the file again."));
        }
        let exact = |column: &Column| {
            let field = in_file.field_with_name(&column.name).ok()?;
            (type_text(field.data_type()) == column.data_type).then(|| field.data_type().clone())
        };
        let mut fields = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let data_type = match exact(column) {
                Some(data_type) => data_type,
                None => column.arrow_type()?,
            };
            fields.push(Field::new(&column.name, data_type, column.nullable));
        }
        match fields.is_empty() {
            true => Ok(Arc::new(in_file.clone())),
            false => Ok(Arc::new(Schema::new(fields))),
        }
    }
}

impl FileRef {
    /// What people call it: never a folder of ours.
    pub fn shown_name(&self) -> &str {
        let last = || self.path.rsplit('/').next().unwrap_or_default();
        self.name.as_deref().unwrap_or_else(last)
    }
}

/// What a source file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Delimited text.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC.
    Arrow,
}

impl FileFormat {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }
}

/// What a result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Delimited text.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC.
    Arrow,
    /// Text for a terminal.
    Table,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// As in the file.
    pub name: String,
    /// An Arrow type in text, see [`type_text`].
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may hold NULL.
    #[serde(default = "yes")]
    pub nullable: bool,
    /// What the type rests on, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// How the result is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// As what.
    pub format: OutputFormat,
    /// Parquet: snappy (when None), zstd, lz4, none. CSV and NDJSON: gzip, zstd, none (when None).
    #[serde(default)]
    pub compression: Option<String>,
    /// CSV: whether the first line names the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// CSV: between fields; a comma when None.
    #[serde(default)]
    pub delimiter: Option<String>,
    /// CSV: whether text that a spreadsheet would take for a formula gets a `'` before it.
    #[serde(default)]
    pub formula_safe: bool,
    /// Columns that name folders instead of being in the files; the result is a folder then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
}

/// What becomes of rows that can't be read. The budgets are kept by the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BadRows {
    /// Per row.
    pub policy: BadRowPolicy,
    /// Per job, in rows.
    #[serde(default)]
    pub max_rejected_rows: Option<u64>,
    /// Per job, as a share of the rows read.
    #[serde(default)]
    pub max_rejected_ratio: Option<f64>,
    /// Of which columns a value can be bad.
    #[serde(default)]
    pub validate: Validate,
}

/// Of which columns a value can be bad. The structure of a record counts always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validate {
    /// Those that the query reads.
    #[default]
    Touched,
    /// All columns of the file.
    All,
}

/// One row that could not be read, and its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileReject {
    /// Where the file is.
    pub file: String,
    /// The record.
    #[serde(flatten)]
    pub reject: text::Reject,
}

/// What a scan task says of the bytes it read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileShardReport {
    /// Index into the source's files.
    pub file: usize,
    /// The rest.
    #[serde(flatten)]
    pub report: text::ShardReport,
}

fn yes() -> bool {
    true
}

impl Job {
    /// All that decides how it is planned: one file of each source stands for all.
    pub(crate) fn outline(&self) -> Self {
        let mut outline = self.clone();
        for source in &mut outline.sources {
            source.files.truncate(1);
            source.files.iter_mut().for_each(|file| file.index = None);
        }
        outline
    }

    /// The same, whose files are reached as `storage` says.
    #[must_use]
    pub fn reached_by(mut self, storage: &Storage) -> Self {
        for source in &mut self.sources {
            source.storage = storage.clone();
        }
        self
    }

    /// From JSON.
    ///
    /// # Errors
    /// InvalidJob INVALID_FIELD.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|e| invalid_field(&e))
    }
}

/// JSON that does not have the shape it should have.
pub fn invalid_field(error: &serde_json::Error) -> EngineError {
    EngineError::invalid_job(
        "INVALID_FIELD",
        format!("The job is not as it should be: {error}."),
    )
}

impl Column {
    /// Of an Arrow field.
    pub fn from_field(field: &Field) -> Self {
        Self {
            name: field.name().clone(),
            data_type: type_text(field.data_type()),
            nullable: field.is_nullable(),
            evidence: None,
        }
    }

    /// Its Arrow type.
    ///
    /// # Errors
    /// InvalidJob UNKNOWN_TYPE.
    pub fn arrow_type(&self) -> Result<DataType> {
        parse_type(&self.data_type).map_err(|e| e.detail("column", self.name.clone()))
    }
}

/// The columns of a schema.
pub fn columns_of(schema: &Schema) -> Vec<Column> {
    schema
        .fields()
        .iter()
        .map(|f| Column::from_field(f))
        .collect()
}

/// The schema of columns.
///
/// # Errors
/// InvalidJob UNKNOWN_TYPE.
pub fn schema_of(columns: &[Column]) -> Result<SchemaRef> {
    let fields: Result<Vec<Field>> = columns
        .iter()
        .map(|c| Ok(Field::new(&c.name, c.arrow_type()?, c.nullable)))
        .collect();
    Ok(Arc::new(Schema::new(fields?)))
}

//! What a file is: its format by its first bytes, and its columns by its footer (Parquet, Arrow) or by what its text
//! looks like. What the caller says is taken as it is, once it makes sense.

use std::sync::Arc;

use arrow::datatypes::Schema;
use karyaksham_text::decode::Encoding;
use karyaksham_text::{ColumnGuess, Compression, ReadAt, TextError, decode};
use serde::Serialize;

use crate::error::{EngineError, Result, unknown_column};
use crate::job::{Column, Dialect, DialectOverrides, FileFormat, columns_of, type_text};
use crate::scan::{CONTINUATION, IpcFile, MAGIC};
use crate::sink::portable_schema;
use crate::storage::{self, Opened, Storage};

/// First and last bytes of a Parquet file.
const PARQUET_MAGIC: &[u8] = b"PAR1";

/// What a file is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sniffed {
    /// By its first bytes, unless it was told.
    pub format: FileFormat,
    /// Of the file.
    pub size_bytes: u64,
    /// For text.
    pub dialect: Option<Dialect>,
    /// In the order of the file.
    pub columns: Vec<Column>,
}

/// Find out what the file at `path` is. `columns` are either all columns of the file in their order, or some of them by
/// name; their types hold instead of those that would be found. `storage` says how an object is reached.
///
/// # Errors
/// SourceError SOURCE_NOT_FOUND, EMPTY_FILE, BINARY_FILE, UNSUPPORTED_FORMAT, NOT_A_TABLE, INVALID_PARQUET,
/// INVALID_ARROW; InvalidJob UNKNOWN_TYPE, UNKNOWN_COLUMN, INVALID_COLUMNS, INVALID_DIALECT.
pub fn sniff(
    path: &str,
    storage: &Storage,
    format: Option<FileFormat>,
    dialect: &DialectOverrides,
    columns: Option<&[Column]>,
) -> Result<Sniffed> {
    let in_file = |error: EngineError| error.in_file(path);
    let opened = || filled(storage, path).map_err(in_file);
    let stored = opened()?.into_source(path).map_err(in_file)?;
    let size_bytes = stored.size_bytes();
    let compression = dialect.compression_of(&*stored).map_err(in_file)?;
    let read = |e| in_file(TextError::reading(0, e).into());
    let text_of = |encoding| decode::text_of(Arc::clone(&stored), compression, encoding, None);
    let raw = text_of(decode::UTF_8).map_err(read)?;
    let encoding = match dialect.encoding().map_err(in_file)? {
        None => decode::utf16_of(&*raw).map_err(read)?,
        given => given,
    };
    let source = match encoding {
        Some(encoding) => text_of(encoding).map_err(read)?,
        None => raw,
    };
    let format = match format {
        Some(format) => format,
        // A delimiter is given for nothing but delimited text.
        None if dialect.delimiter.is_some() => FileFormat::Csv,
        None => format_of(&*source).map_err(in_file)?,
    };
    if let (Some(compression), FileFormat::Parquet | FileFormat::Arrow) = (compression, format) {
        return Err(in_file(compressed_binary(compression, format)));
    }
    let (dialect, mut found) = match format {
        FileFormat::Csv => text(&*source, compression, encoding, dialect).map_err(in_file)?,
        FileFormat::Parquet => (None, parquet_columns(&opened()?).map_err(in_file)?),
        FileFormat::Arrow => (None, arrow_columns(opened()?).map_err(in_file)?),
        FileFormat::Ndjson => ndjson(&*source, compression, encoding).map_err(in_file)?,
    };
    if let Some(given) = columns {
        override_columns(&mut found, given, format)?;
    }
    Ok(Sniffed {
        format,
        size_bytes,
        dialect,
        columns: found,
    })
}

fn filled(storage: &Storage, path: &str) -> Result<Opened> {
    let opened = storage::open(storage, path)?;
    if opened.size_bytes() == 0 {
        return Err(
            EngineError::source_error("EMPTY_FILE", "The file holds no bytes.")
                .hint("Check that the file was written completely."),
        );
    }
    Ok(opened)
}

fn compressed_binary(compression: Compression, format: FileFormat) -> EngineError {
    EngineError::source_error(
        "UNSUPPORTED_FORMAT",
        format!(
            "The file is {} data that holds a {format:?} file.",
            compression.name()
        ),
    )
    .hint("Decompress it first: such files are compressed on the inside.")
}

fn format_of(source: &dyn ReadAt) -> Result<FileFormat> {
    let mut head = [0; 8];
    let read = source
        .read_at(0, &mut head)
        .map_err(|e| TextError::reading(0, e))?;
    let head = &head[..read];
    Ok(if head.starts_with(PARQUET_MAGIC) {
        FileFormat::Parquet
    } else if head.starts_with(MAGIC) || head.starts_with(&CONTINUATION) {
        FileFormat::Arrow
    } else if karyaksham_text::is_ndjson(source)? {
        FileFormat::Ndjson
    } else {
        FileFormat::Csv
    })
}

fn text(
    source: &dyn ReadAt,
    compression: Option<Compression>,
    encoding: Option<&'static Encoding>,
    overrides: &DialectOverrides,
) -> Result<(Option<Dialect>, Vec<Column>)> {
    let mut overrides = overrides.to_text()?;
    overrides.encoding = encoding;
    let sniffed = karyaksham_text::sniff(source, &overrides)?;
    let columns = sniffed.columns.into_iter().map(guessed).collect();
    let mut dialect = Dialect::from_text(&sniffed.dialect, sniffed.confidence, sniffed.evidence);
    if let Some(compression) = compression {
        dialect.set_compression(compression);
    }
    Ok((Some(dialect), columns))
}

/// NDJSON has no dialect, but for how it is compressed and encoded.
fn ndjson(
    source: &dyn ReadAt,
    compression: Option<Compression>,
    encoding: Option<&'static Encoding>,
) -> Result<(Option<Dialect>, Vec<Column>)> {
    let sniffed = karyaksham_text::sniff_json(source)?;
    let columns = sniffed.columns.into_iter().map(guessed).collect();
    let encoding = encoding.unwrap_or(decode::UTF_8);
    if compression.is_none() && encoding == decode::UTF_8 {
        return Ok((None, columns));
    }
    let plain = karyaksham_text::Dialect {
        encoding,
        ..karyaksham_text::Dialect::default()
    };
    let mut dialect = Dialect::from_text(&plain, sniffed.confidence, sniffed.evidence);
    if let Some(compression) = compression {
        dialect.set_compression(compression);
    }
    Ok((Some(dialect), columns))
}

fn guessed(guess: ColumnGuess) -> Column {
    Column {
        name: guess.name,
        data_type: type_text(&guess.data_type),
        nullable: true,
        evidence: Some(guess.evidence),
    }
}

fn parquet_columns(opened: &Opened) -> Result<Vec<Column>> {
    let metadata = storage::metadata(opened)?;
    Ok(plain_columns(metadata.schema(), "from the footer"))
}

fn arrow_columns(opened: Opened) -> Result<Vec<Column>> {
    let file = IpcFile::open(opened)?;
    Ok(plain_columns(file.schema(), "from the schema"))
}

/// Dictionaries are shown as what they hold.
fn plain_columns(schema: &Schema, evidence: &str) -> Vec<Column> {
    let mut columns = columns_of(&portable_schema(schema));
    for column in &mut columns {
        column.evidence = Some(evidence.to_owned());
    }
    columns
}

fn override_columns(found: &mut [Column], given: &[Column], format: FileFormat) -> Result<()> {
    for column in given {
        column.arrow_type()?;
    }
    let names: Vec<String> = found.iter().map(|column| column.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let places: Vec<Option<usize>> = given
        .iter()
        .map(|column| names.iter().position(|name| *name == column.name))
        .collect();
    let renames = places.iter().any(Option::is_none);
    if renames && (given.len() != found.len() || format != FileFormat::Csv) {
        let stranger = given.iter().zip(&places).find(|(_, place)| place.is_none());
        let name = stranger.map_or("", |(column, _)| column.name.as_str());
        return Err(unknown_column(name, &names));
    }
    for (number, (column, place)) in given.iter().zip(places).enumerate() {
        let target = &mut found[if renames {
            number
        } else {
            place.unwrap_or(number)
        }];
        let is_text = matches!(format, FileFormat::Csv | FileFormat::Ndjson);
        if !is_text && target.data_type != type_text(&column.arrow_type()?) {
            return Err(EngineError::invalid_job(
                "INVALID_COLUMNS",
                format!(
                    "Column '{}' has the type of its file, {}.",
                    target.name, target.data_type
                ),
            )
            .hint("Cast it in the query instead."));
        }
        target.name.clone_from(&column.name);
        target.data_type = type_text(&column.arrow_type()?);
        target.nullable = column.nullable;
        target.evidence = Some("as given".to_owned());
    }
    Ok(())
}

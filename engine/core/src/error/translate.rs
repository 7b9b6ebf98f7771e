//! Errors of libraries as ours.

use std::error::Error;
use std::io;

use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use karyaksham_text::TextError;
use parquet::errors::ParquetError;

use super::EngineError;

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        if let Some(inner) = error.get_ref()
            && let Some(ours) = known(inner)
        {
            return ours;
        }
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::source_error("SOURCE_NOT_FOUND", "There is no such file.")
                    .hint("Check the name and the folder.")
            }
            io::ErrorKind::PermissionDenied => {
                Self::source_error("NOT_PERMITTED", "The file may not be opened.")
                    .hint("Check its permissions.")
            }
            io::ErrorKind::IsADirectory => {
                Self::source_error("UNSUPPORTED_FORMAT", "This is a folder, not a file.")
                    .hint("Name a file.")
            }
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => {
                Self::resource("DISK_FULL", "There is no space left to write to.")
                    .hint("Free some space, or choose another folder.")
            }
            _ => Self::transient("IO_ERROR", format!("Storage failed: {error}.")),
        }
    }
}

impl From<TextError> for EngineError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Io { offset, source } => Self::from(source).detail("offset", offset),
            TextError::Changed { offset } => Self::source_error(
                "SOURCE_CHANGED",
                format!("The file changed while it was read: byte {offset} is gone."),
            )
            .hint("Run the job again once the file is complete.")
            .detail("offset", offset),
            TextError::Filter(source) => match source.downcast::<DataFusionError>() {
                Ok(error) => (*error).into(),
                Err(other) => Self::internal(other.to_string()),
            },
            TextError::Undecodable(error) => {
                Self::source_error(error.code, error.message).hint(error.hint)
            }
            TextError::NotATable {
                code,
                message,
                hint,
            } => {
                let error = Self::source_error(code, message);
                match hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            }
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<ArrowError> for EngineError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::ExternalError(inner) => {
                known(inner.as_ref()).unwrap_or_else(|| Self::internal(inner.to_string()))
            }
            ArrowError::IoError(_, inner) => inner.into(),
            ArrowError::MemoryError(message) => memory(&message),
            ArrowError::CDataInterface(_)
            | ArrowError::IpcError(_)
            | ArrowError::SchemaError(_) => Self::internal(error.to_string()),
            ArrowError::ParquetError(message) => invalid_parquet(&message),
            ArrowError::DivideByZero => {
                expression("Division by zero.").hint("Guard the divisor: a / NULLIF(b, 0).")
            }
            ArrowError::CastError(message) | ArrowError::ParseError(message) => {
                expression(message).hint("TRY_CAST gives NULL where a value does not fit.")
            }
            other => expression(other.to_string()),
        }
    }
}

impl From<ParquetError> for EngineError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => {
                known(inner.as_ref()).unwrap_or_else(|| invalid_parquet(&inner.to_string()))
            }
            other => invalid_parquet(&other.to_string()),
        }
    }
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        use DataFusionError as E;
        match error {
            E::External(inner) => {
                known(inner.as_ref()).unwrap_or_else(|| Self::internal(inner.to_string()))
            }
            E::Context(_, inner) | E::Diagnostic(_, inner) => (*inner).into(),
            E::Shared(inner) => {
                known(inner.as_ref()).unwrap_or_else(|| Self::internal(inner.strip_backtrace()))
            }
            E::Collection(mut all) if !all.is_empty() => all.swap_remove(0).into(),
            E::ArrowError(inner, _) => (*inner).into(),
            E::ParquetError(inner) => (*inner).into(),
            E::IoError(inner) => inner.into(),
            E::ObjectStore(inner) => stored(&inner),
            E::SchemaError(inner, _) => schema(&inner),
            E::SQL(inner, _) => sql(inner.to_string().trim_start_matches("sql parser error: ")),
            E::Plan(message) => planning(&message),
            E::NotImplemented(message) => Self::invalid_job(
                "UNSUPPORTED_SQL",
                format!("Not supported: {}.", sentence(&message)),
            ),
            E::Execution(message) => expression(message),
            E::ResourcesExhausted(message) => memory(&message),
            other => Self::internal(other.strip_backtrace()),
        }
    }
}

/// The error of ours, or one that we know how to translate, in `error` or under it.
fn known(error: &(dyn Error + Send + Sync + 'static)) -> Option<EngineError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(ours) = error.downcast_ref::<EngineError>() {
            return Some(ours.clone());
        }
        if let Some(DataFusionError::ResourcesExhausted(message)) = error.downcast_ref() {
            return Some(memory(message));
        }
        if let Some(DataFusionError::Execution(message)) = error.downcast_ref() {
            return Some(expression(message.clone()));
        }
        if let Some(io) = error.downcast_ref::<io::Error>()
            && io.get_ref().is_none()
        {
            return Some(io::Error::from(io.kind()).into());
        }
        next = error.source();
    }
    None
}

fn schema(error: &SchemaError) -> EngineError {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let names: Vec<&str> = valid_fields.iter().map(|c| c.name.as_str()).collect();
            unknown_column(&field.name, &names)
        }
        SchemaError::AmbiguousReference { field } => EngineError::invalid_job(
            "AMBIGUOUS_COLUMN",
            format!("Column '{}' could be of several tables.", field.name),
        )
        .hint("Write the table before it: table.column.")
        .detail("column", field.name.clone()),
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => duplicate_column(name),
    }
}

/// A column that no table has, with the name that was perhaps meant.
pub fn unknown_column(name: &str, names: &[&str]) -> EngineError {
    let error = EngineError::invalid_job("UNKNOWN_COLUMN", format!("There is no column '{name}'."))
        .detail("column", name)
        .detail("columns", names.to_vec());
    match closest(name, names) {
        Some(meant) => error.hint(format!("Did you mean '{meant}'?")),
        None => error.hint(format!("The columns are: {}.", shortened(names))),
    }
}

/// The name nearest to `name` by edits, where it is near enough to be a slip.
pub fn closest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let limit = wanted.chars().count() / 3;
    names
        .iter()
        .map(|candidate| (edits(&wanted, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

fn planning(message: &str) -> EngineError {
    if let Some(rest) = message.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or_default();
        let error = EngineError::invalid_job(
            "UNKNOWN_FUNCTION",
            format!("There is no function '{name}'."),
        )
        .detail("function", name);
        return match message
            .split("Did you mean '")
            .nth(1)
            .and_then(|m| m.split('\'').next())
        {
            Some(meant) => error.hint(format!("Did you mean '{meant}'?")),
            None => error,
        };
    }
    if let Some(rest) = message
        .split("No function matches the given name and argument types '")
        .nth(1)
    {
        let call = rest
            .split('\'')
            .next()
            .unwrap_or_default()
            .replace("Utf8View", "Utf8");
        return EngineError::invalid_job(
            "WRONG_ARGUMENTS",
            format!("A function does not take these types: {call}."),
        )
        .hint("CAST or TRY_CAST makes one type of another.")
        .detail("call", call);
    }
    if message.starts_with("Projections require unique expression names") {
        let name = message
            .split("AS ")
            .nth(1)
            .and_then(|m| m.split('"').next());
        return duplicate_column(name.unwrap_or_default());
    }
    sql(message)
}

/// Two columns with one name.
pub fn duplicate_column(name: &str) -> EngineError {
    EngineError::invalid_job(
        "DUPLICATE_COLUMN",
        format!("Two columns are called '{name}'."),
    )
    .hint("Give one of them another name with AS; tables can be joined with USING.")
    .detail("column", name)
}

fn sql(message: &str) -> EngineError {
    EngineError::invalid_job(
        "SQL_INVALID",
        format!("The SQL is not right: {}.", sentence(message)),
    )
}

fn expression(message: impl AsRef<str>) -> EngineError {
    EngineError::invalid_job(
        "EXPRESSION_FAILED",
        format!("An expression failed: {}.", sentence(message.as_ref())),
    )
}

fn memory(message: &str) -> EngineError {
    if message.contains("disk space") {
        return EngineError::resource(
            "DISK_LIMIT",
            "The work needs more temporary disk space than it may use.",
        )
        .hint("Free some space, or ask for less data at once.")
        .detail("reason", message);
    }
    EngineError::resource(
        "MEMORY_LIMIT",
        "The work needs more memory than it may use.",
    )
    .hint("Raise the memory limit, filter earlier, or group by fewer columns.")
    .detail("reason", message)
}

fn invalid_parquet(message: &str) -> EngineError {
    EngineError::source_error(
        "INVALID_PARQUET",
        format!("This is not a whole Parquet file: {}.", sentence(message)),
    )
    .hint("Write the file again; it may have been cut off.")
}

fn stored(error: &object_store::Error) -> EngineError {
    match error {
        object_store::Error::NotFound { .. } => io::Error::from(io::ErrorKind::NotFound).into(),
        object_store::Error::PermissionDenied { .. } => {
            io::Error::from(io::ErrorKind::PermissionDenied).into()
        }
        object_store::Error::Generic { source, .. } => known(source.as_ref())
            .unwrap_or_else(|| EngineError::transient("IO_ERROR", "Storage failed.")),
        _ => EngineError::transient("IO_ERROR", "Storage failed."),
    }
}

/// The message without the parts that are meant for DataFusion's own developers, and without its last dot.
fn sentence(message: &str) -> &str {
    let message = message.split("\n\nbacktrace: ").next().unwrap_or(message);
    message.trim().trim_end_matches('.')
}

//! The one error tree of the engine. What a caller can do decides the kind; the code is stable and says why.
//!
//! Errors of libraries are translated in [`translate`] and nowhere else. Our own errors travel through DataFusion as
//! `External` and are found again under whatever it wrapped around them.

mod translate;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::path::Path;

use datafusion::error::DataFusionError;
use karyaksham_text::Reject;
use serde_json::{Map, Value};

pub use translate::{closest, duplicate_column, unknown_column};

/// What every function of the engine returns.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// What happened, where, and what to do about it, in words for a person who knows data.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Stable, upper case, part of the interface.
    pub code: Cow<'static, str>,
    /// A sentence, without paths and stacks.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The same call may succeed later.
    pub retryable: bool,
    /// Facts for programs.
    pub detail: Map<String, Value>,
}

/// A failure of the engine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EngineError {
    /// The job itself is wrong: SQL, an unknown column or table, an option that does not fit.
    InvalidJob(Box<Fault>),
    /// A source can't be read as a table: missing, empty, binary, changed underneath, not permitted.
    SourceError(Box<Fault>),
    /// Rows are bad and the policy says stop.
    DataError {
        /// The record at fault.
        reject: Box<Reject>,
        /// The file it is in.
        file: String,
    },
    /// A limit was reached: memory, disk, a size.
    ResourceError(Box<Fault>),
    /// Storage failed in a way that another try may cure.
    TransientIo(Box<Fault>),
    /// The cancel token was set.
    Canceled,
    /// A fault of ours.
    InternalError(Box<Fault>),
}

impl Fault {
    fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code: code.into(),
            message: message.into(),
            hint: None,
            retryable: false,
            detail: Map::new(),
        })
    }
}

impl EngineError {
    /// The job is wrong.
    pub fn invalid_job(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::InvalidJob(Fault::new(code, message))
    }

    /// A source can't be read.
    pub fn source_error(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::SourceError(Fault::new(code, message))
    }

    /// A limit was reached.
    pub fn resource(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::ResourceError(Fault::new(code, message))
    }

    /// Storage failed, perhaps for a while only.
    pub fn transient(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut fault = Fault::new(code, message);
        fault.retryable = true;
        Self::TransientIo(fault)
    }

    /// A fault of ours; the message is for the log.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::InternalError(Fault::new("INTERNAL", message))
    }

    /// The same error with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault.hint = Some(hint.into());
        }
        self
    }

    /// The same error with one more fact.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        if let Some(fault) = self.fault_mut() {
            fault.detail.insert(key.to_owned(), value.into());
        }
        self
    }

    /// The same error, saying in which file: its name, not where it lies.
    #[must_use]
    pub fn in_file(mut self, path: &str) -> Self {
        if let Some(fault) = self.fault_mut()
            && !fault.detail.contains_key("file")
        {
            let name = Path::new(path)
                .file_name()
                .map_or(path.into(), |n| n.to_string_lossy());
            fault.message = format!("{name}: {}", fault.message);
            fault.detail.insert("file".to_owned(), path.into());
        }
        self
    }

    /// The name of the kind, as in `karyaksham_engine.errors`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidJob(_) => "InvalidJob",
            Self::SourceError(_) => "SourceError",
            Self::DataError { .. } => "DataError",
            Self::ResourceError(_) => "ResourceError",
            Self::TransientIo(_) => "TransientIo",
            Self::Canceled => "Canceled",
            Self::InternalError(_) => "InternalError",
        }
    }

    /// Everything that is to be told about it.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::InvalidJob(f)
            | Self::SourceError(f)
            | Self::ResourceError(f)
            | Self::TransientIo(f)
            | Self::InternalError(f) => (**f).clone(),
            Self::Canceled => *Fault::new("CANCELED", "The work was canceled."),
            Self::DataError { reject, file } => data_fault(reject, file),
        }
    }

    fn fault_mut(&mut self) -> Option<&mut Fault> {
        match self {
            Self::InvalidJob(f)
            | Self::SourceError(f)
            | Self::ResourceError(f)
            | Self::TransientIo(f)
            | Self::InternalError(f) => Some(f),
            Self::DataError { .. } | Self::Canceled => None,
        }
    }
}

fn data_fault(reject: &Reject, file: &str) -> Fault {
    let code = serde_json::to_value(reject.code).ok();
    let code = code
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or("CAST")
        .to_owned();
    let mut fault = Fault::new(code, reject.message.clone());
    fault.hint = Some("Mend the row, or choose to reject bad rows and go on without them.".into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(reject) {
        fault.detail = fields;
    }
    fault.detail.insert("file".into(), file.into());
    *fault
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.to_fault();
        write!(f, "{} {}: {}", self.kind(), fault.code, fault.message)
    }
}

impl Error for EngineError {}

impl From<EngineError> for DataFusionError {
    fn from(error: EngineError) -> Self {
        Self::External(Box::new(error))
    }
}

//! Objects in S3 (and what speaks like it: MinIO, Ceph) and in Google Cloud Storage as sources, beside local files.
//!
//! A path is a local file unless it is a URI (`s3://bucket/key`, `gs://bucket/key`). How a bucket is reached is given
//! with the call ([`Storage`]); nothing is read from the environment of the process, and nothing of it is in a job, a
//! task or an error. All requests run on one runtime of their own ([`wait`](Storage::wait) for threads that compute),
//! with retries inside the client ([`client`]). An object is read in the version that was seen when the job was made:
//! every request names its ETag, so that an object that was replaced is an error and never a mixture ([`object`]).
//! Text is read through a window of large ranges under way ([`ahead`]), Parquet by ranges that it names ([`parquet`]).
//! Results are objects that are there when they are whole ([`upload`]).

mod ahead;
mod client;
mod error;
mod list;
mod location;
mod object;
mod opened;
mod parquet;
mod upload;

use std::fmt;
use std::future::Future;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::error::{EngineError, Result};
use crate::progress::CancelToken;

pub(crate) use self::list::pin;
pub use self::list::{Found, list, remove, stat};
pub(crate) use self::location::Location;
pub use self::location::is_uri;
pub(crate) use self::object::Object;
pub(crate) use self::opened::{Opened, open};
pub(crate) use self::parquet::{Batches, ObjectReaders, metadata, rows};
pub(crate) use self::upload::{Upload, put};

/// Threads of the runtime that moves bytes; decryption and copies are all that they compute.
const IO_THREADS: usize = 2;

/// What it takes to reach buckets.
#[derive(Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// URL of the service; None: Amazon's or Google's own.
    pub endpoint: Option<String>,
    /// None: us-east-1, which other services than Amazon's take for any.
    pub region: Option<String>,
    /// None: requests are not signed, which public buckets allow.
    pub access_key_id: Option<String>,
    /// Of `access_key_id`.
    pub secret_access_key: Option<String>,
    /// Of temporary keys.
    pub session_token: Option<String>,
    /// Google Cloud Storage: the JSON text of a service account's key.
    pub service_account: Option<String>,
    /// Whether the bucket is in the path, not in the name of the host; None: it is.
    pub path_style: Option<bool>,
    /// Whether requests may go unencrypted; None: where the endpoint says `http`.
    pub allow_http: Option<bool>,
}

/// Never a key.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// How the files of a source are reached, and what ends waiting for them.
#[derive(Clone, Default)]
pub struct Storage {
    options: Arc<Options>,
    cancel: CancelToken,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

/// Who may end it does not matter.
impl PartialEq for Storage {
    fn eq(&self, other: &Self) -> bool {
        self.options == other.options
    }
}

impl Storage {
    /// Buckets are reached as `options` say.
    pub fn new(options: Options) -> Self {
        Self {
            options: Arc::new(options),
            cancel: CancelToken::default(),
        }
    }

    /// The same, but requests end when `cancel` is set.
    #[must_use]
    pub fn until(&self, cancel: &CancelToken) -> Self {
        Self {
            options: Arc::clone(&self.options),
            cancel: cancel.clone(),
        }
    }

    /// Have requests made while this thread waits for them. It may be a thread of another runtime.
    ///
    /// # Errors
    /// Those of `requests`; Canceled.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        requests: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.begin(requests)?.end()
    }

    /// Have requests made while this thread goes on.
    ///
    /// # Errors
    /// Faults of ours; those of `requests` come with their result.
    fn begin<T: Send + 'static>(
        &self,
        requests: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<UnderWay<T>> {
        let (done, result) = sync_channel(1);
        let cancel = self.cancel.clone();
        let task = runtime()?.spawn(async move {
            let outcome = tokio::select! {
                biased;
                () = cancel.canceled() => Err(EngineError::Canceled),
                outcome = requests => outcome,
            };
            let _ = done.send(outcome);
        });
        Ok(UnderWay { result, task })
    }
}

/// Requests that are being made. Dropped, they are given up.
struct UnderWay<T> {
    result: Receiver<Result<T>>,
    task: JoinHandle<()>,
}

impl<T> UnderWay<T> {
    /// Wait for what they bring.
    fn end(self) -> Result<T> {
        self.result.recv().unwrap_or_else(|_| Err(lost()))
    }
}

impl<T> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Only after a panic in a library.
fn lost() -> EngineError {
    EngineError::internal("a request to storage ended without a result")
}

/// The runtime of all requests. It lives as long as the process, because connections do.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name("karyaksham-storage")
        .enable_all()
        .build()?;
    // Where two threads come here at once, one of the runtimes is dropped unused.
    Ok(RUNTIME.get_or_init(|| made))
}

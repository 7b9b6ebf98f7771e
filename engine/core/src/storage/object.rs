//! One object in one version: ranges of its bytes, all from that version or an error.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, OBJECT_STORE_COALESCE_DEFAULT, coalesce_ranges};

use super::client::{Bucket, bucket};
use super::error::{changed, translated};
use super::list::stat_one;
use super::{Location, Storage, UnderWay, lost, runtime};
use crate::error::{EngineError, Result};
use crate::job::FileRef;

/// Asked for at once.
const PIECE_BYTES: u64 = 16 << 20;

/// Pieces of one range that are under way.
const PIECES_AT_ONCE: usize = 4;

/// Clones are handles on the same object.
#[derive(Clone)]
pub(crate) struct Object(Arc<Inner>);

struct Inner {
    storage: Storage,
    location: Location,
    bucket: Bucket,
    size_bytes: u64,
    etag: Option<String>,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Object({})", self.0.location)
    }
}

impl Object {
    /// The object as a job knows it, or, where the job knows no ETag, as it is now.
    ///
    /// # Errors
    /// SourceError SOURCE_CHANGED where its size is another; those of asking for it.
    pub(crate) fn of_file(storage: &Storage, file: &FileRef) -> Result<Self> {
        let known = file.etag.clone().map(|etag| (file.size_bytes, etag));
        let object = Self::open(storage, &file.path, known)?;
        if object.size_bytes() != file.size_bytes {
            return Err(changed(&object.0.location));
        }
        Ok(object)
    }

    /// The object in the version that has a size and an ETag; None: as it is now.
    ///
    /// # Errors
    /// INVALID_LOCATION, INVALID_STORAGE; without `known` those of asking for it.
    pub(crate) fn open(storage: &Storage, uri: &str, known: Option<(u64, String)>) -> Result<Self> {
        let location = Location::parse(uri)?;
        let bucket = bucket(&storage.options, &location)?;
        let (size_bytes, etag) = match known {
            Some((size_bytes, etag)) => (size_bytes, Some(etag)),
            None => {
                let (objects, at) = (Arc::clone(&bucket.objects), location.clone());
                let meta = storage.wait(async move { stat_one(&*objects, &at).await })?;
                (meta.size, meta.e_tag)
            }
        };
        Ok(Self(Arc::new(Inner {
            storage: storage.clone(),
            location,
            bucket,
            size_bytes,
            etag,
        })))
    }

    /// Of the version.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.0.size_bytes
    }

    /// Names the version, where the service does.
    pub(crate) fn identity(&self) -> Option<String> {
        let etag = self.0.etag.as_ref()?;
        let endpoint = self.0.storage.options.endpoint.as_deref().unwrap_or("");
        Some(format!("{endpoint} {} {etag}", self.0.location))
    }

    /// Its key.
    pub(crate) fn key(&self) -> &object_store::path::Path {
        &self.0.location.key
    }

    /// How it is reached.
    pub(crate) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// Bytes, which must lie in the object. Only on the runtime of requests.
    async fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let at = &self.0.location;
        let wanted = range.end - range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.0.etag.clone(),
            ..GetOptions::default()
        };
        let answer = self.0.bucket.objects.get_opts(&at.key, options).await;
        let answer = answer.map_err(|e| translated(at, &e))?;
        if answer.meta.size != self.0.size_bytes {
            return Err(changed(at));
        }
        let bytes = answer.bytes().await.map_err(|e| translated(at, &e))?;
        match bytes.len() as u64 == wanted {
            true => Ok(bytes),
            false => Err(changed(at)),
        }
    }

    /// The same, of any size: what is large is asked for in pieces, several at a time, since a request has a limit in time.
    async fn fetch_large(&self, range: Range<u64>) -> Result<Bytes> {
        if range.end - range.start <= PIECE_BYTES {
            return self.fetch(range).await;
        }
        let mut whole = Vec::with_capacity((range.end - range.start) as usize);
        let mut asked: Vec<BoxFuture<'_, Result<Bytes>>> = Vec::new();
        for at in range.clone().step_by(PIECE_BYTES as usize) {
            asked.push(Box::pin(self.fetch(at..range.end.min(at + PIECE_BYTES))));
        }
        let mut pieces = futures::stream::iter(asked).buffered(PIECES_AT_ONCE);
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }

    /// The same from anywhere: the request runs on its own runtime.
    ///
    /// # Errors
    /// SourceError SOURCE_CHANGED, SOURCE_NOT_FOUND, ACCESS_DENIED; TransientIo STORAGE_FAILED; Canceled.
    pub(crate) async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let mut all = self.ranges(vec![range]).await?;
        all.pop().ok_or_else(lost)
    }

    /// Several ranges, those that are near each other in one request, and several requests at a time.
    ///
    /// # Errors
    /// As `range`.
    pub(crate) async fn ranges(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>> {
        let object = self.clone();
        let requests = runtime()?.spawn(async move {
            let cancel = object.0.storage.cancel.clone();
            let fetch = |range| object.fetch_large(range);
            tokio::select! {
                biased;
                () = cancel.canceled() => Err(EngineError::Canceled),
                all = coalesce_ranges(&ranges, fetch, OBJECT_STORE_COALESCE_DEFAULT) => all,
            }
        });
        requests.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Begin to fetch a range.
    pub(super) fn begin(&self, range: Range<u64>) -> Result<UnderWay<Bytes>> {
        let object = self.clone();
        let fetch = async move { object.fetch(range).await };
        self.0.storage.begin(fetch)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
impl Object {
    /// An object with `content` in memory.
    pub(super) fn in_memory(content: Vec<u8>) -> Self {
        use object_store::ObjectStoreExt;
        let store = Arc::new(object_store::memory::InMemory::new());
        let location = Location::parse("s3://bucket/key").unwrap();
        let storage = Storage::default();
        let size_bytes = content.len() as u64;
        let (objects, key) = (Arc::clone(&store), location.key.clone());
        let put = async move { Ok(objects.put(&key, content.into()).await.unwrap()) };
        let etag = storage.wait(put).unwrap().e_tag;
        Self(Arc::new(Inner {
            bucket: Bucket {
                objects: Arc::clone(&store) as Arc<dyn object_store::ObjectStore>,
                uploads: store,
            },
            storage,
            location,
            size_bytes,
            etag,
        }))
    }
}

//! A result as one object: parts go up while it is made, and the object is there, whole, when they are joined. Small
//! results are one request. Given up, it leaves neither an object nor parts; only a process that is killed leaves parts
//! behind, which nobody sees and a rule of the bucket can remove.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

use object_store::multipart::{MultipartStore, PartId};
use object_store::{ObjectStoreExt, PutPayload};

use super::client::{Bucket, bucket};
use super::error::translated;
use super::{Location, Storage, UnderWay};
use crate::error::{EngineError, Result};

/// Of a part; services want at least 5 MiB of all but the last.
const PART_BYTES: usize = 8 << 20;

/// After so many parts the next ones are larger by [`PART_BYTES`], so that [`MAX_PARTS`] are 1.6 TB.
const PARTS_OF_A_SIZE: usize = 250;

/// What services take.
const MAX_PARTS: usize = 10_000;

/// Parts that are under way at once, beside the one that is being filled.
const AT_ONCE: usize = 3;

/// An object in the making. Dropped without a commit, nothing is left of it.
pub(crate) struct Upload {
    storage: Storage,
    location: Location,
    bucket: Bucket,
    filling: Vec<u8>,
    parts: Option<Parts>,
}

/// Of an upload that is larger than a part.
struct Parts {
    id: String,
    under_way: VecDeque<UnderWay<PartId>>,
    done: Vec<PartId>,
}

impl Upload {
    /// To `uri`. Nothing is asked of the service yet.
    ///
    /// # Errors
    /// InvalidJob OUTPUT_NOT_WRITABLE, INVALID_STORAGE.
    pub(crate) fn new(storage: &Storage, uri: &str) -> Result<Self> {
        let location = Location::parse(uri).map_err(refused)?;
        if location.key.as_ref().is_empty() || uri.ends_with('/') {
            let message = format!("The output {uri} can't be made: it names no object.");
            return Err(EngineError::invalid_job("OUTPUT_NOT_WRITABLE", message)
                .hint("Write s3://bucket/key."));
        }
        Ok(Self {
            storage: storage.clone(),
            bucket: bucket(&storage.options, &location)?,
            location,
            filling: Vec::new(),
            parts: None,
        })
    }

    /// Let the object be there. What was there before is replaced in this step.
    ///
    /// # Errors
    /// InvalidJob OUTPUT_NOT_WRITABLE; TransientIo STORAGE_FAILED. What was there before stays.
    pub(crate) fn commit(mut self) -> Result<()> {
        if self.parts.is_some() && !self.filling.is_empty() {
            self.send()?;
        }
        let at = self.location.clone();
        let Some(parts) = &mut self.parts else {
            let content = PutPayload::from(std::mem::take(&mut self.filling));
            let objects = Arc::clone(&self.bucket.objects);
            let put = async move {
                let put = objects.put(&at.key, content).await;
                put.map_err(|e| refused(translated(&at, &e)))
            };
            self.storage.wait(put)?;
            return Ok(());
        };
        while let Some(part) = parts.under_way.pop_front() {
            parts.done.push(part.end()?);
        }
        let (id, done) = (parts.id.clone(), std::mem::take(&mut parts.done));
        let uploads = Arc::clone(&self.bucket.uploads);
        self.storage.wait(async move {
            let joined = uploads.complete_multipart(&at.key, &id, done).await;
            joined.map_err(|e| refused(translated(&at, &e)))
        })?;
        self.parts = None;
        Ok(())
    }

    /// How many bytes the next part has.
    fn part_bytes(&self) -> usize {
        let sent = |parts: &Parts| parts.done.len() + parts.under_way.len();
        PART_BYTES * (1 + self.parts.as_ref().map_or(0, sent) / PARTS_OF_A_SIZE)
    }

    /// Have what was filled go up as the next part.
    fn send(&mut self) -> Result<()> {
        let uploads = Arc::clone(&self.bucket.uploads);
        let at = self.location.clone();
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => none.insert(Parts {
                id: begun(&self.storage, &uploads, &at)?,
                under_way: VecDeque::new(),
                done: Vec::new(),
            }),
        };
        while parts.under_way.len() >= AT_ONCE
            && let Some(first) = parts.under_way.pop_front()
        {
            parts.done.push(first.end()?);
        }
        let number = parts.done.len() + parts.under_way.len();
        if number == MAX_PARTS {
            let message = format!("The output {at} is larger than one object can be.");
            return Err(EngineError::resource("TOO_LARGE", message)
                .hint("Write it in parts, or compressed."));
        }
        let (id, content) = (parts.id.clone(), std::mem::take(&mut self.filling));
        parts.under_way.push_back(self.storage.begin(async move {
            let content = PutPayload::from(content);
            let put = uploads.put_part(&at.key, &id, number, content).await;
            put.map_err(|e| refused(translated(&at, &e)))
        })?);
        Ok(())
    }
}

fn begun(storage: &Storage, uploads: &Arc<dyn MultipartStore>, at: &Location) -> Result<String> {
    let (uploads, at) = (Arc::clone(uploads), at.clone());
    storage.wait(async move {
        let id = uploads.create_multipart(&at.key).await;
        id.map_err(|e| refused(translated(&at, &e)))
    })
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part_bytes = self.part_bytes();
        if self.filling.capacity() == 0 && self.parts.is_some() {
            self.filling.reserve_exact(part_bytes);
        }
        let taken = bytes.len().min(part_bytes - self.filling.len());
        self.filling.extend_from_slice(&bytes[..taken]);
        if self.filling.len() == part_bytes {
            self.send().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(Parts { id, under_way, .. }) = self.parts.take() else {
            return;
        };
        drop(under_way);
        let (uploads, at) = (Arc::clone(&self.bucket.uploads), self.location.clone());
        // Where it can't be given up there is nobody to tell.
        let _ = self.storage.wait(async move {
            let gone = uploads.abort_multipart(&at.key, &id).await;
            gone.map_err(|e| translated(&at, &e))
        });
    }
}

/// A place that can't be read is for an output one that can't be written.
fn refused(error: EngineError) -> EngineError {
    let EngineError::SourceError(fault) = error else {
        return error;
    };
    let refused = EngineError::invalid_job("OUTPUT_NOT_WRITABLE", fault.message);
    match fault.hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

/// An object with `content`, in one request.
///
/// # Errors
/// InvalidJob OUTPUT_NOT_WRITABLE; TransientIo STORAGE_FAILED.
pub(crate) fn put(storage: &Storage, uri: &str, content: Vec<u8>) -> Result<()> {
    let mut upload = Upload::new(storage, uri)?;
    upload.filling = content;
    upload.commit()
}

//! What there is: one object, or those whose keys begin with a prefix.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::Serialize;

use super::client::bucket;
use super::error::{changed, translated};
use super::{Location, Storage, is_uri};
use crate::error::Result;
use crate::job::{FileRef, Source};

/// Objects that are asked for at a time.
const AT_ONCE: usize = 32;

/// An object as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its URI.
    pub path: String,
    /// Of its bytes.
    pub size_bytes: u64,
    /// Names this version of it, where the service does.
    pub etag: Option<String>,
}

impl Found {
    fn new(location: &Location, meta: ObjectMeta) -> Self {
        Self {
            path: location.with_key(meta.location).to_string(),
            size_bytes: meta.size,
            etag: meta.e_tag,
        }
    }
}

/// The objects at `uris`, in that order.
///
/// # Errors
/// SourceError SOURCE_NOT_FOUND, ACCESS_DENIED, INVALID_LOCATION; TransientIo STORAGE_FAILED.
pub fn stat(storage: &Storage, uris: &[String]) -> Result<Vec<Found>> {
    let mut asked: Vec<BoxFuture<'static, Result<Found>>> = Vec::with_capacity(uris.len());
    for uri in uris {
        let at = Location::parse(uri)?;
        let objects = bucket(&storage.options, &at)?.objects;
        asked.push(Box::pin(found(objects, at)));
    }
    storage.wait(async move {
        let answers = futures::stream::iter(asked).buffered(AT_ONCE);
        answers.try_collect().await
    })
}

/// Let a source name the version of each of its objects, so that all tasks read the same.
///
/// # Errors
/// As [`stat`]; SourceError SOURCE_CHANGED where a size is another.
pub(crate) fn pin(source: &mut Source) -> Result<()> {
    let unknown = |file: &&mut FileRef| file.etag.is_none() && is_uri(&file.path);
    let mut files: Vec<&mut FileRef> = source.files.iter_mut().filter(unknown).collect();
    let uris: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    if uris.is_empty() {
        return Ok(());
    }
    for (file, found) in files.iter_mut().zip(stat(&source.storage, &uris)?) {
        if found.size_bytes != file.size_bytes {
            return Err(changed(&Location::parse(&file.path)?));
        }
        file.etag = found.etag;
    }
    Ok(())
}

async fn found(objects: Arc<dyn ObjectStore>, at: Location) -> Result<Found> {
    let meta = stat_one(&*objects, &at).await?;
    Ok(Found::new(&at, meta))
}

/// What is known of one object.
pub(super) async fn stat_one(objects: &dyn ObjectStore, at: &Location) -> Result<ObjectMeta> {
    let error = match objects.head(&at.key).await {
        Ok(meta) => return Ok(meta),
        Err(error) => error,
    };
    // The answer to HEAD has no body that would say why; that to GET has.
    let first = GetOptions {
        range: Some(GetRange::Bounded(0..1)),
        ..GetOptions::default()
    };
    match objects.get_opts(&at.key, first).await {
        Err(told) => Err(translated(at, &told)),
        Ok(_) => Err(translated(at, &error)),
    }
}

/// Up to `limit` objects in the folder `uri`, at any depth, by name.
///
/// # Errors
/// As [`stat`]; an empty folder is none.
pub fn list(storage: &Storage, uri: &str, limit: usize) -> Result<Vec<Found>> {
    let location = Location::parse(uri)?;
    let objects = bucket(&storage.options, &location)?.objects;
    storage.wait(async move {
        objects
            .list(Some(&location.key))
            .take(limit)
            .map(|meta| match meta {
                Ok(meta) => Ok(Found::new(&location, meta)),
                Err(error) => Err(translated(&location, &error)),
            })
            .try_collect()
            .await
    })
}

/// Remove objects; those that are not there are no error.
///
/// # Errors
/// SourceError ACCESS_DENIED, INVALID_LOCATION; TransientIo STORAGE_FAILED.
pub fn remove(storage: &Storage, uris: &[String]) -> Result<()> {
    let mut asked: Vec<BoxFuture<'static, Result<()>>> = Vec::with_capacity(uris.len());
    for uri in uris {
        let at = Location::parse(uri)?;
        let objects = bucket(&storage.options, &at)?.objects;
        asked.push(Box::pin(delete(objects, at)));
    }
    storage.wait(async move {
        let answers = futures::stream::iter(asked).buffered(AT_ONCE);
        answers.try_collect().await
    })
}

async fn delete(objects: Arc<dyn ObjectStore>, at: Location) -> Result<()> {
    match objects.delete(&at.key).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(translated(&at, &error)),
    }
}

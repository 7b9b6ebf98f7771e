//! A file of a source, opened: a local file or an object, in the version that the job knows.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use karyaksham_text::{FileSource, ReadAt};

use super::ahead::Ahead;
use super::{Object, Storage, is_uri};
use crate::error::{EngineError, Result};
use crate::job::FileRef;

/// Where the bytes are.
pub(crate) enum Opened {
    /// On a disk of this machine.
    File(File, u64),
    /// In object storage.
    Object(Ahead),
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file, _) => file.fmt(f),
            Self::Object(object) => object.object().fmt(f),
        }
    }
}

/// The file at `path` as it is now.
///
/// # Errors
/// SourceError SOURCE_NOT_FOUND, NOT_PERMITTED, ACCESS_DENIED, UNSUPPORTED_FORMAT for what is no file.
pub(crate) fn open(storage: &Storage, path: &str) -> Result<Opened> {
    if is_uri(path) {
        return Ok(Opened::Object(Ahead::new(Object::open(
            storage, path, None,
        )?)));
    }
    // Not opened before it is known to be a file: to open a pipe waits.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    if !metadata.is_file() {
        return Err(EngineError::source_error(
            "UNSUPPORTED_FORMAT",
            "This is a pipe or a device, not a file.",
        )
        .hint("Save the data to a file first; a file is read by several tasks at once."));
    }
    let file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    Ok(Opened::File(file, size_bytes))
}

impl Opened {
    /// The file of a job, refusing one that has changed since.
    ///
    /// # Errors
    /// As `open`; SourceError SOURCE_CHANGED.
    pub(crate) fn unchanged(storage: &Storage, file: &FileRef) -> Result<Self> {
        if is_uri(&file.path) {
            let object = Object::of_file(storage, file)?;
            return Ok(Self::Object(Ahead::new(object)));
        }
        let opened = File::open(&file.path)?;
        let metadata = opened.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        }
        if metadata.len() != file.size_bytes {
            let message = format!(
                "The file has {} bytes now, and had {}.",
                metadata.len(),
                file.size_bytes
            );
            return Err(EngineError::source_error("SOURCE_CHANGED", message)
                .hint("Make the job again with the file as it is."));
        }
        Ok(Self::File(opened, metadata.len()))
    }

    /// When it was opened.
    pub(crate) fn size_bytes(&self) -> u64 {
        match self {
            Self::File(_, size_bytes) => *size_bytes,
            Self::Object(object) => object.size_bytes(),
        }
    }

    /// Fill `buf` from `offset`.
    ///
    /// # Errors
    /// UnexpectedEof at the end; those of the system or of storage.
    pub(crate) fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.read_exact_at(buf, offset),
            Self::Object(object) => match object.read_at(offset, buf)? {
                read if read == buf.len() => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            },
        }
    }

    /// Several ranges, which must lie in it.
    ///
    /// # Errors
    /// As `read_exact_at`.
    pub(crate) fn read_ranges(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>> {
        match self {
            Self::File(file, _) => {
                let read = |range: Range<u64>| -> Result<Bytes> {
                    let mut bytes = vec![0; (range.end - range.start) as usize];
                    file.read_exact_at(&mut bytes, range.start)?;
                    Ok(bytes.into())
                };
                ranges.into_iter().map(read).collect()
            }
            Self::Object(object) => {
                let object = object.object().clone();
                let storage = object.storage().clone();
                storage.wait(async move { object.ranges(ranges).await })
            }
        }
    }

    /// See [`ReadAt::will_read`].
    pub(crate) fn will_read(&self, from: u64, to: u64) {
        if let Self::Object(object) = self {
            object.will_read(from, to);
        }
    }

    /// For text. `path` is that of a file.
    ///
    /// # Errors
    /// Those of opening the file again.
    pub(crate) fn into_source(self, path: &str) -> Result<Arc<dyn ReadAt>> {
        Ok(match self {
            Self::File(..) => Arc::new(FileSource::open(Path::new(path))?),
            Self::Object(object) => Arc::new(object),
        })
    }
}

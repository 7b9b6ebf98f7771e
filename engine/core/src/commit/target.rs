//! The file that a result goes to: hidden beside its name until it is whole, then renamed. Standard output and devices
//! have no name to take, and get the bytes at once. An object goes up in parts, and is there when they are joined.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{EngineError, Result};
use crate::part::{Content, open_whole};
use crate::sink::hex;
use crate::storage::{Storage, Upload, is_uri};

/// Read from a part and hashed at once.
const CHUNK_BYTES: usize = 1 << 20;

/// The longest piece of the target's name in the hidden file's name; names end at 255 bytes.
const MAX_NAME_BYTES: usize = 200;

/// An output in the making. Dropped without a commit, its file is removed.
pub(super) struct Target {
    out: Out,
    hasher: Option<Sha256>,
    size_bytes: u64,
}

enum Out {
    /// With the name that it has until it is whole.
    File(File, Option<Hidden>),
    Object(Upload),
}

struct Hidden {
    path: PathBuf,
    target: PathBuf,
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Gone after the rename. Where it can't be removed there is nobody to tell.
        let _ = fs::remove_file(&self.path);
    }
}

impl Target {
    pub(super) fn create(target: &Path, storage: &Storage, checksum: bool) -> Result<Self> {
        let out = match target.to_str().filter(|path| is_uri(path)) {
            Some(uri) => Out::Object(Upload::new(storage, uri)?),
            None => {
                let (file, hidden) = open(target).map_err(|e| not_created(&e, target))?;
                Out::File(file, hidden)
            }
        };
        Ok(Self {
            out,
            hasher: checksum.then(Sha256::new),
            size_bytes: 0,
        })
    }

    /// Add the bytes of a part, in the kernel where they need not be looked at.
    pub(super) fn append(&mut self, content: &Content, size_bytes: u64) -> Result<()> {
        let mut file = match content {
            Content::Memory(chunks) => {
                let mut chunks = chunks.iter();
                return chunks
                    .try_for_each(|chunk| self.write_all(chunk))
                    .map_err(not_written);
            }
            Content::File(path) => open_whole(path, size_bytes)?,
        };
        if let (None, Out::File(out, _)) = (&self.hasher, &mut self.out) {
            self.size_bytes += io::copy(&mut file, out).map_err(not_written)?;
            return Ok(());
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = match file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.write_all(&chunk[..read]).map_err(not_written)?;
        }
    }

    /// The bytes are where they belong. What has a checksum is remembered as done, and stays there after a loss of power;
    /// what a person asked for is written as any program writes it, since to wait for the disk takes longer than the job.
    pub(super) fn commit(mut self) -> Result<(u64, Option<String>)> {
        let lasts = self.hasher.is_some();
        match self.out {
            Out::Object(upload) => upload.commit()?,
            Out::File(_, None) => {}
            Out::File(file, Some(hidden)) => {
                if lasts {
                    file.sync_all().map_err(not_written)?;
                }
                fs::rename(&hidden.path, &hidden.target).map_err(not_written)?;
                if lasts {
                    sync_folder(&hidden.target).map_err(not_written)?;
                }
            }
        }
        let sha256 = self.hasher.take().map(|hasher| hex(&hasher.finalize()));
        Ok((self.size_bytes, sha256))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.out {
            Out::File(file, _) => file.write(bytes)?,
            Out::Object(upload) => upload.write(bytes)?,
        };
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes[..written]);
        }
        self.size_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::File(file, _) => file.flush(),
            Out::Object(upload) => upload.flush(),
        }
    }
}

fn open(target: &Path) -> io::Result<(File, Option<Hidden>)> {
    if target == Path::new("-") || target == Path::new("/dev/stdout") {
        return Ok((File::from(io::stdout().as_fd().try_clone_to_owned()?), None));
    }
    // A link keeps pointing to the file, which is what is replaced.
    let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
    let existing = match fs::metadata(&target) {
        Ok(existing) => Some(existing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(existing) = &existing {
        if existing.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !existing.is_file() {
            return Ok((OpenOptions::new().write(true).open(&target)?, None));
        }
    }
    let path = hidden_beside(&target, "partial");
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    let hidden = Hidden { path, target };
    if let Some(existing) = existing {
        out.set_permissions(existing.permissions())?;
    }
    Ok((out, Some(hidden)))
}

/// A name that nobody else uses, in the folder of `target`: `.<name>.<random>.<kind>`.
pub(super) fn hidden_beside(target: &Path, kind: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut name_bytes = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(name_bytes) {
        name_bytes -= 1;
    }
    let random = RandomState::new().hash_one(std::process::id());
    target.with_file_name(format!(".{}.{random:016x}.{kind}", &name[..name_bytes]))
}

/// Make a rename last.
pub(super) fn sync_folder(target: &Path) -> io::Result<()> {
    let folder = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    match File::open(folder)?.sync_all() {
        // Some file systems know no sync of folders.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// The output can't be begun.
pub(super) fn not_created(error: &io::Error, target: &Path) -> EngineError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "writing there is not permitted"
        }
        io::ErrorKind::IsADirectory => "it is a folder",
        io::ErrorKind::NotADirectory => "a part of its path is no folder",
        io::ErrorKind::InvalidFilename => "its name is too long",
        _ => return not_written(io::Error::new(error.kind(), error.to_string())),
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    EngineError::invalid_job(
        "OUTPUT_NOT_WRITABLE",
        format!("The output {name} can't be made: {why}."),
    )
    .hint("Choose a file in a folder that exists and that you may write to.")
}

/// The output can't be gone on with. A reader that closed standard output has seen enough, and that is no fault.
pub(super) fn not_written(error: io::Error) -> EngineError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => EngineError::Canceled,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            error.into()
        }
        _ if error
            .get_ref()
            .is_some_and(|inner| inner.is::<EngineError>()) =>
        {
            error.into()
        }
        _ => EngineError::transient(
            "IO_ERROR",
            format!("The output could not be written: {error}."),
        ),
    }
}

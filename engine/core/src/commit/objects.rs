//! The same folder of files in object storage, where nothing can be renamed: parts have names that nobody used before,
//! the manifest names those that count, and `_SUCCESS` comes last. A reader that goes by the manifest sees the old
//! result or the new one, and never a mixture.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use serde::Deserialize;

use super::folder::{self, Listed, MANIFEST_NAME, SUCCESS_NAME};
use super::{Committed, OutputWriter};
use crate::error::{EngineError, Result};
use crate::job::{Column, Output};
use crate::part::Part;
use crate::storage::{self, Storage};

/// A longer one is not of ours.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// What an earlier manifest says of its files.
#[derive(Deserialize)]
struct Earlier {
    parts: Vec<EarlierPart>,
}

#[derive(Deserialize)]
struct EarlierPart {
    name: String,
}

/// Objects that were written so far: removed, unless they are kept.
struct Written<'a> {
    storage: &'a Storage,
    uris: Vec<String>,
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        // Where they can't be removed there is nobody to tell.
        let _ = storage::remove(self.storage, &self.uris);
    }
}

/// Removes the file that a part was taken out into.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// See [`super::commit_parts`].
pub(super) fn commit(
    uri: &str,
    storage: &Storage,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
) -> Result<Committed> {
    let uri = uri.trim_end_matches('/');
    let of = |name: &str| format!("{uri}/{name}");
    let earlier = earlier(uri, storage)?;
    let run = format!("-{:016x}", RandomState::new().hash_one(std::process::id()));
    let scratch = Scratch(std::env::temp_dir().join(format!("karyaksham{run}.part")));
    let mut written = Written {
        storage,
        uris: Vec::new(),
    };
    let mut open = |name: &str, output: &Output, columns: &[Column]| {
        written.uris.push(of(name));
        OutputWriter::in_storage(of(name), storage, output, columns, true)
    };
    let listed: Vec<Listed> = folder::write(parts, output, columns, &scratch.0, &run, &mut open)?;
    let (json, committed) = folder::manifest(listed, output, columns)?;
    if earlier.is_some() {
        storage::remove(storage, &[of(SUCCESS_NAME)])?;
    }
    storage::put(storage, &of(MANIFEST_NAME), json)?;
    // From here on they are the result.
    written.uris.clear();
    storage::put(storage, &of(SUCCESS_NAME), Vec::new())?;
    let old = earlier.into_iter().flat_map(|manifest| manifest.parts);
    let old: Vec<String> = old.map(|part| of(&part.name)).collect();
    // What stays is named by nothing.
    let _ = storage::remove(storage, &old);
    Ok(committed)
}

/// The manifest of what is there; None where nothing is.
fn earlier(uri: &str, storage: &Storage) -> Result<Option<Earlier>> {
    if storage::list(storage, uri, 1)?.is_empty() {
        return Ok(None);
    }
    let name = uri.rsplit('/').next().unwrap_or_default();
    let other = |_| folder::exists(name);
    let manifest = storage::open(storage, &format!("{uri}/{MANIFEST_NAME}"));
    let manifest = match manifest {
        Err(EngineError::SourceError(_)) => return Err(folder::exists(name)),
        other => other?,
    };
    if manifest.size_bytes() > MAX_MANIFEST_BYTES {
        return Err(folder::exists(name));
    }
    let mut json = vec![0; manifest.size_bytes() as usize];
    manifest.read_exact_at(&mut json, 0)?;
    serde_json::from_slice(&json).map(Some).map_err(other)
}

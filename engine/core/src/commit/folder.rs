//! Many files instead of one: a folder with a file a part, `manifest.json` that names them, and `_SUCCESS`. It is made
//! under a hidden name, and takes its own when all is there.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::target::{hidden_beside, not_created, not_written, sync_folder};
use super::{Committed, OutputWriter};
use crate::error::{EngineError, Result};
use crate::job::{Column, Output, OutputFormat};
use crate::part::Part;
use crate::sink::{Bundled, extension, hex, unbundled};

/// Names the files, with their rows, sizes and checksums.
pub const MANIFEST_NAME: &str = "manifest.json";

/// There when the folder is whole; for programs that look for it.
pub const SUCCESS_NAME: &str = "_SUCCESS";

#[derive(Serialize)]
struct Manifest<'a> {
    version: u32,
    format: OutputFormat,
    rows: u64,
    size_bytes: u64,
    columns: &'a [Column],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    partition_by: &'a [String],
    parts: Vec<Listed>,
}

#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) name: String,
    #[serde(flatten)]
    committed: Committed,
}

/// Removes the folder unless it was renamed.
struct HiddenFolder(PathBuf);

impl Drop for HiddenFolder {
    fn drop(&mut self) {
        // Gone after the rename. Where it can't be removed there is nobody to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// See [`super::commit_parts`].
pub(super) fn commit(
    target: &Path,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
) -> Result<Committed> {
    check_target(target)?;
    let hidden = HiddenFolder(hidden_beside(target, "partial"));
    fs::create_dir(&hidden.0).map_err(|e| not_created(&e, target))?;

    let mut open = |name: &str, output: &Output, columns: &[Column]| {
        let path = hidden.0.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(not_written)?;
        }
        OutputWriter::new(path, output, columns, true)
    };
    let listed = write(
        parts,
        output,
        columns,
        &hidden.0.join(".part"),
        "",
        &mut open,
    )?;
    let (json, committed) = manifest(listed, output, columns)?;
    write_file(&hidden.0.join(MANIFEST_NAME), &json)?;
    write_file(&hidden.0.join(SUCCESS_NAME), b"")?;
    sync_folder(&hidden.0.join(SUCCESS_NAME)).map_err(not_written)?;

    replace(&hidden.0, target)?;
    Ok(committed)
}

/// The text of the manifest, and what there will be.
pub(super) fn manifest(
    listed: Vec<Listed>,
    output: &Output,
    columns: &[Column],
) -> Result<(Vec<u8>, Committed)> {
    let manifest = Manifest {
        version: 1,
        format: output.format,
        rows: listed.iter().map(|part| part.committed.rows).sum(),
        size_bytes: listed.iter().map(|part| part.committed.size_bytes).sum(),
        columns,
        partition_by: &output.partition_by,
        parts: listed,
    };
    let mut json = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| EngineError::internal(format!("the manifest is not JSON: {e}")))?;
    json.push(b'\n');
    let committed = Committed {
        rows: manifest.rows,
        size_bytes: manifest.size_bytes,
        sha256: Some(hex(&Sha256::digest(&json))),
    };
    Ok((json, committed))
}

fn check_target(target: &Path) -> Result<()> {
    let ours = target.join(MANIFEST_NAME).is_file();
    let empty = fs::read_dir(target).map(|mut entries| entries.next().is_none());
    if target.symlink_metadata().is_err() || ours || empty.unwrap_or(false) {
        return Ok(());
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    Err(exists(&name))
}

/// Something else is there.
pub(super) fn exists(name: &str) -> EngineError {
    let message = format!("The output {name} exists already.");
    EngineError::invalid_job("OUTPUT_EXISTS", message)
        .hint("Choose another name, or remove it first.")
}

/// Makes the file of a name below the target.
pub(super) type Opener<'a> = dyn FnMut(&str, &Output, &[Column]) -> Result<OutputWriter> + 'a;

/// Write every file. `taken_out` is scratch for one of them at a time; names end with `run` before their extension.
pub(super) fn write(
    parts: &[Part],
    output: &Output,
    columns: &[Column],
    taken_out: &Path,
    run: &str,
    open: &mut Opener<'_>,
) -> Result<Vec<Listed>> {
    let extension = format!("{run}.{}", extension(output)?);
    match output.partition_by.is_empty() {
        true => write_parts(parts, output, columns, &extension, open),
        false => write_folders(parts, output, columns, taken_out, &extension, open),
    }
}

fn write_parts(
    parts: &[Part],
    output: &Output,
    columns: &[Column],
    extension: &str,
    open: &mut Opener<'_>,
) -> Result<Vec<Listed>> {
    let mut filled: Vec<Option<&Part>> = parts.iter().filter(|p| p.rows() > 0).map(Some).collect();
    if filled.is_empty() {
        filled.push(None);
    }
    let mut listed = Vec::new();
    for (number, part) in filled.into_iter().enumerate() {
        let name = format!("part-{number:05}{extension}");
        let mut writer = open(&name, output, columns)?;
        if let Some(part) = part {
            writer.append(part)?;
        }
        let committed = writer.commit()?;
        listed.push(Listed { name, committed });
    }
    Ok(listed)
}

/// A file for each folder of each part that has rows in it, with the number of the part.
fn write_folders(
    parts: &[Part],
    output: &Output,
    columns: &[Column],
    taken_out: &Path,
    extension: &str,
    open: &mut Opener<'_>,
) -> Result<Vec<Listed>> {
    let in_files: Vec<Column> = columns
        .iter()
        .filter(|column| !output.partition_by.contains(&column.name))
        .cloned()
        .collect();
    let plain = Output {
        partition_by: Vec::new(),
        ..output.clone()
    };
    let mut listed = Vec::new();
    for (number, part) in parts.iter().filter(|p| p.rows() > 0).enumerate() {
        let (files, mut bytes) = unbundled(part)?;
        for Bundled {
            folder,
            rows,
            size_bytes,
        } in files
        {
            let mut file = fs::File::create(taken_out).map_err(not_written)?;
            io::copy(&mut (&mut bytes).take(size_bytes), &mut file).map_err(not_written)?;
            let name = format!("{folder}/part-{number:05}{extension}");
            let mut writer = open(&name, &plain, &in_files)?;
            writer.append(&Part::open(taken_out, rows, size_bytes))?;
            let committed = writer.commit()?;
            listed.push(Listed { name, committed });
        }
    }
    match fs::remove_file(taken_out) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(not_written(error)),
        _ => Ok(listed),
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes)
        .and_then(|()| fs::File::open(path)?.sync_all())
        .map_err(not_written)
}

/// A folder can't be renamed over one that has files, so the old one steps aside first.
fn replace(hidden: &Path, target: &Path) -> Result<()> {
    let aside = HiddenFolder(hidden_beside(target, "replaced"));
    let stepped_aside = fs::rename(target, &aside.0).is_ok();
    if let Err(error) = fs::rename(hidden, target) {
        if stepped_aside {
            fs::rename(&aside.0, target).map_err(not_written)?;
        }
        return Err(not_written(error));
    }
    sync_folder(target).map_err(not_written)
}

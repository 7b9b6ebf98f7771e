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
struct Listed {
    name: String,
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

/// A folder `target_dir` with a whole file for each part that has rows (one at least), in order. A folder that an earlier
/// call made is replaced; any other that is not empty is left alone. `sha256` is that of the manifest.
///
/// # Errors
/// InvalidJob OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, INVALID_OUTPUT; those of writing.
pub fn commit_parts(
    target_dir: impl AsRef<Path>,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
) -> Result<Committed> {
    let target = target_dir.as_ref();
    check_target(target, output)?;
    let hidden = HiddenFolder(hidden_beside(target, "partial"));
    fs::create_dir(&hidden.0).map_err(|e| not_created(&e, target))?;

    let listed = match output.partition_by.is_empty() {
        true => write_parts(&hidden.0, parts, output, columns)?,
        false => write_folders(&hidden.0, parts, output, columns)?,
    };
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
    write_file(&hidden.0.join(MANIFEST_NAME), &json)?;
    write_file(&hidden.0.join(SUCCESS_NAME), b"")?;
    sync_folder(&hidden.0.join(SUCCESS_NAME)).map_err(not_written)?;

    replace(&hidden.0, target)?;
    Ok(Committed {
        rows: manifest.rows,
        size_bytes: manifest.size_bytes,
        sha256: Some(hex(&Sha256::digest(&json))),
    })
}

fn check_target(target: &Path, output: &Output) -> Result<()> {
    if output.format == OutputFormat::Table {
        return Err(EngineError::invalid_job(
            "INVALID_OUTPUT",
            "A table for a terminal can't be written as parts.",
        )
        .hint("Choose CSV, NDJSON, Parquet or Arrow."));
    }
    let ours = target.join(MANIFEST_NAME).is_file();
    let empty = fs::read_dir(target).map(|mut entries| entries.next().is_none());
    if target.symlink_metadata().is_err() || ours || empty.unwrap_or(false) {
        return Ok(());
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    Err(EngineError::invalid_job(
        "OUTPUT_EXISTS",
        format!("The output {name} exists already."),
    )
    .hint("Choose another name, or remove it first."))
}

fn write_parts(
    folder: &Path,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
) -> Result<Vec<Listed>> {
    let mut filled: Vec<Option<&Part>> = parts.iter().filter(|p| p.rows() > 0).map(Some).collect();
    if filled.is_empty() {
        filled.push(None);
    }
    let extension = extension(output)?;
    let mut listed = Vec::new();
    for (number, part) in filled.into_iter().enumerate() {
        let name = format!("part-{number:05}.{extension}");
        let mut writer = OutputWriter::new(folder.join(&name), output, columns, true)?;
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
    hidden: &Path,
    parts: &[Part],
    output: &Output,
    columns: &[Column],
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
    let extension = extension(output)?;
    let taken_out = hidden.join(".part");
    let mut listed = Vec::new();
    for (number, part) in parts.iter().filter(|p| p.rows() > 0).enumerate() {
        let (files, mut bytes) = unbundled(part)?;
        for Bundled {
            folder,
            rows,
            size_bytes,
        } in files
        {
            let mut file = fs::File::create(&taken_out).map_err(not_written)?;
            io::copy(&mut (&mut bytes).take(size_bytes), &mut file).map_err(not_written)?;
            fs::create_dir_all(hidden.join(&folder)).map_err(not_written)?;
            let name = format!("{folder}/part-{number:05}.{extension}");
            let mut writer = OutputWriter::new(hidden.join(&name), &plain, &in_files, true)?;
            writer.append(&Part::open(&taken_out, rows, size_bytes))?;
            let committed = writer.commit()?;
            listed.push(Listed { name, committed });
        }
    }
    match fs::remove_file(&taken_out) {
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

//! A job into stages and tasks: parse ([`sql`]), plan with DataFusion ([`session`], [`rules`], [`order`]), cut ([`cut`]), and shard the
//! sources ([`shards`]). Planning reads no data but the first lines of text files and the footers of Parquet files.
//! Planning is deterministic, so that a task can plan its job again and find the same stages.

mod carried;
mod cut;
mod explain;
mod fields;
mod names;
mod order;
mod payload;
mod remembered;
mod rules;
mod session;
mod shards;
mod sql;

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{EngineError, Result, duplicate_column};
use crate::job::{Column, FileRef, Job, columns_of};
use crate::sink;
use crate::storage;

pub(crate) use cut::{Stage, Stages, with_exchanges, with_leaf};
pub use payload::{Payload, VERSION, Work};
pub(crate) use remembered::bound;
pub(crate) use session::config;

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// Reads shards.
    Scan,
    /// Brings together what earlier stages left.
    Merge,
}

/// What each task of a stage makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StageOutput {
    /// Rows for a later stage.
    Block,
    /// A piece of the job's output.
    Part,
}

/// One stage, as a scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStage {
    /// From 0.
    pub index: usize,
    /// `scan <table>`, `merge <number>`, or `final`.
    pub name: String,
    /// What it does.
    pub kind: StageKind,
    /// How many tasks it has.
    pub task_count: usize,
    /// Input bytes of all tasks.
    pub bytes_total: u64,
    /// What each task makes.
    pub output: StageOutput,
    /// The stages whose blocks it reads.
    pub inputs: Vec<usize>,
}

/// One task of one stage.
#[derive(Debug, Clone)]
pub struct Task {
    /// Which stage.
    pub stage: usize,
    /// From 0 within the stage.
    pub shard: usize,
    /// Index of the file within its source.
    pub file: usize,
    /// Input bytes.
    pub bytes_total: u64,
    /// Physical lines before the first record of the file, for text.
    pub header_lines: u64,
    /// For [`crate::task::run`].
    pub payload: Vec<u8>,
}

impl Task {
    /// SHA-256 of the payload, in hexadecimal digits.
    pub fn digest(&self) -> String {
        sink::hex(&Sha256::digest(&self.payload))
    }
}

/// A job cut into stages.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which they run.
    pub stages: Vec<PlannedStage>,
    /// Of the result.
    pub columns: Vec<Column>,
    /// The SQL as it will be run.
    pub effective_sql: String,
    /// The plan for people.
    pub text: String,
    job: Job,
    planned_at_us: i64,
    /// How many each source has.
    shards: Vec<usize>,
    /// What the tasks of each stage do.
    work: Vec<Vec<Work>>,
    files: Vec<Vec<FileRef>>,
}

/// Bytes of input for each partition of an exchange.
const PARTITION_BYTES: u64 = 64 << 20;

/// More partitions are too small a piece of each block.
const MOST_PARTITIONS: u64 = 256;

/// Tasks of a merge stage for each that can run at once.
const MERGE_ROUNDS: usize = 4;

/// Parse, bind and cut a job.
///
/// # Errors
/// InvalidJob: NOT_A_QUERY, SQL_INVALID, UNKNOWN_COLUMN, UNKNOWN_TABLE and others; SourceError for its files.
pub fn plan(mut job: Job) -> Result<Plan> {
    sink::check(&job.output)?;
    check_sources(&job)?;
    for source in &mut job.sources {
        storage::pin(source)?;
    }
    let mut shards = Vec::with_capacity(job.sources.len());
    for index in 0..job.sources.len() {
        shards.push(shards::of_source(&job, index)?);
    }
    let counts: Vec<usize> = shards.iter().map(Vec::len).collect();
    // Where shards begin is known now.
    let files = job.sources.iter_mut().flat_map(|s| &mut s.files);
    files.for_each(|file| file.index = None);
    let files: Vec<Vec<FileRef>> = job.sources.iter().map(|s| s.files.clone()).collect();
    let planned_at_us = *job.planned_at_us.get_or_insert_with(now_us);
    if job.exchange_partitions.is_none() {
        let files = job.sources.iter().flat_map(|source| &source.files);
        let size_bytes: u64 = files.map(|file| file.size_bytes).sum();
        let partitions = (size_bytes / PARTITION_BYTES).clamp(1, MOST_PARTITIONS);
        job.exchange_partitions = Some(partitions as usize);
    }
    job.carries_text = carried::can_be(&job)?;
    let outline = job.outline();
    let bound = remembered::bound(&outline, &counts, planned_at_us)?;
    check_columns(&bound.columns)?;
    sink::check_partitions(&job.output, &bound.columns)?;
    let mut work = Vec::with_capacity(bound.stages.0.len());
    for stage in &bound.stages.0 {
        work.push(match stage.source {
            Some(index) => {
                let wanted = shards::wanted(&stage.plan, &job.sources[index], &shards[index])?;
                wanted.into_iter().map(Work::Scan).collect()
            }
            None => merges(stage, job.parallelism),
        });
    }
    let (planned, text) = describe(&job, &bound, &work);
    Ok(Plan {
        stages: planned,
        columns: bound.columns.clone(),
        effective_sql: bound.sql.clone(),
        text,
        planned_at_us,
        shards: counts,
        work,
        files,
        job: outline,
    })
}

/// Partitions into tasks: one each, or several that follow each other where there would be more tasks than are of use.
fn merges(stage: &Stage, parallelism: Option<usize>) -> Vec<Work> {
    let partitions = stage.partitions();
    let tasks = match stage.is_sorted {
        true => partitions,
        false => MERGE_ROUNDS * parallelism.unwrap_or(1).max(1),
    };
    let each = partitions.div_ceil(tasks).max(1);
    let from = (0..partitions).step_by(each);
    from.map(|from| Work::Merge(from, (from + each).min(partitions)))
        .collect()
}

fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as i64)
}

/// A job's stages as operators.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) stages: Stages,
    pub(crate) columns: Vec<Column>,
    sql: String,
}

/// From a job to operators; the same for the same arguments.
fn bind(job: &Job, shards: &[usize], planned_at_us: i64) -> Result<Bound> {
    let mut known = names::Names::default();
    for (index, source) in job.sources.iter().enumerate() {
        session::table_names(job, index)
            .into_iter()
            .for_each(|name| known.add(name));
        source
            .columns
            .iter()
            .for_each(|column| known.add(&column.name));
    }
    let query = sql::parse(&job.sql, &known)?;
    let state = session::session(job, shards, planned_at_us)?;
    let physical = session::physical_plan(&state, &query, job)?;
    let columns = columns_of(&physical.schema());
    let physical = carried::rows(physical, job)?;
    Ok(Bound {
        columns,
        stages: cut::cut(&physical, session::partitions_of(job))?,
        sql: query.text,
    })
}

fn check_sources(job: &Job) -> Result<()> {
    for source in &job.sources {
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = source
            .columns
            .iter()
            .find(|column| !seen.insert(column.name.as_str()))
        {
            let message = format!(
                "Table '{}' has two columns called '{}'.",
                source.name, twice.name
            );
            return Err(EngineError::invalid_job("DUPLICATE_COLUMN", message)
                .hint("Give one of them another name."));
        }
    }
    Ok(())
}

fn check_columns(columns: &[Column]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match columns
        .iter()
        .find(|column| !seen.insert(column.name.as_str()))
    {
        None => Ok(()),
        Some(twice) => Err(duplicate_column(&twice.name)),
    }
}

fn describe(job: &Job, bound: &Bound, work: &[Vec<Work>]) -> (Vec<PlannedStage>, String) {
    let mut planned = Vec::new();
    let mut text = String::new();
    let mut merges = 0;
    for (index, (stage, work)) in bound.stages.0.iter().zip(work).enumerate() {
        let is_last = stage.layout.is_none();
        let name = match stage.source {
            Some(source) => format!("scan {}", job.sources[source].name),
            None if is_last => "final".to_owned(),
            None => {
                merges += 1;
                format!("merge {merges}")
            }
        };
        let bytes = |work: &Work| match work {
            Work::Scan(shard) => shard.stored_bytes,
            Work::Merge(..) => 0,
        };
        let described = PlannedStage {
            index,
            name,
            kind: match stage.source {
                Some(_) => StageKind::Scan,
                None => StageKind::Merge,
            },
            task_count: work.len(),
            bytes_total: work.iter().map(bytes).sum(),
            output: match is_last {
                true => StageOutput::Part,
                false => StageOutput::Block,
            },
            inputs: stage.inputs.clone(),
        };
        explain::stage(&mut text, &described, stage);
        planned.push(described);
    }
    (planned, text)
}

impl Plan {
    /// Input bytes of all scans.
    pub fn bytes_to_read(&self) -> u64 {
        self.stages.iter().map(|stage| stage.bytes_total).sum()
    }

    /// The tasks of a stage in the order of their shards.
    ///
    /// # Errors
    /// InternalError for a stage that the plan does not have.
    pub fn tasks(&self, stage: usize) -> Result<Vec<Task>> {
        let work = self
            .work
            .get(stage)
            .ok_or_else(|| EngineError::internal(format!("the plan has no stage {stage}")))?;
        let task = |(shard, work): (usize, &Work)| {
            let (file, bytes_total, header_lines) = match work {
                Work::Scan(shard) => (shard.file, shard.stored_bytes, shard.header_lines),
                Work::Merge(..) => (0, 0, 0),
            };
            let path = match work {
                Work::Scan(shard) => self.files[shard.source].get(shard.file).cloned(),
                Work::Merge(..) => None,
            };
            let payload = Payload {
                version: VERSION.to_owned(),
                planned_at_us: self.planned_at_us,
                job: self.job.clone(),
                file: path,
                shards: self.shards.clone(),
                stage,
                work: work.clone(),
            };
            Ok(Task {
                stage,
                shard,
                file,
                bytes_total,
                header_lines,
                payload: payload.to_bytes()?,
            })
        };
        work.iter().enumerate().map(task).collect()
    }
}

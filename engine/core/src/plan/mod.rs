//! A job into stages and tasks: parse ([`sql`]), plan with DataFusion ([`session`], [`rules`], [`order`]), cut ([`cut`]), and shard the
//! sources ([`shards`]). Planning reads no data but the first lines of text files and the footers of Parquet files.
//! Planning is deterministic, so that a task can plan its job again and find the same stages.

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
use crate::scan::Shard;
use crate::sink;

pub(crate) use cut::{Stages, with_exchanges, with_leaf};
pub use payload::{Payload, VERSION, Work};
pub(crate) use remembered::bound;
pub(crate) use session::config;

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// Reads shards.
    Scan,
    /// Brings together what the scans left.
    Final,
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
    /// `scan <table>` or `final`.
    pub name: String,
    /// What it does.
    pub kind: StageKind,
    /// How many tasks it has.
    pub task_count: usize,
    /// Input bytes of all tasks.
    pub bytes_total: u64,
    /// What each task makes.
    pub output: StageOutput,
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
    /// Those that each scan stage reads.
    wanted: Vec<Vec<Shard>>,
    files: Vec<Vec<FileRef>>,
    has_final: bool,
}

/// Parse, bind and cut a job.
///
/// # Errors
/// InvalidJob: NOT_A_QUERY, SQL_INVALID, UNKNOWN_COLUMN, UNKNOWN_TABLE and others; SourceError for its files.
pub fn plan(mut job: Job) -> Result<Plan> {
    sink::check(&job.output)?;
    check_sources(&job)?;
    let mut shards = Vec::with_capacity(job.sources.len());
    for index in 0..job.sources.len() {
        shards.push(shards::of_source(&job, index)?);
    }
    let counts: Vec<usize> = shards.iter().map(Vec::len).collect();
    let files: Vec<Vec<FileRef>> = job.sources.iter().map(|s| s.files.clone()).collect();
    let planned_at_us = *job.planned_at_us.get_or_insert_with(now_us);
    let outline = job.outline();
    let bound = remembered::bound(&outline, &counts, planned_at_us)?;
    check_columns(&bound.columns)?;
    sink::check_partitions(&job.output, &bound.columns)?;
    let mut wanted = Vec::with_capacity(bound.stages.pipelines.len());
    for pipeline in &bound.stages.pipelines {
        let source = &job.sources[pipeline.source];
        wanted.push(shards::wanted(pipeline, source, &shards[pipeline.source])?);
    }
    let (planned, text) = describe(&job, &bound, &wanted);
    Ok(Plan {
        stages: planned,
        columns: bound.columns.clone(),
        effective_sql: bound.sql.clone(),
        text,
        planned_at_us,
        shards: counts,
        wanted,
        files,
        has_final: bound.stages.last.is_some(),
        job: outline,
    })
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
    Ok(Bound {
        columns: columns_of(&physical.schema()),
        stages: cut::cut(&physical)?,
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

fn describe(job: &Job, bound: &Bound, wanted: &[Vec<Shard>]) -> (Vec<PlannedStage>, String) {
    let mut planned = Vec::new();
    let mut text = String::new();
    let is_whole = bound.stages.last.is_none();
    for (index, pipeline) in bound.stages.pipelines.iter().enumerate() {
        let shards = &wanted[index];
        let stage = PlannedStage {
            index,
            name: format!("scan {}", job.sources[pipeline.source].name),
            kind: StageKind::Scan,
            task_count: shards.len(),
            bytes_total: shards.iter().map(|shard| shard.stored_bytes).sum(),
            output: if is_whole {
                StageOutput::Part
            } else {
                StageOutput::Block
            },
        };
        explain::stage(&mut text, &stage, &pipeline.plan, is_whole);
        planned.push(stage);
    }
    if let Some(last) = &bound.stages.last {
        let stage = PlannedStage {
            index: planned.len(),
            name: "final".to_owned(),
            kind: StageKind::Final,
            task_count: 1,
            bytes_total: 0,
            output: StageOutput::Part,
        };
        explain::stage(&mut text, &stage, last, is_whole);
        planned.push(stage);
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
        let task = |shard: usize, work: Work| {
            let (file, bytes_total, header_lines) = match &work {
                Work::Scan(shard) => (shard.file, shard.stored_bytes, shard.header_lines),
                Work::Final => (0, 0, 0),
            };
            let path = match &work {
                Work::Scan(shard) => self.files[shard.source].get(shard.file).cloned(),
                Work::Final => None,
            };
            let payload = Payload {
                version: VERSION.to_owned(),
                planned_at_us: self.planned_at_us,
                job: self.job.clone(),
                file: path,
                shards: self.shards.clone(),
                stage,
                work,
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
        match self.wanted.get(stage) {
            Some(shards) => {
                let shards = shards.iter().cloned().enumerate();
                shards
                    .map(|(i, shard)| task(i, Work::Scan(shard)))
                    .collect()
            }
            None if self.has_final && stage == self.wanted.len() => Ok(vec![task(0, Work::Final)?]),
            None => Err(EngineError::internal(format!(
                "the plan has no stage {stage}"
            ))),
        }
    }
}

//! One attempt of one task: plan the job again, put the shard or the blocks in, run, and write what comes out. It runs
//! in the thread that calls it, writes only into its own folder, and ends with an outcome or an error, never with a panic.

use std::any::Any;
use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use futures::StreamExt;
use karyaksham_text::Start;

use crate::error::{EngineError, Result};
use crate::job::{FileReject, FileShardReport, Output};
use crate::part::{Block, BlockWriter, Destination, Layout, Part, RejectsPart};
use crate::plan::{Payload, Stage, Work, bound, config, with_exchanges, with_leaf};
use crate::progress::{CancelToken, Progress};
use crate::scan::{self, Piece, Running, Shard, Surroundings};
use crate::sink::{self, Aside, PartSink};
use crate::spill::runtime;
use crate::storage::Storage;

/// Where and how one attempt runs.
#[derive(Debug, Clone)]
pub struct Context {
    /// For its results, and for what does not fit into memory.
    pub destination: Destination,
    /// For sorting, grouping and joining; None: no limit.
    pub memory_bytes: Option<usize>,
    /// Ends it.
    pub cancel: CancelToken,
    /// Counts what it does.
    pub progress: Progress,
    /// How the files of its job are reached.
    pub storage: Storage,
}

/// What an attempt made.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Rows for a later stage.
    pub block: Option<Block>,
    /// A piece of the output.
    pub part: Option<Part>,
    /// Rows that could not be read.
    pub rejects: Option<RejectsPart>,
    /// Of scan tasks.
    pub report: Option<FileShardReport>,
    /// The first row that could not be read.
    pub first_reject: Option<FileReject>,
    /// Rows in the block or the part.
    pub rows_written: u64,
}

/// Run one attempt. `inputs[stage]` holds the blocks of an earlier stage in the order of its shards; `start` is the exact
/// offset of the first record, for a text shard whose guess did not join.
///
/// # Errors
/// All kinds but DataError: bad rows are told in the outcome.
pub fn run(
    payload: &[u8],
    context: &Context,
    inputs: &[Vec<Block>],
    start: Option<u64>,
) -> Result<Outcome> {
    let attempt = AssertUnwindSafe(|| attempt(payload, context, inputs, start));
    let outcome = catch_unwind(attempt).unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
    // What fails because everything is being torn down failed because it was canceled.
    match outcome {
        Err(_) if context.cancel.is_canceled() => Err(EngineError::Canceled),
        other => other,
    }
}

/// The error for a panic.
pub fn panicked(panic: &(dyn Any + Send)) -> EngineError {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    EngineError::internal(format!("the engine panicked: {message}"))
}

fn attempt(
    payload: &[u8],
    context: &Context,
    inputs: &[Vec<Block>],
    start: Option<u64>,
) -> Result<Outcome> {
    context.cancel.check()?;
    let Payload {
        planned_at_us,
        mut job,
        file,
        shards,
        stage,
        work,
        ..
    } = Payload::from_bytes(payload)?;
    job = job.reached_by(&context.storage.until(&context.cancel));
    let runtime = runtime(&context.destination, context.memory_bytes)?;
    let bound = bound(&job, &shards, planned_at_us)?;
    let stages = &bound.stages;
    let stage = stages.0.get(stage);
    let stage = stage.ok_or_else(|| EngineError::internal("the plan has no such stage"))?;
    let is_whole = stage.layout.is_none();
    match work {
        Work::Merge(from, to) => {
            let plan = merge_plan(stage, inputs, &context.cancel)?;
            let target = match &stage.layout {
                Some(layout) => Target::block(&plan, layout, context)?,
                // While one task makes text of some rows, the next are merged; where there are many tasks, all cores
                // have work.
                None if stage.partitions() == 1 => {
                    Target::part(&job.output, &plan, context)?.aside()
                }
                None => Target::part(&job.output, &plan, context)?,
            };
            drive(&plan, from..to, runtime, context, target, &|| false)
        }
        Work::Scan(shard) => {
            let mut shard = with_start(shard, start);
            let number = std::mem::take(&mut shard.file);
            if let (Some(source), Some(file)) = (job.sources.get_mut(shard.source), file) {
                source.files = vec![file];
            }
            let verbatim = is_whole.then(|| sink::takes_text(&job.output)).flatten();
            let (plan, running) = scan_plan(stage, &job, &shard, verbatim, context)?;
            let target = match &stage.layout {
                Some(layout) => Target::block(&plan, layout, context)?,
                None => Target::part(&job.output, &plan, context)?,
            };
            let stopped = || running.stopped_at_reject();
            let outcome = if running.is_text() {
                copy(&running, context, target)?
            } else {
                drive(&plan, 0..1, runtime, context, target, &stopped)?
            };
            let mut scanned = running.finish()?;
            scanned.report.file = number;
            let outcome = if scanned.report.report.stopped_at_reject {
                Outcome::default()
            } else {
                outcome
            };
            Ok(Outcome {
                rejects: scanned.rejects,
                report: Some(scanned.report),
                first_reject: scanned.first_reject,
                ..outcome
            })
        }
    }
}

fn with_start(mut shard: Shard, start: Option<u64>) -> Shard {
    if let (Piece::Text(range), Some(offset)) = (&mut shard.piece, start) {
        range.start = Start::Exact(offset);
    }
    shard
}

fn scan_plan(
    stage: &Stage,
    job: &crate::Job,
    shard: &Shard,
    verbatim: Option<u8>,
    context: &Context,
) -> Result<(Arc<dyn ExecutionPlan>, Running)> {
    // Rows can be copied where nothing is done with them but choosing.
    let verbatim = verbatim.filter(|_| is_bare(&stage.plan));
    let mut running = None;
    let plan = with_leaf(&stage.plan, &mut |leaf| {
        let surroundings = Surroundings {
            cancel: context.cancel.clone(),
            progress: context.progress.clone(),
            destination: context.destination.clone(),
        };
        let (bound, run) = scan::bind(leaf, job, shard, verbatim, surroundings)?;
        running = Some(run);
        Ok(bound)
    })?;
    let running = running.ok_or_else(|| EngineError::internal("a pipeline has no source"))?;
    Ok((plan, running))
}

/// A source alone.
fn is_bare(plan: &Arc<dyn ExecutionPlan>) -> bool {
    match plan.downcast_ref::<CooperativeExec>() {
        Some(wrapper) => is_bare(wrapper.input()),
        None => plan.is::<DataSourceExec>(),
    }
}

fn merge_plan(
    stage: &Stage,
    inputs: &[Vec<Block>],
    cancel: &CancelToken,
) -> Result<Arc<dyn ExecutionPlan>> {
    with_exchanges(
        &stage.plan,
        &mut |exchange| match inputs.get(exchange.stage()) {
            Some(blocks) if !blocks.is_empty() => Ok(Arc::new(
                exchange.with_blocks(blocks.clone(), cancel.clone()),
            )),
            _ => Err(EngineError::internal(format!(
                "the blocks of stage {} are missing",
                exchange.stage()
            ))),
        },
    )
}

/// Where the rows go.
enum Target {
    Block(Box<BlockWriter>),
    Part(Box<dyn PartSink>),
}

impl Target {
    fn part(output: &Output, plan: &Arc<dyn ExecutionPlan>, context: &Context) -> Result<Self> {
        Ok(Self::Part(sink::open(
            output,
            plan.schema(),
            &context.destination,
        )?))
    }

    fn aside(self) -> Self {
        match self {
            Self::Part(sink) => Self::Part(Box::new(Aside::new(sink))),
            block => block,
        }
    }

    fn block(plan: &Arc<dyn ExecutionPlan>, layout: &Layout, context: &Context) -> Result<Self> {
        let writer = BlockWriter::new(plan.schema(), layout, &context.destination)?;
        Ok(Self::Block(Box::new(writer)))
    }

    fn finish(self, rows_written: u64) -> Result<Outcome> {
        let mut outcome = Outcome {
            rows_written,
            ..Outcome::default()
        };
        match self {
            Self::Block(writer) => outcome.block = Some(writer.finish()?),
            Self::Part(sink) => outcome.part = Some(sink.finish()?),
        }
        Ok(outcome)
    }
}

/// Copy the rows of a scan that are the result as they are.
fn copy(running: &Running, context: &Context, mut target: Target) -> Result<Outcome> {
    let mut text = Vec::new();
    let mut rows_written = 0;
    while let Some(rows) = running.next_text(&mut text)? {
        if let Target::Part(sink) = &mut target {
            sink.write_text(&text, rows as u64)?;
        }
        text.clear();
        rows_written += rows as u64;
        context.progress.add_written(rows as u64);
    }
    target.finish(rows_written)
}

/// Run some partitions of a plan to their ends in this thread, one after the other. `stopped` says that the rest of it is not wanted.
fn drive(
    plan: &Arc<dyn ExecutionPlan>,
    partitions: Range<usize>,
    runtime: Arc<RuntimeEnv>,
    context: &Context,
    mut target: Target,
    stopped: &dyn Fn() -> bool,
) -> Result<Outcome> {
    let reactor = tokio::runtime::Builder::new_current_thread().build()?;
    let functions = (
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
    );
    let task = Arc::new(TaskContext::new(
        None,
        "task".to_owned(),
        config(1),
        functions.0,
        functions.1,
        functions.2,
        functions.3,
        runtime,
    ));
    let rows = reactor.block_on(async {
        let mut rows = 0;
        for partition in partitions {
            let mut stream = plan.execute(partition, Arc::clone(&task))?;
            loop {
                let batch = tokio::select! {
                    biased;
                    () = context.cancel.canceled() => return Err(EngineError::Canceled),
                    batch = stream.next() => batch,
                };
                let Some(batch) = batch.transpose()? else {
                    break;
                };
                if stopped() {
                    return Ok(rows);
                }
                match &mut target {
                    Target::Block(writer) => writer.write(&batch)?,
                    Target::Part(sink) => sink.write(&batch)?,
                }
                rows += batch.num_rows() as u64;
                context.progress.add_written(batch.num_rows() as u64);
            }
        }
        Ok(rows)
    })?;
    target.finish(rows)
}

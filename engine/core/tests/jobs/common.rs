//! A driver for tests: every task of every stage in this thread, shards that did not join done again, and one output.

use std::fs;
use std::path::{Path, PathBuf};

use karyaksham_core::commit::OutputWriter;
use karyaksham_core::error::{EngineError, Result};
use karyaksham_core::job::{
    BadRowPolicy, BadRows, Column, Dialect, FileFormat, FileRef, FileShardReport, Job, Output,
    OutputFormat, Source, Validate,
};
use karyaksham_core::part::{Block, Destination, Keep, Part};
use karyaksham_core::plan::{StageKind, Task, plan};
use karyaksham_core::progress::{CancelToken, Progress};
use karyaksham_core::task::{Context, Outcome, run};
use tempfile::TempDir;

/// A folder for one test.
pub struct Bench {
    dir: TempDir,
}

/// What a job came to.
#[derive(Debug)]
pub struct Done {
    pub text: String,
    pub rows: u64,
    pub reports: Vec<FileShardReport>,
    pub rejects: Vec<karyaksham_core::job::FileReject>,
    pub repaired: usize,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A CSV file with a header, as a source; `columns` are `name:Type`.
    pub fn csv(&self, name: &str, columns: &[&str], rows: &str) -> Source {
        let names: Vec<&str> = columns
            .iter()
            .map(|c| c.split(':').next().unwrap())
            .collect();
        let path = self.path(&format!("{name}.csv"));
        fs::write(&path, format!("{}\n{rows}", names.join(","))).unwrap();
        source(name, FileFormat::Csv, &path, columns)
    }

    /// Where one attempt may write.
    pub fn context(&self, attempt: &str) -> Context {
        let staging_dir = self.path(attempt);
        fs::create_dir_all(&staging_dir).unwrap();
        Context {
            storage: Default::default(),
            destination: Destination {
                staging_dir,
                keep: Keep::Memory,
            },
            memory_bytes: None,
            cancel: CancelToken::default(),
            progress: Progress::default(),
        }
    }

    /// The whole job.
    pub fn run(&self, job: Job) -> Result<Done> {
        self.run_kept(job, Keep::Memory)
    }

    /// The same, with the results of tasks kept so.
    pub fn run_kept(&self, job: Job, keep: Keep) -> Result<Done> {
        let plan = plan(job.clone())?;
        let mut inputs: Vec<Vec<Block>> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let mut done = Done {
            text: String::new(),
            rows: 0,
            reports: vec![],
            rejects: vec![],
            repaired: 0,
        };
        for stage in &plan.stages {
            let tasks = plan.tasks(stage.index)?;
            let outcomes = self.stage(&tasks, keep, &inputs, &mut done)?;
            if stage.kind == StageKind::Scan {
                done.reports
                    .extend(outcomes.iter().filter_map(|o| o.report.clone()));
            }
            for outcome in &outcomes {
                if let Some(rejects) = &outcome.rejects {
                    done.rejects.extend(rejects.rejects()?.map(|r| r.unwrap()));
                }
            }
            inputs.push(outcomes.iter().filter_map(|o| o.block.clone()).collect());
            parts.extend(outcomes.into_iter().filter_map(|o| o.part));
        }
        let target = self.path("output");
        let mut writer = OutputWriter::new(&target, &job.output, &plan.columns, true)?;
        for part in &parts {
            writer.append(part)?;
        }
        done.rows = writer.commit()?.rows;
        done.text = fs::read_to_string(&target).unwrap_or_default();
        Ok(done)
    }

    fn stage(
        &self,
        tasks: &[Task],
        keep: Keep,
        inputs: &[Vec<Block>],
        done: &mut Done,
    ) -> Result<Vec<Outcome>> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        for task in tasks {
            let mut context = self.context(&format!("stage-{}-{}", task.stage, task.shard));
            context.destination.keep = keep;
            let mut outcome = run(&task.payload, &context, inputs, None)?;
            let end_before = outcomes
                .last()
                .and_then(|o| o.report.as_ref())
                .map(|r| (r.file, r.report.end));
            if let (Some((file, end)), Some(report)) = (end_before, &outcome.report)
                && report.file == file
                && report.report.first != end
            {
                done.repaired += 1;
                outcome = run(&task.payload, &context, inputs, Some(end))?;
                assert_eq!(outcome.report.as_ref().unwrap().report.first, end);
            }
            if let (Some(report), Some(reject)) = (&outcome.report, &outcome.first_reject)
                && report.report.stopped_at_reject
            {
                return Err(EngineError::DataError {
                    reject: Box::new(reject.reject.clone()),
                    file: reject.file.clone(),
                });
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

pub fn source(name: &str, format: FileFormat, path: &Path, columns: &[&str]) -> Source {
    let column = |text: &&str| {
        let (name, data_type) = text.split_once(':').unwrap();
        Column {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            nullable: true,
            evidence: None,
        }
    };
    Source {
        name: name.to_owned(),
        aliases: vec![],
        format,
        files: vec![file(path)],
        dialect: (format == FileFormat::Csv)
            .then(|| Dialect::from_text(&Default::default(), 1.0, vec![])),
        columns: columns.iter().map(column).collect(),
        storage: Default::default(),
    }
}

pub fn file(path: &Path) -> FileRef {
    FileRef {
        path: path.to_string_lossy().into_owned(),
        size_bytes: fs::metadata(path).unwrap().len(),
        ..FileRef::default()
    }
}

/// A job over sources with CSV out.
pub fn job(sql: &str, sources: &[Source]) -> Job {
    Job {
        sql: sql.to_owned(),
        sources: sources.to_vec(),
        output: Output {
            format: OutputFormat::Csv,
            compression: None,
            header: true,
            delimiter: None,
            formula_safe: false,
            partition_by: vec![],
        },
        bad_rows: BadRows {
            policy: BadRowPolicy::FailJob,
            max_rejected_rows: None,
            max_rejected_ratio: None,
            validate: Validate::Touched,
        },
        shard_size_bytes: None,
        parallelism: Some(2),
        exchange_partitions: None,
        carries_text: false,
        planned_at_us: None,
        max_record_bytes: None,
        max_text_bytes: None,
    }
}

/// The same job with its first source in about `shards` shards.
pub fn in_shards(mut job: Job, shards: u64) -> Job {
    let largest = job
        .sources
        .iter()
        .flat_map(|s| &s.files)
        .map(|f| f.size_bytes)
        .max()
        .unwrap();
    job.shard_size_bytes = Some((largest / shards).max(1));
    job
}

pub fn fault(result: Result<impl std::fmt::Debug>) -> (String, String, String) {
    let error = result.unwrap_err();
    let fault = error.to_fault();
    (
        error.kind().to_owned(),
        fault.code.into_owned(),
        format!("{} {}", fault.message, fault.hint.unwrap_or_default()),
    )
}

//! A plan for people.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, displayable};

use super::{PlannedStage, StageKind};

/// One stage with its operators, and why it is a stage.
pub fn stage(
    text: &mut String,
    stage: &PlannedStage,
    plan: &Arc<dyn ExecutionPlan>,
    is_whole: bool,
) {
    let tasks = if stage.task_count == 1 {
        "1 task".to_owned()
    } else {
        format!("{} tasks", stage.task_count)
    };
    let why = match (stage.kind, is_whole) {
        (StageKind::Scan, true) => {
            "No row needs to meet a row of another shard, so each shard makes a part of the output."
        }
        (StageKind::Scan, false) => {
            "What can be done to the rows of each shard alone; its rows go to the final stage."
        }
        (StageKind::Final, _) => "What needs the rows of all shards, in their order.",
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "Stage {}: {} ({tasks}, {})",
        stage.index,
        stage.name,
        size(stage.bytes_total)
    );
    let _ = writeln!(text, "  {why}");
    for line in displayable(plan.as_ref()).indent(false).to_string().lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "kB", "MB", "GB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} bytes")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

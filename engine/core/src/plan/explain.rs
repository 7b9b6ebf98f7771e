//! A plan for people.

use std::fmt::Write;

use datafusion::physical_plan::displayable;

use super::{PlannedStage, Stage};
use crate::part::Layout;

/// One stage with its operators, and why it is a stage.
pub fn stage(text: &mut String, planned: &PlannedStage, stage: &Stage) {
    let tasks = match planned.task_count {
        1 => "1 task".to_owned(),
        count => format!("{count} tasks"),
    };
    let does = match (stage.source, stage.partitions()) {
        (Some(_), _) => "What can be done to the rows of each shard alone".to_owned(),
        (None, 1) => "What needs the rows of all tasks before it, in their order".to_owned(),
        (None, count) => format!("What can be done to each of {count} partitions alone"),
    };
    let hands_on = match &stage.layout {
        None => "its rows are the result, task by task.",
        Some(Layout::Whole) => "its rows go on in the order of the tasks.",
        Some(Layout::Hashed { .. }) => "rows with equal keys meet in a partition.",
        Some(Layout::Sorted { .. }) => "its rows are merged in ranges of their order.",
    };
    // Writing to a String does not fail.
    let _ = match stage.source {
        Some(_) => writeln!(
            text,
            "Stage {}: {} ({tasks}, {})",
            planned.index,
            planned.name,
            size(planned.bytes_total)
        ),
        None => writeln!(text, "Stage {}: {} ({tasks})", planned.index, planned.name),
    };
    let _ = writeln!(text, "  {does}; {hands_on}");
    for line in displayable(stage.plan.as_ref())
        .indent(false)
        .to_string()
        .lines()
    {
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

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gateway import progress
from gateway.models import JobState, TaskState
from gateway.progress import Snapshot, StageSnapshot

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STAGES = (
    StageSnapshot(0, "scan input", TaskState.RUNNING, 4, 2, 60, 100),
    StageSnapshot(1, "final", TaskState.PENDING, 1, 0, 0, 0),
)


def snapshot(**changes: object) -> Snapshot:
    waiting = progress.first(uuid4(), AT, bytes_total=100, stages=STAGES)
    return replace(waiting, state=JobState.RUNNING, **changes)  # type: ignore[arg-type]


def test_nothing_goes_back_when_tasks_run_again() -> None:
    before = snapshot(fraction=0.6, bytes_read=60, rows_read=600, rows_written=10, rows_rejected=3)
    again = replace(STAGES[0], tasks_done=1, bytes_read=10)
    after = replace(
        before, fraction=0.1, bytes_read=10, rows_read=100, rows_written=0, rows_rejected=0, stages=(again,)
    )
    moved = progress.forward(before, after)
    assert (moved.fraction, moved.bytes_read, moved.rows_read) == (0.6, 60, 600)
    assert (moved.rows_written, moved.rows_rejected) == (10, 3)
    assert (moved.stages[0].tasks_done, moved.stages[0].bytes_read) == (2, 60)


def test_fraction_stays_below_one_before_the_commit() -> None:
    assert progress.forward(snapshot(), snapshot(fraction=1.0)).fraction < 1.0


def test_a_stage_that_was_cut_anew_is_taken_as_it_is() -> None:
    before = snapshot()
    cut = replace(STAGES[0], task_count=7, tasks_done=0, bytes_read=0)
    assert progress.forward(before, replace(before, stages=(cut,))).stages == (cut,)


def test_success_is_complete_and_exact() -> None:
    done = progress.succeeded(
        snapshot(fraction=0.9, rows_read=990), rows_read=1000, rows_written=7, rows_rejected=2, at=AT
    )
    assert (done.state, done.fraction, done.bytes_read) == (JobState.SUCCEEDED, 1.0, 100)
    assert (done.rows_read, done.rows_written, done.rows_rejected) == (1000, 7, 2)
    assert [(stage.state, stage.tasks_done) for stage in done.stages] == [
        (TaskState.SUCCEEDED, 4),
        (TaskState.SUCCEEDED, 1),
    ]
    assert done.is_final


@pytest.mark.parametrize(
    ("state", "stages"),
    [
        (JobState.FAILED, [TaskState.FAILED, TaskState.SKIPPED]),
        (JobState.CANCELED, [TaskState.SKIPPED, TaskState.SKIPPED]),
    ],
)
def test_a_job_that_stops_stays_as_far_as_it_came(state: JobState, stages: list[TaskState]) -> None:
    stopped = progress.stopped(snapshot(fraction=0.4, bytes_per_second=9.0, eta_seconds=3.0), state, AT)
    assert (stopped.state, stopped.fraction) == (state, 0.4)
    assert (stopped.bytes_per_second, stopped.eta_seconds) == (0.0, None)
    assert [stage.state for stage in stopped.stages] == stages


def test_a_snapshot_survives_its_row() -> None:
    kept = snapshot(fraction=0.5, eta_seconds=1.5)
    row = progress.to_row(kept)
    read = progress.from_row(row, job_id=kept.job_id, state=kept.state, fraction=kept.fraction, at=AT)
    assert read == kept


def test_a_row_without_a_snapshot_is_a_job_that_waits() -> None:
    job_id = uuid4()
    read = progress.from_row(None, job_id=job_id, state=JobState.QUEUED, fraction=0.0, at=AT)
    assert read == progress.first(job_id, AT)

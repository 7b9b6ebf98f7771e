"""Compressed files that are cut into shards: what is written here as gzip or zstd can be read in pieces again."""

import pytest

import karyaksham_engine as engine

from .conftest import Runner

TEXT = "id,city,amount\n" + "".join(f'{n},"town {n % 7}\nnorth",{n}.25\n' for n in range(60_000))
SQL = "SELECT city, count(*) AS n, sum(amount) AS s FROM t GROUP BY city ORDER BY city"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_is_written_compressed_is_read_in_shards(runner: Runner, compression: str) -> None:
    source = runner.source("t", TEXT)
    plain = runner.run(runner.job(SQL, source))
    job = runner.job("SELECT * FROM t", source)
    job["output"]["compression"] = compression
    plan = engine.plan(job)
    path = runner.folder / "t.out"
    writer = engine.OutputWriter(str(path), job["output"], plan.columns)
    for task in plan.tasks(0):
        part = engine.run_task(task.payload, runner.context()).part
        assert part is not None
        writer.append(part)
    writer.commit()
    again = runner.inspected("t", path)
    assert again["dialect"] is not None and again["dialect"]["compression"] == compression
    cut = runner.job(SQL, again, shard_size=500_000)
    tasks = engine.plan(cut).tasks(0)
    assert len(tasks) >= 3
    # The header is in the first block, and nobody's to read.
    assert path.stat().st_size - 100 < sum(task.bytes_total for task in tasks) <= path.stat().st_size
    runner.outcomes.clear()
    assert runner.run(cut) == plain
    reports = [outcome.report for outcome in runner.outcomes if outcome.report is not None]
    assert sum(report["rows_passed"] for report in reports) == 60_000
    assert [report["first"] for report in reports[1:]] == [report["end"] for report in reports[:-1]]
    assert reports[-1]["end"] == reports[-1]["hi"]

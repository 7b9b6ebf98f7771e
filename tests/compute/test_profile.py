"""A profile as a run: the same events as a query, on threads and on Ray."""

import json
from pathlib import Path

import pytest

from compute.cluster import Cluster
from compute.spec import Canceled, Finalizing, JobSpec, Planned, TaskStarted

from .jobs import Start, job, on_ray, on_threads, told, write_orders


def profile(folder: Path, rows: int = 1000) -> JobSpec:
    return job(folder, "", write_orders(folder / "orders.csv", rows), kind="PROFILE")


@pytest.mark.parametrize("start", [on_threads(), on_ray], ids=["threads", "ray"])
def test_a_profile_tells_its_life_and_leaves_one_file(start: Start, tmp_path: Path, cluster: Cluster) -> None:
    spec = profile(tmp_path)
    run = start(spec)
    events = list(told(run))
    assert run.join(30.0)
    kinds = [type(event) for event in events]
    assert kinds.index(Planned) < kinds.index(TaskStarted) < kinds.index(Finalizing)
    (artifact,) = events[-1].artifacts  # type: ignore[union-attr]
    assert (artifact.kind, artifact.name) == ("PROFILE", "profile.json")
    found = json.loads(Path(artifact.path).read_text())
    assert {column["count"] for column in found} == {1000}


@pytest.mark.parametrize("start", [on_threads(), on_ray], ids=["threads", "ray"])
def test_a_canceled_profile_leaves_nothing(start: Start, tmp_path: Path, cluster: Cluster) -> None:
    spec = profile(tmp_path, rows=200_000)
    run = start(spec)
    run.cancel()
    assert isinstance(list(told(run))[-1], Canceled)
    assert run.join(30.0)
    assert not Path(spec.output_dir, "profile.json").exists()

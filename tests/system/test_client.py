"""The Python client and the commands made of it, against a service that runs, also over a network that breaks."""

import csv
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import karyaksham
from karyaksham import AsyncClient, BadRowPolicy, Client, FileFormat, JobState, ServiceError
from karyaksham.files import PARTS_IN_FLIGHT, LocalFile, upload
from tests import proxy
from tests.gateway.conftest import Api

from . import orders
from .conftest import PART_BYTES, Keeper, Process

Shared = tuple[Keeper, Process]


@pytest.fixture
async def api(shared: Shared) -> Api:
    return await shared[1].member()


@pytest.fixture
async def service(shared: Shared, api: Api) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(shared[1].url, api.token) as client:
        yield client


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, orders.Orders]:
    made = orders.make(120_000, broken_each=40_000)
    path = tmp_path / "orders.csv"
    path.write_bytes(made.content)
    return path, made


def test_a_program_that_does_not_await_goes_from_file_to_result(
    shared: Shared, made: tuple[Path, orders.Orders], tmp_path: Path
) -> None:
    path, expected = made
    with Client(shared[1].url) as service:
        service.sign_up("program@example.org", "a long password of a program", "Program")
        dataset = service.upload(path, show=False)
        assert [column.name for column in dataset.columns][:2] == ["id", "country"]
        assert len(service.preview(dataset, rows=7).rows) == 7
        plan = service.explain(orders.SQL, dataset)
        assert [column.name for column in plan.columns] == ["country", "orders", "units", "total"]
        job = service.run(
            orders.SQL, dataset, bad_rows=BadRowPolicy.REJECT_ROW, name="by country", show=False
        )
        balance = job.row_balance
        assert balance is not None and balance.closes
        assert (balance.read, balance.rejected) == (expected.rows, len(expected.broken))
        found = service.download(job, tmp_path / "by_country.csv", show=False)
        assert found.read_bytes() == orders.grouped(expected)
        assert len(service.preview(job.artifacts[0]).rows) == len(orders.COUNTRIES)
        rejects = service.download(job, tmp_path, kind=karyaksham.ArtifactKind.REJECTS, show=False)
        lines = [int(row["line"]) for row in csv.DictReader(rejects.read_text().splitlines())]
        assert lines == list(expected.broken)
        assert [event.kind for event in service.events(job)][-1] == "SUCCEEDED"
        assert [found.name for found in service.jobs()] == ["by country"]
        assert [found.id for found in service.datasets("orders")] == [dataset.id]
        profiles = service.profile(dataset, show=False)
        assert profiles[1].approx_distinct == len(orders.COUNTRIES)
        service.delete_job(job)
        with pytest.raises(ServiceError) as gone:
            service.job(job.id)
        assert gone.value.code == "NOT_FOUND"


async def test_an_upload_that_was_left_goes_on_with_what_is_missing(
    service: AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "many.csv"
    path.write_bytes(b"id,name\n" + b"1,one\n" * (2 * PARTS_IN_FLIGHT * PART_BYTES // 6))
    file = LocalFile.at(path)
    sending = upload(service.api, file)
    assert await anext(sending) == 0
    assert await anext(sending) == PART_BYTES
    await sending.aclose()  # type: ignore[attr-defined]  # it is a generator
    again = upload(service.api, file)
    arrived = await anext(again)
    assert isinstance(arrived, int) and PART_BYTES <= arrived < file.size_bytes
    *_, dataset = [item async for item in again]
    assert isinstance(dataset, karyaksham.Dataset) and dataset.size_bytes == file.size_bytes
    assert (await service.upload(path, show=False)).id != dataset.id


async def test_a_file_that_changes_while_it_is_uploaded_is_refused(
    service: AsyncClient, made: tuple[Path, orders.Orders]
) -> None:
    sending = upload(service.api, LocalFile.at(made[0]))
    await anext(sending)
    with made[0].open("ab") as file:
        file.write(b"1,DE,paid,1,1.00,\n")
    with pytest.raises(karyaksham.Broken, match="changed while it was uploaded"):
        async for _ in sending:
            pass


async def test_a_network_that_breaks_is_not_noticed(
    shared: Shared, api: Api, made: tuple[Path, orders.Orders], tmp_path: Path
) -> None:
    path, expected = made
    with proxy.before(shared[1].url, cut=3, after_bytes=400_000) as broken:
        async with AsyncClient(broken.endpoint, api.token) as service:
            dataset = await service.upload(path, show=False)
            assert broken.dropped >= 1
    with proxy.before(shared[1].url, cut=2, after_bytes=1_000) as broken:
        async with AsyncClient(broken.endpoint, api.token) as service:
            job = await service.submit(orders.SORT, dataset, bad_rows=BadRowPolicy.REJECT_ROW)
            states = [progress.state async for progress in service.follow(job)]
            events = [event.seq async for event in service.events(job)]
            assert broken.dropped >= 1
    assert states[-1] is JobState.SUCCEEDED
    assert events == list(range(1, len(events) + 1))
    with proxy.before(shared[1].url, cut=2, after_bytes=700_000) as broken:
        async with AsyncClient(broken.endpoint, api.token) as service:
            target = await service.download(job, tmp_path / "sorted.csv", show=False)
            assert broken.dropped >= 1
    assert target.read_bytes() == orders.sorted_(expected)
    assert sorted(os.listdir(tmp_path)) == ["orders.csv", "sorted.csv"]


async def test_what_is_wrong_is_said_with_its_code_and_place(
    service: AsyncClient, shared: Shared, made: tuple[Path, orders.Orders]
) -> None:
    dataset = await service.upload(made[0], show=False)
    with pytest.raises(ServiceError) as wrong:
        await service.submit("SELECT nothing FROM input", dataset)
    assert (wrong.value.code, wrong.value.field) == ("BAD_USER_INPUT", ["input", "sql"])
    with pytest.raises(karyaksham.JobFailed) as failed:
        await service.run(orders.SQL, dataset, show=False)
    assert failed.value.code == "TOO_FEW_COLUMNS" and failed.value.hint
    async with AsyncClient(shared[1].url, "kk_nothing") as stranger:
        with pytest.raises(ServiceError) as refused:
            await stranger.submit(orders.SQL, dataset)
        assert refused.value.code == "UNAUTHENTICATED"


async def test_a_service_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("karyaksham.transport.FIRST_WAIT_S", 0.001)
    async with AsyncClient("http://127.0.0.1:9", "token") as nobody:
        with pytest.raises(ServiceError, match="can't be reached") as refused:
            await nobody.dataset("none")
    assert refused.value.code == "UNAVAILABLE"


async def test_what_notebooks_show_is_escaped(service: AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "script.csv"
    path.write_text("name,<b>\n<script>alert(1)</script>,2\n")
    dataset = await service.upload(path, show=False)
    html = dataset._repr_html_() + (await service.preview(dataset))._repr_html_()  # type: ignore[attr-defined]
    assert "&lt;b&gt;" in html and "&lt;script&gt;" in html and "<script" not in html


def test_the_command_line_submits_follows_and_downloads(
    shared: Shared, api: Api, made: tuple[Path, orders.Orders], tmp_path: Path
) -> None:
    path, expected = made
    environment = os.environ | {"KARYAKSHAM_URL": shared[1].url, "KARYAKSHAM_TOKEN": api.token or ""}

    def command(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            capture_output=True,
            text=True,
            env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=tmp_path,
            timeout=120,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    done = command("submit", orders.SQL, str(path), "--bad-rows", "reject", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == orders.grouped(expected)
    assert f"rejected {len(expected.broken)}" in done.stderr
    job_id = done.stdout.strip()
    assert "100.0 %  succeeded" in command("follow", job_id).stderr
    assert command("download", job_id, "--kind", "rejects").stdout.strip() == "rejects.csv"
    assert (tmp_path / "rejects.csv").stat().st_size > 0
    failed = command("submit", orders.SQL, str(path), "--wait", status=3)
    assert "TOO_FEW_COLUMNS" in failed.stderr
    assert "neither a file here" in command("submit", orders.SQL, "nothing.csv", status=2).stderr
    assert "KARYAKSHAM_TOKEN" in command("follow", job_id, "--token", "wrong", status=2).stderr


async def test_results_take_the_format_that_is_asked_for(
    service: AsyncClient, made: tuple[Path, orders.Orders], tmp_path: Path
) -> None:
    import pyarrow.parquet

    dataset = await service.upload(made[0], show=False)
    job = await service.run(
        orders.SQL,
        {"input": dataset},
        output=karyaksham.OutputInput(format=FileFormat.PARQUET),
        bad_rows=karyaksham.BadRowsInput(policy=BadRowPolicy.REJECT_ROW, max_rejected_rows=10),
        show=False,
    )
    target = await service.download(job, tmp_path / "out.parquet", show=False)
    assert pyarrow.parquet.read_table(target).num_rows == len(orders.COUNTRIES)

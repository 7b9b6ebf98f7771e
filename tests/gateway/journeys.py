"""What a user does with datasets and jobs, step by step, over HTTP."""

from pathlib import Path
from typing import Any

import httpx

from gateway.settings import Settings

from .conftest import ERRORS, Api, eventually

DATASET = """id name uri status format problem fileCount sizeBytes columns { name type nullable }
  dialect { delimiter hasHeader encoding confidence } owner { email } createdAt profile { count }"""
JOB = """id name state sql effectiveSql sources { id name } owner { email }
  progress { state fraction bytesRead bytesTotal rowsRead rowsRejected rowsWritten
    stages { index name state taskCount tasksDone bytesRead bytesTotal
      tasks { shard state attempt bytesRead bytesTotal } } }
  rowBalance { read passed rejected written closes } failure { kind code message hint retryable }
  artifacts { id kind name format sizeBytes rowCount sha256 downloadUrl }
  events { seq kind message } startedAt finishedAt"""
DATASET_PAYLOAD = f"{{ dataset {{ {DATASET} }} {ERRORS} }}"
REGISTER = f"mutation($input: RegisterDatasetInput!) {{ registerDataset(input: $input) {DATASET_PAYLOAD} }}"
UPDATE = f"mutation($input: UpdateDatasetInput!) {{ updateDataset(input: $input) {DATASET_PAYLOAD} }}"
CREATE_JOB = (
    f"mutation($input: CreateJobInput!) {{ createJob(input: $input) {{ job {{ {JOB} }} {ERRORS} }} }}"
)
CANCEL_JOB = f"mutation($input: JobIdInput!) {{ cancelJob(input: $input) {{ job {{ {JOB} }} {ERRORS} }} }}"
DELETE_JOB = f"mutation($input: JobIdInput!) {{ deleteJob(input: $input) {{ deletedId {ERRORS} }} }}"
DELETE_DATASET = (
    f"mutation($input: DatasetIdInput!) {{ deleteDataset(input: $input) {{ deletedId {ERRORS} }} }}"
)

ORDERS = (
    "id,country,price,note\n"
    '1,DE,10.50,"plain"\n'
    '2,FR,3.25,"with, comma"\n'
    '3,DE,1.25,"two\nlines"\n'
    '4,IT,100.00,\n'
    '5,FR,0.75,"a ""quote"""\n'
)  # fmt: skip
REVENUE = "SELECT country, sum(price) AS revenue FROM input GROUP BY country ORDER BY revenue DESC"
REVENUE_CSV = "country,revenue\nIT,100.00\nDE,11.75\nFR,4.00\n"


async def register(api: Api, uri: str, *, name: str = "orders", **more: Any) -> dict[str, Any]:
    """The payload of registerDataset."""
    payload: dict[str, Any] = await api.call(REGISTER, input={"name": name, "uri": uri, **more})
    return payload


async def inspected(api: Api, dataset_id: str) -> dict[str, Any]:
    """The dataset when it is READY or INVALID."""

    async def looked_at() -> dict[str, Any] | None:
        dataset: dict[str, Any] = await api.call(
            f"query($id: ID!) {{ dataset(id: $id) {{ {DATASET} }} }}", id=dataset_id
        )
        return None if dataset["status"] == "INSPECTING" else dataset

    found: dict[str, Any] = await eventually(looked_at)
    return found


async def file(
    settings: Settings, api: Api, content: str | bytes = ORDERS, name: str = "orders.csv"
) -> dict[str, Any]:
    """A file under the data root, registered and inspected."""
    path = settings.data_roots[0] / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    payload = await register(api, str(path), name=Path(name).stem)
    assert payload["errors"] == [], payload
    return await inspected(api, payload["dataset"]["id"])


async def create(api: Api, dataset: dict[str, Any], sql: str = REVENUE, **more: Any) -> dict[str, Any]:
    """The payload of createJob."""
    payload: dict[str, Any] = await api.call(
        CREATE_JOB, input={"sources": [{"datasetId": dataset["id"]}], "sql": sql, **more}
    )
    return payload


async def created(api: Api, dataset: dict[str, Any], sql: str = REVENUE, **more: Any) -> dict[str, Any]:
    """The job of createJob, which must succeed."""
    payload = await create(api, dataset, sql, **more)
    assert payload["errors"] == [], payload
    job: dict[str, Any] = payload["job"]
    return job


async def look(api: Api, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = await api.call(f"query($id: ID!) {{ job(id: $id) {{ {JOB} }} }}", id=job_id)
    return job


async def ended(api: Api, job_id: str) -> dict[str, Any]:
    """The job when it is in a final state."""

    async def done() -> dict[str, Any] | None:
        job = await look(api, job_id)
        return job if job["state"] in ("SUCCEEDED", "FAILED", "CANCELED") else None

    found: dict[str, Any] = await eventually(done)
    return found


async def finished(api: Api, dataset: dict[str, Any], sql: str = REVENUE, **more: Any) -> dict[str, Any]:
    """The job when it has ended."""
    return await ended(api, (await created(api, dataset, sql, **more))["id"])


async def download(job: dict[str, Any], kind: str = "OUTPUT") -> bytes:
    """The one artifact of `kind`, fetched without credentials."""
    (artifact,) = (artifact for artifact in job["artifacts"] if artifact["kind"] == kind)
    async with httpx.AsyncClient() as http:
        response = await http.get(artifact["downloadUrl"])
    assert response.status_code == 200, response.text
    assert len(response.content) == artifact["sizeBytes"]
    return response.content

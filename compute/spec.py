"""What crosses the border of compute: a job in, events out. Frozen, versioned, plain data.

Named tuples, because the command line imports this each time it runs: a dataclass takes ten times as long to make.
"""

from typing import Any, Literal, NamedTuple

from karyaksham_engine.types import BadRows, Column, FileFormat, Output, Source, StorageOptions

SPEC_VERSION = 1

JobKind = Literal["QUERY", "PROFILE"]
Layout = Literal["SINGLE_FILE", "PARTS"]
FailureKind = Literal["DATA", "CONFIG", "LIMIT", "STORAGE", "INFRASTRUCTURE", "INTERNAL"]
TaskState = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "SKIPPED"]
ArtifactKind = Literal["OUTPUT", "REJECTS", "PROFILE", "REPORT"]


class JobSpec(NamedTuple):
    """Everything needed to run one job, and nothing about who asked for it."""

    job_id: str
    sql: str
    sources: tuple[Source, ...]
    output: Output
    bad_rows: BadRows
    staging_dir: str
    """Scratch for attempts, on a disk that every task reaches. Owned by the job; removed at the end."""
    output_dir: str
    """Artifacts are committed into this folder: `output.<ext>` or `output/` with parts, and `rejects.csv`."""
    layout: Layout = "SINGLE_FILE"
    shard_size_bytes: int | None = None
    exchange_partitions: int | None = None
    """Into how many partitions rows go where they must meet; None: chosen from the size of the files."""
    max_attempts: int = 4
    """Attempts of one task before the job fails."""
    memory_bytes: int | None = None
    """Of one task."""
    index_dir: str | None = None
    """Record indexes of the sources are looked for and kept here; None: there are none."""
    stall_s: float | None = None
    """A task that has not moved for so long is stopped and run again; None: never. Where attempts can be stopped."""
    late_s: float | None = None
    """A task that takes so long, and twice as long as others, is run a second time beside; None: never."""
    kind: JobKind = "QUERY"
    """A PROFILE has one source and no SQL; it gives the statistics of every column."""
    storage: StorageOptions | None = None
    """How objects are reached, sources and results; never written down."""
    version: int = SPEC_VERSION

    def __repr__(self) -> str:
        return f"JobSpec(job_id={self.job_id!r}, kind={self.kind!r}, sql={self.sql!r})"


class Failure(NamedTuple):
    """Why a task or a job failed, in words for the person who asked for it."""

    kind: FailureKind
    code: str
    message: str
    hint: str | None = None
    retryable: bool = False
    detail: dict[str, Any] = {}  # noqa: RUF012  # Never changed; a read-only view could not go to other processes.


class RowBalance(NamedTuple):
    """read = passed + rejected, and `written` rows left in the output."""

    read: int
    passed: int
    rejected: int
    written: int

    @property
    def closes(self) -> bool:
        return self.read == self.passed + self.rejected


class StageProgress(NamedTuple):
    index: int  # type: ignore[assignment]  # Hides a method of tuples that nobody needs here.
    name: str
    state: TaskState
    task_count: int
    tasks_done: int
    bytes_read: int
    bytes_total: int


class TaskProgress(NamedTuple):
    """One task as it stands; only tasks that changed since the last snapshot are in it."""

    stage: int
    shard: int
    state: TaskState
    attempt: int
    bytes_read: int
    bytes_total: int
    rows_read: int
    node: str | None
    started_at: float | None
    """Seconds since the epoch."""
    finished_at: float | None
    failure: Failure | None


class Progress(NamedTuple):
    """A snapshot: the latest one says everything of the job and its stages. At most four a second."""

    fraction: float
    """0 to 1 by input bytes, never falls, and is below 1 until the output is committed."""
    bytes_read: int
    bytes_total: int
    rows_read: int
    rows_written: int
    rows_rejected: int
    bytes_per_second: float
    rows_per_second: float
    eta_seconds: float | None
    stages: tuple[StageProgress, ...]
    tasks: tuple[TaskProgress, ...]
    at: float
    """Seconds since the epoch."""


class Planned(NamedTuple):
    columns: tuple[Column, ...]
    effective_sql: str
    stages: tuple[StageProgress, ...]
    bytes_total: int


class TaskStarted(NamedTuple):
    stage: int
    shard: int
    attempt: int
    node: str | None


class TaskFinished(NamedTuple):
    """A task's one result that counts. Keep `record`: a run started with it does not do this task again."""

    stage: int
    shard: int
    attempt: int
    record: dict[str, Any]
    """JSON-able; opaque to everyone but compute."""


class TaskFailed(NamedTuple):
    stage: int
    shard: int
    attempt: int
    failure: Failure
    will_retry: bool


class _Mark:
    """An event that says all by its name."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Finalizing(_Mark):
    """All tasks are done and the chain of shards joins; the output is being committed."""

    __slots__ = ()


class Artifact(NamedTuple):
    kind: ArtifactKind
    name: str
    path: str
    """A file, or for PARTS a folder with parts, `manifest.json` and `_SUCCESS`."""
    format: FileFormat | None
    size_bytes: int
    row_count: int | None
    sha256: str | None
    columns: tuple[Column, ...]


class Succeeded(NamedTuple):
    artifacts: tuple[Artifact, ...]
    balance: RowBalance


class Failed(NamedTuple):
    failure: Failure
    artifacts: tuple[Artifact, ...] = ()
    """A rejects artifact, where there are rejects to look at."""


class Canceled(_Mark):
    __slots__ = ()


Event = (
    Planned | TaskStarted | TaskFinished | TaskFailed | Progress | Finalizing | Succeeded | Failed | Canceled
)
"""The last event of a run is exactly one of Succeeded, Failed and Canceled."""

"""The Rust engine. All work releases the GIL; errors are those of `karyaksham_engine.errors`."""

from collections.abc import Sequence
from typing import Literal

from .types import (
    Column,
    ColumnProfile,
    Committed,
    DialectOverrides,
    FileFormat,
    Job,
    ObjectInfo,
    Output,
    PlannedStage,
    Preview,
    Reject,
    ShardReport,
    Sniffed,
    Source,
    StorageOptions,
)

def version() -> str:
    """The engine's version; task payloads of another version are refused."""

def simd_path() -> Literal["avx512", "avx2", "portable"]:
    """The structural index that this machine uses. `KARYAKSHAM_SIMD` (same words) forces a lower one."""

def sniff(
    path: str,
    *,
    format: FileFormat | None = None,
    dialect: DialectOverrides | None = None,
    columns: Sequence[Column] | None = None,
    storage: StorageOptions | None = None,
) -> Sniffed:
    """What a file is: format, dialect, columns, each with evidence. Given values are taken as they are.

    `storage` says how an object is reached, here and below. Raises SourceError: SOURCE_NOT_FOUND, ACCESS_DENIED,
    EMPTY_FILE, BINARY_FILE, UNSUPPORTED_FORMAT, NOT_A_TABLE.
    """

def preview(
    source: Source, *, limit: int = 50, offset: int = 0, storage: StorageOptions | None = None
) -> Preview:
    """The first rows after the first `offset` ones, cells as JSON values; those that can't be read are left out."""

def profile(
    source: Source,
    *,
    threads: int = 1,
    memory_bytes: int | None = None,
    storage: StorageOptions | None = None,
) -> list[ColumnProfile]:
    """Statistics of every column of a whole source."""

def stat_objects(uris: Sequence[str], *, storage: StorageOptions | None = None) -> list[ObjectInfo]:
    """Objects as they are now, in that order.

    Raises SourceError (SOURCE_NOT_FOUND, ACCESS_DENIED, WRONG_REGION, INVALID_LOCATION), TransientIo (STORAGE_FAILED)
    and InvalidJob (INVALID_STORAGE), as everything does that reads an object; SOURCE_CHANGED where a known one is
    another now.
    """

def list_objects(uri: str, *, limit: int, storage: StorageOptions | None = None) -> list[ObjectInfo]:
    """Up to `limit` objects in the folder `uri`, at any depth, by name."""

def remove_objects(uris: Sequence[str], *, storage: StorageOptions | None = None) -> None:
    """Remove objects. Those that are not there are no error."""

class CancelToken:
    def __init__(self) -> None: ...
    def cancel(self) -> None:
        """Every engine call that holds this token ends with `Canceled` within a chunk (about 1 MiB). Idempotent."""
    @property
    def canceled(self) -> bool: ...

class Progress:
    """Counters of running work, written by the engine and read here at any time without a lock."""

    def __init__(self) -> None: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def rows_read(self) -> int: ...
    @property
    def rows_rejected(self) -> int: ...
    @property
    def rows_written(self) -> int: ...

class TaskContext:
    def __init__(
        self,
        *,
        staging_dir: str,
        keep: Literal["memory", "file"] = "file",
        memory_bytes: int | None = None,
        cancel: CancelToken | None = None,
        progress: Progress | None = None,
        storage: StorageOptions | None = None,
    ) -> None:
        """Where and how one attempt runs.

        `staging_dir` belongs to this attempt alone, and is made when a file needs it. `keep="memory"` holds output
        of up to 64 MiB and blocks of up to 128 MiB in memory, and larger ones in the folder; `"file"` writes all into
        it.
        """

class Plan:
    """A job cut into stages. Planning reads no data but Parquet footers."""

    @property
    def stages(self) -> list[PlannedStage]: ...
    @property
    def columns(self) -> list[Column]:
        """Of the result."""
    @property
    def effective_sql(self) -> str: ...
    @property
    def bytes_to_read(self) -> int: ...
    @property
    def text(self) -> str:
        """For people: the plan of each stage, and why it was cut so."""
    def tasks(self, stage: int) -> list[Task]:
        """The tasks of a stage in the order of their shards (files in order, offsets ascending)."""

class Task:
    """One task of one stage: opaque bytes, and what a scheduler needs to know of them."""

    @property
    def stage(self) -> int: ...
    @property
    def shard(self) -> int:
        """From 0 within the stage."""
    @property
    def file(self) -> int:
        """Index of the file within its source; shards of one file form one chain."""
    @property
    def bytes_total(self) -> int:
        """Bytes to read, as they are stored: of a compressed file its compressed bytes."""
    @property
    def header_lines(self) -> int:
        """Physical lines of the file before its first record."""
    @property
    def payload(self) -> bytes: ...
    @property
    def digest(self) -> str:
        """SHA-256 of the payload, in hexadecimal digits."""

def plan(job: Job, *, storage: StorageOptions | None = None) -> Plan:
    """Parse, bind and cut a job. Raises InvalidJob (SQL_INVALID, UNKNOWN_COLUMN, UNKNOWN_TABLE, NOT_A_QUERY, ...)."""

class Block:
    """Rows for a later stage, as Arrow: in memory, or an Arrow IPC file."""

    @staticmethod
    def open(path: str, *, rows: int, size_bytes: int) -> Block: ...
    @property
    def path(self) -> str | None: ...
    @property
    def rows(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...

class Part:
    """One task's piece of the output, in the output's format: in memory, or a file."""

    @staticmethod
    def open(path: str, *, rows: int, size_bytes: int) -> Part: ...
    @property
    def path(self) -> str | None: ...
    @property
    def rows(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...

class RejectsPart:
    """One task's rejects, rows and lines counted within the shard: in memory, or a file."""

    @staticmethod
    def open(path: str, *, rows: int, size_bytes: int) -> RejectsPart: ...
    @property
    def path(self) -> str | None: ...
    @property
    def rows(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...

class TaskOutcome:
    """What an attempt made. Exactly one of `block` and `part` is set, unless the scan stopped at a reject."""

    @property
    def block(self) -> Block | None: ...
    @property
    def part(self) -> Part | None: ...
    @property
    def rejects(self) -> RejectsPart | None: ...
    @property
    def report(self) -> ShardReport | None:
        """None for final tasks."""
    @property
    def first_reject(self) -> Reject | None: ...
    @property
    def rows_written(self) -> int:
        """Rows in the block or the part."""

def run_task(
    payload: bytes,
    context: TaskContext,
    *,
    inputs: Sequence[Sequence[Block]] = (),
    start: int | None = None,
) -> TaskOutcome:
    """Run one attempt, blocking, with the GIL released.

    `inputs[stage]` holds the blocks of an earlier stage in the order of its shards. `start` is the exact offset of
    the first record, for a shard whose guess did not join. Bad rows under FAIL_JOB do not raise here: the outcome
    says `stopped_at_reject`, because the guess of the shard's start may be at fault until the chain is proved.
    """

class OutputWriter:
    """One output file from parts in order: written beside the target, then renamed, so that it is whole or absent."""

    def __init__(
        self,
        target: str,
        output: Output,
        columns: Sequence[Column],
        *,
        checksum: bool = True,
        storage: StorageOptions | None = None,
    ) -> None:
        """`target` `-` is standard output. The folder of `target` must exist. An object goes up in parts while it is
        made, and is there when they are joined at `commit`. With `checksum` the file is one to be remembered: it is
        hashed while it is written, and lasts through a loss of power."""
    def append(self, part: Part) -> None: ...
    def commit(self) -> Committed:
        """Rename; with a checksum, fsync the file before and the folder after."""
    def abort(self) -> None:
        """Remove what was written. Idempotent, and nothing after `commit`."""

class RejectsWriter:
    """The rejects artifact (CSV with the keys of `Reject` as columns) from parts in order."""

    def __init__(
        self, target: str, *, checksum: bool = True, storage: StorageOptions | None = None
    ) -> None: ...
    def append(self, part: RejectsPart, *, row_base: int, line_base: int) -> None:
        """The bases are the rows and lines of the file before this shard."""
    def commit(self) -> Committed: ...
    def abort(self) -> None: ...

def commit_parts(
    target_dir: str,
    parts: Sequence[Part],
    output: Output,
    columns: Sequence[Column],
    *,
    storage: StorageOptions | None = None,
) -> Committed:
    """A folder of whole files, `part-00000.<ext>` and so on, with `manifest.json` and `_SUCCESS`.

    It is made under a hidden name and renamed when whole. A folder that an earlier call made is replaced;
    any other that is not empty raises InvalidJob OUTPUT_EXISTS. Parts without rows get no file. `sha256` is
    that of the manifest, which names the files' own. In object storage the parts have fresh names, the manifest says
    which count, and `_SUCCESS` comes last.
    """

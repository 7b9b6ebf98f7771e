"""What crosses the engine's border as plain data: JSON-able dictionaries, with their keys named here."""

from typing import Literal, NotRequired, TypedDict

FileFormat = Literal["csv", "ndjson", "parquet", "arrow"]
OutputFormat = Literal["csv", "ndjson", "parquet", "arrow", "table"]
BadRowPolicy = Literal["FAIL_JOB", "REJECT_ROW", "SET_NULL"]
RejectCode = Literal[
    "CAST",
    "TOO_FEW_COLUMNS",
    "TOO_MANY_COLUMNS",
    "INVALID_QUOTE",
    "UNTERMINATED_QUOTE",
    "RECORD_TOO_LONG",
    "INVALID_ENCODING",
    "INVALID_JSON",
]
LineEnding = Literal["lf", "cr", "any"]


class Dialect(TypedDict):
    """How the bytes of a text file are to be read. All but the delimiter are single characters; None: there is none."""

    delimiter: str
    """One character or a few, such as `||`; up to 8 bytes."""
    merge_delimiters: NotRequired[bool]
    """Delimiters in a row are one, and those at the ends of a line are none: tables that are aligned with spaces."""
    trailing_delimiter: NotRequired[bool]
    """Each record ends with one more delimiter, which begins no column."""
    skip_initial_space: NotRequired[bool]
    """Spaces at the beginning of a field are no part of it, so that a quote may follow them."""
    quote: str | None
    escape: str | None
    """None: a quote inside a quoted field is doubled."""
    comment: str | None
    has_header: bool
    skip_rows: int
    """Physical lines before the header (or before the first record)."""
    encoding: str
    compression: str | None
    """gzip, zstd, bzip2 or lz4, as the file was found; `none`: its bytes are read as they are."""
    line_ending: LineEnding
    """`lf` also reads CRLF and mixtures of both; `any` ends lines
    with LF, CRLF or CR."""
    confidence: float
    """0 to 1."""
    evidence: list[str]
    """Sentences that say what the choices rest on."""


class DialectOverrides(TypedDict, total=False):
    delimiter: str
    merge_delimiters: bool
    trailing_delimiter: bool
    skip_initial_space: bool
    line_ending: LineEnding
    quote: str | None
    escape: str | None
    comment: str | None
    has_header: bool
    skip_rows: int
    encoding: str
    compression: str | None
    """None: the file is not compressed, whatever its first bytes look like."""


class Column(TypedDict):
    name: str
    type: str
    """An Arrow type in text: Int64, Float64, Decimal128(18, 2), Utf8, Date32, Timestamp(us), Boolean, List(Utf8),
    Struct("size": Int64, "ref": Utf8), ..."""
    nullable: bool
    evidence: NotRequired[str]


class FileRef(TypedDict):
    path: str
    """Of a local file, or a URI of an object, `s3://bucket/key` or `gs://bucket/key`."""
    size_bytes: int
    etag: NotRequired[str | None]
    """Of an object: its version. An object with another ETag is another object."""
    name: NotRequired[str]
    """What people call it, in rejects and messages; left out: the last part of the path."""
    columns: NotRequired[list[str]]
    """Its columns in its order, where they are not those of the table; what is missing is NULL."""
    dialect: NotRequired[Dialect]
    """How its bytes are to be read, where it is not as the table says."""
    partition: NotRequired[dict[str, str | None]]
    """Columns that its folders name, such as `year=2024`, with their values as text."""

    index: NotRequired["RecordIndex"]
    """Of text: what is known of its records. Only for planning and previews."""


class RecordIndex(TypedDict):
    """What an earlier reading of a text file found. A hint: shards that begin at its marks must join all the same."""

    rows: int
    """Records of the file, rejected ones among them."""
    marks: list[tuple[int, int]]
    """Of some records, in their order: offset in the text, and records before it."""


class StorageOptions(TypedDict, total=False):
    """How object storage is reached. Secrets: given with each call, never part of a job, a task or an error."""

    endpoint: str | None
    """URL of the service (MinIO, Ceph, ...); None: Amazon's or Google's own."""
    region: str | None
    """None: us-east-1, which other services than Amazon's take for any."""
    access_key_id: str | None
    """None: requests are not signed, which public buckets allow."""
    secret_access_key: str | None
    session_token: str | None
    service_account: str | None
    """For gs:// the JSON text of a service account's key."""
    path_style: bool | None
    """Whether the bucket is in the path, not in the name of the host; None: it is."""
    allow_http: bool | None
    """Whether requests may go unencrypted; None: where the endpoint says `http`."""


class ObjectInfo(TypedDict):
    """An object as it is now."""

    path: str
    size_bytes: int
    etag: str | None


class Source(TypedDict):
    """One table of a job."""

    name: str
    """The table name that the SQL uses."""
    aliases: NotRequired[list[str]]
    format: FileFormat
    files: list[FileRef]
    dialect: NotRequired[Dialect | None]
    columns: list[Column]


class Sniffed(TypedDict):
    format: FileFormat
    size_bytes: int
    dialect: Dialect | None
    columns: list[Column]


class Output(TypedDict):
    format: OutputFormat
    compression: NotRequired[str | None]
    """CSV and NDJSON: None, none, gzip (as BGZF), zstd (seekable). Parquet: snappy (default), zstd, lz4, none."""
    header: NotRequired[bool]
    delimiter: NotRequired[str]
    formula_safe: NotRequired[bool]
    """CSV: a `'` before text that a spreadsheet would take for a formula."""
    partition_by: NotRequired[list[str]]
    """Columns that name folders (`year=2024`) instead of being in the files; only for output in parts."""


class BadRows(TypedDict):
    policy: BadRowPolicy
    max_rejected_rows: NotRequired[int | None]
    max_rejected_ratio: NotRequired[float | None]
    validate: NotRequired[Literal["touched", "all"]]
    """Of which columns a value can be bad: those that the query reads (the default), or all."""


class Job(TypedDict):
    """What `plan` takes."""

    sql: str
    sources: list[Source]
    output: Output
    bad_rows: BadRows
    shard_size_bytes: NotRequired[int | None]
    """Target size of a shard; None: chosen from the file's size and `parallelism`."""
    parallelism: NotRequired[int]
    """How many tasks can run at once; only a hint for the size of shards."""
    exchange_partitions: NotRequired[int | None]
    """Into how many partitions rows go where they must meet; chosen from the size of the files. The rows of a result
    that has no order of its own come in the order of these."""
    planned_at_us: NotRequired[int | None]
    """Microseconds since the epoch: what `now()` says in every task. None: the time of planning. Planning the same job
    again with the same value gives the same tasks, byte for byte, so that finished ones can be reused."""
    max_record_bytes: NotRequired[int]
    """A longer record is rejected; default 16 MiB."""
    max_text_bytes: NotRequired[int | None]
    """Longest text of a compressed file; None: as much as is believable of its size (1,000 times, past 1 GiB)."""


class PlannedStage(TypedDict):
    index: int
    name: str
    """`scan <table>`, `merge <number>` or `final`."""
    kind: Literal["scan", "merge"]
    task_count: int
    bytes_total: int
    output: Literal["block", "part"]
    """What each task of it makes: a block for a later stage, or a part of the job's output."""
    inputs: list[int]
    """The stages whose blocks it reads."""


class Reject(TypedDict):
    """One row that could not be read. `row` and `line` count from 1 within the file.

    In a task's outcome they count within the shard.
    """

    file: str
    row: int
    line: int
    record_offset: int
    field_offset: int | None
    column: str | None
    expected: str | None
    code: RejectCode
    message: str
    raw: str
    """The record's first 4 KiB; bytes that are not UTF-8 as U+FFFD."""


class ShardReport(TypedDict):
    """What a scan task says of the bytes it read: the driver proves from it that shards join and rows balance."""

    file: int
    """Index into the source's files."""
    lo: int
    hi: int
    start: Literal["exact", "outside", "inside"]
    """How the first record was found: told, or guessed outside / inside quotes."""
    ambiguous: bool
    first: int
    """Offset of the first record owned; equals the previous shard's `end` in a whole chain."""
    end: int
    """Offset of the first record not owned."""
    bytes_read: int
    rows_read: int
    rows_passed: int
    rows_rejected: int
    lines: int
    """Newlines in [first, end)."""
    stopped_at_reject: bool
    """FAIL_JOB: the scan stopped at its first reject, so `end` is not the end of the shard."""
    marks: NotRequired[list[tuple[int, int]]]
    """Of a record about every 16 MiB: its offset, and records of the shard before it."""


class Preview(TypedDict):
    columns: list[Column]
    rows: list[list[object]]
    truncated: bool
    row_numbers: list[int]
    """Of each row its number in the table, from 1, rows that can't be read counted."""
    row_count: int | None
    """Rows of the table, those that can't be read among them; None where they were not all counted."""


class Committed(TypedDict):
    rows: int
    size_bytes: int
    sha256: str | None


class ColumnProfile(TypedDict):
    column: Column
    count: int
    null_count: int
    rejected: int
    """Rows of the table that can't be read, the same for all its columns: they are in none of the figures."""
    approx_distinct: int
    min: object
    max: object
    mean: float | None
    stddev: float | None
    quantiles: dict[str, object] | None
    top_values: list[dict[str, object]]
    histogram: list[dict[str, object]] | None

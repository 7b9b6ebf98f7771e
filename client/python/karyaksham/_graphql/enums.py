from enum import Enum


class ArtifactKind(str, Enum):
    OUTPUT = "OUTPUT"
    REJECTS = "REJECTS"
    PROFILE = "PROFILE"
    REPORT = "REPORT"


class BadRowPolicy(str, Enum):
    FAIL_JOB = "FAIL_JOB"
    REJECT_ROW = "REJECT_ROW"
    SET_NULL = "SET_NULL"


class DatasetStatus(str, Enum):
    INSPECTING = "INSPECTING"
    READY = "READY"
    INVALID = "INVALID"


class ErrorCode(str, Enum):
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    RATE_LIMITED = "RATE_LIMITED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class FailureKind(str, Enum):
    DATA = "DATA"
    CONFIG = "CONFIG"
    LIMIT = "LIMIT"
    STORAGE = "STORAGE"
    INFRASTRUCTURE = "INFRASTRUCTURE"
    INTERNAL = "INTERNAL"


class FileFormat(str, Enum):
    CSV = "CSV"
    NDJSON = "NDJSON"
    PARQUET = "PARQUET"
    ARROW = "ARROW"


class JobState(str, Enum):
    QUEUED = "QUEUED"
    PLANNING = "PLANNING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FINALIZING = "FINALIZING"
    CANCELING = "CANCELING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class JoinKind(str, Enum):
    INNER = "INNER"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    SEMI = "SEMI"
    ANTI = "ANTI"


class OutputLayout(str, Enum):
    SINGLE_FILE = "SINGLE_FILE"
    PARTS = "PARTS"


class SortDirection(str, Enum):
    ASC = "ASC"
    DESC = "DESC"


class TaskState(str, Enum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class UploadStatus(str, Enum):
    RECEIVING = "RECEIVING"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"

"""Karyaksham from Python: very large files in, SQL, one complete result out.

    import karyaksham

    with karyaksham.Client("http://127.0.0.1:8000", token="...") as service:
        orders = service.upload("orders.csv")
        job = service.run("SELECT country, count(*) FROM input GROUP BY country", orders)
        service.download(job, "by_country.csv")

`AsyncClient` has the same methods to await. What they return is typed from the schema of the service.
"""

from karyaksham._graphql import (
    AggregateStepInput,
    ArtifactKind,
    BadRowPolicy,
    BadRowsInput,
    CastStepInput,
    ColumnInput,
    DatasetStatus,
    DedupeStepInput,
    DeriveStepInput,
    DialectInput,
    DropStepInput,
    ErrorCode,
    FileFormat,
    FillNullStepInput,
    FilterStepInput,
    JobState,
    JoinKind,
    JoinStepInput,
    LimitStepInput,
    MeasureInput,
    OutputInput,
    OutputLayout,
    RenameStepInput,
    ReplaceStepInput,
    SelectStepInput,
    SortKeyInput,
    SortStepInput,
    SplitStepInput,
    StepInput,
    UnionStepInput,
)
from karyaksham._graphql import ArtifactFields as Artifact
from karyaksham._graphql import DatasetFields as Dataset
from karyaksham._graphql import EventFields as Event
from karyaksham._graphql import JobFields as Job
from karyaksham._graphql import PreviewFields as Preview
from karyaksham._graphql import ProfileFields as ColumnProfile
from karyaksham._graphql import ProgressFields as Progress
from karyaksham.client import AsyncClient
from karyaksham.display import attach
from karyaksham.errors import Broken, JobFailed, ServiceError
from karyaksham.sync import Client

__all__ = [
    "AggregateStepInput",
    "Artifact",
    "ArtifactKind",
    "AsyncClient",
    "BadRowPolicy",
    "BadRowsInput",
    "Broken",
    "CastStepInput",
    "Client",
    "ColumnInput",
    "ColumnProfile",
    "Dataset",
    "DatasetStatus",
    "DedupeStepInput",
    "DeriveStepInput",
    "DialectInput",
    "DropStepInput",
    "ErrorCode",
    "Event",
    "FileFormat",
    "FillNullStepInput",
    "FilterStepInput",
    "Job",
    "JobFailed",
    "JobState",
    "JoinKind",
    "JoinStepInput",
    "LimitStepInput",
    "MeasureInput",
    "OutputInput",
    "OutputLayout",
    "Preview",
    "Progress",
    "RenameStepInput",
    "ReplaceStepInput",
    "SelectStepInput",
    "ServiceError",
    "SortKeyInput",
    "SortStepInput",
    "SplitStepInput",
    "StepInput",
    "UnionStepInput",
]

attach()

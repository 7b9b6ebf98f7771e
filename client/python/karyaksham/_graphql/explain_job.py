from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import ColumnFields


class ExplainJob(BaseModel):
    explain_job: Optional["ExplainJobExplainJob"] = Field(alias="explainJob")


class ExplainJobExplainJob(BaseModel):
    plan: Optional["ExplainJobExplainJobPlan"]
    errors: list[
        Annotated[
            Union[
                "ExplainJobExplainJobErrorsUserError",
                "ExplainJobExplainJobErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


class ExplainJobExplainJobPlan(BaseModel):
    effective_sql: str = Field(alias="effectiveSql")
    columns: list["ExplainJobExplainJobPlanColumns"]
    stages: list["ExplainJobExplainJobPlanStages"]
    bytes_to_read: int = Field(alias="bytesToRead")
    text: str


ExplainJobExplainJobPlanColumns = ColumnFields


class ExplainJobExplainJobPlanStages(BaseModel):
    index: int
    name: str
    task_count: int = Field(alias="taskCount")


class ExplainJobExplainJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class ExplainJobExplainJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


ExplainJob.model_rebuild()
ExplainJobExplainJob.model_rebuild()
ExplainJobExplainJobPlan.model_rebuild()

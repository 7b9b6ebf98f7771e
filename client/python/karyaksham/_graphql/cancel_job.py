from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import JobFields


class CancelJob(BaseModel):
    cancel_job: "CancelJobCancelJob" = Field(alias="cancelJob")


class CancelJobCancelJob(BaseModel):
    job: Optional["CancelJobCancelJobJob"]
    errors: list[
        Annotated[
            Union[
                "CancelJobCancelJobErrorsUserError",
                "CancelJobCancelJobErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


CancelJobCancelJobJob = JobFields


class CancelJobCancelJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class CancelJobCancelJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


CancelJob.model_rebuild()
CancelJobCancelJob.model_rebuild()

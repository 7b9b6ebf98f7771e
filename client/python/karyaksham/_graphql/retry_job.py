from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import JobFields


class RetryJob(BaseModel):
    retry_job: "RetryJobRetryJob" = Field(alias="retryJob")


class RetryJobRetryJob(BaseModel):
    job: Optional["RetryJobRetryJobJob"]
    errors: list[
        Annotated[
            Union[
                "RetryJobRetryJobErrorsUserError", "RetryJobRetryJobErrorsLimitError"
            ],
            Field(discriminator="typename__"),
        ]
    ]


RetryJobRetryJobJob = JobFields


class RetryJobRetryJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class RetryJobRetryJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


RetryJob.model_rebuild()
RetryJobRetryJob.model_rebuild()

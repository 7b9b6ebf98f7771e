from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import JobFields


class CreateJob(BaseModel):
    create_job: "CreateJobCreateJob" = Field(alias="createJob")


class CreateJobCreateJob(BaseModel):
    job: Optional["CreateJobCreateJobJob"]
    errors: list[
        Annotated[
            Union[
                "CreateJobCreateJobErrorsUserError",
                "CreateJobCreateJobErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


CreateJobCreateJobJob = JobFields


class CreateJobCreateJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class CreateJobCreateJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


CreateJob.model_rebuild()
CreateJobCreateJob.model_rebuild()

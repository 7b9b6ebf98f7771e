from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import JobFields


class ResumeJob(BaseModel):
    resume_job: "ResumeJobResumeJob" = Field(alias="resumeJob")


class ResumeJobResumeJob(BaseModel):
    job: Optional["ResumeJobResumeJobJob"]
    errors: list[
        Annotated[
            Union[
                "ResumeJobResumeJobErrorsUserError",
                "ResumeJobResumeJobErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


ResumeJobResumeJobJob = JobFields


class ResumeJobResumeJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class ResumeJobResumeJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


ResumeJob.model_rebuild()
ResumeJobResumeJob.model_rebuild()

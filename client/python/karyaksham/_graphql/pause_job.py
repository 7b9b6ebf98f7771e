from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import JobFields


class PauseJob(BaseModel):
    pause_job: "PauseJobPauseJob" = Field(alias="pauseJob")


class PauseJobPauseJob(BaseModel):
    job: Optional["PauseJobPauseJobJob"]
    errors: list[
        Annotated[
            Union[
                "PauseJobPauseJobErrorsUserError", "PauseJobPauseJobErrorsLimitError"
            ],
            Field(discriminator="typename__"),
        ]
    ]


PauseJobPauseJobJob = JobFields


class PauseJobPauseJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class PauseJobPauseJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


PauseJob.model_rebuild()
PauseJobPauseJob.model_rebuild()

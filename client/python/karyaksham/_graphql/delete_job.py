from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode


class DeleteJob(BaseModel):
    delete_job: "DeleteJobDeleteJob" = Field(alias="deleteJob")


class DeleteJobDeleteJob(BaseModel):
    deleted_id: Optional[str] = Field(alias="deletedId")
    errors: list[
        Annotated[
            Union[
                "DeleteJobDeleteJobErrorsUserError",
                "DeleteJobDeleteJobErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


class DeleteJobDeleteJobErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class DeleteJobDeleteJobErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


DeleteJob.model_rebuild()
DeleteJobDeleteJob.model_rebuild()

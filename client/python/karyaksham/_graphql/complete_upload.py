from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import DatasetFields


class CompleteUpload(BaseModel):
    complete_upload: "CompleteUploadCompleteUpload" = Field(alias="completeUpload")


class CompleteUploadCompleteUpload(BaseModel):
    dataset: Optional["CompleteUploadCompleteUploadDataset"]
    errors: list[
        Annotated[
            Union[
                "CompleteUploadCompleteUploadErrorsUserError",
                "CompleteUploadCompleteUploadErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


CompleteUploadCompleteUploadDataset = DatasetFields


class CompleteUploadCompleteUploadErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class CompleteUploadCompleteUploadErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


CompleteUpload.model_rebuild()
CompleteUploadCompleteUpload.model_rebuild()

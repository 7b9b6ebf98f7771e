from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import UploadFields


class CreateUpload(BaseModel):
    create_upload: "CreateUploadCreateUpload" = Field(alias="createUpload")


class CreateUploadCreateUpload(BaseModel):
    upload: Optional["CreateUploadCreateUploadUpload"]
    errors: list[
        Annotated[
            Union[
                "CreateUploadCreateUploadErrorsUserError",
                "CreateUploadCreateUploadErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


CreateUploadCreateUploadUpload = UploadFields


class CreateUploadCreateUploadErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class CreateUploadCreateUploadErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


CreateUpload.model_rebuild()
CreateUploadCreateUpload.model_rebuild()

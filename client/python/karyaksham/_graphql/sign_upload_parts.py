from typing import Annotated, Any, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode


class SignUploadParts(BaseModel):
    sign_upload_parts: "SignUploadPartsSignUploadParts" = Field(alias="signUploadParts")


class SignUploadPartsSignUploadParts(BaseModel):
    parts: Optional[list["SignUploadPartsSignUploadPartsParts"]]
    errors: list[
        Annotated[
            Union[
                "SignUploadPartsSignUploadPartsErrorsUserError",
                "SignUploadPartsSignUploadPartsErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


class SignUploadPartsSignUploadPartsParts(BaseModel):
    part_number: int = Field(alias="partNumber")
    url: str
    headers: Any


class SignUploadPartsSignUploadPartsErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class SignUploadPartsSignUploadPartsErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


SignUploadParts.model_rebuild()
SignUploadPartsSignUploadParts.model_rebuild()

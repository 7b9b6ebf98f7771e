from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import SessionFields


class SignUp(BaseModel):
    sign_up: "SignUpSignUp" = Field(alias="signUp")


class SignUpSignUp(BaseModel):
    session: Optional["SignUpSignUpSession"]
    errors: list[
        Annotated[
            Union["SignUpSignUpErrorsUserError", "SignUpSignUpErrorsLimitError"],
            Field(discriminator="typename__"),
        ]
    ]


SignUpSignUpSession = SessionFields


class SignUpSignUpErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class SignUpSignUpErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


SignUp.model_rebuild()
SignUpSignUp.model_rebuild()

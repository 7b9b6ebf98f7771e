from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import SessionFields


class Login(BaseModel):
    login: "LoginLogin"


class LoginLogin(BaseModel):
    session: Optional["LoginLoginSession"]
    errors: list[
        Annotated[
            Union["LoginLoginErrorsUserError", "LoginLoginErrorsLimitError"],
            Field(discriminator="typename__"),
        ]
    ]


LoginLoginSession = SessionFields


class LoginLoginErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class LoginLoginErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


Login.model_rebuild()
LoginLogin.model_rebuild()

from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import DatasetFields


class RegisterDataset(BaseModel):
    register_dataset: "RegisterDatasetRegisterDataset" = Field(alias="registerDataset")


class RegisterDatasetRegisterDataset(BaseModel):
    dataset: Optional["RegisterDatasetRegisterDatasetDataset"]
    errors: list[
        Annotated[
            Union[
                "RegisterDatasetRegisterDatasetErrorsUserError",
                "RegisterDatasetRegisterDatasetErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


RegisterDatasetRegisterDatasetDataset = DatasetFields


class RegisterDatasetRegisterDatasetErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class RegisterDatasetRegisterDatasetErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


RegisterDataset.model_rebuild()
RegisterDatasetRegisterDataset.model_rebuild()

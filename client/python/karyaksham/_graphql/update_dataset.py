from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import DatasetFields


class UpdateDataset(BaseModel):
    update_dataset: "UpdateDatasetUpdateDataset" = Field(alias="updateDataset")


class UpdateDatasetUpdateDataset(BaseModel):
    dataset: Optional["UpdateDatasetUpdateDatasetDataset"]
    errors: list[
        Annotated[
            Union[
                "UpdateDatasetUpdateDatasetErrorsUserError",
                "UpdateDatasetUpdateDatasetErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


UpdateDatasetUpdateDatasetDataset = DatasetFields


class UpdateDatasetUpdateDatasetErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class UpdateDatasetUpdateDatasetErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


UpdateDataset.model_rebuild()
UpdateDatasetUpdateDataset.model_rebuild()

from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode


class DeleteDataset(BaseModel):
    delete_dataset: "DeleteDatasetDeleteDataset" = Field(alias="deleteDataset")


class DeleteDatasetDeleteDataset(BaseModel):
    deleted_id: Optional[str] = Field(alias="deletedId")
    errors: list[
        Annotated[
            Union[
                "DeleteDatasetDeleteDatasetErrorsUserError",
                "DeleteDatasetDeleteDatasetErrorsLimitError",
            ],
            Field(discriminator="typename__"),
        ]
    ]


class DeleteDatasetDeleteDatasetErrorsUserError(BaseModel):
    typename__: Literal["InputError", "UserError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]


class DeleteDatasetDeleteDatasetErrorsLimitError(BaseModel):
    typename__: Literal["LimitError"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    field: Optional[list[str]]
    limit: Optional[str]
    retry_after_seconds: Optional[float] = Field(alias="retryAfterSeconds")


DeleteDataset.model_rebuild()
DeleteDatasetDeleteDataset.model_rebuild()

from typing import Optional

from .base_model import BaseModel
from .fragments import ProfileFields


class DatasetProfile(BaseModel):
    dataset: Optional["DatasetProfileDataset"]


class DatasetProfileDataset(BaseModel):
    profile: Optional[list["DatasetProfileDatasetProfile"]]


DatasetProfileDatasetProfile = ProfileFields
DatasetProfile.model_rebuild()
DatasetProfileDataset.model_rebuild()

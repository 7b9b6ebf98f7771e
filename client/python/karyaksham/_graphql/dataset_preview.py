from typing import Optional

from .base_model import BaseModel
from .fragments import PreviewFields


class DatasetPreview(BaseModel):
    dataset: Optional["DatasetPreviewDataset"]


class DatasetPreviewDataset(BaseModel):
    preview: "DatasetPreviewDatasetPreview"


DatasetPreviewDatasetPreview = PreviewFields
DatasetPreview.model_rebuild()
DatasetPreviewDataset.model_rebuild()

from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .fragments import PreviewFields


class ArtifactPreview(BaseModel):
    node: Optional[
        Annotated[
            Union["ArtifactPreviewNodeNode", "ArtifactPreviewNodeArtifact"],
            Field(discriminator="typename__"),
        ]
    ]


class ArtifactPreviewNodeNode(BaseModel):
    typename__: Literal[
        "ApiToken", "Dataset", "Job", "Node", "Recipe", "Upload", "User"
    ] = Field(alias="__typename")


class ArtifactPreviewNodeArtifact(BaseModel):
    typename__: Literal["Artifact"] = Field(alias="__typename")
    preview: Optional["ArtifactPreviewNodeArtifactPreview"]


ArtifactPreviewNodeArtifactPreview = PreviewFields
ArtifactPreview.model_rebuild()
ArtifactPreviewNodeArtifact.model_rebuild()

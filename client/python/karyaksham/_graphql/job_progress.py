from pydantic import Field

from .base_model import BaseModel
from .fragments import ProgressFields


class JobProgress(BaseModel):
    job_progress: "JobProgressJobProgress" = Field(alias="jobProgress")


JobProgressJobProgress = ProgressFields
JobProgress.model_rebuild()

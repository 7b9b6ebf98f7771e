from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import JobFields


class Jobs(BaseModel):
    jobs: Optional["JobsJobs"]


class JobsJobs(BaseModel):
    edges: list["JobsJobsEdges"]
    page_info: "JobsJobsPageInfo" = Field(alias="pageInfo")


class JobsJobsEdges(BaseModel):
    node: "JobsJobsEdgesNode"


JobsJobsEdgesNode = JobFields


class JobsJobsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


Jobs.model_rebuild()
JobsJobs.model_rebuild()
JobsJobsEdges.model_rebuild()

from pydantic import Field

from .base_model import BaseModel
from .fragments import EventFields


class JobEvents(BaseModel):
    job_events: "JobEventsJobEvents" = Field(alias="jobEvents")


JobEventsJobEvents = EventFields
JobEvents.model_rebuild()

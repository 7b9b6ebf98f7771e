"""One job over many machines: stages, shards, attempts, retries, cancel, progress.

`start(spec)` gives a `Run`: read `Run.events()`, call `Run.cancel()`. See `spec` for what goes in and comes out.
"""

from .errors import InfrastructureError, to_failure
from .run import Run, start
from .spec import Event, JobSpec, TaskFinished

__all__ = ["Event", "InfrastructureError", "JobSpec", "Run", "TaskFinished", "start", "to_failure"]

"""The dispatcher: leases queued jobs, drives compute, and is the one writer of the state of a job that runs.

It may die at any point. What it knows is in the database; the next one takes the lease over and goes on from the
tasks that are done. One that has lost a lease stops its run and writes nothing more of that job.
"""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tortoise.expressions import Q

import compute
from compute import cluster as ray_cluster
from compute.run import Run
from compute.spec import JobSpec, TaskFinished
from gateway import journal, leftovers, log_context
from gateway.alive import Sign, is_alive
from gateway.events import ChangeQueue, Events
from gateway.execution import Execution, LeaseLost, StartRun
from gateway.models import Job, JobState, now
from gateway.settings import Settings

log = logging.getLogger(__name__)

POLL_S: Final = 1.0
"""New jobs and cancels are told within this process; this finds what another process wrote."""
QUEUE_LOOK: Final = 500
"""Queued jobs among which the next one is chosen."""
SMALL_BYTES: Final = 256 * 1024 * 1024
"""A job that reads no more is done in seconds, and begins beside those that take hours."""
RECONNECT_S: Final = 5.0
"""Between two tries to reach Ray."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that wants to run, or runs."""

    job_id: UUID
    owner_id: UUID
    priority: int
    size_bytes: int
    """What it reads."""

    @property
    def is_small(self) -> bool:
        return self.size_bytes <= SMALL_BYTES


@dataclass(frozen=True, slots=True)
class Room:
    """How many jobs run at once in one dispatcher."""

    large: int
    large_of_one: int
    """Of one user."""
    small: int

    @classmethod
    def of(cls, settings: Settings) -> "Room":
        most = settings.jobs_running_max
        return cls(most, settings.jobs_running_user_max, settings.jobs_running_small_max if most else 0)


def choose(queued: Sequence[Waiting], running: Sequence[Waiting], room: Room) -> Waiting | None:
    """The next job: of the owner with the fewest running, then the highest priority, then the oldest. Pure.

    Small jobs have room of their own, so that they never wait for large ones.
    """
    large = Counter(job.owner_id for job in running if not job.is_small)
    small = Counter(job.owner_id for job in running if job.is_small)

    def has_room(job: Waiting) -> bool:
        if job.is_small:
            return small.total() < room.small
        return large.total() < room.large and large[job.owner_id] < room.large_of_one

    return min(
        filter(has_room, queued),
        key=lambda job: ((small if job.is_small else large)[job.owner_id], -job.priority, job.job_id),
        default=None,
    )


class Dispatcher:
    """One a process. `start` returns at once: Ray is reached in the background, and jobs wait for it."""

    def __init__(self, settings: Settings, events: Events, *, start_run: StartRun | None = None) -> None:
        """`start_run` runs jobs elsewhere than on Ray, which is then not started."""
        self._settings = settings
        self._events = events
        self._start_run = start_run
        self._cluster: ray_cluster.Cluster | None = None
        self._connecting: asyncio.Future[ray_cluster.Cluster] | None = None
        self._owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._running: dict[UUID, tuple[Execution, asyncio.Task[None]]] = {}
        self._admitted: dict[UUID, Waiting] = {}
        """Those that run, as they were chosen."""
        self._sign: Sign | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = ChangeQueue()

    @property
    def is_ready(self) -> bool:
        """Whether jobs can run: Ray is there."""
        return self._start_run is not None

    @property
    def cluster(self) -> ray_cluster.Cluster | None:
        return self._cluster

    async def start(self) -> None:
        """Recovers what an earlier process left, then takes jobs until `stop`."""
        settings = self._settings
        if settings.embedded:
            self._sign = Sign(settings.dispatchers_dir, self._owner)
            await journal.release_dead(lambda owner: is_alive(settings.dispatchers_dir, owner))
            await leftovers.sweep(settings)
        for work in (self._connect, self._look_for_work, self._renew, self._let_go):
            self._tasks.append(asyncio.create_task(work(), name=f"dispatcher-{work.__name__}"))

    async def stop(self) -> None:
        """Running jobs stop where they are, and go on at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = list(self._running.values())
        for execution, _ in left:
            execution.leave()
        await asyncio.gather(*(task for _, task in left), return_exceptions=True)
        await journal.release({execution.job_id: execution.epoch for execution, _ in left})
        if self._sign is not None:
            self._sign.take_down()
        if self._connecting is not None:
            # A thread that starts Ray can't be stopped, only waited for.
            await asyncio.wait([self._connecting])
            if self._connecting.exception() is None:
                await asyncio.to_thread(self._connecting.result().shutdown)

    async def _connect(self) -> None:
        settings = self._settings
        is_first = True
        while self._start_run is None:
            try:
                connect = asyncio.to_thread(
                    ray_cluster.connect,
                    settings.ray_address,
                    temp_dir=str(settings.ray_dir),
                    dashboard=settings.ray_dashboard,
                    num_cpus=settings.ray_num_cpus,
                )
                self._connecting = asyncio.ensure_future(connect)
                self._cluster = await asyncio.shield(self._connecting)
                self._start_run = _start_on_ray
            except Exception as error:
                log.error("%s Trying again in %s s.", error, RECONNECT_S, exc_info=is_first)
                is_first = False
                await asyncio.sleep(RECONNECT_S)
        self._wake.set()

    async def _look_for_work(self) -> None:
        with self._events.watch_changes(self._wake):
            while True:
                self._wake.take()
                try:
                    await self._pass_on_requests()
                    while await self._take_one():
                        pass
                except Exception:
                    log.exception("the dispatcher could not look for work")
                await self._wake.wait(POLL_S)

    async def _pass_on_requests(self) -> None:
        if self._running:
            asked = Q(state=JobState.CANCELING) | Q(pause_requested_at__isnull=False)
            for job in await Job.filter(asked, id__in=list(self._running)).only("id", "state"):
                if job.id not in self._running:
                    continue
                if job.state is JobState.CANCELING:
                    self._running[job.id][0].cancel()
                else:
                    self._running[job.id][0].pause()

    async def _take_one(self) -> bool:
        """Begin the next job; False when there is none, or no room."""
        if self._start_run is None:
            return False
        job = await self._next()
        if job is None:
            return False
        asked_at = time.monotonic()
        epoch = await journal.lease(job, owner=self._owner, lease_s=self._settings.lease_s)
        if epoch is not None:
            leased = await Job.get(id=job.id)
            execution = Execution(leased, epoch, self._settings, self._events, self._start_run)
            execution.lease_until = asked_at + self._settings.lease_s
            task = asyncio.create_task(self._drive(execution), name=f"job-{job.id}")
            self._running[job.id] = (execution, task)
            self._admitted[job.id] = _waiting(job)
        return True

    async def _next(self) -> Job | None:
        """A job that may begin; those that a dispatcher left come before those that wait."""
        running, room = list(self._admitted.values()), Room.of(self._settings)
        left = Job.filter(state__in=list(journal.ACTIVE_STATES), lease_expires_at__lte=now(), deleted_at=None)
        if self._running:
            left = left.exclude(id__in=list(self._running))
        queued = Job.filter(state=JobState.QUEUED, deleted_at=None).order_by("-priority", "id")
        for jobs in (left.order_by("id"), queued):
            rows = await jobs.limit(QUEUE_LOOK).only("id", "owner_id", "priority", "progress")
            if chosen := choose([_waiting(job) for job in rows], running, room):
                return await Job.get_or_none(id=chosen.job_id)
        return None

    async def _drive(self, execution: Execution) -> None:
        log_context.begin(job_id=execution.job_id, user_id=execution.owner_id)
        try:
            await execution.run()
        except LeaseLost:
            log.warning("job %s: another dispatcher has taken it over", execution.job_id)
        except Exception:
            # The lease runs out now, and the job is taken again.
            log.exception("job %s: what happened to it can't be written down", execution.job_id)
        finally:
            del self._running[execution.job_id], self._admitted[execution.job_id]
            self._events.drop(execution.job_id)
            self._wake.set()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_s / 3)
            held = [execution for execution, _ in self._running.values()]
            leases = {execution.job_id: execution.epoch for execution in held}
            asked_at = time.monotonic()
            try:
                lost = await journal.renew(leases, lease_s=self._settings.lease_s)
            except Exception:
                log.exception("leases could not be renewed")
                continue
            for execution in held:
                if execution.job_id in lost:
                    execution.leave()
                else:
                    execution.lease_until = asked_at + self._settings.lease_s

    async def _let_go(self) -> None:
        """Stops the jobs whose lease has run out by this process's own clock: it was held up, or has no database.

        Another dispatcher may have them already, and must not share the cluster with us.
        """
        while True:
            await asyncio.sleep(min(POLL_S, self._settings.lease_s / 3))
            for execution, _ in list(self._running.values()):
                if time.monotonic() >= execution.lease_until:
                    log.warning("job %s: its lease has run out", execution.job_id)
                    execution.leave()


def _waiting(job: Job) -> Waiting:
    return Waiting(job.id, job.owner_id, job.priority, int((job.progress or {}).get("bytes_total", 0)))


def _start_on_ray(spec: JobSpec, resume: Sequence[TaskFinished]) -> Run:
    return compute.start(spec, resume=resume, keep_staging=True, asks_to_commit=True)

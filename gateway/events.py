"""One stream a job, fanned out to the subscribers in this process, and through `shared` to those in others.

The database is the durable log and the truth; a signal only says that there is something newer. So a subscriber
that is slow holds one bit, not a queue, and one that missed a signal looks for itself after `POLL_S`.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tortoise.expressions import Q

from gateway.models import Job, JobEvent, JobState
from gateway.progress import FINAL_STATES, Snapshot, from_row

MIN_INTERVAL_S: Final = 0.25
"""Between two progress snapshots to one subscriber."""
POLL_S: Final = 1.0
"""Another process may have written: look again, signal or not."""
FAR_POLL_S: Final = 10.0
"""The same for lists of jobs, while signals of all processes arrive here."""
MAX_SHOWN: Final = 1_000
"""Jobs whose last state one subscription remembers, so as not to tell it twice."""
EVENT_PAGE: Final = 100
"""Events that one look reads."""
MAX_CHANGES: Final = 256
"""Changes of state that wait for one subscriber; after that only the latest of each job is kept."""

Topic = tuple[str, UUID]


class Signal:
    """Set by a publisher, taken by the one subscriber that waits for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Until set, or `timeout_s` seconds; says which, and is clear again."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


@dataclass(frozen=True, slots=True)
class StateChange:
    job_id: UUID
    owner_id: UUID
    state: JobState


class ChangeQueue(Signal):
    """The changes that one subscriber has yet to see, in order, bounded."""

    def __init__(self) -> None:
        super().__init__()
        self._changes: OrderedDict[tuple[UUID, JobState], StateChange] = OrderedDict()

    def put(self, change: StateChange) -> None:
        if len(self._changes) >= MAX_CHANGES:
            latest = {kept.job_id: kept for kept in self._changes.values()}
            self._changes = OrderedDict(((kept.job_id, kept.state), kept) for kept in latest.values())
        while len(self._changes) >= MAX_CHANGES:
            self._changes.popitem(last=False)
        self._changes[change.job_id, change.state] = change
        self.set()

    def take(self) -> list[StateChange]:
        changes = list(self._changes.values())
        self._changes.clear()
        return changes


class Events:
    """Who listens to what, and the latest snapshot of each job that runs here."""

    def __init__(self) -> None:
        self._signals: dict[Topic, set[Signal]] = defaultdict(set)
        self._queues: dict[ChangeQueue, UUID | None] = {}
        self._latest: dict[UUID, Snapshot] = {}
        self._send: Callable[[UUID, StateChange | None], None] | None = None
        self.hears_all = False
        """Whether every process that changes jobs tells this one."""

    def attach(self, send: Callable[[UUID, StateChange | None], None] | None) -> None:
        """From now on other processes are told, too: `send` gets a job, and its change of state where it is one."""
        self._send = send

    def publish_progress(self, snapshot: Snapshot) -> None:
        """Newer than the database; dropped again when the job ends or leaves this process."""
        self._latest[snapshot.job_id] = snapshot
        self._signal(("progress", snapshot.job_id))

    def publish_event(self, job_id: UUID) -> None:
        """An event of the job is committed."""
        self.hear(job_id, None)
        if self._send is not None:
            self._send(job_id, None)

    def publish_change(self, change: StateChange) -> None:
        """A change of state is committed."""
        self.hear(change.job_id, change)
        if self._send is not None:
            self._send(change.job_id, change)

    def hear(self, job_id: UUID, change: StateChange | None) -> None:
        """As told by this process or another one."""
        self._signal(("events", job_id))
        if change is None:
            return
        self._signal(("progress", job_id))
        for queue, owner_id in self._queues.items():
            if owner_id in (None, change.owner_id):
                queue.put(change)

    def wake_all(self) -> None:
        """Something may have been missed: everyone looks."""
        for signal in (*self._queues, *(each for topic in self._signals.values() for each in topic)):
            signal.set()

    def latest(self, job_id: UUID) -> Snapshot | None:
        return self._latest.get(job_id)

    def drop(self, job_id: UUID) -> None:
        """From now on the database says how far the job is."""
        self._latest.pop(job_id, None)
        self._signal(("progress", job_id))

    @contextmanager
    def watch(self, kind: str, job_id: UUID) -> Iterator[Signal]:
        """A signal for `progress` or `events` of one job."""
        topic = (kind, job_id)
        signal = Signal()
        self._signals[topic].add(signal)
        try:
            yield signal
        finally:
            self._signals[topic].discard(signal)
            if not self._signals[topic]:
                del self._signals[topic]

    @contextmanager
    def watch_changes(self, queue: ChangeQueue, owner_id: UUID | None = None) -> Iterator[None]:
        """Puts changes of state into `queue`: of one owner's jobs, or of all."""
        self._queues[queue] = owner_id
        try:
            yield
        finally:
            del self._queues[queue]

    @property
    def subscribers(self) -> int:
        """How many listen."""
        return len(self._queues) + sum(map(len, self._signals.values()))

    def _signal(self, topic: Topic) -> None:
        for signal in self._signals.get(topic, ()):
            signal.set()


def snapshot_of(job: Job, hub: Events | None = None) -> Snapshot:
    """How far `job` is: from this process where it runs here, else from its row."""
    live = hub.latest(job.id) if hub and job.state not in FINAL_STATES else None
    return live or from_row(
        job.progress,
        job_id=job.id,
        state=job.state,
        fraction=job.fraction,
        at=job.progress_at or job.created_at,
    )


async def progress(hub: Events, job_id: UUID) -> AsyncIterator[Snapshot]:
    """The latest snapshot at once, then newer ones at most four a second; ends after the final one."""
    shown: Snapshot | None = None
    with hub.watch("progress", job_id) as signal:
        while True:
            snapshot = hub.latest(job_id)
            if snapshot is None:
                job = await Job.get_or_none(id=job_id, deleted_at=None)
                if job is None:
                    return
                snapshot = snapshot_of(job, hub)
            if shown is None or _is_newer(shown, snapshot):
                yield snapshot
                shown = snapshot
                sent_at = time.monotonic()
                if snapshot.is_final:
                    return
                await asyncio.sleep(max(0.0, sent_at + MIN_INTERVAL_S - time.monotonic()))
            await signal.wait(POLL_S)


def _is_newer(shown: Snapshot, snapshot: Snapshot) -> bool:
    return snapshot.is_final or (snapshot != shown and snapshot.fraction >= shown.fraction)


async def events(hub: Events, job_id: UUID, after: int) -> AsyncIterator[JobEvent]:
    """Every event with a greater `seq` than `after`, once and in order; ends after the final one."""
    with hub.watch("events", job_id) as signal:
        while True:
            page = await JobEvent.filter(job_id=job_id, seq__gt=after).order_by("seq").limit(EVENT_PAGE)
            for event in page:
                yield event
                after = event.seq
            if page:
                continue
            job = await Job.get_or_none(id=job_id, deleted_at=None)
            if job is None or (job.state in FINAL_STATES and job.event_seq <= after):
                return
            await signal.wait(POLL_S)


async def changes(hub: Events, owner_id: UUID) -> AsyncIterator[Job]:
    """The owner's jobs that are not done yet, then a job each time that its state changes, as it was then.

    Of changes that no signal told, the latest of each job is found within `POLL_S`.
    """
    queue, looked_at = ChangeQueue(), time.monotonic()
    mine = Job.filter(owner_id=owner_id, deleted_at=None)
    shown: OrderedDict[UUID, JobState] = OrderedDict()

    def is_new(job_id: UUID, state: JobState) -> bool:
        if shown.get(job_id) is state:
            return False
        shown[job_id] = state
        shown.move_to_end(job_id)
        while len(shown) > MAX_SHOWN:
            shown.popitem(last=False)
        return True

    with hub.watch_changes(queue, owner_id):
        newest = await mine.order_by("-id").first()
        after = newest.id if newest else UUID(int=0)
        for job in await mine.filter(state__not_in=list(FINAL_STATES)).order_by("id"):
            if is_new(job.id, job.state):
                yield job
        while True:
            was_signaled = await queue.wait(POLL_S)
            taken = queue.take()
            for change in taken:
                changed = await mine.get_or_none(id=change.job_id)
                if changed is not None and is_new(change.job_id, change.state):
                    changed.state = change.state
                    yield changed
            is_due = time.monotonic() >= looked_at + (FAR_POLL_S if hub.hears_all else POLL_S)
            if taken or not (was_signaled or is_due):
                continue
            looked_at = time.monotonic()
            going = [job_id for job_id, state in shown.items() if state not in FINAL_STATES]
            open_or_new = Q(state__not_in=list(FINAL_STATES)) | Q(id__in=going) | Q(id__gt=after)
            for job in await mine.filter(open_or_new).order_by("-id").limit(MAX_SHOWN):
                if is_new(job.id, job.state):
                    yield job

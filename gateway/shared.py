"""What the processes of one service share through Redis: wake-ups, and counters of rate limits.

Nothing in Redis is a record. A wake-up that is lost is made up for by a look into the database, and counters that
can't be reached are counted in this process alone; so without Redis everything goes on, somewhat later and somewhat
more generously. What is sent names a job, its owner and its state, never a row.
"""

import asyncio
import hashlib
import json
import logging
import secrets
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.events import Events, StateChange
from gateway.models import JobState
from gateway.settings import PREFIX, BadSetting, Settings

TIMEOUT_S: Final = 1.0
"""For one command; a user's request waits for no more than one."""
RECONNECT_S: Final = 1.0
PING_S: Final = 5.0
"""A subscription on which nothing came for so long is asked whether it is still there."""
OUTGOING_MAX: Final = 10_000
"""Wake-ups that wait to be sent; further ones are dropped, the receivers look by themselves."""

_COUNT: Final = """
local tries = redis.call('INCR', KEYS[1])
if tries == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {tries, redis.call('PTTL', KEYS[1])}
"""
_FAILURES: Final = (RedisError, OSError, TimeoutError)

log = logging.getLogger(__name__)


class Shared:
    """One a process, where `KARYAKSHAM_REDIS_URL` is set. Between `start` and `stop` it keeps itself connected."""

    def __init__(self, settings: Settings, events: Events) -> None:
        """Raises BadSetting for an address that can't be one; whether anyone answers there is found out later."""
        self._events = events
        try:
            self._redis = Redis.from_url(
                settings.redis_url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
            # Opens nothing, but takes every option of the address.
            self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # of redis
        except (ValueError, TypeError):
            # Not its words: they would hold the password.
            raise BadSetting(
                f"{PREFIX}REDIS_URL is no address of a Redis; check its port and options."
            ) from None
        # Channels know no database number, and one Redis may serve several services.
        self._prefix = f"karyaksham:{hashlib.sha256(settings.secret_key.encode()).hexdigest()[:16]}"
        self._channel = f"{self._prefix}:changes"
        self._origin = secrets.token_hex(8)
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(OUTGOING_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_up: bool | None = None

    @property
    def is_up(self) -> bool:
        """Whether wake-ups of other processes arrive."""
        return bool(self._is_up)

    async def start(self) -> None:
        """Returns at once; Redis is reached in the background."""
        self._events.attach(self.send)
        for work in (self._receive, self._send):
            self._tasks.append(asyncio.create_task(work(), name=f"shared-{work.__name__}"))

    async def stop(self) -> None:
        self._events.attach(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(*_FAILURES):
            await self._redis.aclose()

    def send(self, job_id: UUID, change: StateChange | None) -> None:
        """Wake those in other processes who listen to the job. Never waits."""
        message: dict[str, Any] = {"from": self._origin, "job": str(job_id)}
        if change is not None:
            message |= {"owner": str(change.owner_id), "state": change.state.value}
        with suppress(asyncio.QueueFull):
            self._outgoing.put_nowait(json.dumps(message))

    async def count(self, key: str, window_s: float) -> tuple[int, float] | None:
        """One more try of `key`: how many there are in its window, and the seconds to its end. None: Redis is away."""
        if not self.is_up:
            return None
        try:
            made: Any = self._redis.eval(_COUNT, 1, f"{self._prefix}:{key}", str(round(window_s * 1000)))
            tries, left_ms = await made
        except _FAILURES as error:
            log.warning("Redis did not count, so this process does: %s", error)
            return None
        return int(tries), int(left_ms) / 1000

    async def forget(self, key: str) -> None:
        """Tries of `key` begin anew."""
        if self.is_up:
            with suppress(*_FAILURES):
                await self._redis.delete(f"{self._prefix}:{key}")

    async def _send(self) -> None:
        while True:
            message = await self._outgoing.get()
            with suppress(*_FAILURES):
                await self._redis.publish(self._channel, message)

    async def _receive(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(self._channel)
                    self._tell(True)
                    await self._listen(channel)
            except _FAILURES as error:
                self._tell(False, error)
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self, channel: Any) -> None:
        while True:
            message = await channel.get_message(timeout=PING_S)
            if message is None:
                await channel.ping()
                message = await channel.get_message(timeout=TIMEOUT_S)
                if message is None:
                    raise TimeoutError("no answer to a ping")
            if message["type"] == "message":
                self._hear(message["data"])
            elif message["type"] == "subscribe":
                # What was told before is not told again: let everyone look.
                self._events.wake_all()

    def _hear(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            if message["from"] == self._origin:
                return
            job_id = UUID(message["job"])
            owner = message.get("owner")
            change = StateChange(job_id, UUID(owner), JobState(message["state"])) if owner else None
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("a message in Redis is none of ours: %.200r", data)
            return
        self._events.hear(job_id, change)

    def _tell(self, is_up: bool, error: Exception | None = None) -> None:
        if is_up is self._is_up:
            return
        self._is_up = self._events.hears_all = is_up
        if is_up:
            log.info("Redis is there: changes of other processes are heard at once")
        else:
            log.warning("Redis is away: changes are looked for in the database until it is back (%s)", error)

"""Passwords: bcrypt in a thread, two at once at most, so that sign-ins can't take the machine."""

import asyncio
import functools
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from gateway.errors import BadInput, Unavailable

T = TypeVar("T")

MAX_BYTES = 72
"""bcrypt reads no further."""
MAX_WAITING = 64
"""Tries that may wait for a thread; at a quarter of a second each, the last waits eight seconds."""

_NOBODY = "." * 53
"""Salt and hash of a password that nobody has."""


class _Hashing:
    """Two threads and the number of tries that are in them or wait for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="bcrypt")
        self._tries = 0

    async def run(self, work: Callable[[], T]) -> T:
        if self._tries >= MAX_WAITING:
            raise Unavailable("Too many people are signing in. Try again in a few seconds.", retry_after_s=5)
        self._tries += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._tries -= 1


_hashing = _Hashing()


def check_new_password(password: str, *, min_length: int, field: list[str], email: str = "") -> None:
    """BadInput unless `password` is long enough, bcrypt takes all of it, and it is not what everyone tries first."""
    if len(password) < min_length:
        raise BadInput(f"The password needs at least {min_length} characters.", field=field)
    if len(_encoded(password)) > MAX_BYTES:
        raise BadInput(f"The password must have at most {MAX_BYTES} bytes.", field=field)
    if "\0" in password:
        raise BadInput("The password must not contain a NUL character.", field=field)
    plain = unicodedata.normalize("NFC", password).lower()
    if plain in _common() or plain in {email, email.partition("@")[0]}:
        raise BadInput(
            "That is one of the first passwords that anyone tries.", "Choose another.", field=field
        )


@functools.cache
def _common() -> frozenset[str]:
    """The 30,000 passwords that leaked most often."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # A megabyte that only new passwords need.

    return frozenset(FREQUENCY_LISTS["passwords"])


async def hash_password(password: str, *, rounds: int) -> str:
    return await _hashing.run(lambda: bcrypt.hashpw(_encoded(password), bcrypt.gensalt(rounds)).decode())


async def password_matches(password: str, password_hash: str | None, *, rounds: int) -> bool:
    """Whether it is the password. Takes as long when there is no such user (None)."""
    wanted = password_hash or f"$2b${rounds:02d}${_NOBODY}"
    given = _encoded(password)[:MAX_BYTES]
    same = await _hashing.run(lambda: bcrypt.checkpw(given, wanted.encode()))
    return same and password_hash is not None and len(_encoded(password)) <= MAX_BYTES


def _encoded(password: str) -> bytes:
    """The same bytes however a keyboard composes an accent."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")

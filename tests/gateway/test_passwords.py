import asyncio
import threading

import bcrypt
import pytest

from gateway import passwords
from gateway.errors import Unavailable


async def test_password_matches_itself_however_accents_are_composed() -> None:
    kept = await passwords.hash_password("pässword", rounds=4)
    assert await passwords.password_matches("pa\u0308ssword", kept, rounds=4)
    assert not await passwords.password_matches("password", kept, rounds=4)


async def test_password_is_never_cut_in_silence() -> None:
    kept = await passwords.hash_password("x" * 72, rounds=4)
    assert await passwords.password_matches("x" * 72, kept, rounds=4)
    assert not await passwords.password_matches("x" * 73, kept, rounds=4)


async def test_unknown_user_costs_the_same_work_and_never_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []
    check = bcrypt.checkpw

    def watched(password: bytes, hashed: bytes) -> bool:
        checked.append(hashed)
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", watched)
    kept = await passwords.hash_password("password", rounds=5)
    for known in (kept, None):
        assert not await passwords.password_matches("wrong", known, rounds=5)
    assert [hashed[:7] for hashed in checked] == [b"$2b$05$", b"$2b$05$"]


async def test_two_at_once_and_no_endless_queue() -> None:
    running, most, lock = 0, 0, threading.Lock()
    release = threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(10)
        with lock:
            running -= 1

    hashing = passwords._Hashing()
    waiting = [asyncio.ensure_future(hashing.run(work)) for _ in range(passwords.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await hashing.run(work)
    release.set()
    await asyncio.gather(*waiting)
    assert most <= 2

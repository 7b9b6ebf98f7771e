"""For every test: signals as in a terminal, also where the tests were started in the background with SIGINT ignored;
and one object store and one PostgreSQL for those that ask for them."""

import signal
from collections.abc import Iterator

import pytest

from tests import postgres as servers
from tests import rgw

signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def s3() -> Iterator[rgw.S3]:
    """A real S3 service, which takes some seconds to start."""
    with rgw.running() as service:
        yield service


@pytest.fixture
def bucket(s3: rgw.S3) -> str:
    """A new bucket in it."""
    return s3.bucket()


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """A real PostgreSQL, for all tests that ask for one."""
    with servers.running() as server:
        yield server

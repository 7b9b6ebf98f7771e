"""The faults are tried on the Ray of the tests of compute, and on both databases."""

from tests.compute.conftest import cluster
from tests.gateway.test_database import postgres_url

__all__ = ["cluster", "postgres_url"]

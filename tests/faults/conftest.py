"""The faults are tried on the Ray of the tests of compute."""

from tests.compute.conftest import cluster

__all__ = ["cluster"]

"""One local Ray for the whole test session."""

import functools
from collections.abc import Iterator

import pytest

from compute import cluster as clusters


@functools.cache
def started() -> clusters.Cluster:
    return clusters.connect(None, dashboard=False, num_cpus=2)


@pytest.fixture(scope="session")
def cluster() -> Iterator[clusters.Cluster]:
    """A Ray cluster of two cores in this machine, which takes some seconds to start."""
    yield started()
    started().shutdown()

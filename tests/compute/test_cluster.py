"""The folder of a local Ray, and what is left in it by a process that was killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from compute.cluster import LONGEST_TEMP_DIR, Cluster, _holders, _Home
from compute.errors import InfrastructureError


def test_folder_is_used_by_one_cluster_at_a_time(tmp_path: Path) -> None:
    home = _Home.claim(str(tmp_path))
    with pytest.raises(InfrastructureError) as caught:
        _Home.claim(str(tmp_path))
    assert caught.value.code == "RAY_FOLDER_IN_USE"
    home.leave()
    _Home.claim(str(tmp_path)).leave()


def test_long_path_is_replaced_by_a_short_one_that_stays_the_same(tmp_path: Path) -> None:
    long = str(tmp_path / ("x" * LONGEST_TEMP_DIR))
    first = _Home.claim(long)
    with pytest.raises(InfrastructureError):
        _Home.claim(long)
    assert len(str(first.folder)) <= LONGEST_TEMP_DIR
    first.leave()
    assert not first.folder.exists()


def test_processes_and_files_of_a_dead_cluster_are_cleared() -> None:
    with tempfile.TemporaryDirectory(prefix="kkt-") as folder:
        log = Path(folder, "session_old", "logs", "agent.log")
        log.parent.mkdir(parents=True)
        Path(folder, "session_latest").symlink_to(Path(folder, "session_old"))
        with log.open("w") as output:
            agent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=output)
        assert list(_holders(Path(folder))) == [agent.pid]
        home = _Home.claim(folder)
        assert agent.wait(5) == -9
        assert agent.stdin is not None
        agent.stdin.close()
        assert [path.name for path in Path(folder).iterdir()] == ["lock"]
        home.leave()


def test_second_connection_of_a_process_is_refused_in_words(cluster: Cluster, tmp_path: Path) -> None:
    from compute import cluster as clusters

    with pytest.raises(InfrastructureError) as caught:
        clusters.connect(None, temp_dir=str(tmp_path))
    assert caught.value.code == "RAY_ALREADY_CONNECTED"
    assert cluster.nodes()

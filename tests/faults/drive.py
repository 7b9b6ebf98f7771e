"""A driver of its own: starts a local Ray and one job, and tells its events as lines of JSON. For tests that kill it.

usage: python -m tests.faults.drive TABLE FOLDER SQL < records of finished tasks
"""

import json
import sys
from pathlib import Path

import compute
from compute import cluster
from compute.spec import TaskFinished
from tests.compute.jobs import job


def main() -> None:
    table, folder, sql = sys.argv[1:]
    resume = [TaskFinished(**json.loads(line)) for line in sys.stdin]
    connected = cluster.connect(None, temp_dir=f"{folder}/ray", dashboard=False, num_cpus=2)
    spec = job(Path(folder), sql, Path(table), job_id="driven", shard_size_bytes=4 << 20)
    for event in compute.start(spec, resume=resume).follow():
        told = event._asdict() if isinstance(event, tuple) else {}
        print(json.dumps({"event": type(event).__name__, **told}), flush=True)
    connected.shutdown()


if __name__ == "__main__":
    main()

"""The health check of a container: `gateway` asks its own /healthz, `ray` looks for this node among the living."""

import sys
import urllib.request


def main(kind: str) -> int:
    if kind == "gateway":
        with urllib.request.urlopen("http://127.0.0.1:8000/healthz", timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    # A raylet serves its own health beside the agent; without one the port is closed.
    url = "http://127.0.0.1:52365/api/local_raylet_healthz"
    with urllib.request.urlopen(url, timeout=8) as answer:
        return 0 if b"success" in answer.read() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""How much memory there is."""

import os
from pathlib import Path
from typing import Final

LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Of the container that this process runs in, for both versions of cgroups."""


def machine_bytes() -> int:
    """The memory of this machine, or of the container where that has less."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in LIMITS:
        try:
            sizes.append(int(Path(path).read_text()))
        except (OSError, ValueError):  # There is none.
            continue
    return min(sizes)

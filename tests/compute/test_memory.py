import os
from pathlib import Path

import pytest

from compute import memory


def test_a_container_with_less_memory_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMITS", (str(limit), str(tmp_path / "none")))
    for text, expected in [("1000000\n", 1_000_000), ("max\n", whole), (f"{whole * 2}\n", whole)]:
        limit.write_text(text)
        assert memory.machine_bytes() == expected

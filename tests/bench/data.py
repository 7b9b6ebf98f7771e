"""The files that are measured: made once, the same bytes everywhere.

usage: data.py TABLE SCALE FOLDER
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

STATIONS_ROWS = 50_000_000
"""At scale 1, where lineitem.csv has 6 million rows."""
STATIONS = 413
SEED = 20_261_123
CHUNK_ROWS = 2_000_000
SYLLABLES = "ba de fo gri han jo kel lu mar nor pas que ras sto tin ul ven wik yor zan".split()
UNICODE_NAMES = ("Århus", "Bogotá", "Córdoba", "Gdańsk", "Iași", "Malmö", "Plzeň", "Sète", "Tromsø", "Đà Lạt")


def make(table: str, scale: float, folder: Path) -> None:
    """Write `<table>.csv` to `folder`: whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        beside = Path(name)
        if table == "stations":
            write_stations(beside / "stations.csv", round(STATIONS_ROWS * scale))
        else:
            write_tpch(table, scale, beside)
        (beside / f"{table}.csv").replace(folder / f"{table}.csv")


def write_tpch(table: str, scale: float, folder: Path) -> None:
    """A table of TPC-H, whose generator is deterministic by definition."""
    generator = shutil.which("tpchgen-cli", path=Path(sys.executable).parent) or shutil.which("tpchgen-cli")
    if generator is None:
        raise SystemExit("bench: tpchgen-cli is missing; install the extra `bench`.")
    command = [
        generator,
        "csv",
        "--scale-factor",
        f"{scale:g}",
        "--output-dir",
        str(folder),
        "--tables",
        table,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write_stations(path: Path, rows: int) -> None:
    """Measured temperatures, one digit after the point, normal around each station's own mean."""
    rng = np.random.default_rng(SEED)
    names = station_names(rng)
    means = rng.uniform(-20, 35, size=len(names))
    readings = [f"{tenths / 10:.1f}" for tenths in range(-999, 1000)]
    lines = np.array([f"{name},{reading}\n".encode() for name in names for reading in readings], dtype=object)
    with path.open("wb") as file:
        file.write(b"station,temp\n")
        for first in range(0, rows, CHUNK_ROWS):
            count = min(CHUNK_ROWS, rows - first)
            station = rng.integers(0, len(names), size=count)
            tenths = np.clip(np.rint(rng.normal(means[station], 10) * 10), -999, 999).astype(np.int64)
            file.write(b"".join(lines[station * len(readings) + tenths + 999]))


def station_names(rng: np.random.Generator) -> list[str]:
    """Distinct names of two to four syllables, some of them beyond ASCII, in random order."""
    names = set(UNICODE_NAMES)
    while len(names) < STATIONS:
        chosen = rng.integers(0, len(SYLLABLES), size=int(rng.integers(2, 5)))
        names.add("".join(SYLLABLES[i] for i in chosen).capitalize())
    ordered = sorted(names)
    return [ordered[i] for i in rng.permutation(len(ordered))]


if __name__ == "__main__":
    make(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))

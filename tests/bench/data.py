"""The files that are measured: made once, the same bytes everywhere.

usage: data.py FILE SCALE FOLDER

FILE is one of `FILES`. Random numbers come from numpy generators with fixed seeds, drawn in a fixed order, so an added
or dropped draw changes every value after it: change a file only together with its name.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

SEED = 20_261_123
STATIONS_ROWS = 50_000_000
"""At scale 1, where lineitem.csv has 6 million rows; so are the next two."""
MESSY_ROWS = 1_150_000
EVENTS_ROWS = 2_000_000
STATIONS = 413
CHUNK_ROWS = 2_000_000
ROW_GROUP_ROWS = 1 << 20
BLOCK_BYTES = 16 << 20

SYLLABLES = "ba ka mo ri ten sul ver no la qui zor pe dun hal mir os tav gre ul wen".split()
PLACES = (
    "München",
    "São Paulo",
    "Zürich",
    "Łódź",
    "東京",
    "Москва",
    "Kraków",
    "İzmir",
    "Bengalūru",
    "Reykjavík",
    "Århus",
    "Québec",
    "深圳",
    "Ñuñoa",
    "पुणे",
)


def make(file: str, scale: float, folder: Path) -> None:
    """Write `file` to `folder`: whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        FILES[file](Path(name) / file, scale, folder)
        (Path(name) / file).replace(folder / file)


def words(rng: np.random.Generator, count: int, fewest: int = 2, below: int = 4) -> list[str]:
    """Words of `fewest` to `below` - 1 syllables."""
    lengths = rng.integers(fewest, below, size=count)
    return ["".join(SYLLABLES[i] for i in rng.integers(0, len(SYLLABLES), size=length)) for length in lengths]


def chunks(rows: int, most: int) -> list[tuple[int, int]]:
    """First row and number of rows of each chunk."""
    return [(first, min(most, rows - first)) for first in range(0, rows, most)]


def tpch(path: Path, scale: float, folder: Path) -> None:
    """A table of TPC-H, whose generator is deterministic by definition."""
    generator = shutil.which("tpchgen-cli", path=Path(sys.executable).parent) or shutil.which("tpchgen-cli")
    if generator is None:
        raise SystemExit("bench: tpchgen-cli is missing; `make bench` installs it with the other engines.")
    command = [generator, "csv", "--scale-factor", f"{scale:g}", "--output-dir", str(path.parent)]
    subprocess.run([*command, "--tables", path.stem], check=True, stdout=subprocess.DEVNULL)


def parquet(path: Path, scale: float, folder: Path) -> None:
    """The CSV file of the same name, a row group for each block that is read of it, Snappy."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    source = folder / f"{path.stem}.csv"
    if not source.exists():
        make(source.name, scale, folder)
    options = pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES)
    with pyarrow.csv.open_csv(source, read_options=options) as reader:
        with pyarrow.parquet.ParquetWriter(path, reader.schema, compression="snappy") as writer:
            for batch in reader:
                writer.write_table(pa.Table.from_batches([batch]), row_group_size=ROW_GROUP_ROWS)


def stations(path: Path, scale: float, folder: Path) -> None:
    write_stations(path, round(STATIONS_ROWS * scale))


def write_stations(path: Path, rows: int) -> None:
    """Measured temperatures, one digit after the point, normal around each station's own mean."""
    import pyarrow as pa
    import pyarrow.csv

    rng = np.random.default_rng(SEED)
    names = station_names(rng)
    means = rng.uniform(-20, 35, size=len(names))
    stations, readings = pa.array(names), pa.array([f"{tenths / 10:.1f}" for tenths in range(-999, 1000)])
    schema = pa.schema([("station", pa.string()), ("temp", pa.string())])
    plain = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as file:
        file.write(b"station,temp\n")
        with pyarrow.csv.CSVWriter(file, schema, write_options=plain) as writer:
            for _, count in chunks(rows, CHUNK_ROWS):
                station = rng.integers(0, len(names), size=count)
                tenths = np.clip(np.rint(rng.normal(means[station], 10.0) * 10), -999, 999).astype(np.int64)
                columns = [stations.take(pa.array(station)), readings.take(pa.array(tenths + 999))]
                writer.write_batch(pa.record_batch(columns, schema=schema))


def station_names(rng: np.random.Generator) -> Sequence[str]:
    """Distinct names of two to four syllables, some of them beyond ASCII, in random order."""
    names = sorted({*PLACES[:10], *(word.capitalize() for word in words(rng, 900, 2, 5))})
    rng.shuffle(names)
    return names[:STATIONS]


def messy(path: Path, scale: float, folder: Path) -> None:
    from tests.bench.data_messy import write_messy

    write_messy(path, round(MESSY_ROWS * scale))


def events(path: Path, scale: float, folder: Path) -> None:
    from tests.bench.data_events import write_events

    write_events(path, round(EVENTS_ROWS * scale))


FILES: dict[str, Callable[[Path, float, Path], None]] = {
    "lineitem.csv": tpch,
    "orders.csv": tpch,
    "stations.csv": stations,
    "messy.csv": messy,
    "events.ndjson": events,
    "lineitem.parquet": parquet,
}

if __name__ == "__main__":
    make(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))

"""One query of one workload in one other engine, as a person would write it who knows the engine well.

usage: peer.py ENGINE READING WORKLOAD FOLDER OUTPUT THREADS [MEMORY_BYTES]

READING is `typed` (the columns' types are told), `auto` (the engine finds them) or `text` (all columns as text, cast
where the query needs it). With MEMORY_BYTES the engine is told to keep to a limit, where it has such a setting, and may
spill beside OUTPUT. The whole process is measured, so an engine is imported only where it is the one that runs.
"""

import csv
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.bench.workloads import TABLES, WORKLOADS, Workload, profile_lines


class Ask(NamedTuple):
    """What is to be done."""

    reading: str
    name: str
    folder: str
    target: str
    threads: int
    memory_bytes: int | None

    @property
    def workload(self) -> Workload:
        return WORKLOADS[self.name]

    @property
    def sql(self) -> str:
        return (self.reading == "text" and self.workload.text_sql) or self.workload.sql

    @property
    def spill(self) -> str:
        return os.path.join(os.path.dirname(self.target), "spill")

    def path(self, table: str) -> str:
        (file,) = (file for file in self.workload.files if file.partition(".")[0] == table)
        return os.path.join(self.folder, file)

    def types(self, table: str, names: dict[str, str]) -> dict[str, str]:
        """Columns of a table by this engine's names of their types."""
        return {
            name: names["text" if self.reading == "text" else kind] for name, kind in TABLES[table].items()
        }


def write_rows(ask: Ask, rows: Iterable[Sequence[object]]) -> None:
    """A small result, for engines that hand it over as rows."""
    with open(ask.target, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ask.workload.result)
        writer.writerows(rows)


def run_duckdb(ask: Ask) -> None:
    import duckdb

    names = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "date": "DATE"}
    names |= {"time": "TIMESTAMP", "bool": "BOOLEAN"}
    names |= {"name text": "STRUCT(name VARCHAR)", "size int": "STRUCT(size BIGINT)"}

    def scan(table: str) -> str:
        path = ask.path(table)
        told = "" if ask.reading == "auto" else f", columns = {ask.types(table, names)}"
        if path.endswith(".parquet"):
            return f"read_parquet('{path}')"
        if path.endswith(".ndjson"):
            return f"read_json('{path}', format = 'newline_delimited'{told})"
        if told:
            told += ", header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"
        return f"read_csv('{path}'{told})"

    connection = duckdb.connect()
    connection.execute(f"SET threads = {ask.threads}")
    if ask.memory_bytes:
        connection.execute(f"SET memory_limit = '{ask.memory_bytes} bytes'")
        connection.execute(f"SET temp_directory = '{ask.spill}'")
        connection.execute("SET preserve_insertion_order = false")
    sql = ask.sql.format(**{table: scan(table) for table in ask.workload.tables})
    if ask.workload.profile:
        row = connection.execute(sql.replace("approx_distinct", "approx_count_distinct")).fetchone()
        return write_rows(ask, profile_lines(row or ()))
    form = "FORMAT parquet, COMPRESSION snappy" if ask.workload.format == "parquet" else "FORMAT csv, HEADER"
    connection.execute(f"COPY ({sql}) TO '{ask.target}' ({form})")


def run_datafusion(ask: Ask) -> None:
    import datafusion

    config = datafusion.SessionConfig().with_target_partitions(ask.threads)
    runtime = datafusion.RuntimeEnvBuilder().with_disk_manager_os()
    if ask.memory_bytes:
        runtime = runtime.with_fair_spill_pool(ask.memory_bytes)
    context = datafusion.SessionContext(config, runtime)
    for table in ask.workload.tables:
        register_in_datafusion(ask, context, table)
    sql = ask.sql.format(**{table: table for table in ask.workload.tables})
    if ask.workload.profile:
        # It has no approx_distinct of doubles: hundredths as integers instead.
        for name, kind in TABLES["lineitem"].items():
            if kind == "float":
                sql = sql.replace(
                    f"approx_distinct({name})", f"approx_distinct(CAST({name} * 100 AS BIGINT))"
                )
        (batch,) = context.sql(sql).collect()
        return write_rows(ask, profile_lines(tuple(column[0].as_py() for column in batch.columns)))
    form = "PARQUET OPTIONS ('format.compression' 'snappy')"
    if ask.workload.format == "csv":
        form = "CSV OPTIONS ('format.has_header' 'true')"
    context.sql(f"COPY ({sql}) TO '{ask.target}' STORED AS {form}").collect()


def register_in_datafusion(ask: Ask, context: Any, table: str) -> None:
    names = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "date": "DATE"}
    names |= {"time": "TIMESTAMP", "bool": "BOOLEAN"}
    path = ask.path(table)
    if path.endswith(".parquet"):
        context.register_parquet(table, path)
    elif path.endswith(".ndjson"):
        import pyarrow as pa

        fields = [("name", pa.string())], [("size", pa.int64())]
        repo, payload = (pa.struct(field) for field in fields)
        schema = pa.schema([("type", pa.string()), ("repo", repo), ("payload", payload)])
        told = None if ask.reading == "auto" else schema
        context.register_json(table, path, schema=told, file_extension=".ndjson")
    else:
        columns = ""
        if ask.reading != "auto":
            columns = (
                "(" + ", ".join(f"{name} {kind}" for name, kind in ask.types(table, names).items()) + ")"
            )
        options = "'format.has_header' 'true'"
        if table == "messy":
            # Off by default, because it reads with one thread and more carefully.
            options += ", 'format.newlines_in_values' 'true'"
        context.sql(
            f"CREATE EXTERNAL TABLE {table} {columns} STORED AS CSV LOCATION '{path}' OPTIONS ({options})"
        )


def run_chdb(ask: Ask) -> None:
    import json

    from chdb.session import Session

    names = {"int": "Int64", "float": "Float64", "text": "String", "date": "Date"}
    names |= {"time": "DateTime", "bool": "Bool"}

    def scan(table: str) -> str:
        path = ask.path(table)
        if path.endswith(".parquet"):
            return f"file('{path}', Parquet)"
        if path.endswith(".ndjson"):
            told = ", 'type String, repo Tuple(name String), payload Tuple(size Int64)'"
            return f"file('{path}', JSONEachRow{'' if ask.reading == 'auto' else told})"
        if ask.reading == "auto":
            return f"file('{path}', CSVWithNames)"
        told = ", ".join(
            f"{name} Nullable({kind})" if table == "messy" and name != "id" else f"{name} {kind}"
            for name, kind in ask.types(table, names).items()
        )
        return f"file('{path}', CSVWithNames, '{told}')"

    settings = [f"max_threads = {ask.threads}", "engine_file_truncate_on_insert = 1"]
    settings += ["joined_subquery_requires_alias = 0"]
    settings += ["format_csv_null_representation = ''"]
    if ask.memory_bytes:
        part = ask.memory_bytes // 8
        settings += [f"max_memory_usage = {ask.memory_bytes}", "max_block_size = 16384"]
        settings += [
            f"max_bytes_before_external_sort = {part}",
            f"max_bytes_before_external_group_by = {part}",
        ]
        settings += ["min_external_sort_block_bytes = 1000000", "input_format_parallel_parsing = 0"]
    session = Session(f"{ask.target}.chdb")
    sql = ask.sql.format(**{table: scan(table) for table in ask.workload.tables})
    sql = sql.replace("repo['name']", "repo.name").replace("payload['size']", "payload.size")
    if ask.workload.profile:
        sql = sql.replace("approx_distinct", "uniq") + f" SETTINGS {', '.join(settings)}"
        told = session.query(sql, "JSONCompactEachRow").bytes().decode()
        return write_rows(ask, profile_lines(tuple(json.loads(told))))
    form = "CSVWithNames"
    if ask.workload.format == "parquet":
        form = "Parquet"
        settings += ["output_format_parquet_compression_method = 'snappy'"]
        settings += ["output_format_parquet_date_as_uint16 = 0"]
    target = f"FUNCTION file('{ask.target}', {form})"
    session.query(f"INSERT INTO {target} {sql} SETTINGS {', '.join(settings)}")


def run_polars(ask: Ask) -> None:
    from tests.bench.peer_polars import run

    run(ask)


def run_daft(ask: Ask) -> None:
    from tests.bench.peer_daft import run

    run(ask)


ENGINES = {
    "duckdb": run_duckdb,
    "polars": run_polars,
    "datafusion": run_datafusion,
    "chdb": run_chdb,
    "daft": run_daft,
}

if __name__ == "__main__":
    engine, reading, name, folder, target, threads, *memory = sys.argv[1:]
    ENGINES[engine](
        Ask(reading, name, folder, target, int(threads), int(memory[0]) if memory else None),
    )
    # Taking itself apart is not the query, and chDB and Daft do not always get through it.
    os._exit(0)

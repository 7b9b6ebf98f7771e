"""Many files as one table: which files a path stands for, in which order, and one schema for all of them.

Columns are matched by name. A file may have them in another order, or lack some, which are NULL there. Types are
widened where that keeps every value (whole numbers and fractions), and text takes in everything that is one value.
What does not fit together is an error that names both files and the column. Folders named `name=value` (Hive) are
columns too, behind those of the files. Files without a byte hold no rows and are left out.
"""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import karyaksham_engine as engine
from karyaksham_engine.errors import SourceError
from karyaksham_engine.types import (
    Column,
    Dialect,
    DialectOverrides,
    FileFormat,
    FileRef,
    ObjectInfo,
    Sniffed,
    Source,
    StorageOptions,
)

from . import objects
from .unify import unified

FILES_MAX: Final = 10_000
"""Of one table."""
HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
NO_VALUES: Final = re.compile(r"no values in the sample|all \d+ sampled values are null")
"""How the evidence of a column begins of which the sample held nothing: its type says nothing."""
READING: Final = (
    "delimiter",
    "merge_delimiters",
    "trailing_delimiter",
    "skip_initial_space",
    "quote",
    "escape",
    "comment",
    "has_header",
    "skip_rows",
    "encoding",
    "compression",
    "line_ending",
)
"""What of a dialect decides how bytes are read."""

_NUMBER: Final = re.compile(r"(\d+)")
_FOLDER: Final = re.compile(r"([^=/]+)=([^/]*)")


class Table(NamedTuple):
    """Files that are one table, all that a source is but its name."""

    format: FileFormat
    dialect: Dialect | None
    columns: list[Column]
    files: list[FileRef]

    def source(self, name: str) -> Source:
        return {
            "name": name,
            "format": self.format,
            "files": self.files,
            "dialect": self.dialect,
            "columns": self.columns,
        }


class _Member(NamedTuple):
    """A file, and what it was found to be."""

    file: FileRef
    sniffed: Sniffed

    @property
    def name(self) -> str:
        return self.file.get("name") or os.path.basename(self.file["path"])

    @property
    def columns(self) -> dict[str, Column]:
        return {column["name"]: column for column in self.sniffed["columns"]}


def natural(path: str) -> list[tuple[str, int]]:
    """A key that sorts `part-2` before `part-10`."""
    pieces = _NUMBER.split(path)
    return [(text, int(digits)) for text, digits in zip(pieces[::2], [*pieces[1::2], "-1"], strict=True)] + [
        (path, 0)
    ]


def expand(path: str) -> list[str]:
    """The files that a path, a pattern (`*`, `?`, `[...]`, `**`) or a folder stands for, in natural order.

    One more than `FILES_MAX` says that there are more. In folders, names that begin with `.` or `_` are left out, and
    the manifest of a folder that a job wrote.
    """
    if os.path.isdir(path):
        return sorted(islice(_in_folder(path), FILES_MAX + 1), key=natural)
    if not glob.has_magic(path) or os.path.lexists(path):
        return [path]
    found = (match for match in glob.iglob(path, recursive=True) if not os.path.isdir(match))
    return sorted(set(islice(found, FILES_MAX + 1)), key=natural)


def _in_folder(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] not in "._"]
        written_here = "_SUCCESS" in names
        for name in names:
            if name[0] not in "._" and not (written_here and name == "manifest.json"):
                yield os.path.join(place, name)


def files_of(paths: Sequence[str], storage: StorageOptions | None = None) -> list[FileRef]:
    """The files of several paths, each in its order, with the columns that their folders name. Raises SourceError.

    `storage` says how objects are reached.
    """
    found = [(path, match, ref) for path in paths for match, ref in _matches(path, storage)]
    for path in paths:
        if not any(wanted == path for wanted, _, _ in found):
            raise SourceError(
                "SOURCE_NOT_FOUND",
                f"There are no files at {path}.",
                "Put patterns in quotes, and check the path.",
            )
    if len(found) > FILES_MAX:
        raise SourceError(
            "TOO_MANY_FILES",
            f"These are {len(found):,} files; a table has at most {FILES_MAX:,}.",
            "Read fewer.",
        )
    places = [_place(ref["path"]) for _, _, ref in found]
    common = os.path.commonpath([os.path.dirname(place) for place in places]) if len(places) > 1 else ""
    refs: list[FileRef] = []
    for (_, match, ref), place in zip(found, places, strict=True):
        if common:
            ref["name"] = os.path.relpath(place, common)
        if partition := partition_of(os.path.dirname(match)):
            ref["partition"] = partition
        refs.append(ref)
    return refs


def _matches(path: str, storage: StorageOptions | None) -> list[tuple[str, FileRef]]:
    """The files of a path as they were found, and as a job names them."""
    if objects.is_object(path):
        inside = sorted(objects.expand(path, storage), key=lambda found: natural(found["path"]))
        return [(found["path"], _ref(found)) for found in inside]
    refs: list[tuple[str, FileRef]] = []
    for match in expand(path):
        size_bytes = os.stat(match).st_size if os.path.exists(match) else 0
        refs.append((match, {"path": os.path.abspath(match), "size_bytes": size_bytes}))
    return refs


def _ref(found: ObjectInfo) -> FileRef:
    return {"path": found["path"], "size_bytes": found["size_bytes"], "etag": found["etag"]}


def _place(path: str) -> str:
    """A URI as if its scheme and bucket were folders."""
    return "/" + path.replace("://", "/", 1) if objects.is_object(path) else path


def partition_of(folder: str) -> dict[str, str | None]:
    """The columns that the folders of a path name: `year=2024/month=01` are two."""
    found: dict[str, str | None] = {}
    for part in folder.split("/"):
        if match := _FOLDER.fullmatch(part):
            value = unquote(match[2])
            found[unquote(match[1])] = None if value == HIVE_NULL else value
    return found


def inspect(
    files: Sequence[FileRef],
    *,
    format: FileFormat | None = None,
    dialect: DialectOverrides | None = None,
    columns: Sequence[Column] = (),
    threads: int = 1,
    storage: StorageOptions | None = None,
) -> Table:
    """What files are as one table. `columns` are some of its columns by name, whose types hold instead of those found;
    for files without a header they may be all columns in their order, with new names.

    Raises SourceError, SCHEMA_MISMATCH for files that are no table together.
    """
    filled = [file for file in files if file["size_bytes"] > 0] or list(files[:1])
    sniff = partial(engine.sniff, storage=storage)
    first = _first(sniff, filled[0], format, dialect, columns)
    renames = _renames(first, columns)

    def look(file: FileRef) -> _Member | None:
        try:
            return _other(sniff, first, file, dialect, columns if renames else ())
        except SourceError as error:
            if error.code == "EMPTY_FILE":
                return None
            raise

    members = [first]
    if len(filled) > 1:
        from concurrent.futures import ThreadPoolExecutor  # Here, because most tables are one file.

        with ThreadPoolExecutor(max_workers=max(1, min(threads, len(filled)))) as pool:
            members += [member for member in pool.map(look, filled[1:]) if member is not None]
    folders = _folder_columns(members)
    names = _names(members, folders)
    given = {column["name"]: column for column in columns}
    if unknown := given.keys() - set(names) - {column["name"] for column in folders}:
        raise SourceError(
            "UNKNOWN_COLUMN",
            f"The file has no column named {min(unknown)!r}.",
            "Its columns are " + ", ".join(names[:20]) + ".",
        )
    found = [_column(name, members, given.get(name)) for name in names]
    return Table(
        format=first.sniffed["format"],
        dialect=first.sniffed["dialect"],
        columns=found + [_given(column, given.get(column["name"])) for column in folders],
        files=[_shaped(member, names, first.sniffed["dialect"]) for member in members],
    )


def _first(
    sniff: "partial[Sniffed]",
    file: FileRef,
    format: FileFormat | None,
    dialect: DialectOverrides | None,
    columns: Sequence[Column],
) -> _Member:
    member = _Member(file, sniff(file["path"], format=format, dialect=dialect))
    known = member.columns if not _renames(member, columns) else {column["name"] for column in columns}
    if mine := [column for column in columns if column["name"] in known]:
        format = member.sniffed["format"]
        member = _Member(file, sniff(file["path"], format=format, dialect=dialect, columns=mine))
    return member


def _renames(first: _Member, columns: Sequence[Column]) -> bool:
    """Whether columns that have no names in the file are given some."""
    dialect = first.sniffed["dialect"]
    headless = dialect is not None and not dialect["has_header"]
    return headless and len(columns) == len(first.sniffed["columns"])


def _other(
    sniff: "partial[Sniffed]",
    first: _Member,
    file: FileRef,
    dialect: DialectOverrides | None,
    wanted: Sequence[Column],
) -> _Member:
    member = _Member(file, sniff(file["path"], dialect=dialect))
    if member.sniffed["format"] != first.sniffed["format"]:
        formats = (first.sniffed["format"], member.sniffed["format"])
        raise _mismatch(f"{first.name} is {formats[0]}, and {member.name} is {formats[1]}.")
    ours, theirs = first.sniffed["dialect"], member.sniffed["dialect"]
    if ours is None or theirs is None:
        return member
    if ours["has_header"] != theirs["has_header"]:
        # A header of text over text can't be told from a row in a file alone.
        alike: DialectOverrides = {**(dialect or {}), "has_header": ours["has_header"]}
        again = _Member(file, sniff(file["path"], format=first.sniffed["format"], dialect=alike))
        if not ours["has_header"] or set(again.columns) & set(first.columns):
            member = again
    if wanted and len(wanted) == len(member.columns):
        renamed = [column.copy() for column in member.sniffed["columns"]]
        for column, given in zip(renamed, wanted, strict=True):
            column["name"] = given["name"]
        member = _Member(file, {**member.sniffed, "columns": renamed})
    return member


def _names(members: Sequence[_Member], folders: Sequence[Column]) -> list[str]:
    """Of all columns of the files, in the order in which they are met."""
    names = dict.fromkeys(members[0].columns)
    for member in members:
        for column in folders:
            if column["name"] in member.columns:
                raise _mismatch(
                    f"{member.name} has a column {column['name']!r}, and lies in a folder of that name.",
                    "Rename the folder or the column.",
                )
        if not names.keys() & member.columns.keys():
            raise _mismatch(
                f"{members[0].name} and {member.name} have no column in common: the second has "
                f"{', '.join(list(member.columns)[:10])}."
            )
        names.update(dict.fromkeys(member.columns))
    return list(names)


def _column(name: str, members: Sequence[_Member], given: Column | None) -> Column:
    having = [member for member in members if name in member.columns]
    missing = [member for member in members if name not in member.columns]
    decided = having[0]
    first = decided.columns[name]
    type = first["type"]
    evidence = first.get("evidence", "")
    for member in having[1:]:
        other = member.columns[name]
        if other["type"] == type or given is not None or _says_nothing(other):
            continue
        if _says_nothing(first) and type == first["type"]:
            decided, first, type, evidence = member, other, other["type"], other.get("evidence", "")
            continue
        wider = unified(type, other["type"], is_text=member.sniffed["dialect"] is not None)
        if wider is None:
            raise _mismatch(
                f"Column {name!r} is {type} in {decided.name} and {other['type']} in {member.name}."
            )
        if wider != type:
            evidence = f"{type} in {decided.name}, {other['type']} in {member.name}"
            decided, type = member, wider
    if given is not None:
        type, evidence = given["type"], "as given"
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        evidence = f"{evidence}; NULL in {missing[0].name}{more}, which lack it".lstrip("; ")
    nullable = bool(missing) or any(member.columns[name]["nullable"] for member in having)
    return {"name": name, "type": type, "nullable": nullable, "evidence": evidence}


def _given(column: Column, given: Column | None) -> Column:
    return column if given is None else {**column, "type": given["type"], "evidence": "as given"}


def _says_nothing(column: Column) -> bool:
    return NO_VALUES.match(column.get("evidence", "")) is not None


def _shaped(member: _Member, names: Sequence[str], dialect: Dialect | None) -> FileRef:
    """The file, with what sets it apart from the table."""
    file = member.file.copy()
    if list(member.columns) != list(names):
        file["columns"] = list(member.columns)
    own = member.sniffed["dialect"]
    if own is not None and dialect is not None and _reading(own) != _reading(dialect):
        file["dialect"] = own
    return file


def _reading(dialect: Dialect) -> list[Any]:
    values: dict[str, Any] = {**dialect}
    return [values[key] for key in READING]


def _folder_columns(members: Sequence[_Member]) -> list[Column]:
    """The columns that folders name; all files must lie in folders of the same names."""
    first = members[0]
    names = list(first.file.get("partition", {}))
    for member in members[1:]:
        if list(member.file.get("partition", {})) != names:
            there = "/".join(f"{name}=..." for name in member.file.get("partition", {})) or "none"
            ours = "/".join(f"{name}=..." for name in names) or "none"
            raise _mismatch(
                f"The folders of {first.name} and {member.name} name different columns: {ours} and {there}."
            )
    return [_folder_column(name, [member.file["partition"][name] for member in members]) for name in names]


def _folder_column(name: str, values: Sequence[str | None]) -> Column:
    known = dict.fromkeys(value for value in values if value is not None)
    type, why = "Utf8", ""
    if known and all(re.fullmatch(r"0|-?[1-9]\d{0,17}", value) for value in known):
        type = "Int64"
    elif known and all(
        re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", value) for value in known
    ):
        type = "Date32"
    elif zeros := [value for value in known if re.fullmatch(r"0\d+", value)]:
        why = f"; {zeros[0]!r} has a leading zero, so it stays text"
    example = next(iter(known), HIVE_NULL)
    evidence = f"from folders such as {name}={example}, {len(known)} values{why}"
    return {"name": name, "type": type, "nullable": True, "evidence": evidence}


def _mismatch(message: str, hint: str = "Read the files as tables of their own.") -> SourceError:
    return SourceError("SCHEMA_MISMATCH", message, hint)

"""Pieces of SQL from values: names, texts, types, and expressions of others that must stay where they are put."""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from karyaksham_engine.errors import InvalidJob

_TYPES: Final = {
    "Int8": "TINYINT",
    "Int16": "SMALLINT",
    "Int32": "INT",
    "Int64": "BIGINT",
    "UInt8": "TINYINT UNSIGNED",
    "UInt16": "SMALLINT UNSIGNED",
    "UInt32": "INT UNSIGNED",
    "UInt64": "BIGINT UNSIGNED",
    "Float32": "REAL",
    "Float64": "DOUBLE",
    "Utf8": "VARCHAR",
    "Boolean": "BOOLEAN",
    "Date32": "DATE",
    "Timestamp(s)": "TIMESTAMP(0)",
    "Timestamp(ms)": "TIMESTAMP(3)",
    "Timestamp(us)": "TIMESTAMP(6)",
    "Timestamp(ns)": "TIMESTAMP(9)",
}
"""The types of columns, as they are shown, in SQL."""
_DECIMAL: Final = re.compile(r"Decimal128\((\d{1,2}), ?(\d{1,2})\)")
_PIECE: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--|/\*|.", re.DOTALL)


def quoted(name: str) -> str:
    """An identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sql_type(type: str) -> str:
    """Raises InvalidJob for what is no type that a value can be made to."""
    if match := _DECIMAL.fullmatch(type):
        precision, scale = int(match[1]), int(match[2])
        if 1 <= precision <= 38 and scale <= precision:
            return f"DECIMAL({precision}, {scale})"
    if type in _TYPES:
        return _TYPES[type]
    raise InvalidJob(
        "UNKNOWN_TYPE",
        f"Values can't be made {type!r}.",
        "Types are " + ", ".join(_TYPES) + " and Decimal128(18, 2).",
    )


def literal(text: str, type: str) -> str:
    """`text` as a value of a type. Raises InvalidJob where it is none."""
    if type == "Utf8":
        return text_literal(text)
    sql = sql_type(type)
    if not _is_value(text.strip(), type):
        raise InvalidJob("STEP_INVALID", f"{text!r} is no value of type {type}.")
    return f"CAST({text_literal(text.strip())} AS {sql})"


def _is_value(text: str, type: str) -> bool:
    try:
        if type == "Boolean":
            return text in ("true", "false")
        if type == "Date32":
            return bool(date.fromisoformat(text))
        if type.startswith("Timestamp"):
            return bool(datetime.fromisoformat(text))
        number = Decimal(text)
        if type.startswith("Float"):
            return True
        match = _DECIMAL.fullmatch(type)
        exponent = number.as_tuple().exponent
        return isinstance(exponent, int) and -exponent <= (int(match[2]) if match else 0)
    except (ValueError, InvalidOperation):
        return False


def check_expression(text: str) -> str:
    """An expression that can't reach beyond its place. Raises InvalidJob: open quotes or parentheses, comments, `;`."""
    depth = 0
    for match in _PIECE.finditer(text):
        piece = match[0]
        depth += (piece == "(") - (piece == ")")
        if piece in ("--", "/*", ";") or depth < 0 or piece in ("'", '"'):
            shown = {"'": "a quote that is not closed", '"': "a quote that is not closed"}.get(
                piece, repr(piece)
            )
            raise InvalidJob("STEP_INVALID", f"The expression {text!r} has {shown} in it.")
    if depth or not text.strip():
        problem = "has a parenthesis that is not closed" if depth else "is empty"
        raise InvalidJob("STEP_INVALID", f"The expression {text!r} {problem}.")
    return text.strip()

"""One type for the values of two, where there is one that holds all of them. Pure."""

import re
from typing import Final

_INTEGER: Final = re.compile(r"(U?)Int(8|16|32|64)")
_DECIMAL: Final = re.compile(r"Decimal128\((\d+), ?(\d+)\)")
_TIMESTAMP: Final = re.compile(r"Timestamp\((s|ms|us|ns)(, .+)?\)")
_UNITS: Final = ("s", "ms", "us", "ns")
_FLOATS: Final = ("Float16", "Float32", "Float64")
_DATES: Final = ("Date32", "Date64")
_PRECISION_MAX: Final = 38
_SCALAR: Final = re.compile(
    r"U?Int\d+|Float\d+|Boolean|Date\d+|Timestamp\(.*|Time\d+\(.*|Decimal\d+\(.*|Utf8|Null"
)


def unified(one: str, other: str, *, is_text: bool) -> str | None:
    """The type for columns of the types `one` and `other`; None where there is none.

    `is_text`: the values are read from text, so that text is always a way to read them.
    """
    if one == other:
        return one
    if "Null" in (one, other):
        return other if one == "Null" else one
    if "Utf8" in (one, other):
        return "Utf8" if _SCALAR.fullmatch(one) and _SCALAR.fullmatch(other) else None
    wider = _numbers(one, other, is_text=is_text) or (None if is_text else _times(one, other))
    if wider is None and is_text and _SCALAR.fullmatch(one) and _SCALAR.fullmatch(other):
        return "Utf8"
    return wider


def _numbers(one: str, other: str, *, is_text: bool) -> str | None:
    pair = (one, other)
    if not all(_INTEGER.fullmatch(type) or _DECIMAL.fullmatch(type) or type in _FLOATS for type in pair):
        return None
    if any(type in _FLOATS for type in pair):
        return max(pair, key=_FLOATS.index) if all(type in _FLOATS for type in pair) else "Float64"
    integers = [_INTEGER.fullmatch(type) for type in pair]
    if integers[0] and integers[1]:
        return _integers([(match[1] == "U", int(match[2])) for match in integers if match])
    digits = [_digits(type) for type in pair]
    scale = max(scale for _, scale in digits)
    precision = max(whole for whole, _ in digits) + scale
    if is_text and precision <= _PRECISION_MAX:
        precision = 18 if precision <= 18 else _PRECISION_MAX
    return f"Decimal128({precision}, {scale})" if precision <= _PRECISION_MAX else "Float64"


def _integers(pair: list[tuple[bool, int]]) -> str:
    (one_unsigned, one_bits), (other_unsigned, other_bits) = pair
    if one_unsigned == other_unsigned:
        return f"{'U' * one_unsigned}Int{max(one_bits, other_bits)}"
    unsigned, signed = (one_bits, other_bits) if one_unsigned else (other_bits, one_bits)
    bits = max(signed, 2 * unsigned)
    return f"Int{bits}" if bits <= 64 else "Decimal128(20, 0)"


def _digits(type: str) -> tuple[int, int]:
    """Digits before and behind the point that a type has room for."""
    if match := _DECIMAL.fullmatch(type):
        return int(match[1]) - int(match[2]), int(match[2])
    return {"8": 3, "16": 5, "32": 10, "64": 20 if type.startswith("U") else 19}[type.lstrip("UInt")], 0


def _times(one: str, other: str) -> str | None:
    pair = (one, other)
    if all(type in _DATES for type in pair):
        return "Date64"
    matches = [_TIMESTAMP.fullmatch(type) for type in pair]
    zones = {match[2] for match in matches if match}
    if len(zones) != 1 or not all(match or type in _DATES for match, type in zip(matches, pair, strict=True)):
        return None
    unit = max((match[1] for match in matches if match), key=_UNITS.index)
    return f"Timestamp({unit}{zones.pop() or ''})"

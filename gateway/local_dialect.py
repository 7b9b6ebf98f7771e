"""What the command line says of how files are to be read: `--dialect delimiter="||" --dialect quote=none`."""

from collections.abc import Sequence
from typing import Any, Final, cast, get_args

from karyaksham_engine.errors import InvalidJob
from karyaksham_engine.types import DialectOverrides, LineEnding

CHARACTERS: Final = ("delimiter", "quote", "escape", "comment")
SWITCHES: Final = ("merge_delimiters", "trailing_delimiter", "skip_initial_space", "has_header")
NAMES: Final = (*CHARACTERS, *SWITCHES, "skip_rows", "line_ending", "encoding", "compression")
NONE: Final = "none"
"""There is no such character, or no compression."""
WORDS: Final = {"tab": "\t", "space": " ", "\\t": "\t"}
YES_NO: Final = {"yes": True, "true": True, "no": False, "false": False}


def overrides(choices: Sequence[tuple[str, str]]) -> DialectOverrides:
    """Of NAME=VALUE pairs; the last of a name holds. Raises InvalidJob INVALID_DIALECT."""
    found: dict[str, Any] = {}
    for name, value in choices:
        name = name.replace("-", "_")
        if name not in NAMES:
            raise _invalid(f"A dialect has no {name!r}.", f"Its names are {', '.join(NAMES)}.")
        found[name] = _value(name, value)
    return cast(DialectOverrides, found)


def _value(name: str, text: str) -> object:
    if name in SWITCHES:
        if text.lower() not in YES_NO:
            raise _invalid(f"{name} is yes or no, not {text!r}.", f"Such as --dialect {name}=yes.")
        return YES_NO[text.lower()]
    if name == "skip_rows":
        if not text.isdecimal():
            raise _invalid(f"skip_rows is a number of lines, not {text!r}.", "Such as --dialect skip_rows=3.")
        return int(text)
    if name == "line_ending" and text not in get_args(LineEnding):
        raise _invalid(f"There is no line ending {text!r}.", f"Give {', '.join(get_args(LineEnding))}.")
    if name in ("delimiter", "line_ending", "encoding"):
        return WORDS.get(text, text)
    return None if text == NONE else WORDS.get(text, text)


def _invalid(message: str, hint: str) -> InvalidJob:
    return InvalidJob("INVALID_DIALECT", message, hint)

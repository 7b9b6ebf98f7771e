"""`dataclass` without its price. The one of the standard library compiles up to six methods for each class, half a
millisecond together, and a run needs dozens of classes: as long as scanning half a gigabyte. Here all classes share
their methods. What they are to others is the same: `fields`, `replace`, `asdict`, `match`, pickle, types.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    Made = TypeVar("Made")

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type[Made]], type[Made]]:
        """As the one of the standard library, for plain fields with or without defaults."""

        def make(cls: type[Made]) -> type[Made]:
            cls.__doc__ = cls.__doc__ or cls.__name__  # Else it is made of the signature, slowly.
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            made.__init__, made.__repr__, made.__eq__ = _init, _repr, _eq
            made.__hash__ = None
            if frozen:
                made.__hash__, made.__setattr__, made.__delattr__ = _hash, _refuse, _refuse
                made.__getstate__, made.__setstate__ = _values, _restore
            return made

        return make


def _init(self: Any, *args: Any, **given: Any) -> None:
    names = self.__match_args__
    if len(args) > len(names):
        raise TypeError(f"{type(self).__name__} takes {len(names)} values, not {len(args)}")
    for name, value in zip(names, args, strict=False):
        if name in given:
            raise TypeError(f"{type(self).__name__} got two values for {name!r}")
        given[name] = value
    for name, field in self.__dataclass_fields__.items():
        if name in given:
            value = given.pop(name)
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            raise TypeError(f"{type(self).__name__} needs a value for {name!r}")
        object.__setattr__(self, name, value)
    if given:
        raise TypeError(f"{type(self).__name__} has no {', '.join(given)}")


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__match_args__)


def _restore(self: Any, values: tuple[Any, ...]) -> None:
    for name, value in zip(self.__match_args__, values, strict=True):
        object.__setattr__(self, name, value)


def _repr(self: Any) -> str:
    values = (f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__name__}({', '.join(values)})"


def _eq(self: Any, other: object) -> bool:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"{type(self).__name__}.{name} can't be changed")

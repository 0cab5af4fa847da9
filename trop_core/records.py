"""Frozen values with described fields: what an operation is asked, and what it answers.

To a type checker each is a frozen dataclass. They are none, because ``dataclasses`` imports ``inspect`` and what that
needs in turn, which took a quarter of the time of a whole ``trop reserve``.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - JSON Schemas are made from the annotations of records

from trop_core.light_types import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, dataclass_transform

if TYPE_CHECKING:
    from trop_core.light_types import Self


class Declared:
    """A field as it is declared: its default, if it has one, and what is said of it."""

    __slots__ = ("default", "description")

    def __init__(self, default: object, description: Any) -> None:
        self.default = default
        self.description = description

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is REQUIRED


REQUIRED: Final = object()
"""Stands for the default of a field that has none."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """The base of records. A field is an annotated name with a ``Declared``; subclasses have their bases' fields, too.

    What a subclass has to check, it checks in ``__post_init__``. ``copy.replace`` and the like do not know records:
    ``_replace`` gives one with other values, as that of a named tuple does.
    """

    declared: ClassVar[Mapping[str, Declared]] = {}
    """The fields by their names, those of the bases first."""
    required: ClassVar[tuple[str, ...]] = ()
    """The names of those without a default."""

    def __init_subclass__(cls) -> None:
        own = {name: field for name, field in cls.__dict__.items() if isinstance(field, Declared)}
        cls.declared = {**cls.declared, **own}
        cls.required = tuple(name for name, field in cls.declared.items() if field.required)
        for name, field in own.items():
            if field.required:
                delattr(cls, name)
            else:
                # What an instance was not given is read from its class.
                setattr(cls, name, field.default)

    def __init__(self, **values: Any) -> None:
        declared = self.declared
        for name in values:
            if name not in declared:
                raise TypeError(f"{type(self).__name__} has no field {name}")
        for name in self.required:
            if name not in values:
                raise TypeError(f"{type(self).__name__} needs {name}")
        self.__dict__.update(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the values: nothing by default."""

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} stays as it is")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} stays")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in zip(self.declared, self._values(), strict=True))
        return f"{type(self).__name__}({values})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.declared)

    def _replace(self, **changes: Any) -> Self:
        """The same with other values. Checked anew."""
        return type(self)(**{**self.__dict__, **changes})

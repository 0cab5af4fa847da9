"""The names of ``typing`` and ``enum`` that this program uses, for a small part of what those take to load.

A type checker sees those themselves. At run time each name does what little is asked of it there. A ``NamedTuple`` is
the same tuple with names, made in a tenth of the time: there are dozens on the way of a single ``trop reserve``.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from enum import Enum
    from typing import (
        Any,
        ClassVar,
        Final,
        Generic,
        Literal,
        NamedTuple,
        NoReturn,
        Protocol,
        Self,
        TypeAlias,
        TypeVar,
        cast,
        dataclass_transform,
        get_args,
    )

    class Words:
        """At run time, what ``Literal`` gives."""

        __args__: tuple[str, ...]

else:
    from _collections import _tuplegetter

    class _Name:
        """A name that stands in annotations alone."""

        def __init__(self, name):
            self._name = name

        def __repr__(self):
            return self._name

        def __getitem__(self, parameters):
            return parameters

    Any = _Name("Any")
    ClassVar = _Name("ClassVar")
    Final = _Name("Final")
    NoReturn = _Name("NoReturn")
    Self = _Name("Self")
    TypeAlias = _Name("TypeAlias")

    class Words:
        """Some words, as ``Literal`` names them. JSON Schemas are made from them."""

        def __init__(self, words):
            self.__args__ = words if isinstance(words, tuple) else (words,)

        def __or__(self, other):
            from typing import Literal

            return Literal[self.__args__] | other

    class _Literal:
        def __getitem__(self, words):
            return Words(words)

    Literal = _Literal()

    def get_args(words):
        """The words of a ``Literal``."""
        return words.__args__

    class Protocol:
        """What others have to look like: nothing is inherited."""

        __slots__ = ()

    class Generic:
        """The base of a class that has parameters: none are kept."""

        __slots__ = ()

        def __class_getitem__(cls, parameters):
            """Return the class itself."""
            return cls

    def TypeVar(name, *constraints, bound=None):  # noqa: N802 - the name in typing
        """A parameter."""
        return _Name(name)

    def cast(kind, value):
        """The value itself."""
        return value

    def dataclass_transform(**options):
        """What decorates nothing."""
        return lambda decorated: decorated

    class _MakerOfEnums(type):
        """Makes a class whose members are the values that it is declared with."""

        def __new__(cls, name, bases, namespace):
            made = super().__new__(cls, name, bases, namespace)
            made._members = {}
            for key, value in namespace.items():
                if key[0] != "_" and not hasattr(value, "__get__"):
                    member = made._members[value] = object.__new__(made)
                    member.name, member.value = key, value
                    setattr(made, key, member)
            return made

        def __iter__(cls):
            return iter(cls._members.values())

        def __call__(cls, value):
            """Return the member of a value."""
            if value not in cls._members:
                raise ValueError(f"{value!r} is not a valid {cls.__qualname__}")
            return cls._members[value]

    class Enum(metaclass=_MakerOfEnums):
        """The base of a few values that have names, each of which there is once."""

        def __repr__(self):
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __str__(self):
            return f"{type(self).__name__}.{self.name}"

        def __reduce__(self):
            return type(self), (self.value,)

    _new = tuple.__new__

    _PATTERNS = (
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
    )
    """What constructors are copies of, by the number of fields: to compile one takes ten times as long."""

    def _constructor(kind, fields, defaults):
        """``__new__``: it takes arguments by position and by name in the interpreter's own way."""
        if len(fields) < len(_PATTERNS):
            pattern = _PATTERNS[len(fields)].__code__
            new = type(_constructor)(pattern.replace(co_varnames=("_cls", *fields)), globals())
        else:
            names = ", ".join(fields)
            code = f"lambda _cls, {names}: _new(_cls, ({names}))"
            new = eval(code, {"_new": _new, "__builtins__": {}})  # noqa: S307 - names of our own fields
        new.__defaults__ = defaults
        new.__name__, new.__qualname__ = "__new__", f"{kind}.__new__"
        return new

    def _repr(self):
        values = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({values})"

    def _getnewargs(self):
        """What a copy is made from."""
        return tuple(self)

    def _replace(self, /, **changes):
        """The same with other values."""
        values, places = list(self), self._places
        for name, value in changes.items():
            if name not in places:
                raise ValueError(f"Got unexpected field names: {[name for name in changes if name not in places]!r}")
            values[places[name]] = value
        return tuple.__new__(type(self), values)

    def _asdict(self):
        """The values by their names."""
        return dict(zip(self._fields, self, strict=True))

    def _make(cls, values):
        """One of values in their order."""
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    class _Maker(type):
        """Makes a plain class of tuples from one that is declared with names."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            namespace.update({field: _tuplegetter(place, None) for place, field in enumerate(fields)})

            def construct(this, /, *values, **named):
                # Most of those that are imported are never made: the first one that is has this replaced.
                made.__new__ = staticmethod(_constructor(name, fields, tuple(defaults.values())))
                return made.__new__(this, *values, **named)

            namespace |= {
                "__slots__": (),
                "__new__": construct,
                "__repr__": _repr,
                "__getnewargs__": _getnewargs,
                "__match_args__": fields,
                "_fields": fields,
                "_places": {field: place for place, field in enumerate(fields)},
                "_field_defaults": defaults,
                "_replace": _replace,
                "_asdict": _asdict,
                "_make": classmethod(_make),
            }
            made = type.__new__(type, name, (tuple,), namespace)
            return made

    class NamedTuple(metaclass=_Maker):
        """The base of tuples whose places have names."""


__all__ = [
    "TYPE_CHECKING",
    "Any",
    "ClassVar",
    "Enum",
    "Final",
    "Generic",
    "Literal",
    "NamedTuple",
    "NoReturn",
    "Protocol",
    "Self",
    "TypeAlias",
    "TypeVar",
    "Words",
    "cast",
    "dataclass_transform",
    "get_args",
]

"""The environment of a program that is started: what is given to it, and what has to give way."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT = "PORT"
"""The variable of the port that needs no tag. One that is inherited is another program's."""


class ChildEnvironment(NamedTuple):
    """The variables, and the names of those that had another value where they came from.

    ``given`` are those that the caller's environment does not have already: from files, and trop's own. ``outdone`` are
    those of files that the caller's environment has with another value, ``replaced`` those for which trop's own stands
    now, and ``removed`` what was taken out.
    """

    variables: dict[str, str]
    given: dict[str, str]
    outdone: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What the caller should know: names alone, for values may be secrets."""
        told = []
        if self.outdone:
            told.append(f"{_listed(self.outdone)}: the value of the environment counts, and not that of a file")
        if self.replaced:
            told.append(f"{_listed(self.replaced)}: had another value, which is replaced")
        if self.removed:
            told.append(f"{_listed(self.removed)}: is taken out, for no service is foremost here")
        return tuple(told)


def compose(files: Mapping[str, str], caller: Mapping[str, str], own: Mapping[str, str]) -> ChildEnvironment:
    """The variables of all three, the later before the earlier. Pure.

    Without a ``PORT`` of trop's own there is none: an inherited one is no port of this directory.
    """
    outdone = tuple(name for name, value in files.items() if caller.get(name, value) != value)
    inherited = {**files, **caller}
    replaced = tuple(name for name, value in own.items() if inherited.get(name, value) != value)
    removed = (PORT,) if PORT in inherited and PORT not in own else ()
    variables = {name: value for name, value in {**inherited, **own}.items() if name not in removed}
    given = {name: value for name, value in {**files, **own}.items() if name in own or name not in caller}
    return ChildEnvironment(
        variables, {name: value for name, value in given.items() if name not in removed}, outdone, replaced, removed
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)

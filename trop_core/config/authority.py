"""Whose word counts: what a project's file may say about more than its own directory.

Such a file may be a stranger's. It speaks for its directory; when other directories lose their reservations, and what
the user's processes may do, is the user's word.
"""

from __future__ import annotations

from trop_core.config.schema import KEYS, RANGE
from trop_core.config.settings import DEFAULT_ORIGIN
from trop_core.config.variables import covers
from trop_core.light_types import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trop_core.config.layer import Given, Layer, Place
    from trop_core.ports.made_variables import MadeVariable

NO_KEY_OF_A_PROJECT = "this key belongs in config.yaml: it is the user's to set, not a project's"

_SHAPING = (*RANGE, "ports.avoid", "excluded_ports")


class PassedOver(NamedTuple):
    """What a project's file says and may not decide, and why; ``misplaced`` if it may say nothing of the kind."""

    key: str
    place: Place
    reason: str
    misplaced: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.key} has no effect: {self.reason}"


def heeded(user: Layer, project: Layer) -> tuple[Layer, tuple[PassedOver, ...]]:
    """What of a project's layer counts beside the user's weaker ones, and what is passed over, in the layer's order.

    Both are expanded. The user's stronger layers go before whatever counts, as ever.
    """
    layer: Layer = {}
    passed_over: list[PassedOver] = []
    for name, given in project.items():
        key = KEYS[name]
        reason = None
        if key.user_only:
            reason = "it is the user's to set, in config.yaml"
        elif key.may_raise or key.may_switch_on:
            reason = _objection(name, given, user.get(name))
        if reason is None:
            layer[name] = given
        else:
            passed_over.append(PassedOver(name, given.place, reason, key.user_only))
    return layer, tuple(passed_over)


def unprinted(made: Iterable[MadeVariable], allowed: Iterable[str], origin: str) -> tuple[str, ...]:
    """What to tell of the variables made from ports that the user has not allowed: no shell gets them."""
    allowed = tuple(allowed)
    return tuple(
        f"{origin}: the variable {variable.name} is not printed, since it can steer your other programs; "
        "trop run and trop env give it, and allowed_variables in config.yaml can allow it"
        for variable in made
        if not covers(allowed, variable.name)
    )


def misplaced(project: Layer) -> tuple[tuple[str, Place], ...]:
    """The keys of a project's layer that are none of a project's, and where they stand."""
    return tuple((name, given.place) for name, given in project.items() if KEYS[name].user_only)


def shaped_by(merged: Layer, user: Layer) -> tuple[str, ...]:
    """The values by which a project's file decides which ports there are, each with its place; none if it does not.

    ``user`` is what all of the user's layers come to: what a file says as they do, it has not decided.
    """
    found = []
    for name in _SHAPING:
        given, own = merged.get(name), user.get(name)
        if given is None or given.speaker == "user":
            continue
        if given.value != (KEYS[name].default_here if own is None else own.value):
            found.append(f"{name} ({given.origin})")
    return tuple(found)


def _objection(name: str, given: Given, own: Given | None) -> str | None:
    key = KEYS[name]
    users = cast(int, key.default_here if own is None else own.value)
    if cast(int, given.value) >= users:
        return None
    verb = "raise it" if key.may_raise else "switch it on"
    said = str(users).lower()
    return f"a project's file can only {verb}, and it is {said} ({DEFAULT_ORIGIN if own is None else own.origin})"

"""What a client wants of a session: its ``initializationOptions``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.spelling import wire_name
from trop_core.paths import check_storable, from_uri

ReserveOnOpen = Literal["never", "git", "always"]
_RESERVE_ON_OPEN = list(get_args(ReserveOnOpen))


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one session. What a client does not name is as it is here.

    ``data_dir`` is the directory of the store, or None for the usual one. ``announcements`` are what happened without
    a command, a sentence each. ``reserve_on_open`` tells for which folders a port is reserved when they open.
    ``opened_before`` are URIs of folders that were open already when an earlier server of the window ended: they do not
    open once more. ``saves_first`` says that the client saves a document before it carries out what is offered of its
    services.
    """

    data_dir: str | None = None
    notifications: bool = False
    announcements: bool = False
    migrate_on_rename: bool = True
    saves_first: bool = False
    reserve_on_open: ReserveOnOpen = "never"
    opened_before: tuple[str, ...] = ()


def read_options(given: Any) -> Options:
    """The options that a client gives. Null counts as absent; what is no object, or unknown, says nothing.

    Raises ``InvalidArgument`` for a value of the wrong type, ``InvalidPath`` for a ``dataDir`` that cannot be a path.
    """
    if not isinstance(given, dict):
        return Options()
    data_dir = given.get("dataDir")
    if data_dir is not None:
        if not isinstance(data_dir, str):
            raise InvalidArgument("data_dir", expected="a path", given=data_dir, alone=True)
        data_dir = check_storable(from_uri(data_dir))
    named: dict[str, Any] = {"data_dir": data_dir}
    for field in ("notifications", "announcements", "migrate_on_rename", "saves_first"):
        value = given.get(wire_name(field))
        if value is not None:
            if not isinstance(value, bool):
                raise InvalidArgument(field, expected="true or false", given=value, alone=True)
            named[field] = value
    value = given.get("reserveOnOpen")
    if value is not None:
        # A list is asked, and not a set: what a client gives may be nothing that can be hashed.
        if value not in _RESERVE_ON_OPEN:
            expected = f"one of {', '.join(_RESERVE_ON_OPEN)}"
            raise InvalidArgument("reserve_on_open", expected=expected, given=value, alone=True)
        named["reserve_on_open"] = value
    return Options(**named, opened_before=_opened_before(given.get("openedBefore")))


def _opened_before(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not (isinstance(given, list) and all(isinstance(uri, str) for uri in given)):
        raise InvalidArgument("opened_before", expected="a list of URIs", given=given, alone=True)
    return tuple(given)

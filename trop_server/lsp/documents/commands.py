"""The commands that documents offer: those of the catalogue, and one that an editor carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trop_core.errors.arguments import InvalidArgument, UnknownArgument
from trop_core.errors.spelling import escaped
from trop_core.models import is_port
from trop_core.operations.starting.url import url_of

if TYPE_CHECKING:
    from trop_core.models import Reservation
    from trop_core.operations.documents.situation import Situation

OPEN = "trop.openPort"
"""Shows a port's address, for clients that can show one. No command of the catalogue: it does nothing to a store."""


def reserve_group(title: str, config: str, **fields: Any) -> dict[str, Any]:
    """Reserving the services of a file, as it is saved when that is carried out."""
    return _command(title, "trop.reserveGroup", {"config": config, **fields})


def title_of_reserving(situation: Situation, title: str, *, saves_first: bool) -> str | None:
    """How reserving the group is offered: by its title; None where it would be refused, as the file is read then.

    That is as it was saved, if it ever was, unless the client saves it first.
    """
    unsaved = "Save and reserve the services", "Reserve the services, as the file was saved"
    return _title(situation, title, *unsaved, saves_first=saves_first)


def title_of_laying_out(situation: Situation, *, saves_first: bool) -> str | None:
    """The same of laying the group out anew."""
    unsaved = "Save and lay the group out anew", "Lay the group out anew, as the file was saved"
    return _title(situation, "Lay the group out anew, as the file has it", *unsaved, saves_first=saves_first)


def _title(situation: Situation, as_it_is: str, saving: str, as_saved: str, *, saves_first: bool) -> str | None:
    read = situation.document if saves_first else situation.saved
    if not situation.can_reserve or situation.is_refused or read is None or read.group is None or not read.is_usable:
        return None
    if situation.is_saved:
        return as_it_is
    return saving if saves_first else as_saved


def release(title: str, row: Reservation) -> dict[str, Any]:
    """Releasing one reservation."""
    return _command(title, "trop.release", {"path": row.path, "tag": row.tag})


def open_port(port: int) -> dict[str, Any]:
    """Showing the address of a port."""
    return _command(f"Open {url_of(port)}", OPEN, {"port": port})


def address_of(argument: dict[str, Any]) -> str:
    """The address that ``OPEN`` is to show. Raises ``InvalidArgument``."""
    unknown = next((name for name in argument if name != "port"), None)
    if unknown is not None:
        raise UnknownArgument(unknown, known=("port",))
    port = argument.get("port")
    if not is_port(port) or not isinstance(port, int):
        raise InvalidArgument("port", expected="a port from 1 to 65535", given=port, alone=True)
    return url_of(port)


def _command(title: str, command: str, argument: dict[str, Any]) -> dict[str, Any]:
    return {"title": escaped(title), "command": command, "arguments": [argument]}

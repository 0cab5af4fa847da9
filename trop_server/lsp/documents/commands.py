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
    """How reserving the group is offered: by its title; None where the file would be refused as it is read then.

    That is as it was saved, unless the client saves it first.
    """
    read = situation.document if saves_first else situation.saved or situation.document
    if not situation.can_reserve or not read.is_usable:
        return None
    if situation.saved is None:
        return title
    return "Save and reserve the services" if saves_first else "Reserve the services, as the file was saved"


def title_of_laying_out(situation: Situation, *, saves_first: bool) -> str:
    """The same of laying the group out anew."""
    if situation.saved is None:
        return "Lay the group out anew, as the file has it"
    return "Save and lay the group out anew" if saves_first else "Lay the group out anew, as the file was saved"


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

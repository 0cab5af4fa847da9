"""Operations that the server runs by itself, because of what happens in the editor: no request waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from trop_core.catalogue import Operation
    from trop_server.transport.lanes import Ticket

    T = TypeVar("T")


class Errands(Protocol):
    """How an errand gets at the world: everything in here raises ``Cancelled`` once its ticket is taken back."""

    async def look(self, ticket: Ticket, function: Callable[[], T], *, place: str) -> T:
        """Call what asks the file system about a place, and holds up no other; returns or raises what that does."""

    async def perform(self, ticket: Ticket, operation: Operation, request: Any, *, folder: str | None = None) -> Any:
        """An operation's result; raises what it raises. The call comes from a folder, or from the open ones.

        Nobody asked for it: no reservation is dropped to make room for what it reserves.
        """

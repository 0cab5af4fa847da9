"""What a person gets to read: questions and messages in the editor's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from trop_core.errors.spelling import escaped, wire_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from trop_core.errors.base import TropError
    from trop_core.models import Reservation
    from trop_server.transport.lanes import Ticket

_MOST_NAMED = 5
_WORD_JOINER = "\u2060"


class Window:
    """Asks through ``window/showMessageRequest``, tells through ``window/showMessage``, and mentions what went well."""

    def __init__(
        self,
        ask: Callable[[types.ShowMessageRequestParams], Coroutine[None, None, str | None]],
        show: Callable[[types.ShowMessageParams], None],
        announce: Callable[[str, str], None],
    ) -> None:
        self._ask = ask
        self._show = show
        self._announce = announce

    async def agrees(self, ticket: Ticket, question: str, *, yes: str, no: str, is_warning: bool = False) -> bool:
        """Whether the person chooses ``yes``: no answer is none. Waits for as long as that takes.

        Raises ``Cancelled`` if the session ends before.
        """
        kind = types.MessageType.Warning if is_warning else types.MessageType.Info
        actions = [types.MessageActionItem(title=title) for title in (yes, no)]
        params = types.ShowMessageRequestParams(type=kind, message=as_text(question), actions=actions)
        return await ticket.while_harmless(self._ask(params)) == yes

    def mention(self, folder: str, what: str) -> None:
        """Say what has happened to a folder's reservations without anybody's command, to clients that want to know."""
        self._announce(folder, as_text(what))

    def tell_failure(self, what: str, error: TropError) -> None:
        """Say what was not done, why, and what to do about it."""
        message = as_text(f"{what}: {worded(error)}")
        self._show(types.ShowMessageParams(type=types.MessageType.Error, message=message))


def as_text(message: str) -> str:
    """A message that quotes paths and files, so that an editor shows it as the one line of text that it is.

    VS Code makes links of ``[text](href)`` in its notifications, and one may run a command of the editor. With a
    character of no width in between, the eye sees the same and nobody sees a link.
    """
    return escaped(message).replace("](", f"]{_WORD_JOINER}(")


def worded(error: TropError) -> str:
    """An error's message and hint as running text, and what should be known besides."""
    besides = "".join(f" {warning[:1].upper()}{warning[1:]}." for warning in error.warnings)
    return f"{' '.join(error.lines(wire_name))}. {error.hint(wire_name)}{besides}"


def ports_of(reservations: Sequence[Reservation], count: int) -> str:
    """The ports of reservations, of which only the first may be at hand: ``port 5000``, ``ports 5000, 5001``."""
    shown = [str(reservation.port) for reservation in reservations]
    return f"{'port' if count == 1 else 'ports'} {enumerated(shown, count)}"


def enumerated(entries: Iterable[str], count: int) -> str:
    """The first few of ``count`` entries, and how many more there are."""
    shown = list(entries)[:_MOST_NAMED]
    return ", ".join(shown) + (f" and {count - len(shown)} more" if count > len(shown) else "")

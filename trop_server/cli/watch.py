"""``trop list --watch``: the table, drawn anew in a terminal whenever the store has changed."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing

from trop_core.database.file_set import DATABASE_NAME
from trop_core.database.watch import StoreWatch
from trop_core.errors.arguments import UnusableOption
from trop_core.errors.base import TropError
from trop_core.light_types import TYPE_CHECKING, NoReturn
from trop_server.cli.printing import is_terminal
from trop_server.cli.reservation_table import perform, table
from trop_server.cli.terminal import Look, Span

if TYPE_CHECKING:
    from trop_server.cli.session import Session

_SECONDS_BETWEEN_LOOKS = 0.5
_LOOKS_PER_LOOK_AT_PORTS = 4
"""Of who listens nothing tells that it has changed: with ``--include-occupancy`` it is asked every two seconds."""

_CLEAR = b"\x1b[2H\x1b[J\x1b[H\x1b[K"
"""Clears what is below the first line, then that: a screen that is cleared at once is kept by some terminals among what
one can scroll back to, each time. To clear behind a line that is as wide as the terminal takes its last character."""

_TERMINATED = 128 + signal.SIGTERM


class _Ended(BaseException):
    """Somebody asked for the end: between two statements as well, and no error on the way may hide it."""


def watch(session: Session) -> str:
    """Show the table until Ctrl-C (exit code 0) or SIGTERM (143) ends it. Reads, and changes nothing.

    What is wrong with the store at first is an error; later it stands below the last table, until that is mended.
    Raises ``UnusableOption`` where no person reads, and beside a format for programs.
    """
    if not is_terminal():
        raise UnusableOption("watch", "it draws in a terminal, and the output is none")
    if session.options.format not in (None, "table"):
        raise UnusableOption("watch", f"it shows a table, not {session.options.format}")
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        with closing(StoreWatch()) as store:
            _follow(session, store)
    except KeyboardInterrupt:
        session.done = True
    except _Ended:
        session.exit_code = _TERMINATED
    finally:
        signal.signal(signal.SIGTERM, previous)
    return ""


def _end(_number: int, _frame: object) -> NoReturn:
    raise _Ended


def _follow(session: Session, store: StoreWatch) -> NoReturn:
    import threading

    never = threading.Event()
    path = os.path.join(session.data_directory, DATABASE_NAME)
    look = Look.of(os.environ, to_terminal=True)
    # First, so that nothing is missed between the table and the next look.
    store.look(path)
    quiet, session.quiet = session.quiet, True
    drawn = lines = _drawing(session, look, quiet=quiet)
    _make_room(look)
    _draw(look, lines)
    looks = 0
    while True:
        never.wait(_SECONDS_BETWEEN_LOOKS)
        looks += 1
        is_asked = session.options.field_include_occupancy and looks % _LOOKS_PER_LOOK_AT_PORTS == 0
        if not (store.look(path) or is_asked):
            continue
        try:
            lines = _drawing(session, look, quiet=quiet)
        except TropError as error:
            told = [f"error: {error.message()}", f"hint: {error.hint()}"]
            lines = drawn + look.paint([(Span(line, "bad"),) for line in told])
        else:
            drawn = lines
        _draw(look, lines)


def _drawing(session: Session, look: Look, *, quiet: bool) -> bytes:
    """The table, and below it what would have gone to stderr, which is the same terminal."""
    result = perform(session)
    warnings = () if quiet else result.warnings
    told = [(Span(f"warning: {warning}", "careful"),) for warning in warnings]
    return look.paint([*table(session, result.reservations, look), *told])


def _draw(look: Look, lines: bytes) -> None:
    """One write, so that nobody sees half of it."""
    sys.stdout.buffer.write((_CLEAR if look.moves else b"") + lines)
    sys.stdout.flush()


def _make_room(look: Look) -> None:
    """Let what is on the screen scroll out of it, where it can be looked at later."""
    if look.moves:
        sys.stdout.buffer.write(b"\n" * (os.get_terminal_size(sys.stdout.fileno()).lines - 1))

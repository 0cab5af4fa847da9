"""The command ``trop-server``."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from trop_core import __version__
from trop_core.errors.system import TooManyOpenFiles
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.cli.parser import Parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import FrameType

    from trop_server.lsp.server import TropServer
    from trop_server.mcp.server import McpServer

_DESCRIPTION = """\
Gives every directory a port of its own, to editors and agents: a language server that speaks JSON-RPC over standard
input and output, or with --mcp a server of the Model Context Protocol. An editor or an agent starts it; the README
tells how."""

_LEAST_DESCRIPTORS = 5
"""What waits for events, what wakes that up, and what it takes to load a module meanwhile."""

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_TO_CLOSE = 0.3
_SECONDS_TO_BEGIN = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> NoReturn:
    """Serve one client over standard input and output, then end with the code that the contract gives."""
    for number in _SIGNALS:
        signal.signal(number, _end_early)
    if sys.platform == "win32":
        sys.exit("trop does not support Windows yet.")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stays open until the end
    options, unknown = _parser().parse_known_args()
    if unknown:
        _parser().refuse_arguments(unknown)
    if options.tools is not None and not options.mcp:
        _parser().error("--tools is for the agents' server: it needs --mcp")
    if sys.stdin is None or sys.stdout is None:
        sys.exit("trop-server speaks over standard input and output, and one of them is closed.")
    # Whatever prints by mistake, here or in a library, must not get between the protocol's messages.
    protocol = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    code = _serve(options, protocol)
    _close_store()
    sys.stderr.flush()
    # A thread that hangs in the system, in a look at a dead mount, would hold up an ordinary end for ever.
    os._exit(code)


def _collect_garbage() -> None:
    """Look for garbage from now on, among what is new: what is here now stays.

    The first look takes as long as many commands. It is put off until the client has its first answer, as a rule.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


def _watch_open_files() -> None:
    """Give up files of the store that are no longer the store's, also while nobody asks this server for anything.

    What it has locked in them would be in the way of every other process.
    """
    from trop_core.database.open_files import IN_USE
    from trop_core.database.waiting import Patience
    from trop_core.errors.store import LockTimeout
    from trop_core.errors.system import SystemFailure

    while True:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        # Somebody is at work for long, or the system refuses it: the next look tries again.
        with suppress(LockTimeout, SystemFailure):
            IN_USE.leave_replaced(None, Patience(0))


def _close_store() -> None:
    """Leave the store's file whole, unless that takes too long: what is only in its -wal is safe there, too."""
    if "trop_core.database.open_files" in sys.modules:
        from trop_core.database.open_files import IN_USE

        closing = threading.Thread(target=IN_USE.close_idle, args=(_SECONDS_TO_CLOSE / 2,), daemon=True)
        with suppress(RuntimeError):  # no thread can be begun
            closing.start()
            closing.join(_SECONDS_TO_CLOSE)


def _serve(options: argparse.Namespace, protocol: int) -> int:
    try:
        return _session(options, protocol)
    except (OSError, ImportError, RuntimeError, TooManyOpenFiles) as error:
        from trop_core.database.failures import unforeseen
        from trop_core.errors.base import InternalError

        failure = unforeseen(error)
        if isinstance(failure, InternalError):
            raise
        print(f"error: {failure.message()}", f"hint: {failure.hint()}", sep="\n", file=sys.stderr)
        return EXIT_CODES[failure.kind]


def _session(options: argparse.Namespace, protocol: int) -> int:
    _check_descriptors()
    import asyncio

    from trop_server.transport.stderr_log import log_to_stderr

    make = _mcp_server(options.tools) if options.mcp else _language_server()
    log_to_stderr()
    threading.Thread(target=_watch_open_files, name="open files", daemon=True).start()

    async def session() -> int:
        server = make(os.environ, options.data_dir)
        loop = asyncio.get_running_loop()
        loop.call_later(_SECONDS_TO_BEGIN, _collect_garbage)

        def end(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(server.end, 128 + number)

        for number in _SIGNALS:
            # asyncio hears of a signal through a pipe that wakes it up, and loses the signal while that is full of
            # what other threads have to say. The handler makes sure that it counts, the pipe that it counts at once.
            loop.add_signal_handler(number, server.end, 128 + number)
            signal.signal(number, end)
        return await server.serve(sys.stdin.fileno(), protocol)

    loop = asyncio.new_event_loop()
    return loop.run_until_complete(session())


def _check_descriptors() -> None:
    """Raise ``TooManyOpenFiles`` where asyncio would break off in the middle for want of them, with tracebacks."""
    opened: list[int] = []
    try:
        while len(opened) < _LEAST_DESCRIPTORS:
            opened.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise TooManyOpenFiles("start", path="trop-server") from error
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _language_server() -> type[TropServer]:
    from trop_server.lsp.server import TropServer

    return TropServer


def _mcp_server(tools: str | None) -> Callable[..., McpServer]:
    from functools import partial

    from trop_server.mcp.offers import offers
    from trop_server.mcp.server import McpServer

    try:
        return partial(McpServer, offered=offers(tools))
    except ValueError as error:
        _parser().error(str(error))


def _end_early(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def _parser() -> Parser:
    parser = Parser(prog="trop-server", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--stdio", action="store_true", help="speak over standard input and output, as it does anyway")
    parser.add_argument("--mcp", action="store_true", help="speak the Model Context Protocol, as agents do")
    parser.add_argument("--tools", metavar="NAMES", help="with --mcp: all, or the names of tools, with commas between")
    parser.add_argument("--data-dir", metavar="DIR", help="the directory of the store")
    parser.add_argument("-V", "--version", action="version", version=f"trop-server {__version__}")
    return parser

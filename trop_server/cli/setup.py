"""The registration of the MCP server with an agent's host: printed, or written into a project's file."""

from __future__ import annotations

import json
import os
import sys

from trop_core import paths
from trop_core.database.waiting import Patience
from trop_core.errors.arguments import UnusableOption
from trop_core.errors.paths import InvalidPath
from trop_core.errors.system import SystemFailure
from trop_core.hosts.registrations import HOSTS, PROGRAM
from trop_core.light_types import TYPE_CHECKING
from trop_core.store import data_directory
from trop_server.cli.printing import one_per_line
from trop_server.cli.session import read_seconds
from trop_server.mcp.hosts.project_files import project_root, register

if TYPE_CHECKING:
    from trop_server.cli.session import Session

_PATIENCE = 5.0


def setup(session: Session) -> str:
    """The registration; or, where it is written, the path of the file."""
    host = HOSTS[session.options.host]
    program = _program()
    if not session.options.write:
        _tell_of_store(session)
        return host.document(program)
    if not host.files:
        raise UnusableOption("write", f"{host.name} has no file of a project's, only one of the user's")
    directory = paths.working_directory()
    if directory is None:
        advice = "Change to one that exists."
        raise InvalidPath(".", "the working directory no longer exists", advice=advice)
    seconds = read_seconds(session.options.busy_timeout)
    patience = Patience(_PATIENCE if seconds is None else seconds)
    registered = register(host, project_root(directory), program, patience)
    session.tell(f"trop is registered in {registered.path}" if registered.changed else "it was registered already")
    if not registered.names_store:
        _tell_of_store(session)
    if registered.tracked:
        session.tell(f"git tracks this file: it names {PROGRAM}, which has to be on the PATH of {host.name}")
    else:
        session.tell("it names a path of this machine: keep it out of git")
    return one_per_line([registered.path])


def _tell_of_store(session: Session) -> None:
    """Say that the server will look for its store elsewhere than this run does, if that is so.

    An option and a variable of a shell are this machine's, and a project's file may be everybody's.
    """
    named = session.options.data_dir
    places = [
        data_directory(name, environment, base=paths.working_directory(), tolerant=True).path
        for name, environment in (
            (named, os.environ),
            (None, {name: value for name, value in os.environ.items() if name != "TROP_DATA_DIR"}),
        )
    ]
    own, servers = places
    if own and own != servers:
        source = "the data directory" if named is not None else "TROP_DATA_DIR, which few hosts pass on,"
        session.tell(f'{source} is not written down: add "--data-dir", {json.dumps(own)} to the arguments by hand')


def _program() -> str:
    """The absolute path of the server's program of this installation. Raises ``SystemFailure``."""
    # A link in a directory of the user's outlives the environment that it leads to today.
    places = (os.path.dirname(os.path.abspath(sys.argv[0])), os.path.dirname(sys.executable))
    for place in places:
        program = os.path.join(place, PROGRAM)
        if os.access(program, os.X_OK) and not os.path.isdir(program):
            return program
    raise SystemFailure("find", path=os.path.join(places[-1], PROGRAM), reason="it is not where this trop is installed")

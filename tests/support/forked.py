"""The process that has loaded one of trop's programs, and forks for each start of it; see ``support.forking``."""

from __future__ import annotations

import gc
import json
import os
import resource
import socket
import sys
from typing import Any

import coverage

from support.loading import load_everything, make_constructors
from support.measuring import look_at_modules
from trop_server import programs

_SERVERS = ("trop_server.main", "trop_server.transport", "trop_server.wire")
_PARTS = {
    "trop": ("trop_core", "trop_server.programs", "trop_server.cli"),
    "trop-server": ("trop_core", *_SERVERS, "trop_server.lsp"),
    "mcp": ("trop_core", *_SERVERS, "trop_server.mcp"),
}


def main() -> None:
    """Fork for whoever is at the other end, until there is nobody. A fork ends in here."""
    kind, channel = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    # It may have been started while little memory was allowed, and outlives that.
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    load_everything(*_PARTS[kind])
    make_constructors()
    if sys.argv[4]:
        look_at_modules()
    # What is there already is no garbage, and looking through it would copy it.
    gc.collect()
    gc.freeze()
    while True:
        message, files, _, _ = socket.recv_fds(channel, 100, 5)
        if not message:
            return
        if files:
            answer = os.fork()
            if not answer:
                channel.close()
                _begin(*files)
            for file in files:
                os.close(file)
        else:
            _, status = os.waitpid(int(message), 0)
            answer = os.waitstatus_to_exitcode(status)
        channel.send(b"%d" % answer)


def _begin(asked: int, place: int, *files: int) -> None:
    """Be the process that is asked for, to its end."""
    with open(asked) as file:
        wanted: dict[str, Any] = json.load(file)
    for number, file_number in enumerate(files):
        os.dup2(file_number, number)
        os.close(file_number)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    # It asks where it is, and the place may be gone by now.
    coverage.process_startup()
    os.fchdir(place)
    os.close(place)
    if wanted["user"]:
        user, group = wanted["user"]
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    for limit, values in wanted["limits"].items():
        resource.setrlimit(int(limit), tuple(values))
    sys.argv = wanted["arguments"]
    sys.exit(getattr(programs, os.path.basename(sys.argv[0]).replace("-", "_"))())

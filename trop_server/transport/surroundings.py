"""What a server takes over from the shell and the client that started it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from trop_core.errors.base import TropError
from trop_core.paths import explicit, from_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)

TERMINAL_ONLY = ("TROP_PATH", "TROP_PROJECT", "TROP_TASK")
"""Variables of the shell in which the server happened to be started: they say nothing about what a client opens."""


def server_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what speaks to the command line alone."""
    return {key: value for key, value in environment.items() if key not in TERMINAL_ONLY}


def folders_on_disk(uris: Iterable[str], *, logged: bool = False) -> list[str]:
    """The paths of the folders that a client has open, each once. What is not on this disk is left out.

    With ``logged``, the log tells of each that seems to be here and is not, and why.
    """
    folders = []
    for uri in uris:
        try:
            if uri.lower().startswith("file:"):
                folders.append(explicit(from_uri(uri), base="/"))
        except TropError as error:
            if logged:
                logger.info("the folder %s is not on this machine's disk: %s", uri, error)
    return list(dict.fromkeys(folders))

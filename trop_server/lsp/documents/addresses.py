"""Which documents are of interest, and where they lie."""

from __future__ import annotations

from typing import Any

from trop_core.config.search import is_of_project
from trop_core.errors.base import TropError
from trop_core.paths import explicit, from_uri
from trop_server.lsp.documents.positions import Malformed


def identifier_of(item: Any) -> str:
    """The URI of a ``textDocument``. Raises ``Malformed``."""
    uri = item.get("uri") if isinstance(item, dict) else None
    if not isinstance(uri, str):
        raise Malformed("a textDocument has a uri, and it is a text")
    return uri


def version_of(item: Any) -> int | None:
    """The version of a ``textDocument``, if it has one. Raises ``Malformed``."""
    version = item.get("version")
    if version is not None and type(version) is not int:
        raise Malformed("a version is a whole number")
    return version


def path_of(uri: str) -> str | None:
    """Where a document lies, absolute; None where that is on no disk of this machine. Looks at nothing."""
    if not uri.lower().startswith("file:"):
        return None
    try:
        return explicit(from_uri(uri), base="/")
    except TropError:
        return None


def is_of_interest(uri: str) -> bool:
    """Whether a document has the name of a project's file, or nearly so."""
    path = path_of(uri)
    if path is None:
        # One that was never saved may have a name alone, directly behind the scheme.
        path = uri.partition("?")[0].partition("#")[0].replace(":", "/")
    return is_of_project(path)

"""``trop open``: the address of a directory's port in a browser that has a window of its own."""

from __future__ import annotations

import os
import webbrowser

from trop_core.catalogue import operation
from trop_core.errors.system import NoBrowser
from trop_core.light_types import TYPE_CHECKING
from trop_server.cli.session import given_values

if TYPE_CHECKING:
    from trop_core.operations.starting.url import UrlResult
    from trop_server.cli.session import Session

_IN_THE_TERMINAL = frozenset(
    {"www-browser", "links", "links2", "elinks", "lynx", "w3m", "browsh", "carbonyl", "dillo-tui", "netrik", "retawq"}
)
"""Programs that show a page in the terminal, and take that over."""


def show(session: Session) -> str:
    """Reserve as ``trop url`` does, and open the address. Raises ``NoBrowser`` where nothing can be opened."""
    # On record stands what was called.
    found = operation("url")._replace(name="open")
    result: UrlResult = session.perform(found, given_values(found, session.options))
    if not _browser(result.url).open(result.url):
        raise NoBrowser(result.url, "it could not be started")
    session.tell(f"Opened {result.url}")
    return ""


def _browser(url: str) -> webbrowser.BaseBrowser:
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        raise NoBrowser(url, "there is none here") from None
    arguments = getattr(found, "name", "") or ""
    if os.path.basename(str(arguments)) in _IN_THE_TERMINAL:
        raise NoBrowser(url, f"{os.path.basename(str(arguments))} would take over the terminal")
    return found

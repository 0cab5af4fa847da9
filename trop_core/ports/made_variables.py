"""Variables that are made from a group's ports: addresses on this machine, and a name for a Compose project.

The templates come from a file that may be a stranger's. What can come of one is an address whose host is this machine,
or a name of lower-case letters, digits and hyphens: never a user, another host or a scheme that runs something.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COMPOSE_PROJECT = "COMPOSE_PROJECT_NAME"
"""The one variable that is no address."""

LONGEST_TEMPLATE = 1000
_NAME = "{name}"
_UNSAFE = frozenset({"javascript", "data", "file", "vscode", "command"})
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?:(?:{_LABEL}\.)*localhost|127\.0\.0\.1|\[::1\])"
_REST = "(?:[/?#][A-Za-z0-9._~/?#=&%+-]*)?"
_TEMPLATE = re.compile(rf"{_SCHEME}://{_HOST}:\{{port:(.+)\}}{_REST}")
_ADDRESS = re.compile(rf"{_SCHEME}://{_HOST}:[0-9]{{1,5}}{_REST}")
_SLUG = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")


class MalformedTemplate(ValueError):
    """A template that nothing may be made from; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class MadeVariable:
    """A variable, and the template that its value is made from. Raises ``MalformedTemplate`` if there can be none."""

    name: str
    template: str

    def __post_init__(self) -> None:
        if (self.name == COMPOSE_PROJECT) != (self.template == _NAME):
            raise MalformedTemplate(f"{_NAME} is for {COMPOSE_PROJECT}, which takes nothing else")
        if self.template == _NAME:
            return
        found = _TEMPLATE.fullmatch(self.template) if len(self.template) <= LONGEST_TEMPLATE else None
        if found is None:
            raise MalformedTemplate(
                "expected a template such as http://localhost:{port:web}/path, whose host is localhost, a name below "
                f"it, 127.0.0.1 or [::1], {LONGEST_TEMPLATE} characters at most"
            )
        if found[1].lower() in _UNSAFE:
            raise MalformedTemplate(f"addresses that begin with {found[1].lower()}: are not made")

    @property
    def service(self) -> str | None:
        """The tag of the service whose port is in it; None for the name of a Compose project."""
        found = _TEMPLATE.fullmatch(self.template)
        return None if found is None else found[2]

    def render(self, ports: Mapping[str, int], name: str) -> str:
        """The value, from the ports by their services' tags and from what ``compose_name`` gives.

        Raises ``KeyError`` where its service has no port.
        """
        service = self.service
        if service is None:
            return name
        before, _, rest = self.template.partition("{port:")
        return f"{before}{ports[service]}{rest[len(service) + 1 :]}"


def compose_name(project: str | None, task: str | None, directory: str, port: int) -> str:
    """A name that is stable through moves and nobody else's: a slug of project and task, a hyphen and a port.

    ``directory`` is a path, whose last part serves where there is neither a project nor a task. ``port`` is what
    ``naming_port`` gives: it is reserved once.
    """
    words = [word for word in (project, task) if word] or [directory.rstrip("/").rpartition("/")[2]]
    slugs = [slug for slug in map(_slug, words) if slug]
    return "-".join([*(slugs or ["dir"]), str(port)])


def naming_port(tags: Iterable[str], stored: Mapping[str | None, int]) -> int | None:
    """The port that a directory's name has: that of its group's first stored service, else the directory's lowest.

    ``tags`` are the services in the file's order, ``stored`` the directory's ports by their tags. None where there is
    none.
    """
    return next((stored[tag] for tag in tags if tag in stored), min(stored.values(), default=None))


def is_made(text: str) -> bool:
    """Whether a text can be the value of a variable that is made from ports."""
    address = _ADDRESS.fullmatch(text)
    if address is not None:
        return address[1].lower() not in _UNSAFE
    return _SLUG.fullmatch(text) is not None


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-")

"""Variables that are made from a group's ports: addresses on this machine, and a name for a Compose project.

The templates come from a file that may be a stranger's. What can come of one is an address whose host is this machine,
or a name of lower-case letters, digits and hyphens: never a user, another host or a scheme that runs something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPOSE_PROJECT = "COMPOSE_PROJECT_NAME"
"""The one variable that is no address."""

LONGEST_TEMPLATE = 1000
NAME = "{name}"
"""The template of that one."""

UNSAFE_SCHEMES = frozenset({"javascript", "data", "file", "vscode", "command"})
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?:(?:{_LABEL}\.)*localhost|127\.0\.0\.1|\[::1\])"
_REST = "(?:[/?#][A-Za-z0-9._~/?#=&%+-]*)?"
TEMPLATE = rf"{_SCHEME}://{_HOST}:\{{port:(.+)\}}{_REST}"
"""The pattern of all others."""

_TEMPLATE = re.compile(TEMPLATE)
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
        if (self.name == COMPOSE_PROJECT) != (self.template == NAME):
            raise MalformedTemplate(f"{NAME} is for {COMPOSE_PROJECT}, which takes nothing else")
        if self.template == NAME:
            return
        found = _TEMPLATE.fullmatch(self.template) if len(self.template) <= LONGEST_TEMPLATE else None
        if found is None:
            raise MalformedTemplate(
                "expected a template such as http://localhost:{port:web}/path, whose host is localhost, a name below "
                f"it, 127.0.0.1 or [::1], {LONGEST_TEMPLATE} characters at most"
            )
        if found[1].lower() in UNSAFE_SCHEMES:
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


def is_made(text: str) -> bool:
    """Whether a text can be the value of a variable that is made from ports."""
    address = _ADDRESS.fullmatch(text)
    if address is not None:
        return address[1].lower() not in UNSAFE_SCHEMES
    return _SLUG.fullmatch(text) is not None

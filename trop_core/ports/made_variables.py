"""Variables that are made from a group's ports: addresses on this machine, and a name for a Compose project.

The templates come from a file that may be a stranger's. What can come of one is an address whose host is this machine,
or a name of lower-case letters, digits and hyphens: never a user, another host or a scheme that runs something.
"""

from __future__ import annotations

from functools import cache

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    import re
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

_ADDRESS = rf"{_SCHEME}://{_HOST}:[0-9]{{1,5}}{_REST}"
_SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"


class MalformedTemplate(ValueError):
    """A template that nothing may be made from; the text says what was expected."""


class MadeVariable:
    """A variable, and the template that its value is made from. Raises ``MalformedTemplate`` if there can be none.

    Not to be changed.
    """

    __slots__ = ("name", "template")

    def __init__(self, name: str, template: str) -> None:
        self.name = name
        self.template = template
        if (name == COMPOSE_PROJECT) != (template == NAME):
            raise MalformedTemplate(f"{NAME} is for {COMPOSE_PROJECT}, which takes nothing else")
        if template == NAME:
            return
        found = _pattern(TEMPLATE).fullmatch(template) if len(template) <= LONGEST_TEMPLATE else None
        if found is None:
            raise MalformedTemplate(
                "expected a template such as http://localhost:{port:web}/path, whose host is localhost, a name below "
                f"it, 127.0.0.1 or [::1], {LONGEST_TEMPLATE} characters at most"
            )
        if found[1].lower() in UNSAFE_SCHEMES:
            raise MalformedTemplate(f"addresses that begin with {found[1].lower()}: are not made")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MadeVariable) and (self.name, self.template) == (other.name, other.template)

    def __hash__(self) -> int:
        return hash((self.name, self.template))

    def __repr__(self) -> str:
        return f"MadeVariable({self.name!r}, {self.template!r})"

    @property
    def service(self) -> str | None:
        """The tag of the service whose port is in it; None for the name of a Compose project."""
        found = _pattern(TEMPLATE).fullmatch(self.template)
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
    address = _pattern(_ADDRESS).fullmatch(text)
    if address is not None:
        return address[1].lower() not in UNSAFE_SCHEMES
    return _pattern(_SLUG).fullmatch(text) is not None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """A pattern, compiled: most files make no variables."""
    import re

    return re.compile(text)

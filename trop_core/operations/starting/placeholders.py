"""The places in a text where a port or an address goes: exactly these few, and every other byte stays.

``{port}`` and ``{url}`` stand for the port that needs no tag, ``{port:TAG}`` and ``{url:TAG}`` for that of a tag; with
doubled braces each is its own literal. What programs themselves write in braces (Go templates, jq, JSON) has other
words in them, or spaces.
"""

from __future__ import annotations

from trop_core.errors.arguments import UnclearPlaceholder
from trop_core.errors.reservations import UnknownTag
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.operations.starting.url import url_of

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

_TAG = r"[^{}\s](?:[^{}]*[^{}\s])?"
_PLACEHOLDER = rf"\{{(\{{)?(?:(port|url)(?::({_TAG}))?|(name))\}}(?(1)\}})"


class Places(NamedTuple):
    """What can be put into a text: a directory's ports by their tags, the one that needs no tag, and its name.

    ``name`` is None where ``{name}`` means nothing.
    """

    directory: str
    port: int | None
    ports: Mapping[str | None, int]
    name: str | None = None

    def fill(self, text: str) -> str:
        """A text with each placeholder replaced.

        Raises ``UnknownTag`` for a tag that nothing is reserved with, and ``UnclearPlaceholder`` for one without a tag
        where several services have none that is foremost.
        """
        if "{" not in text:
            return text
        import re

        return re.sub(_PLACEHOLDER, self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
        doubled, word, tag, name = found.groups()
        if name is not None and self.name is None:
            return found[0]
        if doubled:
            return found[0][1:-1]
        if name is not None:
            return self.name or ""
        port = self._port(found[0], tag)
        return str(port) if word == "port" else url_of(port)

    def _port(self, placeholder: str, tag: str | None) -> int:
        if tag is not None:
            if tag not in self.ports:
                tags = [known for known in self.ports if known is not None]
                raise UnknownTag(self.directory, tag, placeholder=placeholder, known=tags)
            return self.ports[tag]
        if self.port is None:
            raise UnclearPlaceholder(placeholder, tags=[known for known in self.ports if known is not None])
        return self.port

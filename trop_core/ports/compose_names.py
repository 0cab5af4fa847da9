"""The name of what runs in a directory, such as a Compose project: stable through moves, and nobody else's."""

from __future__ import annotations

from trop_core.light_types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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


def _slug(text: str) -> str:
    import re
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-")

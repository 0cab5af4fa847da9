"""What there is to know of a place in a document: what a key means and is by now, and what a service has. Pure."""

from __future__ import annotations

from trop_core.config.documents.meaning import meaning, service_of
from trop_core.config.schema import ANY_SERVICE, SECTIONS, SERVICES
from trop_core.config.settings import DEFAULT_ORIGIN
from trop_core.config.tree import Scalar
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, NamedTuple
from trop_core.models import is_port
from trop_core.operations.starting.url import url_of
from trop_core.ports.exclusions import Exclusions, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.documents.lines import Position, Span
    from trop_core.config.schema import Key
    from trop_core.config.settings import Settings
    from trop_core.holder import Holder
    from trop_core.operations.documents.situation import Situation

_SERVICE = (
    "A service: its name is the tag of its reservation, and what is below it tells which port it gets. A port in the "
    "place of a mapping is the one that it prefers."
)
_FIELDS = {
    "ports.min": "port_min",
    "ports.max": "port_max",
    "ports.avoid": "avoid",
    "cleanup.expire_after_days": "expire_after_days",
}


class Explanation(NamedTuple):
    """What is explained, and the paragraphs about it."""

    span: Span
    paragraphs: tuple[str, ...]


def explanation(situation: Situation, position: Position) -> Explanation | None:
    """What there is to know of what stands at a place; None where nothing stands that means anything."""
    document = situation.document
    entry = document.outline.entry_at(position)
    if entry is None or not document.claims(position.line):
        return None
    found = meaning(entry.path, project=document.project)
    if found is None:
        return None
    is_key = entry.key is not None and entry.key.holds(position)
    span = entry.key if is_key and entry.key is not None else entry.value
    tag = service_of(entry.path)
    number = entry.node.value if not is_key and isinstance(entry.node, Scalar) else None
    paragraphs = [found.name.replace(ANY_SERVICE, f"{SERVICES}.{tag}", 1) if tag is not None else found.name]
    if found.key is not None:
        paragraphs += _about_key(situation.settings, found.key)
    elif found.name == ANY_SERVICE:
        paragraphs.append(_SERVICE)
    elif found.name in SECTIONS:
        paragraphs.append(SECTIONS[found.name])
    if tag is not None and (found.name == ANY_SERVICE or not is_key):
        paragraphs += about_service(situation, tag.strip())
    if is_port(number) and isinstance(number, int) and found.name != f"{ANY_SERVICE}.offset":
        paragraphs += _about_port(situation, number, tag)
    return Explanation(span, tuple(paragraphs)) if len(paragraphs) > 1 else None


def about_service(situation: Situation, tag: str) -> Iterator[str]:
    """What a service has by now, or would get."""
    entry = situation.entries.get(tag)
    if entry is None:
        return
    unknown = situation.surroundings.stock.unknown
    if entry.port is None and unknown is not None:
        yield f"What is reserved is not known: {unknown}."
    elif entry.port is None and situation.is_overruled:
        yield "No port is reserved for it: the services of trop.local.yaml are the ones that count."
    elif entry.port is None:
        coming = situation.coming.get(tag)
        would = "" if coming is None else f"; it would get {coming} now"
        yield f"No port is reserved for it yet{would}."
    else:
        facts = [f"Port {entry.port}, {url_of(entry.port)}, {_on_it(entry.occupied, entry.holder)}"]
        facts += [f"project {quoted(entry.project)}"] if entry.project is not None else []
        facts += [f"task {quoted(entry.task)}"] if entry.task is not None else []
        yield f"{', '.join(facts)}."
    if entry.variable is not None:
        yield f"Its variable is {entry.variable}."


def _about_key(settings: Settings, key: Key) -> Iterator[str]:
    yield key.text
    default = key.default_here
    if default is not None:
        yield f"Default: {_shown(default)}."
    if key.user_only or key.name.startswith("reservations"):
        return
    value = _in_force(settings, key.name)
    origin = settings.origin(key.name)
    if value is not None and (origin != DEFAULT_ORIGIN or default is None):
        yield f"In force: {_shown(value)}, from {origin}."
    elif value is not None:
        yield f"In force: {_shown(value)}, the default."


def _in_force(settings: Settings, name: str) -> object:
    if name == "ports.max_offset":
        return settings.port_max - settings.port_min if name in settings.origins else None
    section, _, last = name.rpartition(".")
    if section == "occupancy_check":
        return getattr(settings.occupancy, last)
    if name == "allow_change":
        return settings.allow_change_project and settings.allow_change_task
    return getattr(settings, _FIELDS.get(name, name), None)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Exclusions):
        return _listed([spelled(each) for each in value.ranges])
    if isinstance(value, tuple):
        return _listed([str(each) for each in value])
    return str(value)


def _listed(texts: list[str]) -> str:
    more = ", …" if len(texts) > 20 else ""
    return f"[{', '.join(texts[:20])}{more}]"


def _about_port(situation: Situation, port: int, tag: str | None) -> Iterator[str]:
    surroundings, settings = situation.surroundings, situation.settings
    row = surroundings.stock.by_port.get(port)
    if row is not None and (row.path, row.tag) == (situation.directory, tag):
        return  # that was told of the service
    occupied = surroundings.system.occupied(port)
    holder = surroundings.system.holder(port, surroundings.stock, settings)
    whose = "is not reserved" if surroundings.stock.is_known else "may be reserved or not"
    if row is not None:
        whose = f"is reserved for {quoted(row.path)}" + ("" if row.tag is None else f" (tag {quoted(row.tag)})")
    yield f"Port {port} {whose}; {_on_it(occupied, holder)}."
    if port in settings.excluded_ports:
        yield f"It is excluded, by {settings.origin('excluded_ports')}."
    reason = situation.avoidance.reason(port)
    if reason is not None:
        yield f"It is avoided: {reason}."


def _on_it(occupied: bool | None, holder: Holder | None) -> str:
    if not occupied:
        return "nothing listens on it" if occupied is False else "whether something listens on it is not known"
    if holder is None:
        return "something listens on it"
    name = "" if holder.name is None else f" ({holder.name})"
    whose = {
        "own": ", a program of its own directory",
        "other": f", of {quoted(holder.directory or '')}",
        "unknown": "",
    }
    return f"process {holder.pid}{name} listens on it{whose[holder.relation]}"

"""What the store and the system have to say about a document, beyond what is wrong with the text itself."""

from __future__ import annotations

from trop_core.config import authority
from trop_core.config.documents.lines import Position, Span
from trop_core.config.merging import expanded
from trop_core.config.schema import KEYS
from trop_core.config.search import is_of_near_miss, told_of_near_miss
from trop_core.errors.spelling import quoted
from trop_core.light_types import TYPE_CHECKING, Literal, NamedTuple
from trop_core.operations.documents.situation import SERVICES_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.documents.outline import Entry
    from trop_core.operations.documents.situation import Situation
    from trop_core.ports.services import Service

Kind = Literal[
    "preferred_reserved",
    "preferred_excluded",
    "preferred_avoided",
    "preferred_occupied",
    "drifted",
    "not_in_file",
    "near_miss",
    "passed_over",
    "unusable",
    "no_effect",
]


class Fact(NamedTuple):
    """One of them: where it is shown, and which port of which service it is about, if it is about one.

    ``is_warning`` is false for what is only good to know.
    """

    kind: Kind
    span: Span
    message: str
    is_warning: bool
    port: int | None = None
    tag: str | None = None


def facts(situation: Situation, path: str | None) -> tuple[Fact, ...]:
    """All facts about a document, in the order of their places; nothing is said about lines that were mended.

    ``path`` is the document's, absolute; None for one that lies on no disk. Pure.
    """
    found = [*_about_files(situation, path), *_without_effect(situation)]
    for service in situation.services:
        # Where the services stand takes long to find out: it is asked only where there is something to say.
        if service.preferred is not None and (place := situation.places.get(service.tag)) is not None:
            found += _about_preference(situation, service, place)
    if situation.is_in_force:
        # Where a service of a text that would be refused is to stand, is not known.
        found += [*(_drifted(situation) if situation.document.is_usable else ()), *_not_in_file(situation)]
    document = situation.document
    return tuple(sorted((fact for fact in found if document.claims(fact.span.start.line)), key=lambda fact: fact.span))


def _about_files(situation: Situation, path: str | None) -> Iterator[Fact]:
    top = Span(Position(0, 0), Position(0, len(situation.document.lines.line(0))))
    own = None if path is None else told_of_near_miss(path)
    if own is not None:
        yield Fact("near_miss", top, own, is_warning=True)
        return
    for warning in situation.surroundings.place.warnings:
        yield Fact("near_miss" if is_of_near_miss(warning) else "passed_over", top, warning, is_warning=True)
    for failure in situation.surroundings.place.failures:
        yield Fact("unusable", top, f"nothing can be reserved here: {failure}", is_warning=True)


def _without_effect(situation: Situation) -> Iterator[Fact]:
    """What the file says about others, and may not decide. What has no business there at all is a problem already."""
    document = situation.document
    if not document.project or not any(KEYS[name].may_raise or KEYS[name].may_switch_on for name in document.layer):
        return
    _, passed = authority.heeded(expanded(situation.surroundings.place.user), expanded(document.layer))
    for each in passed:
        entry = document.entry(*each.key.split("."))
        if entry is not None and not each.misplaced:
            yield Fact("no_effect", entry.whole, f"{each.key} has no effect: {each.reason}", is_warning=True)


def _about_preference(situation: Situation, service: Service, place: Entry) -> Iterator[Fact]:
    port = service.preferred
    if port is None:
        return
    entry = situation.document.entry(*place.path, "preferred") or place
    surroundings, settings = situation.surroundings, situation.settings
    row = surroundings.stock.by_port.get(port)
    is_own = row is not None and (row.path, row.tag) == (situation.directory, service.tag)
    tag = service.tag
    is_shared = False
    if row is not None and not is_own:
        is_here = row.path == situation.directory
        whom = "this directory" if is_here else quoted(row.path)
        if row.tag is not None:
            whom += f" (tag {quoted(row.tag)})"
        elif is_here:
            whom += " without a tag"
        # In one directory of a project the service has the port; that the others have another one is as it should be.
        is_shared = row.tag == tag and row.project is not None and row.project in situation.projects
        yield Fact("preferred_reserved", entry.value, f"port {port} is reserved for {whom}", not is_shared, port, tag)
    holder = None if row is None else surroundings.system.holder(port, surroundings.stock, settings)
    if is_own:
        if holder is not None and holder.relation == "other":
            yield Fact("preferred_occupied", entry.value, _occupied(situation, port), True, port, tag)
        return
    if port in settings.excluded_ports:
        origin = settings.origin("excluded_ports")
        yield Fact("preferred_excluded", entry.value, f"port {port} is excluded ({origin})", True, port, tag)
    reason = situation.avoidance.reason(port)
    if reason is not None:
        yield Fact("preferred_avoided", entry.value, f"port {port}: {reason}", False, port, tag)
    if surroundings.system.occupied(port):
        is_as_it_should_be = is_shared and holder is not None and holder.relation == "own"
        yield Fact("preferred_occupied", entry.value, _occupied(situation, port), not is_as_it_should_be, port, tag)


def _occupied(situation: Situation, port: int) -> str:
    surroundings = situation.surroundings
    holder = surroundings.system.holder(port, surroundings.stock, situation.settings)
    if holder is None:
        return f"something is on port {port}"
    process = f"process {holder.pid}" + ("" if holder.name is None else f" ({holder.name})")
    whose = {
        "own": ", a program of the directory that it is reserved for",
        "other": f", and belongs to {quoted(holder.directory or '')}",
        "unknown": "",
    }
    return f"{process} is on port {port}{whose[holder.relation]}"


def _drifted(situation: Situation) -> Iterator[Fact]:
    for tag, port in situation.drifted.items():
        place, row = situation.places.get(tag), situation.stored[tag]
        if place is not None and place.key is not None:
            message = f"{quoted(tag)} keeps {row.port}, and the file would have it at {port}"
            yield Fact("drifted", place.key, message, True, row.port, tag)


def _not_in_file(situation: Situation) -> Iterator[Fact]:
    if not situation.stored:
        return
    section = situation.document.entry(*SERVICES_PATH)
    if section is None or section.key is None or situation.document.unclaimed or not situation.tags:
        # What stands in a line that cannot be read may be just that service; and where none is yet, they are to come.
        return
    for tag, row in situation.stored.items():
        if tag not in situation.tags:
            message = f"{quoted(tag)} is reserved, with port {row.port}, and no service here"
            yield Fact("not_in_file", section.key, message, False, row.port, tag)

"""What can be written at a place of a document: keys where they belong, and values that make sense there. Pure."""

from __future__ import annotations

import re

import yaml

from trop_core.config.documents.meaning import meaning, service_of
from trop_core.config.merging import ONE_SETTING
from trop_core.config.schema import ANY_SERVICE, ENVIRONMENT, KEYS, SECTIONS, Kind
from trop_core.config.variables import address_refusal, derived_name, port_refusal
from trop_core.light_types import TYPE_CHECKING, Any, Literal, NamedTuple
from trop_core.operations.documents.situation import SERVICES_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.documents.lines import Position, Span
    from trop_core.config.documents.meaning import Meaning, Path
    from trop_core.config.documents.outline import Spot
    from trop_core.config.schema import Key
    from trop_core.operations.documents.situation import Situation

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESOLVER: Any = yaml.SafeLoader("")
_MOST = 200
_FIRST = (SERVICES_PATH[:1], SERVICES_PATH)


class Suggestion(NamedTuple):
    """Something that can be written: ``text`` is YAML, in the place of what ``span`` holds.

    ``label`` is what it is called, ``told`` what is to be known of it, ``name`` the dotted name of the key it is about.
    """

    role: Literal["key", "section", "value"]
    label: str
    text: str
    span: Span
    told: str = ""
    name: str | None = None


def suggestions(situation: Situation, position: Position) -> tuple[Suggestion, ...]:
    """What can be written at a place, the best first; nothing where nothing is known, as in a comment."""
    spot = situation.document.spot(position)
    found = None if spot is None else meaning(spot.path, project=situation.document.project)
    if spot is None or found is None:
        return ()
    if spot.role == "key":
        return tuple(_keys(situation, spot, found))[:_MOST]
    return tuple(_values(situation, spot, found))[:_MOST]


def written(text: str) -> str:
    """A text as YAML's scalar that is read as that very text."""
    if _PLAIN.fullmatch(text) and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str":
        return text
    return f'"{"".join(map(_in_quotes, text))}"'


def _in_quotes(character: str) -> str:
    """A character in a scalar in double quotes. YAML has no pairs of escapes for one character, as JSON has."""
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"


def _keys(situation: Situation, spot: Spot, found: Meaning) -> Iterator[Suggestion]:
    line = situation.document.lines.line(spot.word.end.line)
    is_followed = line[spot.word.end.column :].lstrip().startswith(":")

    def ended(text: str, behind: str) -> str:
        return text if is_followed else f"{text}:{behind}"

    # What a file is written for comes first.
    for name in sorted(found.names, key=lambda name: (*spot.path, name) not in _FIRST):
        if name in spot.taken or (spot.path == ("ports",) and ONE_SETTING.get(f"ports.{name}") in _dotted(spot)):
            continue
        path = (*spot.path, name)
        meant = meaning(path, project=situation.document.project)
        is_section = meant is not None and meant.is_mapping
        key = None if meant is None else meant.key
        yield Suggestion(
            "section" if is_section else "key",
            name,
            ended(name, "" if is_section else " "),
            spot.word,
            SECTIONS.get(".".join(map(str, path)), "") if key is None else key.text,
            None if meant is None else meant.name,
        )
    if spot.path == SERVICES_PATH:
        stored = [tag for tag in situation.stored if tag not in situation.places]
        others = [tag for tag in situation.surroundings.stock.tags if tag not in situation.places and tag not in stored]
        for tag in (*stored, *others):
            row = situation.stored.get(tag)
            told = "A tag that other directories have." if row is None else f"Reserved here, with port {row.port}."
            yield Suggestion("key", tag, ended(written(tag), " "), spot.word, told, ANY_SERVICE)
    elif ".".join(map(str, spot.path)) == ENVIRONMENT:
        for tag in situation.places:
            name = derived_name(tag).removesuffix("_PORT") + "_URL"
            if name not in spot.taken and address_refusal(name) is None:
                yield Suggestion("key", name, ended(written(name), " "), spot.word, KEYS[ENVIRONMENT].text, ENVIRONMENT)


def _dotted(spot: Spot) -> frozenset[str]:
    return frozenset(f"ports.{name}" for name in spot.taken)


def _values(situation: Situation, spot: Spot, found: Meaning) -> Iterator[Suggestion]:
    for text, told in _texts(situation, spot, found):
        # Numbers and words of YAML stand for themselves; a text that somebody made up may need quotes.
        is_text = found.key is not None and found.key.kind in (Kind.IDENTIFIER, Kind.VARIABLE, Kind.MAPPING)
        yield Suggestion("value", text, written(text) if is_text else text, spot.word, told, found.name)


def _texts(situation: Situation, spot: Spot, found: Meaning) -> Iterator[tuple[str, str]]:
    """What can stand at a value, and what is to be known of each."""
    tag = _tag(spot.path)
    if found.name in (ANY_SERVICE, f"{ANY_SERVICE}.preferred"):
        row = None if tag is None else situation.stored.get(tag)
        if row is not None:
            yield str(row.port), "The port that the service has."
        yield from _free(situation)
        if found.name == ANY_SERVICE:
            yield "{}", "The next offset, and a variable by its name."
    elif found.name == f"{ANY_SERVICE}.offset":
        yield str(situation.next_offset(tag)), "The lowest offset that no other service has."
    elif found.name == f"{ANY_SERVICE}.env" and tag is not None and port_refusal(derived_name(tag)) is None:
        yield derived_name(tag), "The variable that the service's name makes."
    elif found.name == f"{ENVIRONMENT}.*":
        for service in situation.places:
            yield f"http://localhost:{{port:{service}}}", "An address that is made from the service's port."
    elif found.name == "reservations.base":
        yield from _free(situation)
    elif found.key is not None:
        yield from _of_kind(situation, found.key, spot.taken)


def _of_kind(situation: Situation, key: Key, taken: frozenset[str]) -> Iterator[tuple[str, str]]:
    if key.kind is Kind.BOOLEAN:
        yield from (("true", key.text), ("false", key.text))
    elif key.kind in (Kind.CHOICE, Kind.CHOICES):
        yield from ((word, key.text) for word in key.choices if word not in taken)
    elif key.kind is Kind.IDENTIFIER:
        yield from ((project, "A project that has reservations.") for project in situation.surroundings.stock.projects)
    elif type(key.default_here) is int:
        yield str(key.default_here), "The default."


def _free(situation: Situation) -> Iterator[tuple[str, str]]:
    port = situation.lowest_free_port
    if port is not None:
        yield str(port), "The lowest port that is free."


def _tag(path: Path) -> str | None:
    service = service_of(path)
    return None if service is None else service.strip()

"""A document with what the store and the system know: whatever is typed, it is told, explained and mended in peace."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from support.typed_configurations import ANCHORED, SHOP, mutated
from support.written_configurations import written

from trop_core.config.documents.document import Document
from trop_core.config.documents.edits import excluding, preferring
from trop_core.config.layer import Given, Place
from trop_core.models import Reservation
from trop_core.operations.documents import surroundings as around
from trop_core.operations.documents.explanation import explanation
from trop_core.operations.documents.facts import facts
from trop_core.operations.documents.situation import Situation
from trop_core.operations.documents.suggestions import suggestions
from trop_core.ports.sockets import HeldPort, SocketTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trop_core.config.documents.lines import Position
    from trop_core.operations.documents.facts import Fact

DIRECTORY = "/work/shop"
FILE = f"{DIRECTORY}/trop.yaml"


def row(port: int, path: str, tag: str | None, project: str | None = None) -> Reservation:
    return Reservation(port, path, tag, project, None, 1, 2)


STOCK = around.Stock(
    [
        row(5000, "/elsewhere", None, "shop"),
        row(5050, "/elsewhere", "web", 'od"d: #'),
        row(5200, DIRECTORY, "web"),
        row(5203, DIRECTORY, "db"),
        row(5300, DIRECTORY, "gone"),
    ]
)
TABLE = SocketTable((HeldPort(5400, "tcp", "ipv4", "127.0.0.1", None, None, None),), frozenset({5400}))
SURROUNDINGS = around.Surroundings(around.Place(DIRECTORY), STOCK, around.System(TABLE))


def situation(text: str, surroundings: around.Surroundings = SURROUNDINGS) -> Situation:
    return Situation(Document(text, file=FILE), surroundings)


def told(text: str) -> list[Fact]:
    return [*facts(situation(text), FILE)]


def everywhere(document: Document, random: Random) -> Iterator[Position]:
    for _ in range(12):
        yield document.lines.position(random.randrange(len(document.text) + 1))


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_typed_is_told_explained_and_completed(seed: int) -> None:
    random = Random(seed)
    for number in range(80):
        base = random.choice((SHOP, ANCHORED, written(random)))
        text = mutated(random, base) if number % 4 else base
        found = situation(text)
        document = found.document

        for fact in facts(found, FILE):
            assert document.claims(fact.span.start.line), text
            assert fact.span.start <= fact.span.end, text
        for position in everywhere(document, random):
            explained = explanation(found, position)
            assert explained is None or explained.span.holds(position), text
            for each in suggestions(found, position):
                assert each.span.start.line == each.span.end.line == position.line, text
        assert found.lowest_free_port is None or found.lowest_free_port not in STOCK.by_port
        assert set(found.coming).isdisjoint(found.stored)
        assert set(found.entries) >= set(found.stored)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("seed", range(4))
def test_a_change_that_is_offered_does_what_it_says_and_nothing_else(seed: int) -> None:
    random = Random(seed)
    for number in range(60):
        text = random.choice((SHOP, ANCHORED, written(random)))
        document = Document(mutated(random, text) if number % 2 else text, file=FILE)
        found = situation(document.text)

        exclusion = excluding(document, 6500)
        if exclusion is not None:
            changed = Document(exclusion.applied(document.lines), file=FILE)
            assert 6500 in changed.layer["excluded_ports"].value  # type: ignore[operator]
            assert changed.group == document.group or changed.group is not None
        for tag, place in found.places.items():
            edit = preferring(document, place, 6400)
            if edit is not None:
                group = Document(edit.applied(document.lines), file=FILE).group
                assert group is not None
                assert [service.preferred for service in group.services if service.tag == tag] == [6400]


def test_the_facts_stand_where_they_belong_in_the_order_of_the_text() -> None:
    text = (
        "cleanup: {expire_after_days: 1}\nexcluded_ports: [5401]\nports: {avoid: [browser]}\nreservations:\n"
        "  services:\n    web: {preferred: 5050}\n    api: 5400\n    db: {preferred: 5500}\n"
        "    bad: 6000\n    out: 5401\n"
    )

    found = [(fact.kind, fact.span.start.line, fact.is_warning) for fact in told(text)]

    assert found == [
        ("no_effect", 0, True),
        ("not_in_file", 4, False),
        ("preferred_reserved", 5, True),
        ("preferred_occupied", 6, True),
        ("drifted", 7, True),
        ("preferred_avoided", 8, False),
        ("preferred_excluded", 9, True),
    ]


def test_nothing_is_said_of_services_that_stand_in_lines_that_were_mended() -> None:
    text = "reservations:\n  services:\n    web: {preferred: 5050\n    api: 5400\n"

    assert [(fact.kind, fact.span.start.line) for fact in told(text)] == [("preferred_occupied", 3)]


def test_the_values_in_force_are_those_of_all_layers_with_the_text_in_the_place_of_the_file() -> None:
    place = around.Place(
        DIRECTORY,
        user={"ports.min": Given(5500, (Place("config.yaml", 1, 1),))},
        stronger={"output_format": Given("tsv", (Place("trop.local.yaml", 1, 1),), "project")},
        above={"ports.max": Given(6600, (Place("TROP_PORT_MAX"),))},
    )
    found = situation("ports: {max: 6000}\noutput_format: json\n", around.Surroundings(place)).settings

    assert (found.port_min, found.port_max, found.output_format) == (5500, 6600, "tsv")
    assert found.origin("ports.max") == "TROP_PORT_MAX"
    assert found.origin("output_format") == "trop.local.yaml:1:1"


def test_a_range_that_is_upside_down_with_the_other_layers_counts_for_nothing() -> None:
    place = around.Place(DIRECTORY, user={"ports.min": Given(6500, (Place("config.yaml", 1, 1),))})

    found = situation("ports: {max: 6000}\nproject: shop\n", around.Surroundings(place)).settings

    assert (found.port_min, found.port_max, found.project) == (6500, 7000, "shop")


def test_nothing_is_told_of_services_that_the_stronger_file_replaces() -> None:
    text = "reservations:\n  services:\n    web: {}\n"
    stronger = {"reservations": Given(None, (Place("trop.local.yaml", 1, 1),), "project")}
    replaced = SURROUNDINGS._replace(place=around.Place(DIRECTORY, stronger=stronger))

    assert [fact.kind for fact in told(text)] == ["not_in_file", "not_in_file"]
    assert facts(situation(text, replaced), FILE) == ()


@pytest.mark.parametrize(
    ("text", "marked", "refused"),
    [
        ("ports:\n  max: 6000\n  \n", "6000\n  ", "max_offset"),
        ("ports:\n  max_offset: 60\n  \n", "60\n  ", "max"),
        ('reservations:\n  services:\n    "c d":\n      env: \n', "env: ", "C D_PORT"),
        ('reservations:\n  services:\n    "c d": {}\n  environment:\n    \n', "environment:\n    ", "C D_URL"),
    ],
)
def test_what_would_be_refused_is_not_offered(text: str, marked: str, refused: str) -> None:
    found = situation(text)
    at = found.document.lines.position(text.index(marked) + len(marked))

    assert refused not in [suggestion.label for suggestion in suggestions(found, at)]

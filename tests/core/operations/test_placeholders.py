"""Where a port or an address goes in a text, and that every other byte stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.errors.arguments import UnclearPlaceholder
from trop_core.errors.reservations import UnknownTag
from trop_core.operations.starting.placeholders import Places

PLACES = Places("/w/shop", 5000, {"web": 5000, "api": 5001, "my db": 5002, "{": 5003})
NAMED = PLACES._replace(name="shop-5000")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{port}", "5000"),
        ("{url}", "http://localhost:5000/"),
        ("{port:api}", "5001"),
        ("{url:api}", "http://localhost:5001/"),
        ("--port={port},{port:my db}", "--port=5000,5002"),
        ("{port}{port:api}", "50005001"),
        ('{"port":{port}}', '{"port":5000}'),
        ("{{port}}", "{port}"),
        ("{{url}}", "{url}"),
        ("{{port:api}}", "{port:api}"),
        ("{{url:nobody}}", "{url:nobody}"),
        ("{{port}", "{5000"),
        ("{{.Names}}", "{{.Names}}"),
        ("{name}", "{name}"),
        ("{{name}}", "{{name}}"),
        ("{PORT} {Port} {ports} {port } { port} {port:} {port: api} {port:api }", None),
        ("listen({port: 3000})", None),
        ("${port:-x", None),
        ("{port:{}", None),
        ("port} {port url}", None),
        ("\udcff{", None),
        ("", None),
    ],
)
def test_exactly_these_places_are_filled(text: str, filled: str | None) -> None:
    assert PLACES.fill(text) == (text if filled is None else filled)


@pytest.mark.parametrize(
    ("text", "filled"), [("{name}", "shop-5000"), ("{{name}}", "{name}"), ("{name}:{port:api}", "shop-5000:5001")]
)
def test_a_template_has_a_name_as_well(text: str, filled: str) -> None:
    assert NAMED.fill(text) == filled


def test_a_tag_that_nothing_is_reserved_with_is_refused() -> None:
    with pytest.raises(UnknownTag) as refused:
        PLACES.fill("x{url:no}")

    assert refused.value.message() == (
        'nothing with the tag "no" is reserved for "/w/shop", and "{url:no}" stands for its port'
    )
    assert refused.value.hint() == (
        'Tags there are: "web", "api", "my db", "{". Reserve it first (trop reserve --tag no), or write {{url:no}} '
        "where the text itself is meant."
    )
    assert refused.value.details() == {"path": "/w/shop", "tag": "no"}


def test_a_tag_is_missed_where_there_is_none() -> None:
    with pytest.raises(UnknownTag) as refused:
        Places("/w", 5000, {None: 5000}).fill("{port:web}")

    assert refused.value.hint().startswith("There is no other tag, either. Reserve it first")


def test_a_place_without_a_tag_is_refused_where_no_service_is_foremost() -> None:
    with pytest.raises(UnclearPlaceholder) as refused:
        Places("/w", None, {"api": 5000, "db": 5001}).fill("{url}")

    assert refused.value.message() == '"{url}" could be any of several services, of which none is called web'
    assert refused.value.hint() == "Write one of {url:api}, {url:db}."


ODD = st.text(st.sampled_from('{}port:ulnamewbi "$\\\udcff\n'), max_size=30) | st.text(max_size=30)


@given(ODD)
def test_a_text_without_a_place_stays_as_it_is(text: str) -> None:
    if not any(f"{{{word}" in text for word in ("port", "url")):
        assert PLACES.fill(text) == text


@given(st.lists(ODD.filter(lambda text: "{" not in text and "}" not in text), min_size=1, max_size=5))
def test_what_stands_around_places_stays_as_it_is(texts: list[str]) -> None:
    assert PLACES.fill("{port:api}".join(texts)) == "5001".join(texts)


@given(st.sampled_from(["port", "url"]), st.none() | st.text("abc -_.", min_size=1, max_size=9).map(str.strip))
def test_a_place_that_is_doubled_is_its_own_text(word: str, tag: str | None) -> None:
    place = f"{{{word}}}" if not tag else f"{{{word}:{tag}}}"

    assert PLACES.fill(f"{{{place}}}") == place

"""What holds for any layers and any text."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trop_core.config.files import parse_text
from trop_core.config.layer import Given, Layer, Place
from trop_core.config.merging import expanded, merge
from trop_core.config.schema import KEYS, Kind
from trop_core.errors.configuration import ConfigError
from trop_core.models import HIGHEST_PORT
from trop_core.ports.exclusions import Exclusions

ports = st.integers(1, HIGHEST_PORT)
ranges = st.tuples(ports, ports).map(lambda ends: (min(ends), max(ends)))
exclusions = st.lists(ranges).map(Exclusions.of)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """An expanded layer: any keys of the schema, and at most one of ``ports.max`` and ``ports.max_offset``."""
    names = draw(st.sets(st.sampled_from([name for name in KEYS if not name.startswith("reservations.")])))
    if "ports.max" in names:
        names.discard("ports.max_offset")
    place = Place(draw(st.text("abc", min_size=1, max_size=3)))
    values: dict[Kind, st.SearchStrategy[Any]] = {Kind.PORTS: exclusions}
    return expanded({name: Given(draw(values.get(KEYS[name].kind, ports)), (place,)) for name in sorted(names)})


@given(layers(), layers(), layers())
def test_merging_is_associative(weak: Layer, middle: Layer, strong: Layer) -> None:
    assert merge(merge(weak, middle), strong) == merge(weak, merge(middle, strong))


@given(layers())
def test_an_empty_layer_changes_nothing(layer: Layer) -> None:
    assert merge({}, layer) == layer == merge(layer, {})


@given(layers(), layers())
def test_everything_that_the_stronger_layer_gives_comes_through(weak: Layer, strong: Layer) -> None:
    merged = merge(weak, strong)

    assert {name: merged[name] for name in strong if name != "excluded_ports"} == {
        name: value for name, value in strong.items() if name != "excluded_ports"
    }
    assert merged.keys() <= weak.keys() | strong.keys()
    assert not {"ports.max", "ports.max_offset"} <= merged.keys()


@given(layers(), layers(), ports)
def test_a_port_is_excluded_if_any_layer_excludes_it(weak: Layer, strong: Layer, port: int) -> None:
    def excludes(layer: Layer) -> bool:
        value = layer["excluded_ports"].value if "excluded_ports" in layer else Exclusions()
        assert isinstance(value, Exclusions)
        return port in value

    assert excludes(merge(weak, strong)) == (excludes(weak) or excludes(strong))


@given(st.text(st.sampled_from("a: [],{}&*<\"'#-?|>!%@\n\t5.projects"), max_size=60))
def test_any_text_is_a_layer_or_a_configuration_error(text: str) -> None:
    layer: Layer = {}

    with suppress(ConfigError):
        layer = parse_text(text, "trop.yaml", project=True)

    assert set(layer) <= set(KEYS)


@given(st.dictionaries(st.sampled_from(["web", "api", "db", "x"]), st.integers(0, 1000), min_size=1))
def test_a_group_has_exactly_the_services_that_are_written(offsets: dict[str, int]) -> None:
    text = "reservations:\n  services:\n" + "".join(f"    {tag}: {{offset: {n}}}\n" for tag, n in offsets.items())

    try:
        group: Any = parse_text(text, "trop.yaml", project=True)["reservations"].value
    except ConfigError:
        assert len(set(offsets.values())) < len(offsets)
    else:
        assert {service.tag: service.offset for service in group.services} == offsets

"""One file: what it gives, and where."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
import yaml
from support.patience import AT_ONCE

from trop_core.config.files import load_file
from trop_core.config.variables import covers
from trop_core.errors.configuration import ConfigError
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.made_variables import MadeVariable
from trop_core.ports.services import Group, Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVERYTHING = """\
project: my-app
ports: {min: 5000, max: 7000, avoid: [browser, ephemeral]}
excluded_ports: [5001, 5005..5009]
cleanup: {expire_after_days: 30}
occupancy_check: {skip: false, skip_ip4: true, skip_ip6: no, skip_tcp: on, skip_udp: off, check_all_interfaces: Yes}
disable_autoprune: false
disable_autoexpire: false
allow_change_project: false
allow_change_task: false
allow_change: false
output_format: table
reserve_for: root
reservations:
  base: 5000
  services:
    web: {offset: 0, preferred: 5050, env: WEB_PORT}
    api: {offset: 1, env: API_PORT}
  environment:
    API_URL: "http://localhost:{port:api}/v1"
"""


@pytest.fixture
def values(tmp_path: Path) -> Callable[[str], dict[str, object]]:
    def load(text: str) -> dict[str, object]:
        (tmp_path / "trop.yaml").write_bytes(text.encode())
        layer = load_file(str(tmp_path / "trop.yaml"))
        assert layer is not None
        return {name: given.value for name, given in layer.items()}

    return load


def test_every_key_is_read(values: Callable[[str], dict[str, object]]) -> None:
    assert values(EVERYTHING) == {
        "project": "my-app",
        "ports.min": 5000,
        "ports.max": 7000,
        "ports.avoid": ("browser", "ephemeral"),
        "excluded_ports": Exclusions(((5001, 5001), (5005, 5009))),
        "cleanup.expire_after_days": 30,
        "occupancy_check.skip": False,
        "occupancy_check.skip_ip4": True,
        "occupancy_check.skip_ip6": False,
        "occupancy_check.skip_tcp": True,
        "occupancy_check.skip_udp": False,
        "occupancy_check.check_all_interfaces": True,
        "disable_autoprune": False,
        "disable_autoexpire": False,
        "allow_change_project": False,
        "allow_change_task": False,
        "allow_change": False,
        "output_format": "table",
        "reserve_for": "root",
        "reservations": Group(
            (
                Service("web", offset=0, preferred=5050, env="WEB_PORT", variable="WEB_PORT"),
                Service("api", offset=1, env="API_PORT", variable="API_PORT"),
            ),
            base=5000,
            made=(MadeVariable("API_URL", "http://localhost:{port:api}/v1"),),
        ),
    }


def test_a_file_that_does_not_exist_is_no_layer(tmp_path: Path) -> None:
    assert load_file(str(tmp_path / "trop.yaml")) is None
    assert load_file(str(tmp_path / "no directory" / "trop.yaml")) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# a comment\n\n", id="comments"),
        pytest.param("\N{BYTE ORDER MARK}# a comment\n", id="byte-order-mark"),
        pytest.param("---\n", id="document-marker"),
        pytest.param("null\n", id="null"),
        pytest.param("{}\n", id="empty-mapping"),
        pytest.param("project:\nports:\nexcluded_ports: ~\ncleanup: {expire_after_days: null}\n", id="nulls"),
        pytest.param("ports: {}\n", id="empty-section"),
    ],
)
def test_a_file_that_gives_nothing_is_an_empty_layer(values: Callable[[str], dict[str, object]], text: str) -> None:
    assert values(text) == {}


def test_reservations_that_are_null_are_given_as_such(values: Callable[[str], dict[str, object]]) -> None:
    assert values("reservations:\n") == {"reservations": None}


@pytest.mark.parametrize(
    ("text", "key", "line", "column"),
    [
        pytest.param("project: a\n", "project", 1, 10, id="first-line"),
        pytest.param("# é\nports:\n  min: 1\n", "ports.min", 3, 8, id="block"),
        pytest.param("{ports: {min: 1}}", "ports.min", 1, 15, id="flow"),
        pytest.param("\N{BYTE ORDER MARK}project: a\n", "project", 1, 10, id="byte-order-mark"),
        pytest.param("# one\r\nproject: a\r\n", "project", 2, 10, id="windows-line-ends"),
        pytest.param('{"project": "né", output_format: csv}', "output_format", 1, 34, id="characters-not-bytes"),
        pytest.param("excluded_ports:\n  - 5001\n", "excluded_ports", 2, 3, id="list"),
        pytest.param("project: |\n  a\n", "project", 1, 10, id="literal-text"),
    ],
)
def test_every_value_knows_its_place(tmp_path: Path, text: str, key: str, line: int, column: int) -> None:
    file = tmp_path / "trop.yaml"
    file.write_bytes(text.encode())

    layer = load_file(str(file))

    assert layer is not None
    assert layer[key].origin == f"{file}:{line}:{column}"


def test_an_identifier_is_trimmed(values: Callable[[str], dict[str, object]]) -> None:
    assert values('project: " my app "\n') == {"project": "my app"}


def test_a_service_without_anything_has_the_defaults(values: Callable[[str], dict[str, object]]) -> None:
    group = values("reservations: {services: {web-app: , api: {offset: null, preferred: null, env: }}}")["reservations"]

    assert group == Group(
        (Service("web-app", offset=0, variable="WEB_APP_PORT"), Service("api", offset=1, variable="API_PORT"))
    )


def test_an_offset_that_is_left_out_is_the_lowest_that_no_other_service_has(
    values: Callable[[str], dict[str, object]],
) -> None:
    text = "reservations: {services: {a: , b: {offset: 1}, c: 5050, d: {env: PORT}, e: {offset: 3}, f: }}"

    group = values(text)["reservations"]

    assert isinstance(group, Group)
    assert [service.offset for service in group.services] == [0, 1, 2, 4, 3, 5]


def test_a_port_alone_is_what_a_service_prefers(values: Callable[[str], dict[str, object]]) -> None:
    short = values("reservations: {services: {web: 5050, api: }}")
    long = values("reservations: {services: {web: {preferred: 5050}, api: {}}}")

    assert short == long


@pytest.mark.parametrize(
    ("tag", "variable"),
    [
        ("web", "WEB_PORT"),
        ("db-main", "DB_MAIN_PORT"),
        ("port", "PORT"),
        ("http-port", "HTTP_PORT"),
        ("Web_Port", "WEB_PORT"),
        ("transport", "TRANSPORT_PORT"),
        ("port-api", "PORT_API_PORT"),
        ("http-proxy", "HTTP_PROXY_PORT"),
        ("term", "TERM_PORT"),
        ("lang", "LANG_PORT"),
    ],
)
def test_a_services_name_makes_a_variable_that_says_port(
    values: Callable[[str], dict[str, object]], tag: str, variable: str
) -> None:
    group = values(f"reservations: {{services: {{{tag}: }}}}")["reservations"]

    assert isinstance(group, Group)
    assert group.services[0].variable == variable
    assert not group.problems


def test_a_variable_that_is_refused_is_none_and_leaves_the_rest_of_the_group(
    values: Callable[[str], dict[str, object]],
) -> None:
    group = values(
        "reservations: {services: {web: {env: PATH}, api: }, environment: {X: 'http://localhost:{port:api}'}}"
    )["reservations"]

    assert isinstance(group, Group)
    assert group.services == (
        Service("web", offset=0, env="PATH"),
        Service("api", offset=1, variable="API_PORT"),
    )
    assert group.made == ()
    assert [(problem.tag, problem.key) for problem in group.problems] == [
        ("web", "reservations.services.web.env"),
        (None, "reservations.environment.X"),
    ]


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ((), ["PGHOST", "my_app", "X", "lower_url"]),
        (("PGHOST", "X"), ["my_app", "lower_url"]),
        (("pghost", "my_*", "lower_*"), ["PGHOST", "X"]),
        (("*",), []),
    ],
)
def test_what_the_user_allows_a_file_may_name(tmp_path: Path, allowed: tuple[str, ...], refused: list[str]) -> None:
    (tmp_path / "trop.yaml").write_text(
        "reservations:\n  services: {a: {env: PGHOST}, b: {env: my_app}}\n"
        "  environment: {X: 'http://localhost:{port:a}', lower_url: 'http://localhost:{port:a}'}\n"
    )

    layer = load_file(str(tmp_path / "trop.yaml"), allowed=allowed)

    assert layer is not None
    group = layer["reservations"].value
    assert isinstance(group, Group)
    given = {service.variable for service in group.services} | {made.name for made in group.made}
    assert given - {None} == {"PGHOST", "my_app", "X", "lower_url"} - set(refused)
    assert len(group.problems) == len(refused)


@pytest.mark.parametrize("name", ["TROP_URL", "trop_url", "Trop_URL"])
def test_no_pattern_covers_what_is_trops_own(name: str) -> None:
    assert covers(["*_URL"], "API_URL")
    assert not covers(["*", name], name)


@pytest.mark.parametrize("name", ["TROP_PORT_MIN", "trop_x", "X Y", "X;Y", "", "1X", "X" * 256, "\u0420ORT"])
def test_what_is_trops_own_or_no_name_at_all_nobody_can_allow(tmp_path: Path, name: str) -> None:
    (tmp_path / "trop.yaml").write_text(f'reservations: {{services: {{a: {{env: "{name}"}}}}}}\n')

    layer = load_file(str(tmp_path / "trop.yaml"), allowed=("*",))

    assert layer is not None
    group = layer["reservations"].value
    assert isinstance(group, Group)
    assert group.services[0].variable is None
    assert len(group.problems) == 1


def test_an_alias_stands_for_what_its_anchor_names(values: Callable[[str], dict[str, object]]) -> None:
    text = "ports: {min: &low 5000, max: 6000}\nexcluded_ports: [*low]\nreservations: {base: *low, services: {a: }}\n"

    assert values(text)["excluded_ports"] == Exclusions(((5000, 5000),))


def test_a_merge_key_brings_what_the_mapping_does_not_have_itself(values: Callable[[str], dict[str, object]]) -> None:
    text = (
        "occupancy_check: &checks {skip_tcp: true, skip_udp: true}\n"
        "reservations:\n"
        "  services:\n"
        "    a: &a {offset: 1, preferred: 5001, env: A_PORT}\n"
        "    b: &b {offset: 2, preferred: 5002, env: B_PORT}\n"
        "    c: {<<: [{preferred: 5003}, *a, *b], offset: 3, env: PORT}\n"
    )

    group = values(text)["reservations"]

    assert isinstance(group, Group)
    assert group.services[2] == Service("c", offset=3, preferred=5003, env="PORT", variable="PORT")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 500_000, id="open-lists"),
        pytest.param("- " * 400_000, id="block-lists"),
        pytest.param("{a: " * 200_000, id="open-mappings"),
        pytest.param("? " * 400_000, id="open-keys"),
    ],
)
@pytest.mark.parametrize("parser", ["libyaml", "pure"])
def test_a_file_that_is_nested_too_deeply_is_a_problem_and_not_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, parser: str
) -> None:
    if parser == "pure":
        monkeypatch.setattr(yaml, "__with_libyaml__", False)
    (tmp_path / "trop.yaml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_file(str(tmp_path / "trop.yaml"))

    (problem,) = caught.value.problems
    assert problem.line == 1
    assert problem.column is not None
    # libyaml may have a limit of its own, in its own words.
    assert problem.message.endswith("this is nested more than 50 levels deep") or problem.message.startswith("broken")


def test_a_deeply_nested_file_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is counted, not timed: without libyaml each token costs a look at all lists that are open."""
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    (tmp_path / "trop.yaml").write_text("[" * 5_000)
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        with pytest.raises(ConfigError):
            load_file(str(tmp_path / "trop.yaml"))
    finally:
        sys.setprofile(None)

    assert steps < 50_000


def _doubling(levels: int) -> str:
    """Lists in which each holds the one before ten times: written out, 10 ** levels entries."""
    lists = "".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]\n" for level in range(1, levels))
    return f"l0: &l0 [5000]\n{lists}excluded_ports: *l{levels - 1}\n"


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_doubling(40), id="aliases-of-aliases"),
        pytest.param("ports: &p\n  min: 5\n  <<: *p\nx: &x [*x]\n", id="aliases-of-themselves"),
        pytest.param("x: &x {min: 5000}\nports: {<<: [" + "*x, " * 200_000 + "*x]}\n", id="many-merges"),
        pytest.param(
            "".join(f"k{n}: &k{n} {{u{n}: 1, <<: *k{n - 1}}}\n" for n in range(1, 20_000)).replace(", <<: *k0", "")
            + "ports: {<<: *k19999}\n",
            id="chain-of-merges",
        ),
        pytest.param(
            "x: &x {" + ", ".join(f"u{n}: 1" for n in range(20_000)) + "}\nreservations:\n  services:\n"
            "" + "".join(f"    s{n}: *x\n" for n in range(20_000)),
            id="services-that-share-mistakes",
        ),
        pytest.param("ports: {min: " + "1:" * 400_000 + "1}\n", id="number-with-base-sixty"),
        pytest.param("ports: {min: 0x" + "f" * 90 + "}\n", id="number-that-python-does-not-print"),
        pytest.param("".join(f"key{n}:\n" for n in range(100_000)), id="unknown-keys"),
        pytest.param("excluded_ports: [" + "1, " * 300_000, id="broken-at-its-end"),
        pytest.param("#" * (1024 * 1024 + 1), id="too-large"),
    ],
)
def test_a_hostile_file_is_refused_in_little_time_and_with_few_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "trop.yaml").write_text(text)
    begin = time.process_time()

    with pytest.raises(ConfigError) as caught:
        load_file(str(tmp_path / "trop.yaml"))

    assert time.process_time() - begin < AT_ONCE
    assert len(caught.value.problems) <= 1001
    assert max(len(str(problem)) for problem in caught.value.problems) < 1000


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ("[{start: 5003, end: 5005}]", (5003, 5005)),
        ("['5003 .. 5005']", (5003, 5005)),
        ("[5003 .. 5005]", (5003, 5005)),
        ("['5003']", (5003, 5003)),
    ],
)
def test_exclusions_are_read_as_another_program_writes_them(
    tmp_path: Path, written: str, ports: tuple[int, int]
) -> None:
    (tmp_path / "config.yaml").write_text(f"project: null\nreservations:\nexcluded_ports: {written}\n")

    layer = load_file(str(tmp_path / "config.yaml"))

    assert layer is not None
    assert layer["excluded_ports"].value == Exclusions.of([ports])
    assert layer.keys() == {"excluded_ports"}


@pytest.mark.parametrize(
    "written",
    [
        "{start: 5005, end: 5003}",
        "{start: 5003}",
        "{start: a, end: 5}",
        "{start: 1, end: 2, step: 1}",
        "{start: 0, end: 2}",
    ],
)
def test_a_range_that_is_none_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "trop.yaml").write_text(f"excluded_ports: [{written}]\n")

    with pytest.raises(ConfigError, match="excluded_ports: expected a"):
        load_file(str(tmp_path / "trop.yaml"))


def test_a_quoted_number_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "trop.yaml").write_text("ports: {min: '5100', max: \"5200\"}\n")

    layer = load_file(str(tmp_path / "trop.yaml"))

    assert layer is not None
    assert (layer["ports.min"].value, layer["ports.max"].value) == (5100, 5200)

"""Variables that are made from ports: what a template may be, what comes of it, and the name for a Compose project."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.models import HIGHEST_PORT, LOWEST_PORT
from trop_core.ports.made_variables import (
    COMPOSE_PROJECT,
    MadeVariable,
    MalformedTemplate,
    is_made,
)

PORTS = {"web": 5000, "my api": 5001, "{port:x}": 5002}
HERE = {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("http://localhost:{port:web}", "http://localhost:5000"),
        ("https://localhost:{port:web}/", "https://localhost:5000/"),
        ("http://a.b-c.localhost:{port:web}/x?y=%20&z=1#~_", "http://a.b-c.localhost:5000/x?y=%20&z=1#~_"),
        ("postgres://127.0.0.1:{port:web}/db?sslmode=off", "postgres://127.0.0.1:5000/db?sslmode=off"),
        ("redis+tls://[::1]:{port:web}#0", "redis+tls://[::1]:5000#0"),
        ("http://localhost:{port:my api}?q", "http://localhost:5001?q"),
        ("http://localhost:{port:{port:x}}/", "http://localhost:5002/"),
    ],
)
def test_a_template_is_an_address_with_a_services_port(template: str, value: str) -> None:
    made = MadeVariable("X_URL", template)

    assert made.render(PORTS, "unused") == value
    assert is_made(value)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "5000",
        "{port:web}",
        "localhost:{port:web}",
        "//localhost:{port:web}",
        "http://localhost",
        "http://localhost:5000",
        "http://localhost:{port:}",
        "http://localhost:{web}",
        "http://LOCALHOST.example.org:{port:web}",
        "http://localhost.:{port:web}",
        "http://.localhost:{port:web}",
        "http://-a.localhost:{port:web}",
        "http://notlocalhost:{port:web}",
        "http://127.0.0.2:{port:web}",
        "http://127x0.0.1:{port:web}",
        "http://127.0x0.1:{port:web}",
        "http://127.0.0x1:{port:web}",
        "http://0.0.0.0:{port:web}",
        "http://[::]:{port:web}",
        "http://user@localhost:{port:web}",
        "http://user:secret@localhost:{port:web}",
        "http://localhost:{port:web}@example.org",
        "http://localhost:{port:web}0",
        "http://localhost:{port:web}:80",
        "http://localhost:{port:web}/@example.org",
        "http://localhost:{port:web}/a b",
        "http://localhost:{port:web}/'",
        'http://localhost:{port:web}/"',
        "http://localhost:{port:web}/$HOME",
        "http://localhost:{port:web}/`id`",
        "http://localhost:{port:web}/\\",
        "http://localhost:{port:web}/\n",
        "http://localhost:{port:web}\n",
        "http://localhost:{port:web}/é",
        "1http://localhost:{port:web}",
        "http://localhost:{port:web}/" + "a" * 1000,
        "{name}",
        "x-{name}",
    ],
)
def test_nothing_else_is_a_template(template: str) -> None:
    with pytest.raises(MalformedTemplate):
        MadeVariable("X_URL", template)


@pytest.mark.parametrize("scheme", ["javascript", "data", "file", "vscode", "command", "JavaScript", "FILE"])
def test_no_address_has_a_scheme_that_runs_or_reads_something(scheme: str) -> None:
    with pytest.raises(MalformedTemplate, match=f"addresses that begin with {scheme.lower()}: are not made"):
        MadeVariable("X_URL", f"{scheme}://localhost:{{port:web}}")
    assert not is_made(f"{scheme}://localhost:5000")


@given(
    st.from_regex(
        r"[a-z]{1,8}://([a-z@.:\[\]/]{0,9})(localhost|127\.0\.0\.1|\[::1\])[a-z.@:]{0,5}:\{port:web\}.{0,20}"
    ),
    st.integers(LOWEST_PORT, HIGHEST_PORT),
)
def test_whatever_is_made_leads_to_the_port_on_this_machine(template: str, port: int) -> None:
    try:
        made = MadeVariable("X_URL", template)
    except MalformedTemplate:
        return
    found = urlsplit(made.render({"web": port}, "unused"))

    assert found.port == port
    assert found.hostname is not None
    assert found.hostname in HERE or found.hostname.endswith(".localhost")
    assert (found.username, found.password) == (None, None)


def test_the_name_of_a_compose_project_is_the_one_that_is_no_address() -> None:
    assert MadeVariable(COMPOSE_PROJECT, "{name}").render({}, "shop-5000") == "shop-5000"
    for template in ("http://localhost:{port:web}", "x-{name}", ""):
        with pytest.raises(MalformedTemplate, match="takes nothing else"):
            MadeVariable(COMPOSE_PROJECT, template)

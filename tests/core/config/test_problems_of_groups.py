"""What can be wrong with a group of a file: with its services, their ports and their variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.problems import ALLOWING, PORT, assert_is

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.problems import Found

NO_NAME = "is no name of a variable: one has A to Z, digits and _, 255 at most, and no digit first"
NO_PORT = f"has no PORT among its parts, as WEB_PORT and PORT_API have; {ALLOWING}"
NO_ADDRESS = f"has no URL, URI, ORIGIN, ENDPOINT or ADDR among its parts, as API_URL has; {ALLOWING}"
TEMPLATE = (
    "expected a template such as http://localhost:{port:web}/path, whose host is localhost, a name below it, 127.0.0.1 "
    "or [::1], 1000 characters at most"
)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        # The group.
        pytest.param(
            "reservations: [web]\n", (1, 15, "reservations"), "expected a mapping, not a list", id="group-is-a-list"
        ),
        pytest.param(
            "reservations: {}\n", (1, 15, "reservations.services"), "expected at least one service", id="group-is-empty"
        ),
        pytest.param(
            "reservations: {services: {}}\n",
            (1, 26, "reservations.services"),
            "expected at least one service",
            id="no-services",
        ),
        pytest.param(
            "reservations: {base: 1, services: null}\n",
            (1, 35, "reservations.services"),
            "expected at least one service",
            id="null-services",
        ),
        pytest.param(
            "reservations: {services: [web]}\n",
            (1, 26, "reservations.services"),
            "expected a mapping, not a list",
            id="services-are-a-list",
        ),
        pytest.param(
            "reservations: {services: {web: 70000}}\n",
            (1, 32, "reservations.services.web"),
            f"expected a mapping or {PORT}, not 70000",
            id="service-is-no-port",
        ),
        pytest.param(
            "reservations: {services: {web: true}}\n",
            (1, 32, "reservations.services.web"),
            f"expected a mapping or {PORT}, not true",
            id="service-is-a-boolean",
        ),
        pytest.param(
            "reservations: {services: {web: [5000]}}\n",
            (1, 32, "reservations.services.web"),
            "expected a mapping, not a list",
            id="service-is-a-list",
        ),
        pytest.param(
            "reservations: {services: {a: 5050, b: 5050}}\n",
            (1, 39, "reservations.services.b.preferred"),
            'the service "a" has the same preferred port, 5050',
            id="same-preferred-alone",
        ),
        pytest.param(
            "reservations:\n  services:\n" + "".join(f"    s{n}:\n" for n in range(70)),
            (67, 5, "reservations.services"),
            "a group has at most 64 services",
            id="too-many-services",
        ),
        pytest.param(
            "reservations: {base: 0, services: {web: }}\n",
            (1, 22, "reservations.base"),
            f"expected {PORT}, not 0",
            id="base-zero",
        ),
        pytest.param(
            "reservations: {service: {web: }, services: {web: }}\n",
            (1, 16, "reservations.service"),
            "unknown key: did you mean reservations.services?",
            id="misspelt-services",
        ),
        pytest.param(
            "reservations: {services: {5: }}\n",
            (1, 27, "reservations.services"),
            "a key is a text, not 5; quotes make it one",
            id="number-as-service",
        ),
        pytest.param(
            'reservations: {services: {"a\\tb": {env: A}}}\n',
            (1, 27, "reservations.services.a\\tb"),
            "the name of a service is a tag: it holds the control character U+0009",
            id="service-with-a-tab",
        ),
        pytest.param(
            "reservations: {services: {web: {ofset: 1}}}\n",
            (1, 33, "reservations.services.web.ofset"),
            "unknown key: did you mean reservations.services.web.offset?",
            id="misspelt-field",
        ),
        pytest.param(
            "reservations: {services: {web: {offset: -1}}}\n",
            (1, 41, "reservations.services.web.offset"),
            "expected a whole number from 0 to 65534, not -1",
            id="negative-service-offset",
        ),
        pytest.param(
            "reservations: {services: {web: {preferred: 0}}}\n",
            (1, 44, "reservations.services.web.preferred"),
            f"expected {PORT}, not 0",
            id="preferred-zero",
        ),
        pytest.param(
            "reservations: {services: {web: {env: $(ls)}}}\n",
            (1, 38, "reservations.services.web.env"),
            f'the variable "$(ls)" {NO_NAME}',
            id="variable-is-a-command",
        ),
        pytest.param(
            "reservations: {services: {web: {env: 1A}}}\n",
            (1, 38, "reservations.services.web.env"),
            f'the variable "1A" {NO_NAME}',
            id="variable-begins-with-a-digit",
        ),
        pytest.param(
            'reservations: {services: {web: {env: "A\\n"}}}\n',
            (1, 38, "reservations.services.web.env"),
            f'the variable "A\\n" {NO_NAME}',
            id="variable-with-a-line-break",
        ),
        pytest.param(
            "reservations: {services: {web: {env: ''}}}\n",
            (1, 38, "reservations.services.web.env"),
            f'the variable "" {NO_NAME}',
            id="variable-empty",
        ),
        pytest.param(
            f"reservations: {{services: {{web: {{env: {'A' * 256}}}}}}}\n",
            (1, 38, "reservations.services.web.env"),
            f'the variable "{"A" * 200}…" {NO_NAME}',
            id="variable-too-long",
        ),
        pytest.param(
            "reservations: {services: {my.app: }}\n",
            (1, 27, "reservations.services.my.app.env"),
            f'give env: the variable that the service\'s name makes, "MY.APP_PORT" {NO_NAME}',
            id="variable-from-a-dotted-service",
        ),
        pytest.param(
            "reservations:\n  services:\n    a: {offset: 1}\n    b: {offset: 1}\n",
            (4, 17, "reservations.services.b.offset"),
            'the service "a" has the same offset, 1',
            id="same-offset",
        ),
        pytest.param(
            "reservations: {base: 65535, services: {a: , b: }}\n",
            (1, 45, "reservations.services.b.offset"),
            "the base, 65535, and this offset, 1, go beyond 65535",
            id="offset-that-is-left-out-beyond-the-base",
        ),
        pytest.param(
            "reservations:\n  services:\n    a: {offset: 1, preferred: 80}\n    b: {offset: 2, preferred: 80}\n",
            (4, 31, "reservations.services.b.preferred"),
            'the service "a" has the same preferred port, 80',
            id="same-preferred",
        ),
        pytest.param(
            "reservations:\n  services:\n    a: {offset: 1, env: PORT}\n    b: {offset: 2, env: port}\n",
            (4, 25, "reservations.services.b.env"),
            f'the variable "port" is not in upper case; {ALLOWING}',
            id="variable-in-lower-case",
        ),
        pytest.param(
            "reservations:\n  services:\n    a: {env: B_PORT}\n    b:\n",
            (4, 5, "reservations.services.b.env"),
            'the service "a" has the same variable, B_PORT',
            id="same-variable",
        ),
        pytest.param(
            "reservations:\n  services:\n    my-app: {offset: 1}\n    my_app: {offset: 2}\n",
            (4, 5, "reservations.services.my_app.env"),
            'the service "my-app" has the same variable, MY_APP_PORT',
            id="same-default-variable",
        ),
        *(
            pytest.param(
                f"reservations: {{services: {{web: {{env: {name}}}}}}}\n",
                (1, 38, "reservations.services.web.env"),
                f'the variable "{name}" {NO_PORT}',
                id=f"variable-{name}",
            )
            for name in ("PATH", "GIT_COMMON_DIR", "VIMRUNTIME", "TRANSPORT", "PORTS", "WEBPORT", "_", "HTTP_PROXY")
        ),
        *(
            pytest.param(
                f"reservations: {{services: {{web: {{env: {name}}}}}}}\n",
                (1, 38, "reservations.services.web.env"),
                f'the variable "{name}" begins with TROP_, as trop\'s own variables do',
                id=f"variable-{name}",
            )
            for name in ("TROP_PORT_MIN", "TROP_PORT", "trop_port")
        ),
        pytest.param(
            "reservations: {services: {trop-web: }}\n",
            (1, 27, "reservations.services.trop-web.env"),
            "give env: the variable that the service's name makes, \"TROP_WEB_PORT\" begins with TROP_, as trop's own "
            "variables do",
            id="variable-of-trop-by-a-services-name",
        ),
        *(
            pytest.param(
                f"reservations:\n  services: {{web: }}\n  environment:\n    {name}: {template}\n",
                (4, 5 if at_key else len(name) + 7, f"reservations.environment.{name}"),
                says,
                id=f"made-{number}",
            )
            for number, (name, template, at_key, says) in enumerate(
                (
                    ("PIP_INDEX", "http://localhost:{port:web}", True, f'the variable "PIP_INDEX" {NO_ADDRESS}'),
                    ("CURL", "http://localhost:{port:web}", True, f'the variable "CURL" {NO_ADDRESS}'),
                    (
                        "TROP_URL",
                        "http://localhost:{port:web}",
                        True,
                        'the variable "TROP_URL" begins with TROP_, as trop\'s own variables do',
                    ),
                    ("WEB_URL", "http://localhost:{port:api}", False, 'there is no service "api"'),
                    ("WEB_URL", "http://example.org:{port:web}", False, TEMPLATE),
                    ("WEB_URL", "http://localhost.example.org:{port:web}", False, TEMPLATE),
                    ("WEB_URL", "http://u:p@localhost:{port:web}", False, TEMPLATE),
                    ("WEB_URL", "http://localhost:{port:web}@example.org", False, TEMPLATE),
                    ("WEB_URL", "http://localhost:{port:web}.example.org", False, TEMPLATE),
                    ("WEB_URL", "http://localhost:{port:web}/$(touch)", False, TEMPLATE),
                    (
                        "WEB_URL",
                        "http://localhost:{port:web}/{port:web}",
                        False,
                        'there is no service "web}/{port:web"',
                    ),
                    ("WEB_URL", "http://localhost/", False, TEMPLATE),
                    (
                        "WEB_URL",
                        "JavaScript://localhost:{port:web}",
                        False,
                        "addresses that begin with javascript: are not made",
                    ),
                    ("WEB_URL", "5000", False, "expected a template such as http://localhost:{port:web}, not 5000"),
                    ("WEB_URL", "~", False, "expected a template such as http://localhost:{port:web}, not null"),
                    ("WEB_URL", '"{name}"', False, "{name} is for COMPOSE_PROJECT_NAME, which takes nothing else"),
                    (
                        "COMPOSE_PROJECT_NAME",
                        "http://localhost:{port:web}",
                        False,
                        "{name} is for COMPOSE_PROJECT_NAME, which takes nothing else",
                    ),
                )
            )
        ),
        pytest.param(
            "reservations:\n  environment: {web_url: 'http://localhost:{port:web}'}\n  services: {web: {env: PORT}}\n",
            (2, 17, "reservations.environment.web_url"),
            f'the variable "web_url" is not in upper case; {ALLOWING}',
            id="made-in-lower-case",
        ),
        pytest.param(
            "reservations:\n  environment: {PORT_URL: 'http://localhost:{port:web}'}\n"
            "  services: {web: {env: PORT_URL}}\n",
            (2, 17, "reservations.environment.PORT_URL"),
            'the service "web" has the same variable, PORT_URL',
            id="made-with-the-name-of-a-port",
        ),
        pytest.param(
            'reservations: {services: {web: , " web": }}\n',
            (1, 34, "reservations.services. web"),
            'the service "web" is given twice',
            id="same-trimmed-name",
        ),
        pytest.param(
            "reservations: {services: {web: {offset: 9}}, base: 65530}\n",
            (1, 41, "reservations.services.web.offset"),
            "the base, 65530, and this offset, 9, go beyond 65535",
            id="offset-beyond-the-base",
        ),
    ],
)
def test_a_group_that_cannot_be_meant_is_reported_with_its_place(
    problems: Callable[..., list[Found]], text: str, place: tuple[int, int, str | None], message: str
) -> None:
    (found,) = problems(text)

    assert_is(found, place, message)

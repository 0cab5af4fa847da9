"""Everything that can be wrong with a file, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from trop_core.config.files import load_file
from trop_core.config.schema import KEYS
from trop_core.errors.configuration import ConfigError
from trop_core.ports.services import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from trop_core.errors.configuration import ConfigProblem

    Found = tuple[int | None, int | None, str | None, str]

PORT = "a port from 1 to 65535"
ENTRY = "expected a port from 1 to 65535 or a range such as 5005..5009, not"
TEXT = "expected a text of 1 to 255 characters, not"
NO_NAME = "is no name of a variable: one has A to Z, digits and _, 255 at most, and no digit first"
ALLOWING = "only your own config.yaml can allow it, under allowed_variables"
NO_PORT = f"has no PORT among its parts, as WEB_PORT and PORT_API have; {ALLOWING}"
NO_ADDRESS = f"has no URL, URI, ORIGIN, ENDPOINT or ADDR among its parts, as API_URL has; {ALLOWING}"
TEMPLATE = (
    "expected a template such as http://localhost:{port:web}/path, whose host is localhost, a name below it, 127.0.0.1 "
    "or [::1], 1000 characters at most"
)


@pytest.fixture
def problems(tmp_path: Path) -> Callable[..., list[Found]]:
    def load(text: str | bytes, name: str = "trop.yaml") -> list[Found]:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        found: Sequence[ConfigProblem]
        try:
            layer = load_file(str(tmp_path / name))
        except ConfigError as error:
            found = error.problems
        else:
            # A variable that is refused does not make the file unusable.
            assert layer is not None
            found = cast(Group, layer["reservations"].value).problems
        assert {problem.file for problem in found} == {str(tmp_path / name)}
        return [(p.line, p.column, p.key, p.message) for p in found]

    return load


BROKEN = "broken YAML: "
"""What a message begins with that goes on in the words of whichever parser is installed."""

MISTAKES = [
    # What is no YAML, or no text at all.
    pytest.param(
        "a: [\n",
        (2, 1, None),
        BROKEN,
        id="open-list",
    ),
    pytest.param("project: a: b\n", (1, 11, None), BROKEN, id="two-colons"),
    pytest.param(
        "a: 1\n\tb: 2\n",
        (2, 1, None),
        BROKEN,
        id="tab",
    ),
    pytest.param(
        'project: "\\q"',
        (1, 12, None),
        BROKEN,
        id="unknown-escape",
    ),
    pytest.param(
        "project: a\n---\nproject: b\n",
        (2, 1, None),
        "a second document begins here, and only one is read",
        id="second-document",
    ),
    pytest.param(
        b"project: a\nports: \xc3\xa9\xff\n", (2, 9, None), "the byte 0xff here is not valid UTF-8", id="not-utf-8"
    ),
    pytest.param(b"project: a\x00b\n", (1, 11, None), "the character U+0000 must not stand in YAML", id="nul"),
    pytest.param(
        b"# \x1b[31m\n", (1, 3, None), "the character U+001B must not stand in YAML", id="escape-in-a-comment"
    ),
    pytest.param(
        "project: *here\n", (1, 10, "project"), "the alias *here has no anchor before it", id="alias-without-anchor"
    ),
    pytest.param("project: !secret x\n", (1, 10, "project"), 'the tag "!secret" is not supported', id="unknown-tag"),
    pytest.param(
        "project: !!python/object/apply:os.system ls\n",
        (1, 10, "project"),
        'the tag "tag:yaml.org,2002:python/object/apply:os.system" is not supported',
        id="python-tag",
    ),
    pytest.param(
        "project: 2024-99-99\n",
        (1, 10, "project"),
        '"2024-99-99" is not what its tag timestamp says',
        id="impossible-date",
    ),
    pytest.param(
        "project: !!bool maybe\n", (1, 10, "project"), '"maybe" is not what its tag bool says', id="untrue-tag"
    ),
    pytest.param(
        "ports: !!set {min}\n",
        (1, 8, "ports"),
        'the tag "tag:yaml.org,2002:set" is not supported',
        id="set",
    ),
    pytest.param(
        f"project: !{'x' * 400}!y z\n",
        (1, 10, None),
        BROKEN,
        id="long-complaint",
    ),
    # What is no mapping, and keys that are none.
    pytest.param("- a\n", (1, 1, None), "expected a mapping, not a list", id="root-is-a-list"),
    pytest.param("hello\n", (1, 1, None), 'expected a mapping, not "hello"', id="root-is-a-text"),
    pytest.param("\nports: 5000\n", (2, 8, "ports"), "expected a mapping, not 5000", id="section-is-a-number"),
    pytest.param("cleanup: [30]\n", (1, 10, "cleanup"), "expected a mapping, not a list", id="section-is-a-list"),
    pytest.param("5: x\n", (1, 1, None), "a key is a text, not 5; quotes make it one", id="number-as-key"),
    pytest.param(
        "ports: {on: 1}\n", (1, 9, "ports"), "a key is a text, not true; quotes make it one", id="boolean-as-key"
    ),
    pytest.param("? [a]\n: 1\n", (1, 3, None), "a key is a text, not a list; quotes make it one", id="list-as-key"),
    pytest.param("ports: {<<: 5}\n", (1, 13, "ports"), "<< merges mappings, and this is none", id="merge-of-a-number"),
    # Keys that nobody knows.
    pytest.param("projet: a\n", (1, 1, "projet"), "unknown key: did you mean project?", id="misspelt-key"),
    pytest.param(
        "ports:\n  mni: 1\n",
        (2, 3, "ports.mni"),
        "unknown key: did you mean ports.min?",
        id="misspelt-key-in-a-section",
    ),
    pytest.param(
        "max_offset: 1\n",
        (1, 1, "max_offset"),
        "unknown key: it belongs under ports",
        id="key-without-its-section",
    ),
    pytest.param(
        "services: {web: {}}\n",
        (1, 1, "services"),
        "unknown key: it belongs under reservations",
        id="services-at-the-top",
    ),
    pytest.param(
        "ports: {cleanup: {}}\n",
        (1, 9, "ports.cleanup"),
        "unknown key: it belongs at the top level",
        id="nested-section",
    ),
    pytest.param(
        "reservations: {services: {web: }, offset: 1}\n",
        (1, 35, "reservations.offset"),
        "unknown key: it belongs under a service of reservations.services",
        id="key-of-a-service-beside-it",
    ),
    pytest.param("zzz: 1\n", (1, 1, "zzz"), "unknown key", id="key-like-no-other"),
    pytest.param("ports.min: 1\n", (1, 1, "ports.min"), "unknown key: did you mean ports?", id="dotted-key"),
    pytest.param(
        "reservations.services.*: {offset: 1}\n",
        (1, 1, "reservations.services.*"),
        "unknown key: did you mean reservations?",
        id="key-with-a-wildcard",
    ),
    pytest.param('"\\e[31mx": 1\n', (1, 1, "\\x1b[31mx"), "unknown key", id="key-with-an-escape"),
    # Duplicates.
    pytest.param(
        "project: a\nproject: b\n", (2, 1, "project"), "this key is given twice: first in line 1", id="duplicate-key"
    ),
    pytest.param(
        "ports:\n  min: 1\n  min: 1\n",
        (3, 3, "ports.min"),
        "this key is given twice: first in line 2",
        id="duplicate-in-a-section",
    ),
    pytest.param(
        "ports: {min: 1}\nports: {max: 6000}\n",
        (2, 1, "ports"),
        "this key is given twice: first in line 1",
        id="duplicate-section",
    ),
    # Single values.
    pytest.param('ports: {min: "5000"}\n', (1, 14, "ports.min"), f'expected {PORT}, not "5000"', id="port-as-text"),
    pytest.param("ports: {min: true}\n", (1, 14, "ports.min"), f"expected {PORT}, not true", id="port-as-boolean"),
    pytest.param("ports: {min: 5000.0}\n", (1, 14, "ports.min"), f"expected {PORT}, not 5000.0", id="port-as-float"),
    pytest.param("ports: {min: 0}\n", (1, 14, "ports.min"), f"expected {PORT}, not 0", id="port-zero"),
    pytest.param("ports: {max: 65536}\n", (1, 14, "ports.max"), f"expected {PORT}, not 65536", id="port-too-high"),
    pytest.param("ports: {min: [1]}\n", (1, 14, "ports.min"), f"expected {PORT}, not a list", id="port-as-list"),
    pytest.param(
        "ports: {min: {a: 1}}\n", (1, 14, "ports.min"), f"expected {PORT}, not a mapping", id="port-as-mapping"
    ),
    pytest.param(
        "ports: {min: 2024-01-02}\n", (1, 14, "ports.min"), f"expected {PORT}, not 2024-01-02", id="port-as-date"
    ),
    pytest.param(
        "ports: {min: !!binary aGk=}\n", (1, 14, "ports.min"), f"expected {PORT}, not binary data", id="port-as-bytes"
    ),
    pytest.param(
        "ports: {max_offset: -1}\n",
        (1, 21, "ports.max_offset"),
        "expected a whole number from 0 to 65534, not -1",
        id="negative-offset",
    ),
    pytest.param(
        "cleanup:\n  expire_after_days: 0\n",
        (2, 22, "cleanup.expire_after_days"),
        "expected a whole number from 1 to 1000000, not 0",
        id="no-days",
    ),
    pytest.param(
        "disable_autoinit: 1\n", (1, 19, "disable_autoinit"), "expected true or false, not 1", id="number-for-boolean"
    ),
    pytest.param(
        'disable_autoinit: "true"\n',
        (1, 19, "disable_autoinit"),
        'expected true or false, not "true"',
        id="text-for-boolean",
    ),
    pytest.param(
        "occupancy_check:\n  skip_tcp: 0\n",
        (2, 13, "occupancy_check.skip_tcp"),
        "expected true or false, not 0",
        id="zero-for-boolean",
    ),
    pytest.param(
        "maximum_lock_wait_seconds: -0.5\n",
        (1, 28, "maximum_lock_wait_seconds"),
        "expected a number from 0 to 2147483, not -0.5",
        id="negative-seconds",
    ),
    pytest.param(
        "maximum_lock_wait_seconds: .nan\n",
        (1, 28, "maximum_lock_wait_seconds"),
        "expected a number from 0 to 2147483, not nan",
        id="no-number-of-seconds",
    ),
    pytest.param(
        "maximum_lock_wait_seconds: true\n",
        (1, 28, "maximum_lock_wait_seconds"),
        "expected a number from 0 to 2147483, not true",
        id="boolean-for-seconds",
    ),
    pytest.param(
        "output_format: xml\n",
        (1, 16, "output_format"),
        'expected one of table, json, csv, tsv, not "xml"',
        id="unknown-format",
    ),
    pytest.param("project: 5\n", (1, 10, "project"), f"{TEXT} 5; quotes make it a text", id="number-for-text"),
    pytest.param("project: yes\n", (1, 10, "project"), f"{TEXT} true; quotes make it a text", id="boolean-for-text"),
    pytest.param('project: " "\n', (1, 10, "project"), '" " cannot be used: it is empty', id="blank-text"),
    pytest.param(
        f"project: {'a' * 256}\n",
        (1, 10, "project"),
        f'"{"a" * 200}…" cannot be used: it has 256 characters, and 255 is the most',
        id="long-text",
    ),
    # Exclusions.
    pytest.param(
        "excluded_ports: 5001\n",
        (1, 17, "excluded_ports"),
        'expected a list of ports and ranges such as "5005..5009", not 5001',
        id="exclusions-are-a-number",
    ),
    pytest.param(
        "excluded_ports: 1..5\n",
        (1, 17, "excluded_ports"),
        'expected a list of ports and ranges such as "5005..5009", not "1..5"',
        id="exclusions-are-a-range",
    ),
    pytest.param(
        "excluded_ports:\n  - 5001\n  - '5001'\n", (3, 5, "excluded_ports"), f'{ENTRY} "5001"', id="excluded-text"
    ),
    pytest.param("excluded_ports: [70000]\n", (1, 18, "excluded_ports"), f"{ENTRY} 70000", id="excluded-too-high"),
    pytest.param("excluded_ports: [true]\n", (1, 18, "excluded_ports"), f"{ENTRY} true", id="excluded-boolean"),
    pytest.param("excluded_ports: [null]\n", (1, 18, "excluded_ports"), f"{ENTRY} null", id="excluded-null"),
    pytest.param("excluded_ports: [[5001]]\n", (1, 18, "excluded_ports"), f"{ENTRY} a list", id="excluded-list"),
    pytest.param("excluded_ports: [5.6]\n", (1, 18, "excluded_ports"), f"{ENTRY} 5.6", id="excluded-float"),
    pytest.param("excluded_ports: [1-5]\n", (1, 18, "excluded_ports"), f'{ENTRY} "1-5"', id="excluded-dash"),
    pytest.param(
        "excluded_ports: [5..3]\n",
        (1, 18, "excluded_ports"),
        'expected a range whose first port is not above its last, such as 3..5, not "5..3"',
        id="excluded-upside-down",
    ),
    pytest.param(
        "excluded_ports: [0..3]\n",
        (1, 18, "excluded_ports"),
        'expected a range of ports from 1 to 65535, not "0..3"',
        id="excluded-from-zero",
    ),
    pytest.param(
        "excluded_ports: [3..65536]\n",
        (1, 18, "excluded_ports"),
        'expected a range of ports from 1 to 65535, not "3..65536"',
        id="excluded-beyond",
    ),
    # The range.
    pytest.param(
        "ports:\n  min: 7000\n  max: 5000\n",
        (3, 8, "ports.max"),
        "ports.min, 7000, is above ports.max, 5000",
        id="upside-down-by-maximum",
    ),
    pytest.param(
        "ports:\n  max: 5000\n  min: 7000\n",
        (3, 8, "ports.min"),
        "ports.min, 7000, is above ports.max, 5000",
        id="upside-down-by-minimum",
    ),
    pytest.param(
        "ports: {min: 1, max: 5000, max_offset: 5}\n",
        (1, 40, "ports.max_offset"),
        "give either ports.max or ports.max_offset: they are one setting",
        id="offset-after-maximum",
    ),
    pytest.param(
        "ports: {max_offset: 5, max: 5000, min: 1}\n",
        (1, 29, "ports.max"),
        "give either ports.max or ports.max_offset: they are one setting",
        id="maximum-after-offset",
    ),
    pytest.param(
        "ports: {min: 65000, max_offset: 536}\n",
        (1, 33, "ports.max_offset"),
        "ports.min, 65000, and ports.max_offset, 536, go beyond 65535",
        id="offset-beyond",
    ),
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
                ("WEB_URL", "http://localhost:{port:web}/{port:web}", False, 'there is no service "web}/{port:web"'),
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
        "reservations:\n  environment: {PORT_URL: 'http://localhost:{port:web}'}\n  services: {web: {env: PORT_URL}}\n",
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
]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    MISTAKES,
)
def test_a_mistake_is_reported_with_its_place(
    problems: Callable[..., list[Found]],
    text: str | bytes,
    place: tuple[int, int, str | None],
    message: str,
) -> None:
    meant = KEYS.get(place[2] or "")
    ((line, column, key, told),) = problems(text, "config.yaml" if meant and meant.user_only else "trop.yaml")

    if message == BROKEN:
        # Which column is to blame is the parser's to say, too.
        assert (line, key) == (place[0], place[2])
        assert isinstance(column, int)
        assert told.startswith(BROKEN)
        assert len(told) < 400
    else:
        assert (line, column, key, told) == (*place, message)


@pytest.mark.parametrize("key", ["project", "reservations"])
@pytest.mark.parametrize("value", ["", " a"])
def test_a_project_key_belongs_in_a_project_file(problems: Callable[..., list[Found]], key: str, value: str) -> None:
    found = problems(f"ports: {{min: 1}}\n{key}:{value}\n", "config.yaml")

    assert found == [(2, 1, key, "this key belongs in trop.yaml")]


def test_a_file_that_is_too_large_is_refused_as_a_whole(problems: Callable[..., list[Found]]) -> None:
    found = problems("# " + "x" * 1024 * 1024)

    assert found == [(None, None, None, "the file is larger than 1048576 bytes, the most that is read")]


def test_all_mistakes_of_a_file_are_reported_in_the_order_of_their_places(
    problems: Callable[..., list[Found]],
) -> None:
    text = (
        "project: 5\n"
        "ports:\n"
        "  min: 7000\n"
        "  max: 5000\n"
        "excluded_ports: [5001, x, 9..3]\n"
        "reservations:\n"
        "  base: 65535\n"
        "  services:\n"
        "    web: {offset: 1, env: a b}\n"
        "    web: {}\n"
        "project: a\n"
        "nonsense:\n"
        "  a: 1\n"
        "  a: 2\n"
    )

    found = problems(text)

    assert [(line, column, key) for line, column, key, _ in found] == [
        (1, 10, "project"),
        (4, 8, "ports.max"),
        (5, 24, "excluded_ports"),
        (5, 27, "excluded_ports"),
        (9, 19, "reservations.services.web.offset"),
        (9, 27, "reservations.services.web.env"),
        (10, 5, "reservations.services.web"),
        (11, 1, "project"),
        (12, 1, "nonsense"),
        (14, 3, "nonsense.a"),
    ]


def test_a_thousand_problems_are_enough(problems: Callable[..., list[Found]]) -> None:
    found = problems("excluded_ports:\n" + "  - x\n" * 2000)

    assert len(found) == 1001
    assert found[-1] == (1002, 5, None, "there are more problems from here on")


def test_the_message_of_an_error_names_file_line_column_and_key(tmp_path: Path) -> None:
    file = tmp_path / "trop.yaml"
    file.write_text("ports: {min: x, max: y}\n")

    with pytest.raises(ConfigError) as caught:
        load_file(str(file))

    assert caught.value.message() == (
        "2 problems in the configuration:\n"
        f'{file}:1:14: ports.min: expected {PORT}, not "x"\n'
        f'{file}:1:22: ports.max: expected {PORT}, not "y"'
    )


@pytest.mark.parametrize(
    ("text", "column", "key", "says"),
    [
        ("ports: {avoid: browser}", 16, "ports.avoid", 'expected a list of browser, airplay, ephemeral, not "browser"'),
        (
            "ports: {avoid: [browsers]}",
            17,
            "ports.avoid",
            'expected one of browser, airplay, ephemeral, not "browsers"',
        ),
        ("ports: {avoid: [null]}", 17, "ports.avoid", "expected one of browser, airplay, ephemeral, not null"),
        ("reserve_for: tag", 14, "reserve_for", 'expected one of directory, root, not "tag"'),
        (
            "allowed_variables: PATH",
            20,
            "allowed_variables",
            'expected a list of names of variables, in which * stands for any part, not "PATH"',
        ),
        (
            "allowed_variables: ['MY-*']",
            21,
            "allowed_variables",
            'expected the name of a variable, in which * stands for any part of it, not "MY-*"',
        ),
        (
            "allowed_variables: [Trop_*]",
            21,
            "allowed_variables",
            "variables that begin with TROP_ are trop's own, and never a project's to name",
        ),
    ],
)
def test_a_mistake_in_the_users_own_file(
    problems: Callable[..., list[Found]], text: str, column: int, key: str, says: str
) -> None:
    found = problems(f"{text}\n", "config.yaml")

    assert found == [(1, column, key, says)]


def test_a_refused_variable_is_told_among_the_other_problems(problems: Callable[..., list[Found]]) -> None:
    found = problems("reservations:\n  services:\n    web: {env: PATH}\n    api: {offset: x}\nports: {min: 0}\n")

    assert [(line, key) for line, _, key, _ in found] == [
        (3, "reservations.services.web.env"),
        (4, "reservations.services.api.offset"),
        (5, "ports.min"),
    ]

"""What can be wrong with a file as a text, as a mapping, and with its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.problems import BROKEN, assert_is

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.problems import Found


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
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
        pytest.param(
            "project: !secret x\n", (1, 10, "project"), 'the tag "!secret" is not supported', id="unknown-tag"
        ),
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
        pytest.param(
            "ports: {<<: 5}\n", (1, 13, "ports"), "<< merges mappings, and this is none", id="merge-of-a-number"
        ),
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
            "project: a\nproject: b\n",
            (2, 1, "project"),
            "this key is given twice: first in line 1",
            id="duplicate-key",
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
    ],
)
def test_a_text_that_cannot_be_read_is_reported_with_its_place(
    problems: Callable[..., list[Found]], text: str | bytes, place: tuple[int, int, str | None], message: str
) -> None:
    (found,) = problems(text)

    assert_is(found, place, message)

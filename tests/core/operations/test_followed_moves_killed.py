"""A directory that was moved without a word, and a process that is killed while its reservations move along."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.operations import perform
from support.processes import child
from support.rows import fill, row

from trop_core.caller import Caller, Door

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured")

BELOW = 1200
"""More than are moved with one statement."""

TAGS = ("api", "db", "web")

FILE = "reservations: {base: 5000, services: {api: {}, db: {}, web: {}, mail: {}}}\n"

KILL_AT_EACH_STATEMENT = """
import json, shutil, sys
from pathlib import Path
from support import stores
from support.doomed import kill_at_each_statement
from support.operations import perform
from support.rows import rows_of
from trop_core.caller import Caller, Door

template, old, new, name, values = *map(Path, sys.argv[1:4]), sys.argv[4], json.loads(sys.argv[5])
data, copy = template.parent / "killed", template.parent / "copy"


def begin():
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)


def reserve(directory=data):
    return perform(directory, name, values, caller=Caller(Door.TERMINAL, str(new)), now=lambda: 2_000_000_000)


def content(directory):
    # A copy: whoever opens what a killed process left behind mends it, and here that has to be trop.
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(directory, copy)
    assert stores.integrity_of(copy / "trop.db") == "ok"
    return rows_of(copy), stores.rows_in(copy / "trop.db", "directories")


def moved_along(row):
    return (str(new) + row[0][len(str(old)):], *row[1:3])


before = content(template)
begin()
whole = reserve()
after = content(data)
assert whole.outcome == "moved" or name == "reserve" and whole.outcome == "created", whole
assert {moved_along(row) for row in before[0]} <= {row[:3] for row in after[0]}
assert not [row for table in after for row in table if row[0].startswith(str(old))]


def look(killed):
    found = content(data)
    assert found in (before, after), killed
    again = reserve()
    assert content(data) == after, killed
    ports = {row[1]: row[2] for row in after[0] if row[0] == str(new)}
    given = again.group.values() if name == "autoreserve" else [again.reservation]
    assert all(row.port == ports[row.tag] for row in given), (killed, again)
    return "before" if found == before else "after"


print(*kill_at_each_statement(begin, reserve, look))
"""


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("reserve", '{"tag": "db"}', id="a stored tag"),
        pytest.param("reserve", '{"tag": "other"}', id="a tag that is new"),
        pytest.param("autoreserve", "{}", id="a group that has grown"),
    ],
)
def test_a_move_killed_at_any_statement_has_happened_as_a_whole_or_not_at_all(
    tmp_path: Path, name: str, values: str
) -> None:
    place = tmp_path.resolve() / "place"
    old, new, template = place / "old", place / "new", tmp_path / "template"
    (old / "sub").mkdir(parents=True)
    for tag in TAGS:
        perform(template, "reserve", {"tag": tag}, caller=Caller(Door.TERMINAL, str(old)), now=lambda: 1_000_000_000)
    perform(template, "reserve", caller=Caller(Door.TERMINAL, str(old / "sub")), now=lambda: 1_000_000_000)
    fill(template, [row(f"{old}/below/{number}", 20_000 + number) for number in range(BELOW)])
    (old / "trop.yaml").write_text(FILE)
    os.rename(old, new)

    with child(KILL_AT_EACH_STATEMENT, template, old, new, name, values) as process:
        found = process.end().split()

    assert found == sorted(found, reverse=True), "a store as it was before came after one in which all had moved"
    assert set(found) == {"before", "after"}
    assert found.count("before") > 12

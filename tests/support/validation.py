"""What ``assert-data-dir --validate`` finds in a store, and stores that hold what their layout forbids."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from support import stores
from support.operations import perform

if TYPE_CHECKING:
    from pathlib import Path

    from support.stores import Row


Found = tuple[str | None, str | None, str | None]

ROWS: list[Row] = [
    ("/a", "", 5000, "shop", None, 1, 2),
    ("/a", "web", 5001, None, "login", 1, 2),
    ("/b", "", 5002, None, None, 1, 2),
]

V1_ROWS: list[Row] = [(path, tag or None, *rest) for path, tag, *rest in ROWS]


def validate(path: Path, *, negated: bool = False, **context: Any) -> Any:
    return perform(path.parent, "assert_data_dir", {"validate": True, "not": negated}, **context)


def found_in(path: Path) -> dict[Found, str]:
    """The violations, by table, column and key. Neither the assertion nor its opposite holds with any; nothing changes.

    Two with the same place fail the test.
    """
    before = stores.snapshot(path.parent)
    result, opposite = validate(path), validate(path, negated=True)
    assert stores.snapshot(path.parent) == before
    assert opposite.violations == result.violations
    assert (result.holds, opposite.holds) == (not result.violations, False)
    found = {(table, column, key): message for table, column, key, message in result.violations}
    assert len(found) == len(result.violations), result.violations
    return found


def forge(path: Path, *statements: str) -> None:
    """Change what the layout's rules forbid, and put the rules back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'reservations'").fetchone()[0]
    lax = re.sub(r"CONSTRAINT \w+ CHECK \([^()]*\)|NOT NULL|STRICT", "", schema)
    _rewrite(path, lax)
    stores.run(path, *statements)
    _rewrite(path, schema)


def _rewrite(path: Path, schema: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'reservations'", (schema,))

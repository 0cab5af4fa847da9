"""What is wrong with a file, as the tests write it down."""

from __future__ import annotations

from typing import TypeAlias

Found: TypeAlias = tuple[int | None, int | None, str | None, str]
"""Line, column, key and message of a problem."""

BROKEN = "broken YAML: "
"""What a message begins with that goes on in the words of whichever parser is installed."""

PORT = "a port from 1 to 65535"
ALLOWING = "only your own config.yaml can allow it, under allowed_variables"


def assert_is(found: Found, place: tuple[int, int, str | None], message: str) -> None:
    """Fail unless a problem is at a place and says that."""
    line, column, key, told = found
    if message == BROKEN:
        # Which column is to blame is the parser's to say, too.
        assert (line, key) == (place[0], place[2])
        assert isinstance(column, int)
        assert told.startswith(BROKEN)
        assert len(told) < 400
    else:
        assert found == (*place, message)

"""``trop list --watch`` in a terminal, while others change the store."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from support.sandbox import TROP, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sandbox import Sandbox
    from support.terminal import Terminal

pytestmark = pytest.mark.usefixtures("started_whole")

CLEAR = b"\x1b[2H\x1b[J\x1b[H\x1b[K"
WATCHING = ("list", "--watch")


def test_it_follows_what_others_do_until_ctrl_c(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    watching = terminal(TROP, *WATCHING, TERM="xterm", NO_COLOR="1")
    watching.wait_for(CLEAR)
    watching.wait_for(b"LAST_USED_AT")

    sandbox.reserve("--tag", "web")
    watching.wait_for(CLEAR)
    watching.wait_for(b"  web  ")
    sandbox.trop("release")
    sandbox.reserve("--tag", "worker")
    shown = watching.wait_for(b"  worker  ")
    watching.type(b"\x03")

    # The same rows may be shown more than once before.
    assert b"  web  " not in shown.rpartition(CLEAR)[2]
    assert watching.end() == 0


def test_what_was_on_the_screen_scrolls_out_of_it_once_and_nothing_is_erased(
    sandbox: Sandbox, terminal: Callable[..., Terminal]
) -> None:
    sandbox.reserve()
    script = f"stty rows 5 cols 200; exec {TROP} {' '.join(WATCHING)}"
    watching = terminal("sh", "-c", script, TERM="xterm", NO_COLOR="1")

    before = watching.wait_for(b"PORT")
    sandbox.reserve("--tag", "web")
    after = watching.wait_for(b"  web  ")

    assert before == b"\r\n" * 4 + CLEAR
    assert CLEAR in after
    assert b"\r\n\r\n" not in after
    assert b"\x1b[2J" not in after
    assert b"\x1b[3J" not in after


def test_sigterm_ends_it(sandbox: Sandbox, terminal: Callable[..., Terminal]) -> None:
    sandbox.reserve()
    watching = terminal(TROP, *WATCHING)
    watching.wait_for(b"5000")

    os.kill(watching.pid, signal.SIGTERM)

    assert watching.end() == 128 + signal.SIGTERM
    assert sandbox.integrity() == "ok"


def test_a_store_that_is_damaged_meanwhile_is_told_below_the_last_table(
    sandbox: Sandbox, terminal: Callable[..., Terminal]
) -> None:
    sandbox.reserve()
    watching = terminal(TROP, *WATCHING)
    watching.wait_for(b"5000")

    sandbox.execute("UPDATE reservations SET path = 'relative'")

    told = watching.wait_for(b"hint: ")
    assert b"5000" in told
    assert b"error: " in told
    sandbox.execute("UPDATE reservations SET path = '/mended'")
    watching.wait_for(b"/mended")


@pytest.mark.parametrize(
    ("arguments", "in_terminal", "expected"),
    [
        ((), False, "--watch cannot be used here: it draws in a terminal, and the output is none"),
        (("--format", "json"), True, "--watch cannot be used here: it shows a table, not json"),
    ],
    ids=["a pipe", "a format for programs"],
)
def test_where_nobody_can_look_at_it_it_says_so(
    sandbox: Sandbox,
    terminal: Callable[..., Terminal],
    arguments: tuple[str, ...],
    in_terminal: bool,
    expected: str,
) -> None:
    if in_terminal:
        told = terminal(TROP, *WATCHING, *arguments).rest()
        assert told.startswith(f"error: {expected}\n")
    else:
        done = sandbox.trop(*WATCHING, *arguments)
        assert (done.returncode, done.stdout, error_lines(done)[0]) == (4, "", expected)
    assert not sandbox.data.exists()

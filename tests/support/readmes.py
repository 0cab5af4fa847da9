"""The pages of the repository: their headings, links and fenced blocks, and what their commands print."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]

RECIPES = "trop_core/operations/starting/RECIPES.md"
"""The one page that is called otherwise than README.md."""

_PASSED_BY = {"node_modules", "build", "dist"}
_FENCE = re.compile(r"(?P<indent> *)```(?P<language>\S*)\s*")
_FILE = re.compile(r"`([^`]+)`:")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page, without its indentation."""

    page: str
    line: int
    language: str
    text: str
    file: str | None = None
    """The file that it is, where its name alone, in backticks, stands in the line before."""

    @property
    def name(self) -> tuple[str, str]:
        """What identifies it: the page, and its own first line."""
        return self.page, self.text.split("\n", 1)[0]

    @property
    def is_transcript(self) -> bool:
        """Whether it shows commands after a prompt, and what they print."""
        return self.text.startswith("$ ")

    @property
    def is_commands(self) -> bool:
        """Whether it is something that a reader types into a shell."""
        return self.file is None and (self.is_transcript or self.language in ("sh", "console", "powershell"))

    def commands(self) -> list[tuple[str, str]]:
        """Each command with what is shown below it; a block without a prompt is one command that shows nothing."""
        if not self.is_transcript:
            return [(self.text, "")]
        parts = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def pages() -> tuple[str, ...]:
    """The paths of all pages, from the top of the repository."""
    found = [RECIPES]
    for directory, below, files in os.walk(ROOT):
        below[:] = [name for name in below if name not in _PASSED_BY and not name.startswith(".")]
        if "README.md" in files:
            found.append(Path(directory, "README.md").relative_to(ROOT).as_posix())
    return tuple(sorted(found))


@cache
def text_of(page: str) -> str:
    """What a page says."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The fenced blocks of a page. Fails for one that is not closed."""
    found: list[Block] = []
    before = ""
    lines = enumerate(text_of(page).splitlines(), start=1)
    for number, line in lines:
        if opening := _FENCE.fullmatch(line):
            inside = _inside(lines, opening["indent"])
            named = _FILE.fullmatch(before.strip())
            text = "".join(f"{line}\n" for line in inside)
            found.append(Block(page, number, opening["language"], text, named and named[1]))
            before = ""
        elif line.strip():
            before = line
    return tuple(found)


def _inside(lines: Iterator[tuple[int, str]], indent: str) -> list[str]:
    found: list[str] = []
    for _, line in lines:
        if line == f"{indent}```":
            return found
        found.append(line.removeprefix(indent))
    raise AssertionError(f"a block is not closed: {found[:1]}")


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^( *)```.*?^\1```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: str) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub makes them.

    Lower case; letters, digits, ``_``, ``-`` and spaces stay, which become ``-``; of equal ones all but the first get
    a number.
    """
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", prose(page), flags=re.MULTILINE):
        shown = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.append(anchor)
    counted = Counter[str]()
    made = set()
    for anchor in found:
        made.add(f"{anchor}-{counted[anchor]}" if counted[anchor] else anchor)
        counted[anchor] += 1
    return frozenset(made)


def links(page: str) -> list[str]:
    """Where the links and pictures of a page lead to."""
    return re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", prose(page))


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command of a block printed, stdout and stderr as a terminal shows them, and its exit code."""

    block: Block
    command: str
    shown: str
    output: str
    code: int


def play(
    played: list[Block],
    scenes: Mapping[tuple[str, str], str],
    *,
    change: Callable[[str], str],
    cwd: Path,
    environment: Mapping[str, str],
) -> list[Printed]:
    """Run the commands of some blocks in one bash, one after the other.

    ``scenes`` are commands by the names of blocks: they run before that block, and print nothing. ``change`` is applied
    to every command. Fails where the shell ends before its time, as it does when such a command fails.
    """
    script = ["exec 2>&1"]
    commands = [(block, command, shown) for block in played for command, shown in block.commands()]
    begun: Block | None = None
    for block, command, _ in commands:
        if block is not begun and block.name in scenes:
            script += ["set -e", scenes[block.name], "set +e"]
        begun = block
        # As in a script of its own: the first command that fails ends it. A transcript shows failures, too.
        script += ["" if block.is_transcript else "set -e", change(command), r"printf '\035%d\036' $?", "set +e"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    *parts, rest = done.stdout.split("\036")
    assert len(parts) == len(commands), f"{commands[len(parts)][:2]} ended with {done.returncode}:\n{rest}"
    outputs = [part.partition("\035") for part in parts]
    return [
        Printed(*command, output=output, code=int(code))
        for command, (output, _, code) in zip(commands, outputs, strict=True)
    ]

"""The page of recipes: what each says to write, and to type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from support.readmes import RECIPES, Block, blocks, text_of

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe: what its files hold, and its commands, in the order of the page."""

    heading: str
    blocks: tuple[Block, ...]

    @property
    def files(self) -> list[Block]:
        """The blocks that are files."""
        return [block for block in self.blocks if block.file]

    @property
    def commands(self) -> list[str]:
        """The commands, without the prompt and the end of the line."""
        return [command.strip() for block in self.blocks if block.is_commands for command, _ in block.commands()]

    @property
    def command(self) -> str:
        """Its only command."""
        (command,) = self.commands
        return command

    def write(self, directory: Path) -> None:
        """Put its files into a directory. Each stands there once."""
        for block in self.files:
            assert block.file is not None
            path = directory / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(block.text)

    def text_of(self, file: str) -> str:
        """What its only file of that name holds."""
        (block,) = [block for block in self.files if block.file == file]
        return block.text


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by their headings."""
    lines = text_of(RECIPES).splitlines()
    starts = {number: line[3:] for number, line in enumerate(lines, start=1) if line.startswith("## ")}
    found: dict[str, list[Block]] = {heading: [] for heading in starts.values()}
    for block in blocks(RECIPES):
        found[starts[max(number for number in starts if number < block.line)]].append(block)
    return {heading: Recipe(heading, tuple(inside)) for heading, inside in found.items()}


def recipe(heading: str) -> Recipe:
    """The recipe with that heading."""
    return recipes()[heading]

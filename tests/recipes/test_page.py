"""The page of recipes by itself: how long a recipe is, and that none is there that is not tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.recipes import Recipe, recipes

HERE = Path(__file__).parent


@pytest.mark.parametrize("found", recipes().values(), ids=lambda found: found.heading)
def test_a_recipe_has_ten_lines_at_most(found: Recipe) -> None:
    assert found.blocks
    assert sum(len(block.text.splitlines()) for block in found.blocks) <= 10


def test_every_recipe_has_a_test() -> None:
    texts = [path.read_text() for path in HERE.glob("test_*.py")]
    tried = {heading for text in texts for heading in re.findall(r'recipe\("([^"]+)"\)', text)}

    assert tried == set(recipes())


def test_every_block_is_a_file_or_commands() -> None:
    blocks = [block for found in recipes().values() for block in found.blocks]

    assert [str(block) for block in blocks if not block.file and not block.is_transcript] == []

"""A hundred files of the Rust tool: each means the same here, or there is a decision about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.rust_configurations import FILES, File, Values

from trop_core.config.files import load_file
from trop_core.errors.configuration import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("file", [pytest.param(file, id=name) for name, file in FILES.items()])
def test_it_means_what_the_table_says(tmp_path: Path, file: File) -> None:
    path = tmp_path / ("config.yaml" if file.user else "trop.yaml")
    path.write_text(file.text)

    assert meaning(path) == file.values


def meaning(path: Path) -> Values:
    """What a file gives, without what it only takes away; None for one that is refused."""
    try:
        layer = load_file(str(path))
    except ConfigError:
        return None
    assert layer is not None
    return {name: given.value for name, given in layer.items() if given.value is not None}


def test_there_are_a_hundred() -> None:
    assert len(FILES) >= 100

"""What the tests of the configuration share."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from trop_core.config.files import load_file
from trop_core.errors.configuration import ConfigError
from trop_core.ports.services import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.problems import Found

    from trop_core.errors.configuration import ConfigProblem


@pytest.fixture
def problems(tmp_path: Path) -> Callable[..., list[Found]]:
    """Loads a text as a file, and gives what is wrong with it."""

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

"""The config.yaml that trop init writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from trop_core.config.files import load_file, parse_text
from trop_core.config.merging import load_settings
from trop_core.config.schema import KEYS
from trop_core.config.settings import Settings
from trop_core.config.template import config_template
from trop_core.ports.exclusions import Exclusions

if TYPE_CHECKING:
    from pathlib import Path

    from trop_core.config.schema import Key

GLOBAL_KEYS = [key for key in KEYS.values() if not key.project_only]


def uncommented() -> str:
    return re.sub(r"^#(?=\S|  )", "", config_template(), flags=re.MULTILINE)


def test_the_template_is_an_empty_layer(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(config_template())

    assert load_file(str(tmp_path / "config.yaml")) == {}


def test_the_template_without_its_comment_signs_gives_every_key_its_default() -> None:
    layer = parse_text(uncommented(), "config.yaml", project=False)

    assert {name: given.value for name, given in layer.items()} == {
        key.name: Exclusions() if key.name == "excluded_ports" else key.default_here
        for key in GLOBAL_KEYS
        if key.default is not None
    }


def test_the_template_without_its_comment_signs_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(uncommented())

    settings = load_settings(data_directory=str(tmp_path), target="/", environment={}, arguments={})

    assert settings == Settings(origins=settings.origins)


@pytest.mark.parametrize("key", [pytest.param(key, id=key.name) for key in GLOBAL_KEYS])
def test_the_template_describes_every_key_and_its_variable(key: Key) -> None:
    words = config_template().replace("\n# ", " ")

    assert (f"{key.text} Environment: {key.variables[0]}." if key.variables else key.text) in words


def test_the_template_offers_no_key_of_a_project() -> None:
    assert not re.search(r"^# *(project|reservations):", config_template(), flags=re.MULTILINE)


def test_the_template_ends_with_one_line_break() -> None:
    assert config_template().endswith("\n")
    assert not config_template().endswith("\n\n")

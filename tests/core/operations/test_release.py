"""Releasing: which rows go, and which stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.operations import perform
from support.rows import fill, row, rows_of

from trop_core.caller import Caller, Door
from trop_core.errors.arguments import InvalidArgument
from trop_core.errors.paths import UnrelatedPath

if TYPE_CHECKING:
    from pathlib import Path

UNTAGGED, WEB, API = row("/w/a", 5000), row("/w/a", 5001, "web"), row("/w/a", 5002, "api")
BELOW, BESIDE = row("/w/a/b", 5003, "web"), row("/w/a-b", 5004)
ALL = sorted([UNTAGGED, WEB, API, BELOW, BESIDE])


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        pytest.param({}, [UNTAGGED, API, WEB], id="every tag of the path"),
        pytest.param({"tag": "web"}, [WEB], id="one tag"),
        pytest.param({"untaggedOnly": True}, [UNTAGGED], id="the one without a tag"),
        pytest.param({"recursive": True}, [UNTAGGED, API, WEB, BELOW], id="everything at and below it"),
        pytest.param({"recursive": True, "tag": "web"}, [WEB, BELOW], id="one tag at and below it"),
        pytest.param({"recursive": True, "untaggedOnly": True}, [UNTAGGED], id="without a tag, at and below it"),
        pytest.param({"tag": "other"}, [], id="a tag that is not there"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_exactly_what_was_asked_for_goes(
    tmp_path: Path, values: dict[str, object], gone: list[Any], dry_run: bool
) -> None:
    fill(tmp_path, ALL)

    result = perform(tmp_path, "release", {"path": "/w/a", "dryRun": dry_run, **values})

    assert [released.port for released in result.released] == [stored[2] for stored in gone]
    assert result.released_count == len(gone)
    assert rows_of(tmp_path) == [stored for stored in ALL if dry_run or stored not in gone]


def test_nothing_to_release_is_a_success_that_says_so(tmp_path: Path) -> None:
    result = perform(tmp_path, "release", {"path": "/w/a"})

    assert (result.released, result.released_count) == ((), 0)
    assert "nothing is reserved for /w/a, so nothing was released" in result.warnings


def test_a_link_to_a_path_with_reservations_is_told(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    fill(tmp_path / "data", [row(str(real), 5000)])

    result = perform(tmp_path / "data", "release", {"path": str(link)})

    assert f"{link} leads to {real}, which has reservations" in result.warnings
    assert rows_of(tmp_path / "data") == [row(str(real), 5000)]


def test_a_tag_and_untagged_only_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="either this or a tag, not both"):
        perform(tmp_path, "release", {"path": "/w/a", "tag": "web", "untaggedOnly": True})


@pytest.mark.parametrize("permission", ["allowUnrelatedPath", "force"])
def test_a_directory_elsewhere_needs_permission(tmp_path: Path, permission: str) -> None:
    fill(tmp_path, ALL)
    elsewhere = {"caller": Caller(Door.TERMINAL, "/somewhere")}

    with pytest.raises(UnrelatedPath):
        perform(tmp_path, "release", {"path": "/w/a-b"}, **elsewhere)
    perform(tmp_path, "release", {"path": "/w/a-b", permission: True}, **elsewhere)

    assert BESIDE not in rows_of(tmp_path)


def test_a_long_list_is_cut_and_its_count_is_complete(tmp_path: Path) -> None:
    fill(tmp_path, [row(f"/w/{number:05}", number + 1) for number in range(1_500)])

    result = perform(tmp_path, "release", {"path": "/w", "recursive": True})

    assert (len(result.released), result.released_count, result.truncated) == (1000, 1500, True)
    assert rows_of(tmp_path) == []


def test_projects_are_listed_once_and_by_code_point(tmp_path: Path) -> None:
    names = ["zebra", "Apple", "apple", "éclair", "apple", None]
    fill(tmp_path, [row(f"/w/{number}", 5000 + number, project=name) for number, name in enumerate(names)])

    result = perform(tmp_path, "list_projects")

    assert result.projects == ("Apple", "apple", "zebra", "éclair")


def test_a_store_that_does_not_exist_has_no_projects_and_is_not_created(tmp_path: Path) -> None:
    result = perform(tmp_path / "data", "list_projects")

    assert result.projects == ()
    assert not (tmp_path / "data").exists()

"""Which place a folder was moved from: one without any doubt, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rows import fill, row

from trop_core.caller import Caller, Door
from trop_core.cancellation import CancellationToken
from trop_core.context import Context
from trop_core.git import GitFacts
from trop_core.operations.call import Call
from trop_core.operations.moving.evidence import choose
from trop_core.operations.moving.find_origin import OPERATION, FindOriginRequest, FindOriginResult
from trop_core.paths import DirectoryState
from trop_core.store import Store

if TYPE_CHECKING:
    from pathlib import Path

GONE, PRESENT, UNKNOWN = DirectoryState.GONE, DirectoryState.PRESENT, DirectoryState.UNKNOWN


@given(st.dictionaries(st.text(), st.sampled_from(list(DirectoryState))))
def test_a_place_is_chosen_only_without_doubt(states: dict[str, DirectoryState]) -> None:
    found = choose(states)

    gone = [path for path, state in states.items() if state is GONE]
    assert found == (gone[0] if len(gone) == 1 and UNKNOWN not in states.values() else None)


def find(data: Path, folder: Path, states: dict[str, DirectoryState]) -> FindOriginResult:
    """What is found for a folder of the project ``shop``, in a world where other directories are in these states."""
    context = Context(
        caller=Caller(Door.EDITOR, None, (str(folder),)),
        data_directory=str(data),
        environment={},
        arguments={},
        token=CancellationToken(),
        directory_state=lambda path: states.get(path, PRESENT),
        infer=lambda *_: GitFacts("shop", "main"),
    )
    store = Store(str(data))
    try:
        found: FindOriginResult = Call(OPERATION, FindOriginRequest(folder=str(folder)), context).run(store)
    finally:
        store.close()
    return found


@pytest.mark.parametrize(
    ("states", "origin"),
    [
        pytest.param({"/a/shop": GONE}, "/a/shop", id="one is gone and one is there"),
        pytest.param({"/a/shop": GONE, "/b/shop": GONE}, None, id="two are gone"),
        pytest.param({"/a/shop": GONE, "/b/shop": UNKNOWN}, None, id="of one nobody knows"),
        pytest.param({"/a/shop": UNKNOWN}, None, id="of the only one nobody knows"),
        pytest.param({}, None, id="both are there"),
        pytest.param({"/c/workshop": GONE, "/a/other": GONE, "/d/shop": GONE}, None, id="others are gone"),
    ],
)
def test_paths_with_the_name_and_the_project_count(
    tmp_path: Path, states: dict[str, DirectoryState], origin: str | None
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = [
        row("/a/other", 1, project="shop"),
        row("/a/shop", 2, project="shop"),
        row("/a/shop", 3, tag="web"),
        row("/a/shop/api", 4),
        row("/b/shop", 5, project="shop"),
        row("/c/workshop", 6, project="shop"),
        row("/d/shop", 7, project="another"),
    ]
    fill(tmp_path / "data", rows)

    found = find(tmp_path / "data", folder, states)

    assert found.own == ()
    assert (found.origin and found.origin.path) == origin
    if found.origin is not None:
        assert [entry.port for entry in found.origin.reservations] == [2, 3, 4]
        assert found.origin.total == 3


def test_a_folder_with_a_reservation_was_moved_from_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    fill(tmp_path / "data", [row("/a/shop", 1, project="shop"), row(str(folder), 2, tag="web")])

    found = find(tmp_path / "data", folder, {"/a/shop": GONE})

    assert [entry.port for entry in found.own] == [2]
    assert found.origin is None


def test_looking_creates_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()

    found = find(tmp_path / "data", folder, {})

    assert (found.own, found.origin) == ((), None)
    assert not (tmp_path / "data").exists()


def test_the_project_is_the_one_that_the_configuration_names(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "trop.yaml").write_text("project: bank\n")
    fill(tmp_path / "data", [row("/a/shop", 5000, "", "bank"), row("/b/shop", 5001, "", "shop")])

    found = find(tmp_path / "data", folder, {"/a/shop": GONE, "/b/shop": GONE})

    assert found.origin is not None
    assert found.origin.path == "/a/shop"

"""Paths as they are given, as the file system knows them, and how two of them relate."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core import paths
from trop_core.errors.paths import InvalidPath
from trop_core.paths import DirectoryState

COMPONENT = st.sampled_from(
    ["", ".", "..", "...", "a", "b", "ab", "~", "~x", " ", "é", "e\u0301", "%2f", "\n"]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
PATHS = st.builds(
    lambda start, parts: start + "/".join(parts),
    st.sampled_from(["/", "//", "///", "", "~/"]),
    st.lists(COMPONENT, max_size=7),
).filter(bool)
ABSOLUTE = st.lists(st.sampled_from(["a", "b", "ab", "a.b", "a b"]), max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home of this test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return str(tmp_path)


@given(PATHS)
def test_normalising_is_idempotent_and_absolute(path: str) -> None:
    once = paths.explicit(path, base="/base/dir")

    assert paths.explicit(once, base="/elsewhere") == once
    assert once.startswith("/")
    assert not once.startswith("//")
    assert once == "/" or not once.endswith("/")
    assert not {"", ".", ".."} & set(once[1:].split("/")) or once == "/"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/w/a", "/w/a"),
        ("/w/a/", "/w/a"),
        ("/w//a///b", "/w/a/b"),
        ("//w/a", "/w/a"),
        ("///w", "/w"),
        ("//", "/"),
        ("/", "/"),
        ("/..", "/"),
        ("/../../w", "/w"),
        ("//../w", "/w"),
        ("/w/./a/../b", "/w/b"),
        ("/w/a/../../..", "/"),
        (".", "/base"),
        ("..", "/"),
        ("../../..", "/"),
        ("a", "/base/a"),
        ("./a/", "/base/a"),
        ("...", "/base/..."),
        (" ", "/base/ "),
        ("a\nb", "/base/a\nb"),
        ("a~", "/base/a~"),
        ("./~", "/base/~"),
    ],
)
def test_an_explicit_path_is_absolute_and_free_of_detours(path: str, expected: str) -> None:
    assert paths.explicit(path, base="/base") == expected


@pytest.mark.parametrize(("path", "below"), [("~", ""), ("~/", ""), ("~/a", "/a"), ("~//a/../b", "/b")])
def test_a_tilde_is_the_home_directory(home: str, path: str, below: str) -> None:
    assert paths.explicit(path, base="/base") == home + below


def test_a_tilde_with_a_user_is_that_users_home() -> None:
    assert paths.explicit("~root", base="/base") == os.path.expanduser("~root")
    assert paths.explicit("~nobody-of-this-name/x", base="/base") == "/base/~nobody-of-this-name/x"


def test_an_explicit_path_follows_no_link_and_need_not_exist(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert paths.explicit("link", base=str(tmp_path)) == str(tmp_path / "link")
    assert paths.explicit("missing/x", base=str(tmp_path)) == str(tmp_path / "missing" / "x")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "it is empty"),
        ("/a\0b", "it holds a NUL character"),
        ("/a\udcffb", "it is not valid UTF-8"),
        ("/\ud800", "it is not valid UTF-8"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_value_as_it_was_given(path: str, reason: str) -> None:
    with pytest.raises(InvalidPath) as refused:
        paths.explicit(path, base="/base")

    assert refused.value.reason == reason
    assert refused.value.details() == {"path": path}


def test_a_canonical_path_follows_all_links(tmp_path: Path) -> None:
    real = tmp_path / "real" / "sub"
    real.mkdir(parents=True)
    (tmp_path / "one").symlink_to("real")
    (tmp_path / "two").symlink_to(tmp_path / "one")

    assert paths.canonical(str(tmp_path / "two" / "sub")) == os.path.realpath(real)
    assert (
        paths.canonical(str(tmp_path / "two" / "missing" / "x")) == os.path.realpath(tmp_path / "real") + "/missing/x"
    )


def test_a_path_is_real_as_python_says_it(tmp_path: Path) -> None:
    (tmp_path / "directory" / "x (deleted)").mkdir(parents=True)
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, to in (("to-directory", "directory"), ("to-file", "file"), ("to-nothing", "nothing"), ("loop", "loop")):
        (tmp_path / name).symlink_to(to)
    names = [*os.listdir(tmp_path), "nothing", "to-directory/..", "to-directory/x (deleted)", "directory/x (deleted)"]
    asked = ["/", str(tmp_path), *(f"{tmp_path}/{name}" for name in names), f"{tmp_path}/directory/", f"/{tmp_path}"]

    assert {path: paths.real(path) for path in asked} == {path: os.path.realpath(path) for path in asked}


def test_a_path_is_real_where_no_descriptor_is_left(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("directory")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    expected = os.path.realpath(tmp_path / "directory")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        found = [paths.real(str(tmp_path / name)) for name in ("directory", "link")]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert found == [expected, expected]


@pytest.mark.parametrize("tells", [True, False], ids=["the system tells at once", "it has to be looked at"])
def test_something_is_there_if_it_has_the_name(tmp_path: Path, tells: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    if not tells:
        monkeypatch.setattr(paths, "_access_tells", lambda: False)
    names = ["directory", "file", "link", "loop", "nothing", "file/x", "link/x", "loop/x", "n\0l", "\ud800", "x" * 300]

    there = [name for name in names if paths.is_there(f"{tmp_path}/{name}")]

    assert there == ["directory", "file", "link", "loop"]
    assert paths.names_there(str(tmp_path), [name for name in names if name.isprintable()]) == there
    assert paths.names_there("/", [f"{tmp_path}/{name}"[1:] for name in there]) == [
        f"{tmp_path}/{n}"[1:] for n in there
    ]


def test_a_canonical_path_that_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    os.mkdir(odd)
    (tmp_path / "link").symlink_to(odd)

    with pytest.raises(InvalidPath, match="it is not valid UTF-8"):
        paths.canonical(str(tmp_path / "link"))


def test_a_loop_of_links_has_a_canonical_path(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    assert paths.canonical(str(tmp_path / "a")).startswith("/")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///w/a", "/w/a"),
        ("file:/w/a", "/w/a"),
        ("FILE:///w/a", "/w/a"),
        ("file://localhost/w", "/w"),
        ("file://LOCALHOST/w", "/w"),
        ("file:///w/a%20b", "/w/a b"),
        ("file:///w/%C3%BC", "/w/ü"),
        ("file:///w/ü", "/w/ü"),
        ("file:///w/%2F", "/w//"),
        ("file:///w/a%3Fb%23c", "/w/a?b#c"),
        ("file:///w/a?query#fragment", "/w/a"),
        ("file:///w/100%", "/w/100%"),
        ("file:///", "/"),
        ("/w/a", "/w/a"),
        ("/w/file:/a", "/w/file:/a"),
        ("relative", "relative"),
        ("file:relative", "file:relative"),
        ("~", "~"),
        ("", ""),
    ],
)
def test_a_file_uri_is_the_path_in_it_and_other_text_is_a_path(text: str, path: str) -> None:
    assert paths.from_uri(text) == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://host/w", "only file:// URIs"),
        ("untitled://x", "only file:// URIs"),
        ("vscode-remote://ssh+host/w", "only file:// URIs"),
        ("file://server/share", "it names the machine server"),
        ("file://", "no absolute path"),
        ("file://localhost", "no absolute path"),
        ("file:///w/%ff", "its escapes are not valid UTF-8"),
        ("file:///w/\ud800", "its escapes are not valid UTF-8"),
    ],
)
def test_a_uri_that_names_no_directory_here_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidPath, match=reason) as refused:
        paths.from_uri(text)

    assert refused.value.path == text


@given(ABSOLUTE)
def test_a_path_survives_the_way_through_a_uri(path: str) -> None:
    assert paths.from_uri(Path(path).as_uri()) == path


@pytest.mark.parametrize(
    ("path", "ancestor", "within"),
    [
        ("/w/a", "/w/a", True),
        ("/w/a/b", "/w/a", True),
        ("/w/ab", "/w/a", False),
        ("/w/a", "/w/ab", False),
        ("/w", "/w/a", False),
        ("/", "/", True),
        ("/w", "/", True),
        ("/", "/w", False),
        ("/w/a.b", "/w/a", False),
    ],
)
def test_relations_are_by_component(path: str, ancestor: str, within: bool) -> None:
    assert paths.is_within(path, ancestor) is within


@given(ABSOLUTE, ABSOLUTE)
def test_relations_agree_with_components(one: str, other: str) -> None:
    first, second = Path(one), Path(other)

    assert paths.is_within(one, other) == first.is_relative_to(second)
    assert paths.related(one, other) == (first.is_relative_to(second) or second.is_relative_to(first))
    assert paths.related(one, other) == paths.related(other, one)


def test_a_directory_is_gone_only_when_the_system_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("missing")
    (tmp_path / "link").symlink_to(tmp_path)

    states = {
        name: paths.directory_state(str(tmp_path / name))
        for name in ("", "link", "missing", "file", "file/below", "dangling", "loop", "n" * 300, "nul\0")
    }

    assert states == {
        "": DirectoryState.PRESENT,
        "link": DirectoryState.PRESENT,
        "missing": DirectoryState.GONE,
        "file": DirectoryState.GONE,
        "file/below": DirectoryState.GONE,
        "dangling": DirectoryState.GONE,
        "loop": DirectoryState.UNKNOWN,
        "n" * 300: DirectoryState.UNKNOWN,
        "nul\0": DirectoryState.UNKNOWN,
    }

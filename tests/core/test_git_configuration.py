"""The grammar of a repository's configuration, held against what git reads from the same file."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.patience import PATIENCE

from trop_core.git import configuration, grammar
from trop_core.git.configuration import Configuration

if TYPE_CHECKING:
    from pathlib import Path


def by_git(file: Path, name: str, *options: str) -> str | None:
    """What git says of a setting; None for one that is not there. Fails the test where git calls the file broken."""
    command = ["git", "config", "--file", str(file), *options, "--get", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.removesuffix("\n") if done.returncode == 0 else None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[core]\n\tworktree = ../w\n",
        "[core]worktree=../w",
        "[CORE]\r\n\tWorkTree = ../w\r\n",
        "\ufeff[core]\nworktree = ../w\n",
        '[core]\nworktree = "../w x "  # after\n',
        "[core]\nworktree = ../w x \t ; after\n",
        '[core]\nworktree = "../w;#"\n',
        '[core]\nworktree = a"b c"d\n',
        '[core]\nworktree = a\\"b\\\\c\n',
        "[core]\nworktree = one\\\ntwo\n",
        '[core]\nworktree = "one\\\ntwo"\n',
        "[core]\nworktree = \\\n   two\n",
        "[core]\nworktree = a\nworktree = b\n",
        "[core]\nworktree = a\n[other]\nworktree = b\n",
        '[core "sub"]\nworktree = a\n',
        '[core "a\\"]b"]\nworktree = a\n[core]\nworktree = b\n',
        "[core.sub]\nworktree = a\n",
        "# worktree\n[core] ; comment\n# worktree = a\nworktree = b # c\n",
        "[core]\nworktree =\n",
        '[core]\nworktree = ""\n',
        "[core]\nworktree = \u00fcber\n",
        "[include]\npath = /dev/zero\n[core]\nworktree = a\n",
    ],
)
def test_a_working_directory_is_read_as_git_reads_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "config").write_text(content, newline="")

    found = configuration.read(str(tmp_path))

    assert found == Configuration(by_git(tmp_path / "config", "core.worktree") or None)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " = true",
        " = TRUE",
        " = yes",
        " = on",
        " = 1",
        " = -2",
        " = 1k",
        " = false",
        " = no",
        " = off",
        " = 0",
        " =",
    ],
)
def test_a_switch_is_read_as_git_reads_it(tmp_path: Path, value: str) -> None:
    (tmp_path / "config").write_text(f"[core]\n\tbare{value}\n")

    found = configuration.read(str(tmp_path))

    assert found == Configuration(bare=by_git(tmp_path / "config", "core.bare", "--bool") == "true")


@pytest.mark.parametrize(
    "content",
    [
        b"[core\n",
        b"[core]\n\t= a\n",
        b"[core]\n_ = a\n",
        b"[core]\nworktree a\n",
        b'[core]\nworktree = "a\n',
        b"[core]\nworktree = a\\q\n",
        b"[core]\nworktree = a\\",
        b'[core "sub]\n',
        b"[core]\nworktree = \xe9\n",
        b"[core]\nworktree = a\0b\n",
        b"\0",
    ],
)
def test_a_broken_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config").write_bytes(content)

    assert configuration.read(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ("true", Configuration("b", bare=False)),
        ("false", Configuration("a", bare=True)),
        (None, Configuration("a", True)),
    ],
)
def test_the_worktree_s_own_file_counts_where_the_extension_says_so(
    tmp_path: Path, extension: str | None, found: Configuration
) -> None:
    switch = "" if extension is None else f"[extensions]\nworktreeConfig = {extension}\n"
    (tmp_path / "config").write_text(f"{switch}[core]\nworktree = a\nbare = true\n")
    (tmp_path / "config.worktree").write_text("[core]\nworktree = b\nbare = false\n")

    assert configuration.read(str(tmp_path)) == found


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [b"[core]", b"[", b"a\n", b"#\n", b'""', b'"', b"\\\n", b"[core]\nworktree=", b'[core "\\', b" ", b"\t=", b"=\\t"],
)
@pytest.mark.parametrize("start", [b"", b"[core]\nworktree=", b'[core]\nworktree="', b'[core "'])
def test_a_file_of_any_content_is_read_in_one_go(tmp_path: Path, start: bytes, piece: bytes) -> None:
    size = configuration.LARGEST_FILE - len(start)
    (tmp_path / "config").write_bytes(start + (piece * size)[:size])

    configuration.read(str(tmp_path))


LINES = st.text(st.sampled_from('ab.-19 \t[]="#;\\\r\x0b\n'), max_size=12) | st.sampled_from(
    [
        "[core]",
        "[core",
        '[a "b"]',
        '[a "b" ]',
        "[a.b-c]",
        "\tbare = false",
        "bare",
        "bare=",
        "worktree = ../w ",
        "= a",
        "[]",
    ]
)


@pytest.mark.usefixtures("unmeasured")
@settings(max_examples=examples(1000), deadline=None)
@given(st.lists(LINES, max_size=6).map("\n".join).map(str.encode))
def test_a_plain_file_is_read_as_the_whole_grammar_reads_it(content: bytes) -> None:
    try:
        expected = list(grammar.settings(content.replace(b"\r\n", b"\n")))
    except ValueError:
        expected = None

    try:
        found = list(configuration.settings(content))
    except ValueError:
        found = None

    assert found == expected


def test_what_git_writes_is_read_without_the_whole_grammar(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, timeout=PATIENCE)
    with (tmp_path / ".git" / "config").open("a") as file:
        file.write(
            '[remote "origin"]\n\turl = git@host.example:a/b.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
        )

    plain = configuration._plain_settings((tmp_path / ".git" / "config").read_bytes())

    assert dict(plain or ())["core.bare"] == b" false"

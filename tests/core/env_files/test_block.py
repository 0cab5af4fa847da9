"""The block of variables in the text of a file: what is written, what is refused, and that all else stays."""

from __future__ import annotations

import contextlib
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.env_files import ZOO, bindings_of_python_dotenv, of_a_shell, of_compose, of_python_dotenv
from support.patience import AT_ONCE

from trop_core.config.file_text import BYTE_ORDER_MARK
from trop_core.env_files import block, statements
from trop_core.env_files.block import EnvText
from trop_core.env_files.place import LARGEST_FILE
from trop_core.errors.env_files import DamagedBlock, ForeignBlock, UnfitEnvFile, VariableElsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OWNER, OTHER = "11" * 16, "22" * 16
VARIABLES: dict[str, int | str] = {
    "PORT": 5000,
    "API_URL": "http://localhost:5001/v1?a=1&b=~x#top",
    "V6_ADDR": "http://[::1]:5002/",
    "COMPOSE_PROJECT_NAME": "shop-login-5000",
}
PORT = b"# trop-begin %b PORT\nPORT=5000\n# trop-end %b\n" % ((OWNER.encode(),) * 2)


def written(
    content: bytes,
    variables: Mapping[str, int | str] = VARIABLES,
    owner: str = OWNER,
    *,
    comment_out: bool = False,
    take_over: bool = False,
) -> bytes:
    return block.written(EnvText(content, ".env"), owner, variables, comment_out=comment_out, take_over=take_over)


def removed(content: bytes, owner: str | None = OWNER, *, take_over: bool = False) -> bytes:
    return block.removed(EnvText(content, ".env"), owner, take_over=take_over)


def told(error: UnfitEnvFile) -> list[str]:
    return [str(problem) for problem in error.problems]


# What is written


@pytest.mark.parametrize("content", ZOO.values(), ids=ZOO)
def test_all_outside_of_the_block_stays_and_comes_back(content: bytes) -> None:
    new = written(content, {"PORT": 5000})
    changed = written(new, {"WEB_PORT": 5001, "PORT": 5002})

    assert new.startswith(content)
    assert changed.startswith(content)
    assert b"\nPORT=5002" in changed
    assert written(changed, {"PORT": 5000}) == new == written(new, {"PORT": 5000})
    assert removed(new) == removed(changed) == content == removed(content)


@pytest.mark.parametrize("content", ZOO.values(), ids=ZOO)
def test_python_dotenv_compose_and_a_shell_read_the_same(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    wanted = {name: str(value) for name, value in VARIABLES.items()}

    file.write_bytes(new := written(content))

    assert of_python_dotenv(new).items() >= wanted.items()
    assert of_compose(new).items() >= wanted.items()
    if b"\r\n" not in new[len(content) :]:
        assert of_a_shell(file, wanted) == wanted


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", PORT),
        (b"A=1\n", b"A=1\n" + PORT),
        (b"A=1", b"A=1\n" + PORT[:-1]),
        (b"A=1\r\nB=2\r\n", b"A=1\r\nB=2\r\n" + PORT.replace(b"\n", b"\r\n")),
        (b"A=1\r\nB=2", b"A=1\r\nB=2\r\n" + PORT.replace(b"\n", b"\r\n")[:-2]),
        (b"A=1\r\nB=2\n", b"A=1\r\nB=2\n" + PORT),
        (b"\xef\xbb\xbf", b"\xef\xbb\xbf" + PORT),
        (PORT.replace(b"5000", b"6000") + b"A=1", PORT + b"A=1"),
        (b"A=1\n\n" + PORT.replace(b"5000", b"6000") + b"\nB=2\n", b"A=1\n\n" + PORT + b"\nB=2\n"),
    ],
    ids=[
        "empty",
        "at the end",
        "no last line end",
        "windows",
        "windows without a last one",
        "mixed",
        "byte order mark",
        "first",
        "in the middle",
    ],
)
def test_the_bytes_are_these(content: bytes, expected: bytes) -> None:
    assert written(content, {"PORT": 5000}) == expected


def test_a_variable_that_is_no_longer_given_leaves_the_block() -> None:
    both = written(b"A=1\n", {"PORT": 5000, "OLD_PORT": 5001})

    assert written(both, {"PORT": 5000}) == b"A=1\n" + PORT


def test_a_block_without_variables_can_be_removed_as_well() -> None:
    assert removed(written(b"A=1", {})) == b"A=1"


@pytest.mark.parametrize("value", ["it's", "a\\b", "a\nb", "\xe9", "a\0b"])
def test_a_value_that_no_quotes_hold_is_none(value: str) -> None:
    with pytest.raises(ValueError, match="no quotes hold"):
        written(b"", {"A_URL": value})


def test_a_name_that_is_none_is_not_written() -> None:
    with pytest.raises(ValueError, match="is no name of a variable"):
        written(b"", {"A=1\nPATH": 5000})


PIECES = st.sampled_from(
    [
        b"A=1",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"'",
        b'"',
        b"\\",
        b"export ",
        b"PORT",
        b"=",
        b":",
        b"#",
        b" ",
        b"\xff",
        b"B=",
    ]
)


CONTENTS = st.lists(PIECES | st.binary(max_size=3), max_size=14).map(b"".join)


@given(CONTENTS)
@example(b"export '")
@example(b":='")
@example(b"'''\n'")
def test_what_was_written_can_be_taken_back_to_the_byte(content: bytes) -> None:
    try:
        new = written(content)
    except UnfitEnvFile:
        return

    assert removed(new) == content
    assert written(new) == new
    assert written(written(new, {"PORT": 1})) == new
    assert of_python_dotenv(new).items() >= {name: str(value) for name, value in VARIABLES.items()}.items()


@given(CONTENTS)
def test_once_the_lines_in_the_way_are_comments_the_file_is_up_to_date(content: bytes) -> None:
    try:
        new = written(content, comment_out=True)
    except UnfitEnvFile:
        return

    assert written(new) == new


@given(CONTENTS.filter(lambda content: not content.startswith(BYTE_ORDER_MARK)))
@example("a\xa0='\n'\n\u2028'b\nc'=1\n".encode())
@example(b"A= # '\nB='\\\\'\nC='\n'")
def test_a_file_is_taken_apart_as_python_dotenv_does(content: bytes) -> None:
    is_older = tuple(map(int, version("python-dotenv").split("."))) < (1, 2, 3)
    reading = statements.older_python_dotenv if is_older else statements.python_dotenv
    read = [(each.name, each.end) for each in reading(content, 0)]
    bindings = bindings_of_python_dotenv(content)

    assert {end for _, end in read} <= {end for _, end in bindings}
    assert {each for each in bindings if each[0] is not None} <= set(read)


# What sets the same variable elsewhere


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        (b"PORT=1\n", b"# PORT=1\n"),
        (b"PORT=1", b"# PORT=1\n"),
        (b"PORT=\n", b"# PORT=\n"),
        (b"PORT\n", b"# PORT\n"),
        (b"PORT: 1\n", b"# PORT: 1\n"),
        (b"  export\tPORT = 1 # one\n", b"#   export\tPORT = 1 # one\n"),
        (b"'PORT'=1\n", b"# 'PORT'=1\n"),
        (b"PORT=1\r\n", b"# PORT=1\r\n"),
        (b"\xef\xbb\xbfPORT=1\n", b"\xef\xbb\xbf# PORT=1\n"),
        (b"PORT='1\n# 2\n3'\n", b"# PORT='1\n# # 2\n# 3'\n"),
        (b"A='x' PORT=1\n", b"A='x' # PORT=1\n"),
        (b"A=1\rPORT=1\n", b"A=1\r# PORT=1\n"),
    ],
)
def test_a_line_that_sets_the_same_is_refused_or_becomes_a_comment(line: bytes, comment: bytes) -> None:
    with pytest.raises(VariableElsewhere) as refused:
        written(b"A=1\n" * (not line.startswith(b"\xef")) + line, {"PORT": 5000})

    [problem] = refused.value.problems
    assert problem.key == "PORT"
    assert problem.line == (1 if line.startswith(b"\xef") else 3 if b"\r" in line[:4] else 2)
    new = written(line, {"PORT": 5000}, comment_out=True)
    assert new.startswith(comment)
    assert removed(new) == (comment if line.endswith(b"\n") else comment[:-1])


def test_each_line_is_named() -> None:
    with pytest.raises(VariableElsewhere) as refused:
        written(b"PORT=1\nA=1\n" + written(b"", {"PORT": 5000}) + b"export API_URL=x\nPORT=2", VARIABLES)

    assert told(refused.value) == [
        ".env:1: PORT: the variable is set here, outside of trop's block",
        ".env:6: API_URL: the variable is set here, outside of trop's block",
        ".env:7: PORT: the variable is set here, outside of trop's block",
    ]
    assert "--comment-out" in refused.value.hint()


def test_of_very_many_lines_the_first_ones_are_named() -> None:
    with pytest.raises(VariableElsewhere) as refused:
        written(b"PORT=1\n" * 5000)

    assert len(refused.value.problems) == block.MOST_PROBLEMS


def test_a_line_that_sets_more_than_the_variable_is_not_made_a_comment() -> None:
    with pytest.raises(UnfitEnvFile) as refused:
        written(b"PORT='1' SECRET=x\n", comment_out=True)

    assert told(refused.value) == [
        ".env:1: PORT: more than this variable is set in the line: give each a line of its own"
    ]


# Where programs do not agree


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"A=1\nB='x\nPORT=1\n", 2),
        (b'A=1\nB="x\nPORT=1\n', 2),
        (b"B='C:\\'\nPORT=1\nC='x'\n", 1),
        (b'B="C:\\\\"\nPORT=1\nC="x"\n', 1),
        (b"A='C:\\'\n", 1),
    ],
    ids=["no end", "no end of double quotes", "single quotes", "double quotes", "the end of the file"],
)
def test_a_file_that_is_read_in_several_ways_is_refused(content: bytes, line: int) -> None:
    with pytest.raises(UnfitEnvFile) as refused:
        written(content)

    assert [problem.line for problem in refused.value.problems] == [line]


def test_a_quote_of_the_block_does_not_end_a_value_before_it() -> None:
    """To python-dotenv the value would go on up to the quote of API_URL."""
    with pytest.raises(UnfitEnvFile, match=":1: where the quoted value that begins here ends"):
        written(b"B='\\\\'\n")


def test_a_file_in_utf_16_is_refused() -> None:
    with pytest.raises(UnfitEnvFile, match=":1: the file is in UTF-16"):
        written("A=1\n".encode("utf-16"))


# Damaged, and another's

BEGIN, END = PORT.splitlines(keepends=True)[::2]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"A=1\n" + BEGIN + b"PORT=1\n", [2]),
        (b"PORT=1\n" + END, [2]),
        (END + BEGIN, [1, 2]),
        (PORT + b"A=1\n" + PORT, [1, 3, 5, 7]),
        (BEGIN + PORT + END, [1, 2, 4, 5]),
        (PORT.replace(END, END.replace(b"11", b"33")), [3]),
        (PORT.replace(OWNER.encode(), b""), [3]),
        (BEGIN + b"SECRET=x\nPORT=5000\n\n# mine\n" + END, [2, 5]),
        (BEGIN + b"PORT=5000 # mine\n" + END, [2]),
        (BEGIN + b"export PORT=5000\n" + END, [2]),
        (BEGIN + b"PORT=$(id)\n" + END, [2]),
    ],
    ids=[
        "no end",
        "no beginning",
        "the wrong way round",
        "two blocks",
        "nested",
        "marks of two",
        "marks of nobody",
        "other lines",
        "a comment",
        "exported",
        "a value that is none of trop's",
    ],
)
@pytest.mark.parametrize("change", [written, removed])
def test_a_damaged_block_is_refused_with_its_lines(
    content: bytes, lines: list[int], change: Callable[..., bytes]
) -> None:
    with pytest.raises(DamagedBlock) as refused:
        change(content, take_over=True)

    assert [problem.line for problem in refused.value.problems] == lines


def test_marks_within_a_value_are_none() -> None:
    content = b"NOTE='\n" + PORT + b"'\n"

    assert removed(written(content)) == content


def test_a_value_that_somebody_changed_in_the_block_is_put_right() -> None:
    assert written(PORT.replace(b"5000", b"'x y'") + b"A=1\n", {"PORT": 5000}) == PORT + b"A=1\n"


def test_line_ends_that_an_editor_changed_are_kept() -> None:
    windows = PORT.replace(b"\n", b"\r\n")

    assert written(windows, {"PORT": 5000}) == windows
    assert written(windows, {"PORT": 5001}) == windows.replace(b"5000", b"5001")


def test_the_block_of_another_is_refused_and_can_be_taken_over() -> None:
    content = b"A=1\n" + PORT

    refusals: list[Callable[[], bytes]] = [
        lambda: written(content, owner=OTHER),
        lambda: removed(content, OTHER),
        lambda: removed(content, None),
    ]
    for refuse in refusals:
        with pytest.raises(ForeignBlock) as refused:
            refuse()
        assert told(refused.value) == [".env:2: the block that begins here belongs to another directory"]
        assert "--take-over" in refused.value.hint()

    taken = written(content, {"PORT": 5001}, OTHER, take_over=True)
    assert taken == content.replace(b"5000", b"5001").replace(OWNER.encode(), OTHER.encode())
    assert removed(content, OTHER, take_over=True) == b"A=1\n"


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    "unit", [b"PORT=1\n", b"A='\n", b'A="\\"\n', b"# trop-begin x\n", b"\n", b"A=\\'", b"export ", b"a"], ids=repr
)
def test_the_largest_file_takes_seconds_at_most(unit: bytes) -> None:
    content = unit * (LARGEST_FILE // len(unit))
    began = time.process_time()

    with contextlib.suppress(UnfitEnvFile):
        written(content, comment_out=True)

    assert time.process_time() - began < AT_ONCE

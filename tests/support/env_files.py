"""Files of variables of all kinds, and how the programs read them for which they are written."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ZOO = {
    "empty": b"",
    "one line": b"SECRET=x\n",
    "no last line end": b"SECRET=x",
    "comments and empty lines": b"\n# mine, don't touch\n\n  # more\nSECRET=x\n\n\n",
    "exported": b"export SECRET=x\n",
    "windows": b"SECRET=x\r\nOTHER=y\r\n",
    "windows without a last line end": b"SECRET=x\r\nOTHER=y",
    "mixed line ends": b"SECRET=x\r\nOTHER=y\nMORE=z\r\n",
    "ends with a lone carriage return": b"SECRET=x\r",
    "byte order mark": b"\xef\xbb\xbfSECRET=x\n",
    "nothing but a byte order mark": b"\xef\xbb\xbf",
    "NUL": b"SECRET=a\0b\n",
    "latin-1": b"NAME=Andr\xe9\n",
    "quoted": b'A=\'one\'\nB="two # 2"\nC="three" # 3\n',
    "several lines in a value": b"KEY='-----BEGIN\nPORT=1\n-----END'\nSECRET=x\n",
    "several lines between double quotes": b'KEY="a \\"\nPORT=1\nexport PORT=2\n"\n',
    "a variable with a longer name": b"REPORT=1\nPORTS=2\nMY_PORT=3\n",
    "the variable in a comment": b"# PORT=1\n#PORT=2\n  # export PORT=3\n",
    "the variable in a value": b"A=PORT=1\nB='PORT=2'\n",
    "an apostrophe in a bare value": b"NOTE=its\nOWNER=o\\'hara\n",
}
"""Files in which nothing sets PORT."""


def of_python_dotenv(content: bytes) -> dict[str, str | None]:
    """What python-dotenv reads, without filling in anything."""
    return dict(dotenv_values(stream=_as_text(content), interpolate=False))


def bindings_of_python_dotenv(content: bytes) -> list[tuple[bytes | None, int]]:
    """What python-dotenv takes apart in a file: each name, None for what sets nothing, and the offset behind it."""
    found, end = list[tuple[bytes | None, int]](), 0
    for binding in parse_stream(_as_text(content)):
        end += len(binding.original.string.encode("utf-8", "surrogateescape"))
        # Behind what it does not understand, it leaves the second half of a line end for the next one to pass over.
        behind = end + (content[end - 1 : end + 1] == b"\r\n")
        found.append((None if binding.key is None else binding.key.encode("utf-8", "surrogateescape"), behind))
    return found


def _as_text(content: bytes) -> io.StringIO:
    return io.StringIO(content.decode("utf-8", "surrogateescape"), newline="")


def of_compose(content: bytes) -> dict[str, str]:
    """What docker compose reads: the rules of "Env file syntax" in its documentation, a character after the other."""
    text, found, position = content.decode("latin-1").removeprefix("\xef\xbb\xbf"), dict[str, str](), 0
    while position < len(text):
        line_end = text.find("\n", position) + 1 or len(text)
        line = text[position:line_end]
        if not line.strip() or line.lstrip().startswith("#"):
            position = line_end
            continue
        name, equals, value = line.partition("=")
        name = name.strip().removeprefix("export ").strip()
        value = value.lstrip(" \t")
        if not equals or value[:1] not in ("'", '"'):
            # A comment behind a value begins behind a space.
            found[name] = value.partition(" #")[0].strip()
            position = line_end
            continue
        quote, start = value[0], line_end - len(value) + 1
        close = start
        while text[close] != quote:
            close += 2 if text[close] == "\\" else 1
        found[name] = text[start:close]
        position = close + 1
    return found


def of_a_shell(file: Path, names: Iterable[str]) -> dict[str, str]:
    """What /bin/sh has after it has read the file; what it does not understand of other lines is no matter."""
    program = '. "$1" 2>/dev/null; shift; for name; do eval "printf \'%s\\n\' \\"\\$$name\\""; done'
    names = list(names)
    done = subprocess.run(
        ["/bin/sh", "-c", program, "sh", str(file), *names],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin"},
        encoding="latin-1",
        timeout=PATIENCE,
        check=True,
    )
    return dict(zip(names, done.stdout.split("\n"), strict=False))

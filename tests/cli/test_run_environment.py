"""``trop run`` and the environment: which variables a command is given, and printing them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.requirements import find_shell
from support.running import GROUP, NO_FOREMOST, TELL
from support.sandbox import TROP, UNMEASURED, as_json, error_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")


class TestTheEnvironment:
    def test_it_is_the_callers_and_the_port(self, sandbox: Sandbox, tell: Callable[..., Any]) -> None:
        alone = json.loads(sandbox.run(sys.executable, "-c", TELL).stdout)["environment"]

        assert tell()["environment"] == {**alone, "PORT": "5000"}

    def test_what_python_adds_to_it_is_not_passed_on(self, sandbox: Sandbox) -> None:
        kept = {name: value for name, value in sandbox.environment().items() if name.startswith("TROP_")}
        command = [
            "env",
            "-i",
            *(f"{name}={value}" for name, value in kept.items()),
            TROP,
            "run",
            shutil.which("env") or "",
        ]

        assert set(sandbox.run(*command).stdout.splitlines()) == {*(f"{k}={v}" for k, v in kept.items()), "PORT=5000"}

    def test_pythonpath_reaches_the_command(self, sandbox: Sandbox) -> None:
        (sandbox.work / "json.py").write_text("raise SystemExit('from here')")

        environment: dict[str, Any] = {**UNMEASURED, "PYTHONPATH": str(sandbox.work)}

        done = sandbox.trop("run", sys.executable, "-c", "import json", **environment)

        assert done.stderr == "from here\n"

    def test_values_that_are_replaced_are_told_by_their_names(self, sandbox: Sandbox) -> None:
        (sandbox.work / ".env").write_text("TOKEN=from-file\nPORT=1\n")
        command = ("run", "--env-file", ".env", "sh", "-c", "echo $TOKEN $PORT")

        done = sandbox.trop(*command, TOKEN="from-caller")

        assert done.stdout == "from-caller 5000\n"
        assert done.stderr.splitlines() == [
            "warning: TOKEN: the value of the environment counts, and not that of a file",
            "warning: PORT: had another value, which is replaced",
        ]
        assert sandbox.trop("--quiet", *command, TOKEN="from-caller").stderr == ""

    def test_an_inherited_port_is_taken_out_where_no_service_is_foremost(self, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text(NO_FOREMOST)

        done = sandbox.trop("run", "sh", "-c", 'echo "-$PORT-$API_PORT-"', PORT="4711")

        assert done.stdout == "--5000-\n"
        assert done.stderr == "warning: PORT: is taken out, for no service is foremost here\n"

    def test_more_variables_are_named_by_hand(self, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text(GROUP)
        named = ["--env", "VITE_PORT", "--env=API={url:api}v1?x={{port}}&y={z}", "--env", "NAME={name}", "--env", "NO="]

        done = sandbox.trop("run", *named, "--no-replace", "sh", "-c", 'echo "$VITE_PORT $API $NAME $NO."')

        assert done.stdout == "5000 http://localhost:5001/v1?x={port}&y={z} work-5000 .\n"

    def test_a_template_with_a_tag_that_is_not_reserved_reserves_nothing(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("run", "--env", "API={url:api}", "touch", "started")

        assert done.returncode == 6
        assert (sandbox.rows(), list(sandbox.work.iterdir())) == ([], [])

    @pytest.mark.parametrize("named", ["TROP_DATA_DIR=x", "trop_x", "1A", "A-B=x", "=x", "", "Ä"])
    def test_a_name_that_is_none_is_refused_before_anything(self, sandbox: Sandbox, named: str) -> None:
        done = sandbox.trop("run", "--env", named, "touch", "started")

        assert done.returncode == 4
        assert "that does not begin with TROP_" in error_lines(done)[0]
        assert (sandbox.rows(), list(sandbox.work.iterdir())) == ([], [])


class TestEnvFiles:
    def test_they_are_read_as_python_dotenv_reads_them(self, sandbox: Sandbox, tell: Callable[..., Any]) -> None:
        (sandbox.work / "a.env").write_bytes(
            b"\xef\xbb\xbfFIRST=1\r\nexport SPACED = 'a b' # comment\nBOTH=\"x\\ny\"\nEMPTY=\nALONE\n"
            b"RAW=$HOME-${HOME}\nTWICE=1\nTWICE=2\nBYTE=\xff\n'odd name'=1\n"
        )
        (sandbox.work / "b.env").write_text("FIRST=2\n")

        found = tell("--env-file", "a.env", "--env-file=b.env")["environment"]

        expected = {"FIRST": "2", "SPACED": "a b", "BOTH": "x\ny", "EMPTY": "", "RAW": "$HOME-${HOME}", "TWICE": "2"}
        assert {name: found.get(name) for name in expected} == expected
        assert "ALONE" not in found
        assert (found["BYTE"], found["odd name"]) == ("\udcff", "1")

    def test_what_is_no_variable_is_left_out_and_told_by_its_line(self, sandbox: Sandbox) -> None:
        (sandbox.work / ".env").write_text("A=1\nhunter2 is no variable\n'a=b'=1\nB='open\n\nC=3\n")

        done = sandbox.trop("run", "--env-file", ".env", "sh", "-c", "echo $A $C")

        assert "hunter2" not in done.stderr
        assert done.stderr.splitlines() == [
            f"warning: .env:{line}: this is no variable, and is left out" for line in (2, 3, 4)
        ]

    def test_one_may_come_from_another_command(self, sandbox: Sandbox) -> None:
        done = sandbox.run(find_shell("bash"), "-c", f"{TROP} run --env-file <(echo SECRET=x) sh -c 'echo $SECRET'")

        assert done.stdout == "x\n"

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda path: None, "there is no such file"),
            (lambda path: path.mkdir(), "it is no regular file"),
            (os.mkfifo, "it is no regular file"),
            (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
            (lambda path: path.write_bytes(b"A=1\n" * 300_000), "it has more than 1048576 bytes"),
        ],
        ids=["missing", "directory", "pipe", "device", "huge"],
    )
    def test_one_that_cannot_be_read_starts_nothing(
        self, sandbox: Sandbox, make: Callable[[Path], None], reason: str
    ) -> None:
        make(sandbox.work / ".env")

        done = sandbox.trop("run", "--env-file", ".env", "touch", "started")

        assert done.returncode == 4
        assert error_lines(done)[0] == f'".env" cannot be used as a path: {reason}'
        assert sandbox.rows() == []

    def test_a_device_without_an_end_is_read_no_further_than_a_file(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("run", "--env-file", "/dev/zero", "true")

        assert error_lines(done)[0] == '"/dev/zero" cannot be used as a path: it has more than 1048576 bytes'


class TestPrinting:
    @pytest.mark.parametrize("command", [[], ["touch", "started"]], ids=["no command", "a command"])
    def test_the_variables_are_printed_instead(self, sandbox: Sandbox, command: list[str]) -> None:
        (sandbox.work / "trop.yaml").write_text(GROUP)
        (sandbox.work / ".env").write_text("A='x y'\nHOME=/x\n")

        done = sandbox.trop("run", "--env-file", ".env", "--env", "N=it's {port}", "--print-env", *command)

        assert as_json(done) == {
            "PORT": 5000, "WEB_PORT": 5000, "API_PORT": 5001, "API_URL": "http://localhost:5001/", "A": "x y",
            "N": "it's 5000",
        }  # fmt: skip
        assert not (sandbox.work / "started").exists()

    @pytest.mark.parametrize("value", ["it's", "a b", "$HOME", "\\", '"', "`x`", "é", "a#b", "{z}"])
    def test_a_shell_reads_them_back(self, sandbox: Sandbox, value: str) -> None:
        arguments = ("run", "--env", f"N={value}", "--print-env", "--format", "export", "--shell", "sh")

        done = sandbox.run("sh", "-c", 'eval "$("$0" "$@")"; printf "%s" "$N"', TROP, *arguments)

        assert done.stdout == value

    def test_what_is_no_line_is_printed_as_json_only(self, sandbox: Sandbox) -> None:
        refused = sandbox.trop("run", "--env", "N=a\nb", "--print-env", "--format", "dotenv")

        assert refused.returncode == 4
        assert error_lines(refused)[0].startswith("--format: expected json")
        assert sandbox.rows() == []
        assert as_json(sandbox.trop("run", "--env", "N=a\nb", "--print-env"))["N"] == "a\nb"

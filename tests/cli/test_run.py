"""``trop run``: what becomes of the process, and what the command is given."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.patience import PATIENCE
from support.repositories import add_worktree, make_repository
from support.running import GROUP, TELL
from support.sandbox import LOOKING, TROP, UNMEASURED, error_lines
from support.servers import SECRET, server
from support.sockets import free_port, on_linux

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("started_whole")


class TestTheProcess:
    @pytest.mark.parametrize("code", [0, 1, 2, 77, 126, 127, 128, 255])
    def test_the_exit_code_is_the_commands(self, sandbox: Sandbox, code: int) -> None:
        assert sandbox.trop("run", "sh", "-c", f"exit {code}").returncode == code

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ])
    def test_a_signal_that_ends_it_is_the_commands(self, sandbox: Sandbox, number: int) -> None:
        assert sandbox.trop("run", "sh", "-c", f"kill -{number} $$").returncode == -number

    def test_it_is_the_very_process_that_was_started(self, sandbox: Sandbox) -> None:
        begun = sandbox.begin("run", "sh", "-c", "echo $$")
        out, _ = begun.communicate(timeout=PATIENCE)

        assert int(out) == begun.pid

    def test_a_signal_to_it_is_one_to_the_command(self, sandbox: Sandbox) -> None:
        begun = _with_input(sandbox, "trap 'echo heard; exit 5' TERM; echo ready; read x")
        assert begun.stdout is not None
        assert begun.stdout.readline() == "ready\n"
        begun.send_signal(signal.SIGTERM)
        out, _ = begun.communicate(input="\n", timeout=PATIENCE)

        assert (out, begun.returncode) == ("heard\n", 5)

    def test_directory_umask_and_open_files_are_the_callers(self, sandbox: Sandbox) -> None:
        directory = sandbox.directory("deep/er")
        read, write = os.pipe()
        command = [sys.executable, "-c", TELL]
        kwargs: dict[str, Any] = {
            "cwd": directory,
            "pass_fds": [write],
            "umask": 0o27,
            "capture_output": True,
            "stdin": subprocess.DEVNULL,
            "timeout": PATIENCE,
            "env": sandbox.environment(**UNMEASURED),
        }
        alone = json.loads(subprocess.run(command, check=True, **kwargs).stdout)
        through = json.loads(subprocess.run([TROP, "run", *command], check=True, **kwargs).stdout)
        os.close(read)
        os.close(write)

        assert through["directory"] == str(directory)
        assert (through["umask"], through["descriptors"]) == (alone["umask"], alone["descriptors"])
        assert write in through["descriptors"]

    @on_linux
    def test_no_signal_is_ignored_that_was_not(self, sandbox: Sandbox) -> None:
        # Not SigQ: how many are queued is a matter of all processes of the user.
        done = sandbox.trop("run", "grep", "Sig[^Q]", "/proc/self/status")

        alone = sandbox.run("grep", "Sig[^Q]", "/proc/self/status")
        assert done.stdout == alone.stdout

    def test_a_pipe_that_closes_ends_it_quietly(self, sandbox: Sandbox) -> None:
        done = sandbox.run("sh", "-c", f"{TROP} run sh -c 'yes; kill -l $? >&2' | head -1", PATH=os.environ["PATH"])

        assert (done.stdout, done.stderr) == ("y\n", "PIPE\n")

    def test_a_program_may_go_on_in_the_background(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("run", "sh", "-c", "(read x <&3; echo late >late) 3<&0 & echo early", stdin="go\n")

        assert (done.returncode, done.stdout) == (0, "early\n")

    def test_standard_streams_may_be_closed(self, sandbox: Sandbox) -> None:
        done = sandbox.run("sh", "-c", f"{TROP} run sh -c 'echo $PORT >port' <&- >&- 2>&-")

        assert done.returncode == 0
        assert (sandbox.work / "port").read_text() == "5000\n"


def _with_input(sandbox: Sandbox, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [TROP, "run", "sh", "-c", script],
        cwd=sandbox.work, env=sandbox.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


class TestTheReservation:
    def test_it_is_there_before_the_command_is_and_stays(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("run", "sh", "-c", "kill -9 $$")

        assert done.returncode == -signal.SIGKILL
        assert [row[2] for row in sandbox.rows()] == [5000] == [sandbox.reserve()]
        assert sandbox.integrity() == "ok"

    def test_the_store_is_closed_before(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("run", "sh", "-c", "ls -a $TROP_DATA_DIR; trop reserve --tag web --busy-timeout 0",
                            PATH=f"{os.path.dirname(TROP)}:{os.environ['PATH']}")  # fmt: skip

        assert done.stdout.split() == [".", "..", "trop.db", "5001"]

    def test_the_group_is_taken_from_anywhere_below(self, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text(GROUP)
        done = sandbox.trop("run", "sh", "-c", "echo $PORT $WEB_PORT $API_PORT $API_URL", cwd=sandbox.directory("src"))

        assert done.stdout == "5000 5000 5001 http://localhost:5001/\n"
        assert {row[0] for row in sandbox.rows()} == {str(sandbox.work)}

    def test_what_is_wrong_with_the_file_starts_nothing(self, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text("reservations: {services: {web: {env: LD_PRELOAD}}}\n")

        done = sandbox.trop("run", "touch", "started")

        assert done.returncode == 7
        assert "LD_PRELOAD" in error_lines(done)[0]
        assert not (sandbox.work / "started").exists()
        assert sandbox.rows() == []

    def test_a_refused_variable_of_a_stored_group_does_not_come_in(self, sandbox: Sandbox) -> None:
        file = sandbox.work / "trop.yaml"
        file.write_text("reservations: {services: {web: {}}}\n")
        sandbox.trop("run", "true")
        file.write_text("reservations: {services: {web: {env: GIT_COMMON_DIR}}, environment: {BASH_ENV: x}}\n")
        file.write_text("reservations: {services: {web: {env: GIT_COMMON_DIR}}}\n")

        done = sandbox.trop("run", "sh", "-c", 'echo "$PORT-$GIT_COMMON_DIR"')

        assert done.stdout == "5000-\n"
        assert "GIT_COMMON_DIR" in done.stderr


class TestArguments:
    def test_ports_and_addresses_go_where_they_belong(self, sandbox: Sandbox, tell: Callable[..., Any]) -> None:
        (sandbox.work / "trop.yaml").write_text(GROUP)
        words = ("{port}", "--api={url:api}", "{{port}}", "{{.Names}}", "{name}", "$PORT", " ", "", "--", "-h")

        assert tell("--", *words)["arguments"] == [
            *("5000", "--api=http://localhost:5001/", "{port}", "{{.Names}}", "{name}", "$PORT", " ", "", "--", "-h")
        ]
        assert tell("--no-replace", "--", *words)["arguments"] == list(words)

    def test_bytes_that_are_no_text_stay(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("run", "printf", "%s", b"\xff{port}\xfe")

        assert done.stdout == "\udcff5000\udcfe"

    def test_another_tag_of_the_directory_may_be_named(self, sandbox: Sandbox, tell: Callable[..., Any]) -> None:
        sandbox.reserve("--tag", "admin")

        assert tell("--", "{port:admin}", "{port}")["arguments"] == ["5000", "5001"]

    @pytest.mark.parametrize("word", ["{port:no}", "{url:no}"])
    def test_a_tag_that_is_not_reserved_starts_nothing(self, sandbox: Sandbox, word: str) -> None:
        done = sandbox.trop("run", "touch", "started", word)

        assert done.returncode == 6
        assert '"no"' in error_lines(done)[0]
        assert not (sandbox.work / "started").exists()
        assert sandbox.rows() == []

    def test_what_none_of_several_services_is_foremost_for_starts_and_reserves_nothing(self, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text("reservations: {services: {api: {}, db: {}}}\n")

        done = sandbox.trop("run", "touch", "started", "{port}")

        assert done.returncode == 4
        assert not (sandbox.work / "started").exists()
        assert sandbox.rows() == []

    @pytest.mark.parametrize(
        "arguments",
        [
            ["run", "--tag", "web", "echo", "--tag", "x", "-h", "--bogus", "--help", "list"],
            ["run", "--tag=web", "--", "echo", "--tag", "x", "-h", "--bogus", "--help", "list"],
            [
                "--quiet",
                "--busy-timeout",
                "3",
                "run",
                "--tag",
                "web",
                "echo",
                "--tag",
                "x",
                "-h",
                "--bogus",
                "--help",
                "list",
            ],
        ],
        ids=["without dashes", "behind dashes", "options before"],
    )
    def test_options_end_where_the_command_begins(self, sandbox: Sandbox, arguments: list[str]) -> None:
        done = sandbox.trop(*arguments)

        assert (done.returncode, done.stdout) == (0, "--tag x -h --bogus --help list\n")
        assert [row[1] for row in sandbox.rows()] == ["web"]

    def test_a_command_may_have_a_name_that_is_an_option(self, sandbox: Sandbox) -> None:
        (sandbox.work / "--tag").write_text("#!/bin/sh\necho here\n")
        (sandbox.work / "--tag").chmod(0o755)

        assert sandbox.trop("run", "--", "--tag", PATH=f"{sandbox.work}:{os.environ['PATH']}").stdout == "here\n"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["run"], "COMMAND is missing: expected what to start, as in: trop run -- npm start"),
            (["run", "--"], "COMMAND is missing: expected what to start, as in: trop run -- npm start"),
            (["run", ""], "COMMAND is missing: expected what to start, as in: trop run -- npm start"),
            (["run", "--format", "json", "touch", "x"], "--format cannot be used here: a command that is started"),
            (["run", "--services", "--tag", "web", "touch", "x"], "--services: expected either this or a tag"),
            (["run", "--bogus", "touch", "x"], "unrecognized arguments: --bogus"),
            (["run", "touch", "x", "--tag"], None),
        ],
    )
    def test_what_is_missing_or_too_much_is_told(
        self, sandbox: Sandbox, arguments: list[str], message: str | None
    ) -> None:
        done = sandbox.trop(*arguments)

        if message is None:
            assert "touch" in done.stderr  # touch's own complaint
        else:
            assert done.returncode == 4
            assert error_lines(done)[0].startswith(message)
            assert sandbox.rows() == []


class TestCommandsThatDoNotStart:
    @pytest.mark.parametrize(
        ("name", "content", "code", "reason"),
        [
            ("no-such-program", None, 127, "no directory of PATH has it"),
            ("./no-such-file", None, 127, "there is no such file"),
            ("./plain", "#!/bin/sh\n", 126, "Permission denied"),
            ("./shebangless", "echo\n", 126, "it is no program, and has no first line such as #!/bin/sh"),
            ("./lost", "#!/no/such/interpreter\n", 126, "what its first line names to run it, or a library"),
            ("plain", "#!/bin/sh\n", 126, "Permission denied"),
            ("/", None, 126, "Permission denied"),
        ],
    )
    def test_the_code_says_whether_it_is_there(
        self, sandbox: Sandbox, name: str, content: str | None, code: int, reason: str
    ) -> None:
        if content is not None:
            file = sandbox.work / name.removeprefix("./")
            file.write_text(content)
            file.chmod(0o644 if file.name == "plain" else 0o755)

        done = sandbox.trop("run", name, PATH=f"{sandbox.work}:/usr/bin:/bin")

        assert done.returncode == code
        assert error_lines(done)[0].startswith(f'cannot start "{name}": {reason}')
        assert len(sandbox.rows()) == 1

    def test_arguments_may_be_too_long(self, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text(GROUP)
        # Each word grows by what is put into it.
        words = ["{url}" * 20_000] * 16

        done = sandbox.trop("run", "true", *words)

        assert done.returncode == 126
        assert error_lines(done)[0].endswith("its arguments and its environment are longer than the system takes")


class TestChecking:
    @pytest.fixture
    def port(self, sandbox: Sandbox) -> int:
        """The port of a directory beside another one that has a reservation, too."""
        found = free_port()
        shop, other = sandbox.directory("shop"), sandbox.directory("other")
        sandbox.reserve("--port", str(found), cwd=shop)
        sandbox.reserve(cwd=other)
        return found

    def test_another_directorys_program_is_named_and_nothing_starts(self, sandbox: Sandbox, port: int) -> None:
        with server(port, sandbox.work / "other") as pid:
            done = sandbox.trop("run", "--check", "touch", "started", cwd=sandbox.work / "shop", **LOOKING)
            unchecked = sandbox.trop("run", "true", cwd=sandbox.work / "shop", **LOOKING)

        assert done.returncode == 6
        message, hint = error_lines(done)
        assert message.startswith(f'port {port}, which is reserved for "{sandbox.work / "shop"}", is in use by')
        assert f"process {pid} " in message
        assert message.endswith(f'which belongs to "{sandbox.work / "other"}"')
        assert "without --check it would be" in hint
        assert SECRET not in done.stderr
        assert not (sandbox.work / "shop" / "started").exists()
        assert unchecked.returncode == 0

    def test_the_program_of_a_worktree_within_is_another_directorys(self, sandbox: Sandbox, port: int) -> None:
        shop = make_repository(sandbox.work / "shop")
        worktree = add_worktree(shop, shop / ".claude/worktrees/x")
        sandbox.reserve(cwd=worktree)

        with server(port, worktree):
            done = sandbox.trop("run", "--check", "echo", "started", cwd=shop, **LOOKING)
            status = sandbox.trop("status", cwd=shop, **LOOKING)

        assert (done.returncode, done.stdout) == (6, "")
        assert error_lines(done)[0].endswith(f'which belongs to "{worktree}"')
        assert "own" not in status.stdout.split()
        assert SECRET not in done.stderr + status.stdout

    def test_the_directorys_own_program_is_in_nobodys_way(self, sandbox: Sandbox, port: int) -> None:
        with server(port, sandbox.work / "shop"):
            done = sandbox.trop("run", "--check", "echo", "started", cwd=sandbox.work / "shop", **LOOKING)

        assert (done.stdout, done.stderr) == ("started\n", "")

    def test_one_of_which_nobody_can_tell_is_a_warning(self, sandbox: Sandbox, port: int) -> None:
        with server(port, sandbox.directory("nowhere")) as pid:
            done = sandbox.trop("run", "--check", "echo", "started", cwd=sandbox.work / "shop", **LOOKING)

        assert done.stdout == "started\n"
        assert done.stderr.startswith(f"warning: process {pid} ")
        assert done.stderr.endswith(f"listens on port {port}, and whose it is cannot be told\n")

    def test_where_nobody_looks_that_is_said(self, sandbox: Sandbox, port: int) -> None:
        done = sandbox.trop("run", "--check", "echo", "started", cwd=sandbox.work / "shop")

        assert done.stdout == "started\n"
        assert done.stderr == (
            "warning: nobody looked whether something listens on the ports: that is switched off "
            "(TROP_SKIP_OCCUPANCY_CHECK)\n"
        )

    def test_a_free_port_is_nothing_to_speak_of(self, sandbox: Sandbox, port: int) -> None:
        done = sandbox.trop("run", "--check", "echo", "started", cwd=sandbox.work / "shop", **LOOKING)

        assert (done.stdout, done.stderr) == ("started\n", "")


@pytest.mark.parametrize("subcommand", [["run", "--print-env"], ["env"], ["url"]], ids=lambda words: words[0])
class TestAdviceThatTheCommandItselfTakes:
    def test_a_range_is_widened_by_settings(self, sandbox: Sandbox, subcommand: list[str]) -> None:
        sandbox.reserve("--port", "6100", cwd=sandbox.directory("other"))

        done = sandbox.trop(*subcommand, TROP_PORT_MIN="6100", TROP_PORT_MAX="6100")

        assert done.returncode == 6
        widened = "Widen the range with ports.min and ports.max (TROP_PORT_MIN and TROP_PORT_MAX), "
        assert error_lines(done)[1].startswith(widened)

    def test_the_root_is_reserved_for_by_another_command(self, sandbox: Sandbox, subcommand: list[str]) -> None:
        root = make_repository(sandbox.work / "shop")
        port = sandbox.reserve("--tag", "api", cwd=root)
        below = root / "app"
        below.mkdir()

        done = sandbox.trop(*subcommand, "--tag", "api", cwd=below)
        advised = sandbox.trop("reserve", "--root", "--tag", "api", cwd=below)

        told = f'"{root}" has port {port} already; --root (of trop reserve) reserves for the root of the worktree'
        assert f"warning: {told}\n" in done.stderr
        assert advised.stdout == f"{port}\n"

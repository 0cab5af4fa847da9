"""``init`` reads no configuration, and does all that it was asked for or leaves everything as it was."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import pytest
from support import stores
from support.requirements import needs_root, small_disk
from support.rows import fill, row, rows_of
from support.sandbox import TROP, error_lines

from trop_core.config.template import config_template

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from support.client import Client
    from support.sandbox import Sandbox

ALL = ("init", "--with-config", "--overwrite")
OLD = "ports: {min: 6000}\n"
NOISE = b"never a database " * 300


def run_with_mount(sandbox: Sandbox, name: str, *arguments: str, is_told: bool = True) -> CompletedProcess[str]:
    """Run trop where a file of the data directory is a mount of its own, and where the system tells so."""
    needs_root()
    outside = sandbox.root / f"mounted-{name}"
    outside.write_bytes((sandbox.data / name).read_bytes())
    place = shlex.quote(str(sandbox.data / name))
    silenced = "" if is_told else "umount -l /proc && mount -t tmpfs none /proc && "
    script = f"mount --bind {shlex.quote(str(outside))} {place} && {silenced}exec {TROP} {shlex.join(arguments)}"
    done = sandbox.run("unshare", "-m", "sh", "-c", script)
    assert outside.read_bytes() == (sandbox.data / name).read_bytes()
    return done


class TestNoConfigurationIsRead:
    @pytest.mark.parametrize(
        "text",
        [
            "port_range: 1\n",
            "[[[[",
            "maximum_lock_wait_seconds: 1000000\nmaximum_lock_wait_seconds: x\n",
            "\x00",
            "ports: {min: 7000, max: 5000}\n",
        ],
        ids=["unknown key", "broken", "wrong values", "no text", "upside down"],
    )
    def test_what_is_wrong_with_it_is_no_obstacle(self, sandbox: Sandbox, text: str) -> None:
        fill(sandbox.data, [row("/a", 5000)])
        (sandbox.data / "config.yaml").write_text(text)

        plain = sandbox.trop("init")
        replaced = sandbox.trop(*ALL)

        assert plain.returncode == 0, plain.stderr
        assert replaced.returncode == 0, replaced.stderr
        assert (sandbox.data / "config.yaml").read_text() == config_template()
        assert rows_of(sandbox.data) == []

    def test_one_that_never_ends_is_no_obstacle(self, sandbox: Sandbox) -> None:
        fill(sandbox.data, [row("/a", 5000)])
        os.mkfifo(sandbox.data / "config.yaml")

        plain = sandbox.trop("init")
        replaced = sandbox.trop(*ALL)

        assert plain.returncode == 0, plain.stderr
        assert replaced.returncode == 0, replaced.stderr
        assert (sandbox.data / "config.yaml").read_text() == config_template()

    def test_variables_that_say_nothing_to_it_are_not_looked_at(self, sandbox: Sandbox) -> None:
        done = sandbox.trop("init", TROP_PORT_MIN="no port", TROP_DISABLE_AUTOINIT="perhaps")

        assert done.returncode == 0, done.stderr
        assert sandbox.database.exists()

    def test_how_long_to_wait_is_said_by_the_environment_and_the_caller_alone(self, sandbox: Sandbox) -> None:
        sandbox.make_store()
        (sandbox.data / "config.yaml").write_text("maximum_lock_wait_seconds: 60\n")

        with sandbox.locked():
            by_variable = sandbox.trop(*ALL, TROP_BUSY_TIMEOUT="0.25")
            by_argument = sandbox.trop(*ALL, "--busy-timeout", "0.125", TROP_BUSY_TIMEOUT="60")
        misspelled = sandbox.trop("init", TROP_BUSY_TIMEOUT="soon")

        assert "for 0.25 s" in by_variable.stderr
        assert "for 0.125 s" in by_argument.stderr
        assert (misspelled.returncode, "TROP_BUSY_TIMEOUT" in misspelled.stderr) == (7, True)

    def test_a_server_replaces_a_broken_one_too(self, client: Client, sandbox: Sandbox) -> None:
        client.call("trop.reserve")
        (sandbox.data / "config.yaml").write_text("port_range: 1\n")

        refused = client.refused("trop.reserve", {"tag": "web"})
        client.call("trop.init", {"withConfig": True, "overwrite": True})

        assert refused.data["kind"] == "config_error"
        assert client.call("trop.reserve")["outcome"] == "created"


class TestAllOrNothing:
    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_configuration_that_is_mounted_keeps_the_store_full(self, sandbox: Sandbox, dry_run: bool) -> None:
        fill(sandbox.data, [row("/a", 5000)])
        (sandbox.data / "config.yaml").write_text(OLD)
        before = stores.snapshot(sandbox.data)

        done = run_with_mount(sandbox, "config.yaml", *ALL, *(["--dry-run"] if dry_run else []))

        message, hint = error_lines(done)
        assert done.returncode == 5
        assert message == f'cannot replace "{sandbox.data}/config.yaml": it is a mount of its own'
        assert hint.startswith("Nothing has changed. Write the file where it is mounted from")
        assert stores.snapshot(sandbox.data) == before

    def test_a_mount_that_the_system_does_not_tell_of_keeps_it_full_as_well(self, sandbox: Sandbox) -> None:
        fill(sandbox.data, [row("/a", 5000)])
        config = sandbox.data / "config.yaml"
        config.write_text(OLD)
        before = stores.snapshot(sandbox.data)

        done = run_with_mount(sandbox, "config.yaml", *ALL, is_told=False)

        message, hint = error_lines(done)
        assert message == f'cannot write "{config}": Device or resource busy'
        assert hint.startswith("Nothing has changed.")
        assert stores.snapshot(sandbox.data) == before

    @pytest.mark.parametrize(
        ("is_told", "failed"),
        [
            (True, 'cannot use "{}": it is a mount of its own, and '),
            (False, 'cannot move aside "{}": Device or resource'),
        ],
    )
    def test_a_file_that_cannot_be_moved_aside_keeps_the_configuration_too(
        self, sandbox: Sandbox, is_told: bool, failed: str
    ) -> None:
        sandbox.data.mkdir()
        sandbox.database.write_bytes(NOISE)
        (sandbox.data / "config.yaml").write_text(OLD)
        before = stores.snapshot(sandbox.data)

        done = run_with_mount(sandbox, "trop.db", *ALL, is_told=is_told)

        message, hint = error_lines(done)
        assert message.startswith(failed.format(sandbox.database))
        assert hint.startswith("Nothing has changed.")
        assert stores.snapshot(sandbox.data) == before

    @pytest.mark.parametrize("spare", range(0, 260, 12), ids="{} KiB to spare".format)
    @pytest.mark.parametrize("store", ["rows", "noise", "none"])
    def test_a_disk_that_is_full_at_any_moment(self, sandbox: Sandbox, store: str, spare: int) -> None:
        with small_disk() as disk:
            if store == "rows":
                fill(disk, [row(f"/a/{number:04}", number + 1) for number in range(300)])
            elif store == "noise":
                (disk / "trop.db").write_bytes(NOISE)
            (disk / "config.yaml").write_text(OLD)
            room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            (disk / "filler").write_bytes(bytes(max(0, room - spare * 1024)))
            before = stores.snapshot(disk)

            done = sandbox.trop(*ALL, TROP_DATA_DIR=str(disk))
            (disk / "filler").write_bytes(b"")
            after = stores.snapshot(disk, without=["filler", "trop.db-shm", "trop.db-wal"])

            if done.returncode == 0:
                assert (disk / "config.yaml").read_text() == config_template()
                assert rows_of(disk) == []
                kept = {"rows": {"trop.db.bak"}, "noise": {"trop.db.damaged"}, "none": set()}[store]
                assert after.keys() == {"trop.db", "config.yaml"} | kept
            else:
                del before["filler"]
                assert done.returncode in (5, 6), done.stderr
                assert "internal" not in done.stderr
                assert "Nothing has changed" in done.stderr or "rolled back" in done.stderr
                assert after == {name: entry for name, entry in before.items() if not name.endswith(("-wal", "-shm"))}

    def test_a_directory_that_was_made_for_a_store_that_cannot_be_is_not_left(self, sandbox: Sandbox) -> None:
        with small_disk() as disk:
            room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            (disk / "filler").write_bytes(bytes(max(0, room - 8192)))

            done = sandbox.trop("init", "--data-dir", str(disk / "above" / "data"))

            assert done.returncode in (5, 6), done.stderr
            assert [path.name for path in disk.iterdir()] == ["filler"]

    def test_nothing_is_left_of_a_call_that_a_killed_one_came_before(self, sandbox: Sandbox) -> None:
        fill(sandbox.data, [row("/a", 5000)])
        for name in (".config.yaml.trop.tmp", ".config.yaml.trop.old", "trop.db.bak.tmp", "trop.db.bak.tmp-journal"):
            (sandbox.data / name).write_text("left behind")

        done = sandbox.trop(*ALL)

        assert done.returncode == 0, done.stderr
        left = {path.name for path in sandbox.data.iterdir()} - {"trop.db-wal", "trop.db-shm"}
        assert left == {"trop.db", "trop.db.bak", "config.yaml"}


def test_what_was_done_is_listed_as_it_was_done(sandbox: Sandbox) -> None:
    sandbox.data.mkdir()
    sandbox.database.write_bytes(NOISE)
    (sandbox.data / "config.yaml").write_text(OLD)

    done = sandbox.trop("call", "trop.init", json.dumps({"withConfig": True, "overwrite": True}))

    actions = json.loads(done.stdout)["actions"]
    assert [action["kind"] for action in actions] == ["moveAside", "createDatabase", "replaceConfig"]
    assert (sandbox.data / "trop.db.damaged").read_bytes() == NOISE

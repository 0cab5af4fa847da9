"""Variables that are kept in a file which belongs to somebody, through every door."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from support.env_files import of_python_dotenv
from support.keeping import GROUP, NO_JSON, SECRET, Keeping, block_of, owner_of
from support.repositories import add_worktree
from support.sandbox import error_lines

if TYPE_CHECKING:
    from pathlib import Path

    from support.client import Client
    from support.sandbox import Sandbox


# What is done


def test_a_file_comes_and_is_kept_up_to_date_and_goes_back(keeping: Keeping) -> None:
    keeping.file.write_bytes(SECRET)
    keeping.file.chmod(0o640)

    outcomes = [keeping.outcome(check=True), keeping.outcome(), keeping.outcome(), keeping.outcome(check=True)]

    assert outcomes == ["outdated", "updated", "unchanged", "unchanged"]
    assert keeping.file.read_bytes().startswith(SECRET)
    assert block_of(keeping.file) == ["PORT=5000"]
    assert stat.S_IMODE(keeping.file.stat().st_mode) == 0o640
    assert keeping.outcome(remove=True) == "removed"
    assert keeping.outcome(remove=True) == "unchanged"
    assert keeping.file.read_bytes() == SECRET
    assert keeping.sandbox.reserve() == 5000


def test_a_group_is_kept_with_what_is_made_from_it(keeping: Keeping) -> None:
    (keeping.sandbox.work / "trop.yaml").write_text(GROUP)

    assert keeping.outcome() == "created"

    assert stat.S_IMODE(keeping.file.stat().st_mode) == 0o600
    assert of_python_dotenv(keeping.file.read_bytes()) == {
        "PORT": "3000",
        "WEB_PORT": "3000",
        "API_PORT": "5001",
        "API_URL": "http://localhost:5001/v1?a=1&b=2",
    }
    assert [name for name in os.listdir(keeping.sandbox.work) if name.startswith(".")] == [".env"]


def test_a_dry_run_tells_and_changes_nothing(keeping: Keeping) -> None:
    answer = keeping.ask(dryRun=True)

    assert answer.code == 0, answer.message
    assert not keeping.file.exists()
    assert not keeping.sandbox.rows()
    if keeping.door != "cli":
        assert (answer.data["fileOutcome"], answer.data["dryRun"]) == ("created", True)


def test_a_check_reads_only_and_says_why(keeping: Keeping) -> None:
    (keeping.sandbox.work / "trop.yaml").write_text(GROUP)
    keeping.outcome()
    (keeping.sandbox.work / "trop.yaml").write_text(GROUP.replace("api: {}", "api: {}, db: {}"))
    keeping.file.write_bytes(keeping.file.read_bytes().replace(b"WEB_PORT=3000", b"WEB_PORT=3999"))
    before = keeping.file.read_bytes()

    missing = keeping.ask(check=True)
    keeping.sandbox.trop("autoreserve", "--format", "json")
    differing = keeping.ask(check=True)

    assert len(keeping.sandbox.rows()) == 3
    assert keeping.file.read_bytes() == before
    told = [
        [f"nothing is reserved for {keeping.sandbox.work} (tag db)"],
        ["WEB_PORT is 3999, and should be 3000", "DB_PORT is not in the block, and should be 5002"],
    ]
    if keeping.door == "cli":
        assert [(each.code, each.stdout) for each in (missing, differing)] == [(1, ""), (1, "")]
        assert [[line.strip() for line in each.told[:-2]] for each in (missing, differing)] == told
        assert differing.told[-2] == f"error: {keeping.file} is not up to date"
    else:
        assert [each.data["fileDifferences"] for each in (missing, differing)] == told


def test_a_check_makes_no_store(sandbox: Sandbox) -> None:
    done = sandbox.trop("env", "--write", ".env", "--check")

    assert done.returncode == 1
    assert not sandbox.data.exists()
    assert not (sandbox.work / ".env").exists()


def test_a_relative_name_starts_in_the_directory_of_the_call(sandbox: Sandbox, client: Client) -> None:
    folder = sandbox.directory("app")

    result = client.call("trop.env", {"folder": str(folder), "write": ".env"})
    done = sandbox.trop("env", "--write", "../app/.env", cwd=folder)

    assert result["file"] == str(folder / ".env")
    assert (done.returncode, done.stderr) == (0, f"Nothing to do: {folder}/.env stays as it is.\n")


@pytest.mark.parametrize("name", ["check", "remove", "commentOut", "takeOver", "allowTracked"])
def test_what_is_said_of_a_file_takes_a_file(sandbox: Sandbox, name: str) -> None:
    done = sandbox.trop("call", "trop.env", json.dumps({name: True}))

    assert done.returncode == 4
    assert json.loads(done.stdout)["message"] == f"{name}: expected a file to be named as well, with write"
    assert json.loads(done.stdout)["hint"] == f"Give write as well, or leave {name} away."


# What is refused of its text


def test_a_line_in_the_way_is_named_and_nothing_is_reserved(keeping: Keeping) -> None:
    keeping.file.write_text("A=1\nexport PORT=1\n")

    refused = keeping.ask()

    assert refused.code == NO_JSON[keeping.door]
    assert f"{keeping.file}:2: PORT: the variable is set here, outside of trop's block" in refused.message
    assert keeping.file.read_text() == "A=1\nexport PORT=1\n"
    assert not keeping.sandbox.database.exists()
    assert keeping.outcome(check=True) == "outdated"
    assert keeping.outcome(commentOut=True) == "updated"
    assert keeping.file.read_text().startswith("A=1\n# export PORT=1\n# trop-begin ")
    assert keeping.outcome(check=True) == "unchanged"


def test_a_line_within_the_block_is_named_and_kept(keeping: Keeping) -> None:
    keeping.outcome()
    begin, *rest = keeping.file.read_text().splitlines(keepends=True)
    keeping.file.write_text(text := "".join([begin, "SECRET=x\n", *rest]))

    for given in ({}, {"remove": True}, {"takeOver": True}):
        refused = keeping.ask(**given)
        assert refused.code == NO_JSON[keeping.door]
        assert f"{keeping.file}:2: this line within the block is not one that trop wrote" in refused.message
    assert keeping.file.read_text() == text


def test_a_copied_file_is_another_owner_s_until_it_is_taken_over(sandbox: Sandbox, shop: Path) -> None:
    login = add_worktree(shop, sandbox.work / "login")
    sandbox.trop("env", "--write", ".env.local", cwd=shop)
    copied = (shop / ".env.local").read_bytes()
    (login / ".env.local").write_bytes(copied)

    refused = [sandbox.trop("env", "--write", ".env.local", *more, cwd=login) for more in ([], ["--remove"])]
    rows_then = sandbox.rows()
    taken = sandbox.trop("env", "--write", ".env.local", "--take-over", cwd=login)

    assert [done.returncode for done in refused] == [7, 7]
    message, hint = error_lines(refused[0])
    assert message == f"{login}/.env.local:4: the block that begins here belongs to another directory"
    assert "--take-over" in hint
    assert [row[0] for row in rows_then] == [str(shop)]
    assert taken.returncode == 0, taken.stderr
    assert block_of(login / ".env.local") == ["PORT=5001"]
    assert (shop / ".env.local").read_bytes() == copied
    assert sandbox.trop("env", "--write", ".env.local", "--check", cwd=login).returncode == 0
    assert sandbox.trop("env", "--write", ".env.local", "--check", cwd=shop).returncode == 0


# Whose block it is


def test_a_block_stays_its_directory_s_wherever_that_is_moved(sandbox: Sandbox, shop: Path) -> None:
    sandbox.trop("env", "--write", ".env.local", cwd=shop)
    content = (shop / ".env.local").read_bytes()
    moved = shop.rename(sandbox.work / "store")

    checked = sandbox.trop("env", "--write", ".env.local", "--check", cwd=moved)
    removed = sandbox.trop("env", "--write", ".env.local", "--remove", "--dry-run", cwd=moved)
    rows_then = sandbox.rows()
    written = sandbox.trop("env", "--write", ".env.local", cwd=moved)

    assert checked.returncode == 1
    assert f'this directory was "{shop}" before, where these ports are reserved: 5000' in checked.stderr
    assert removed.returncode == 0, removed.stderr
    assert [row[0] for row in rows_then] == [str(shop)]
    assert (written.returncode, written.stderr.splitlines()[-1]) == (
        0,
        f"Nothing to do: {moved}/.env.local stays as it is.",
    )
    assert (moved / ".env.local").read_bytes() == content
    assert [row[0] for row in sandbox.rows()] == [str(moved)]


@pytest.mark.parametrize("announced", ["before", "after"])
def test_a_block_stays_its_directory_s_when_the_move_is_announced(sandbox: Sandbox, shop: Path, announced: str) -> None:
    sandbox.trop("env", "--write", ".env.local", cwd=shop)
    migrate = ("migrate", "--from", str(shop), "--to", str(sandbox.work / "store"), "--recursive")
    if announced == "before":
        assert sandbox.trop(*migrate).returncode == 0
    moved = shop.rename(sandbox.work / "store")
    if announced == "after":
        assert sandbox.trop(*migrate).returncode == 0

    checked = sandbox.trop("env", "--write", ".env.local", "--check", cwd=moved)

    assert checked.returncode == 0, checked.stderr
    assert sandbox.trop("env", "--write", ".env.local", cwd=moved).returncode == 0


def test_a_block_is_its_directory_s_again_when_the_move_is_undone(sandbox: Sandbox, shop: Path) -> None:
    sandbox.trop("env", "--write", ".env.local", cwd=shop)
    migrate = ("migrate", "--from", str(shop), "--to", str(sandbox.work / "store"), "--recursive")
    assert sandbox.trop(*migrate).returncode == 0

    undone = sandbox.trop("undo", cwd=sandbox.work)
    checked = sandbox.trop("env", "--write", ".env.local", "--check", cwd=shop)

    assert undone.returncode == 0, undone.stderr
    assert checked.returncode == 0, checked.stderr


def test_a_block_stays_its_directory_s_while_the_group_above_comes_and_goes(sandbox: Sandbox, shop: Path) -> None:
    app = shop / "apps/a"
    app.mkdir(parents=True)
    file = app / ".env.local"
    write = ("env", "--write", ".env.local")
    sandbox.trop(*write, cwd=app)
    alone = file.read_bytes()
    (shop / "trop.yaml").write_text(GROUP)

    outdated = sandbox.trop(*write, "--check", cwd=app)
    would_be_removed = sandbox.trop(*write, "--remove", "--dry-run", cwd=app)
    with_group = sandbox.trop(*write, cwd=app)
    grouped, owner = block_of(file), owner_of(file)
    sandbox.trop(*write, cwd=shop)
    (shop / "trop.yaml").unlink()
    examined = sandbox.trop("doctor", cwd=app).stdout
    without = sandbox.trop(*write, cwd=app)

    assert outdated.returncode == 1
    assert "belongs to another directory" not in outdated.stderr
    assert [done.returncode for done in (would_be_removed, with_group, without)] == [0, 0, 0], with_group.stderr
    assert grouped[:2] == ["PORT=3000", "WEB_PORT=3000"]
    assert owner == owner_of(shop / ".env.local")
    assert "trop env --write .env.local\n" in examined
    assert file.read_bytes() == alone
    assert sandbox.trop(*write, "--check", cwd=app).returncode == 0


def test_a_block_stays_its_directory_s_when_that_is_moved_and_a_group_comes(sandbox: Sandbox, shop: Path) -> None:
    (shop / "app").mkdir()
    sandbox.trop("env", "--write", ".env.local", cwd=shop)
    sandbox.trop("env", "--write", ".env.local", cwd=shop / "app")
    moved = shop.rename(sandbox.work / "store")
    (moved / "trop.yaml").write_text(GROUP)

    written = sandbox.trop("env", "--write", ".env.local", cwd=moved / "app")

    assert written.returncode == 0, written.stderr
    assert owner_of(moved / "app/.env.local") == owner_of(moved / ".env.local")


@pytest.mark.parametrize("grouped", [False, True], ids=["alone", "in a group"])
def test_a_block_of_a_sibling_or_of_the_worktree_around_stays_refused(
    sandbox: Sandbox, shop: Path, grouped: bool
) -> None:
    one, other = (sandbox.directory(f"shop/{name}") for name in ("one", "other"))
    nested = add_worktree(shop, shop / ".claude/worktrees/x")
    write = ("env", "--write", ".env.local")
    for directory in (shop, one, other):
        sandbox.trop(*write, cwd=directory)
    if grouped:
        (shop / "trop.yaml").write_text(GROUP)
        (nested / "trop.yaml").write_text(GROUP)
    before = (other / ".env.local").read_bytes()
    (one / ".env.local").write_bytes(before)
    (nested / ".env.local").write_bytes((shop / ".env.local").read_bytes())

    copied = sandbox.trop(*write, cwd=one)
    siblings = sandbox.trop("env", "--write", "../other/.env.local", cwd=one)
    around = [sandbox.trop(*write, *more, cwd=nested) for more in ([], ["--remove"])]

    assert [done.returncode for done in (copied, siblings, *around)] == [7] * 4
    assert all("belongs to another directory" in done.stderr for done in (copied, siblings, *around))
    assert (other / ".env.local").read_bytes() == before


def test_a_file_above_is_that_directory_s_and_not_the_caller_s(sandbox: Sandbox, shop: Path) -> None:
    sandbox.trop("env", "--write", ".env.local", cwd=shop)
    before = (shop / ".env.local").read_bytes()

    done = sandbox.trop("env", "--write", "../.env.local", cwd=sandbox.directory("shop/src"))

    assert done.returncode == 7
    assert "belongs to another directory" in done.stderr
    assert (shop / ".env.local").read_bytes() == before


def test_the_marks_tell_no_path(sandbox: Sandbox, shop: Path) -> None:
    sandbox.trop("env", "--write", ".env.local", cwd=shop)

    assert not any(part in (shop / ".env.local").read_text() for part in ("shop", "work", str(sandbox.root)))


def test_two_directories_have_two_ids_and_one_keeps_its_own(sandbox: Sandbox) -> None:
    one, other = sandbox.directory("one"), sandbox.directory("other")
    for directory in (one, other, one):
        (directory / ".env").unlink(missing_ok=True)
        sandbox.trop("env", "--write", ".env", cwd=directory)
    first = owner_of(one / ".env")
    sandbox.trop("env", "--write", "second.env", cwd=one)

    assert len(first) == 32
    assert owner_of(one / "second.env") == first != owner_of(other / ".env")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE metadata SET value = '99' WHERE key = 'companion_version'", "a newer trop keeps the record"),
        ("ALTER TABLE directories RENAME COLUMN inode TO node", "directories: the table is not as trop makes it"),
        ("UPDATE directories SET block_id = 'x y'", "directories.block_id at"),
    ],
    ids=["newer", "unusable", "no id"],
)
def test_where_the_store_cannot_tell_whose_the_block_is_nothing_is_written(
    sandbox: Sandbox, sql: str, says: str
) -> None:
    (sandbox.work / ".env").write_bytes(SECRET)
    sandbox.trop("env", "--write", ".env")
    before = (sandbox.work / ".env").read_bytes()
    sandbox.execute(sql)

    done = [sandbox.trop("env", "--write", ".env", *more) for more in ([], ["--remove"], ["--check"])]

    assert [each.returncode for each in done] == [6, 6, 6], [each.stderr for each in done]
    assert all(says in error_lines(each)[0] for each in done), [each.stderr for each in done]
    assert (sandbox.work / ".env").read_bytes() == before
    assert sandbox.reserve() == 5000

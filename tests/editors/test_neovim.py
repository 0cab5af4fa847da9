"""The plugin in a real Neovim, with the real server: each scenario of ``neovim/*.lua`` has an editor of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.hostile.land import Window
from support.readmes import blocks
from support.repositories import add_worktree, make_repository
from support.requirements import missing_editor
from support.sandbox import LOOKING, SCRIPTS, TROP, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "neovim"
PLUGIN = Path(__file__).parents[2] / "editors/neovim"
PATIENCE = 150.0
AFTERWARDS = 60.0
OLDEST = (0, 10)

pytestmark = pytest.mark.timeout(240)

# Looked at when this is imported: the tests themselves run without any TROP_ variable of the outside.
_NAMED = os.environ.get("TROP_TEST_NEOVIM")
_SECONDS = int(os.environ.get("TROP_TEST_SECONDS") or 5)


def version_of(executable: str) -> tuple[int, ...]:
    """The version that an editor tells."""
    told = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = re.match(r"NVIM v(\d+)\.(\d+)", told.stdout)
    return tuple(int(part) for part in found.groups()) if found else (0,)


@cache
def executable() -> str:
    """The editor to test with; the test is skipped where there is none."""
    if _NAMED:
        return _NAMED
    found = shutil.which("nvim")
    if found is None:
        missing_editor("there is no nvim on PATH, and TROP_TEST_NEOVIM names none")
    if version_of(found) < OLDEST:
        missing_editor(f"{found} is older than 0.10")
    return found


@dataclass
class Neovim:
    """An editor in a sandbox, with a repository to open."""

    sandbox: Sandbox
    repository: Path = field(init=False)
    plugin: Path | None = PLUGIN
    variables: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.repository = make_repository(self.sandbox.work / "shop")
        self.variables = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "TEST_TROP": TROP, "TEST_PYTHON": sys.executable}

    def copy_plugin(self) -> Path:
        """Use a copy of the plugin, in what could be a checkout, and give back that directory."""
        checkout = self.sandbox.root / "checkout"
        self.plugin = checkout / "editors/neovim"
        shutil.copytree(PLUGIN, self.plugin)
        return checkout

    def environment(self) -> dict[str, str]:
        """The editor's environment, and that of the server that it starts."""
        return self.sandbox.environment(
            XDG_CONFIG_HOME=str(self.sandbox.home / "config"),
            XDG_DATA_HOME=str(self.sandbox.home / "data"),
            XDG_STATE_HOME=str(self.sandbox.home / "state"),
            TEST_WORK=str(self.sandbox.work),
            TEST_REPOSITORY=str(self.repository),
            **self.variables,
        )

    def run(self, file: str, scenario: str, *, cwd: Path | None = None, patience: float = PATIENCE) -> str:
        """Let a scenario happen in an editor; returns what it says. Fails with that if it fails, or does not end."""
        __tracebackhide__ = True
        found = ["--clean", "--cmd", f"set runtimepath^={self.plugin}"] if self.plugin else []
        process = subprocess.Popen(
            [
                *(executable(), "--headless", *found),
                *("--cmd", f"lua package.path = '{HERE}/?.lua;' .. package.path"),
                *("-c", f"lua require('support').run('{file}', '{scenario}')"),
            ],
            cwd=cwd or self.repository,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            told, _ = process.communicate()
            told += f"\nit did not end within {patience:.0f} seconds"
        if process.returncode != 0:
            pytest.fail(f"{scenario} ended with {process.returncode}:\n{told}", pytrace=False)
        return told

    def left_over(self) -> list[str]:
        """The processes of this sandbox that still run."""
        mark = f"TROP_DATA_DIR={self.sandbox.data}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        return found


@pytest.fixture
def neovim(sandbox: Sandbox) -> Iterator[Neovim]:
    """An editor; when the test ends, neither it nor its server may be left over."""
    editor = Neovim(sandbox)
    executable()
    yield editor
    deadline = time.monotonic() + AFTERWARDS
    while (left := editor.left_over()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def test_trop_alone_reserves_the_port_of_the_repository_and_shows_it(neovim: Neovim) -> None:
    neovim.run("commands", "alone")


def test_a_tag_is_reserved_beside_the_rest(neovim: Neovim) -> None:
    neovim.run("commands", "reserve_tag")


def test_the_services_of_the_folder_are_reserved_and_shown(neovim: Neovim) -> None:
    neovim.run("commands", "services")


def test_that_there_are_no_services_is_said(neovim: Neovim) -> None:
    neovim.run("commands", "services_missing")


def test_the_first_look_at_the_status_after_a_reservation_tells_it(neovim: Neovim) -> None:
    neovim.run("commands", "status_after_a_reservation")


def test_a_refusal_is_shown_with_its_hint(neovim: Neovim) -> None:
    neovim.run("commands", "reserve_warns")


def test_a_release_shows_what_it_takes_and_asks(neovim: Neovim) -> None:
    neovim.run("commands", "release_asks")


def test_what_came_while_a_question_stood_there_is_asked_about_anew(neovim: Neovim) -> None:
    neovim.run("commands", "asked_anew")


def test_a_directory_that_is_called_like_a_variable_is_itself(neovim: Neovim) -> None:
    neovim.run("commands", "variables_in_names")


def test_a_release_with_a_bang_does_not_ask(neovim: Neovim) -> None:
    neovim.run("commands", "release_bang")


def test_a_migration_shows_what_moves_and_asks(neovim: Neovim) -> None:
    neovim.run("commands", "migrate_previews")


def test_a_migration_asks_before_it_removes_what_is_in_the_way(neovim: Neovim) -> None:
    neovim.run("commands", "migrate_conflict")


def test_a_migration_with_a_bang_takes_relative_paths_with_spaces(neovim: Neovim) -> None:
    neovim.run("commands", "migrate_bang_with_spaces")


def test_a_migration_of_nothing_says_so(neovim: Neovim) -> None:
    neovim.run("commands", "migrate_nothing")


def test_the_list_has_a_window_of_its_own(neovim: Neovim) -> None:
    neovim.run("commands", "list")


def test_the_list_is_whole_where_one_answer_does_not_hold_it(neovim: Neovim) -> None:
    neovim.sandbox.fill(1500)

    neovim.run("commands", "list_pages")


def test_the_list_tells_who_uses_a_port(neovim: Neovim) -> None:
    neovim.variables.update(LOOKING)
    neovim.run("commands", "list_tells_who")


def test_who_gets_a_port_is_told_of_a_strangers_program_on_it(neovim: Neovim) -> None:
    neovim.variables.update(LOOKING)
    neovim.run("commands", "reserve_tells_who")


def test_the_projects_are_listed(neovim: Neovim) -> None:
    neovim.run("commands", "list_projects")


def test_the_history_has_a_window_of_its_own(neovim: Neovim) -> None:
    neovim.run("commands", "history")


def test_an_undo_shows_what_comes_back_and_asks(neovim: Neovim) -> None:
    neovim.run("commands", "undo_asks")


def test_an_operation_is_undone_by_its_number_and_so_is_an_undo(neovim: Neovim) -> None:
    neovim.run("commands", "undo_by_number")


def test_the_undo_of_a_move_says_that_its_port_comes_back(neovim: Neovim) -> None:
    neovim.run("commands", "undo_of_a_move")


def test_an_undo_with_a_bang_takes_back_the_folders_last_change_and_does_not_ask(neovim: Neovim) -> None:
    neovim.run("commands", "undo_bang")


def test_what_is_in_the_way_of_an_undo_is_told_row_by_row(neovim: Neovim) -> None:
    neovim.run("commands", "undo_conflicts")


def test_an_undo_is_asked_anew_where_something_was_done_meanwhile(neovim: Neovim) -> None:
    neovim.run("commands", "undo_asks_anew")


def test_the_store_is_created_on_purpose(neovim: Neovim) -> None:
    neovim.run("commands", "init")


def test_the_log_is_shown(neovim: Neovim) -> None:
    neovim.run("commands", "log")


def test_the_server_is_restarted(neovim: Neovim) -> None:
    neovim.run("commands", "restart")


def test_a_command_line_that_cannot_be_understood_starts_nothing(neovim: Neovim) -> None:
    neovim.run("commands", "wrong_lines")


def test_whatever_a_directory_or_a_tag_is_called_is_shown_as_text(neovim: Neovim) -> None:
    neovim.run("commands", "strange_names_are_text")


def test_what_the_server_says_is_shown_as_text(neovim: Neovim) -> None:
    neovim.run("commands", "what_the_server_says_is_text")


def test_subcommands_tags_and_paths_are_completed(neovim: Neovim) -> None:
    neovim.run("commands", "completion")


def test_the_arguments_are_completed_where_one_answer_does_not_hold_them(neovim: Neovim) -> None:
    neovim.sandbox.fill(1500, below="/a")

    neovim.run("commands", "completion_of_many")


def test_the_server_is_attached_to_the_files_of_a_project_and_to_no_others(neovim: Neovim) -> None:
    neovim.run("documents", "attached")


def test_a_file_of_nearly_the_right_name_is_told_so(neovim: Neovim) -> None:
    neovim.run("documents", "nearly_the_right_name")


def test_the_server_is_attached_again_after_a_restart(neovim: Neovim) -> None:
    neovim.run("documents", "attached_again")


def test_a_file_of_a_project_is_judged_as_it_is_typed(neovim: Neovim) -> None:
    neovim.run("documents", "judged_as_it_is_typed")


def test_a_file_of_a_project_is_explained_and_completed(neovim: Neovim) -> None:
    neovim.run("documents", "explained_and_completed")


def test_hints_are_drawn_anew_when_another_process_reserves(neovim: Neovim) -> None:
    neovim.run("documents", "hints_follow")


def test_what_is_offered_of_an_unsaved_file_saves_it_and_a_release_asks(neovim: Neovim) -> None:
    neovim.run("documents", "offered")


def test_a_file_that_cannot_be_saved_is_not_reserved_as_it_was(neovim: Neovim) -> None:
    neovim.run("documents", "offered_of_what_cannot_be_saved")


def test_a_correction_of_a_text_that_has_changed_meanwhile_changes_nothing(neovim: Neovim) -> None:
    neovim.run("documents", "offered_too_late")


def test_the_port_of_a_tag_is_that_of_the_file_as_it_is_seen(neovim: Neovim) -> None:
    neovim.run("documents", "saved_for_a_tag")


def test_a_file_that_does_not_count_is_not_saved(neovim: Neovim) -> None:
    neovim.run("documents", "saved_as_far_as_it_counts")


def test_what_has_changed_on_disk_is_shown_before_it_is_reserved(neovim: Neovim) -> None:
    neovim.run("documents", "changed_on_disk")


def test_laying_services_out_anew_asks_about_what_is_given_up(neovim: Neovim) -> None:
    neovim.run("documents", "laid_out_anew")


def test_what_was_done_is_said_on_one_line_and_asks_for_no_key(neovim: Neovim) -> None:
    neovim.variables["TEST_NEOVIM"] = executable()
    neovim.run("terminal", "asks_for_no_key")


def test_a_question_comes_once_nobody_has_typed_for_a_moment(neovim: Neovim) -> None:
    neovim.variables["TEST_NEOVIM"] = executable()
    neovim.run("terminal", "asks_after_a_pause")


def test_what_a_question_is_about_is_seen_above_it(neovim: Neovim) -> None:
    neovim.variables["TEST_NEOVIM"] = executable()
    neovim.run("terminal", "shows_what_it_asks_about")


def test_a_missing_server_asks_for_no_key(neovim: Neovim) -> None:
    neovim.variables["TEST_NEOVIM"] = executable()
    neovim.run("terminal", "misses_the_server")


def test_that_there_is_no_server_for_a_file_is_told_once(neovim: Neovim) -> None:
    neovim.run("documents", "missing")


def test_what_neovim_itself_needs_to_enable_the_server_is_there(neovim: Neovim) -> None:
    neovim.run("documents", "enabled_without_the_plugin")


def test_nothing_is_loaded_or_started_before_it_is_used(neovim: Neovim) -> None:
    neovim.run("sessions", "lazy")


def test_a_repository_that_is_opened_shows_its_port(neovim: Neovim) -> None:
    neovim.run("sessions", "opened_repository")


def test_what_happens_by_itself_is_said_once(neovim: Neovim) -> None:
    neovim.run("sessions", "announced")


def test_nothing_is_reserved_on_opening_where_that_is_not_wanted(neovim: Neovim) -> None:
    neovim.run("sessions", "never_reserve")


def test_the_status_follows_what_other_processes_change(neovim: Neovim) -> None:
    neovim.run("sessions", "status_follows")


def test_a_tag_cannot_put_code_into_a_statusline(neovim: Neovim) -> None:
    neovim.run("sessions", "status_text_is_inert")


def test_the_home_directory_is_not_opened(neovim: Neovim) -> None:
    neovim.run("sessions", "without_a_folder", cwd=neovim.sandbox.home)


def test_two_repositories_share_a_server_and_each_has_its_port(neovim: Neovim) -> None:
    make_repository(neovim.sandbox.work / "second")

    neovim.run("sessions", "two_folders")


def test_a_worktree_has_a_port_of_its_own(neovim: Neovim) -> None:
    add_worktree(neovim.repository, neovim.sandbox.work / "shop-login", "login")

    neovim.run("sessions", "worktree")


def test_a_folder_that_is_reached_through_a_link_has_the_port_of_the_real_one(neovim: Neovim) -> None:
    (neovim.sandbox.work / "link").symlink_to(neovim.repository)

    neovim.run("sessions", "linked_folder")


def test_hostile_repositories_do_no_harm(neovim: Neovim) -> None:
    window = Window(neovim.sandbox)
    neovim.variables.update(window.variables())

    said = neovim.run("hostile", "repositories", cwd=neovim.sandbox.work)

    window.check(said)


@pytest.mark.timeout(_SECONDS + 240)
def test_random_actions_beside_terminals_and_agents_end_with_what_is_stored(neovim: Neovim) -> None:
    make_repository(neovim.sandbox.work / "bank")
    add_worktree(neovim.repository, neovim.sandbox.work / "shop-login", "login")
    neovim.variables.update(TEST_SECONDS=str(_SECONDS))

    print(neovim.run("at_random", "acts", patience=_SECONDS + PATIENCE))


def test_the_client_is_attached_to_no_buffer(neovim: Neovim) -> None:
    neovim.run("sessions", "not_attached")


def test_results_and_errors_of_the_api_are_as_on_the_wire(neovim: Neovim) -> None:
    neovim.run("sessions", "api_shape")


def test_the_api_lists_everything_unless_a_folder_is_named(neovim: Neovim) -> None:
    neovim.run("sessions", "api_lists_everything")


def test_the_api_has_a_function_for_each_command(neovim: Neovim) -> None:
    neovim.run("sessions", "api_knows_all_commands")


def test_an_error_that_no_callback_takes_is_shown(neovim: Neovim) -> None:
    neovim.run("sessions", "api_without_callback")


def test_wrong_options_are_named(neovim: Neovim) -> None:
    neovim.run("sessions", "wrong_options")


def test_a_start_that_the_server_refuses_is_an_error_of_the_call(neovim: Neovim) -> None:
    neovim.run("sessions", "refused_start")


def test_a_killed_server_comes_back(neovim: Neovim) -> None:
    neovim.run("sessions", "killed")


def test_a_call_whose_server_is_killed_gets_an_error(neovim: Neovim) -> None:
    with neovim.sandbox.locked():
        neovim.run("sessions", "killed_while_it_works")


def test_a_server_that_ends_again_and_again_is_left_alone_until_it_is_used(neovim: Neovim) -> None:
    neovim.run("sessions", "killed_again_and_again")


def test_a_missing_server_is_told_once_with_how_to_install_it(neovim: Neovim) -> None:
    neovim.copy_plugin()
    make_repository(neovim.sandbox.work / "second")
    neovim.variables["PATH"] = "/usr/bin:/bin"

    neovim.run("sessions", "no_server")


def test_a_configured_server_that_is_missing_is_named(neovim: Neovim) -> None:
    neovim.run("sessions", "configured_server_is_missing")


def test_a_server_in_the_repository_is_run_only_if_that_is_allowed(neovim: Neovim) -> None:
    neovim.copy_plugin()
    neovim.variables["PATH"] = "/usr/bin:/bin"
    program = neovim.repository / ".venv/bin/trop-server"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\ntouch "$TEST_WORK/was-run"\nexec {SCRIPTS}/trop-server "$@"\n')
    program.chmod(0o755)

    neovim.run("sessions", "server_of_the_folder")


def test_the_server_that_is_installed_in_the_plugins_checkout_is_found(neovim: Neovim) -> None:
    checkout = neovim.copy_plugin()
    (checkout / "pyproject.toml").touch()
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/trop-server").symlink_to(SCRIPTS / "trop-server")
    neovim.variables["PATH"] = "/usr/bin:/bin"

    neovim.run("sessions", "server_of_the_checkout")


def test_a_renamed_folder_takes_its_reservations_along(neovim: Neovim) -> None:
    neovim.run("sessions", "renamed_folder")


def test_a_conflict_of_a_rename_is_overwritten_on_request(neovim: Neovim) -> None:
    neovim.run("sessions", "renamed_overwrite")


def test_a_conflict_of_a_rename_can_be_left(neovim: Neovim) -> None:
    neovim.run("sessions", "renamed_leave")


def test_renames_can_be_switched_off(neovim: Neovim) -> None:
    neovim.run("sessions", "rename_switched_off")


def test_the_reservation_of_a_repository_that_was_moved_is_taken_along_on_request(neovim: Neovim) -> None:
    before = neovim.sandbox.work / "before/shop"
    neovim.sandbox.reserve("--path", str(before), "--project", "shop")

    neovim.run("sessions", "moved_outside")


def test_a_repository_that_was_moved_has_its_port_without_a_question(neovim: Neovim) -> None:
    before = neovim.sandbox.work / "before"
    neovim.repository.rename(before)
    neovim.sandbox.reserve(cwd=before)
    before.rename(neovim.repository)
    neovim.variables["TEST_MOVED_FROM"] = str(before)

    neovim.run("sessions", "followed_move")


def test_the_health_check_finds_everything_in_order(neovim: Neovim) -> None:
    neovim.run("sessions", "health")


def test_the_health_check_tells_how_to_install_a_missing_server(neovim: Neovim) -> None:
    neovim.copy_plugin()
    neovim.variables["PATH"] = "/usr/bin:/bin"

    neovim.run("sessions", "health_without_a_server")


def test_the_health_check_shows_what_is_wrong_with_the_store(neovim: Neovim) -> None:
    neovim.sandbox.data.mkdir()
    neovim.sandbox.database.write_bytes(b"noise" * 4096)

    neovim.run("sessions", "health_of_a_broken_store")


def test_the_health_check_shows_what_is_wrong_with_the_options(neovim: Neovim) -> None:
    neovim.run("sessions", "health_of_wrong_options")


def test_a_link_to_the_plugin_is_a_native_package_with_its_help(neovim: Neovim) -> None:
    packages = neovim.sandbox.home / "data/nvim/site/pack/trop/start"
    packages.mkdir(parents=True)
    (packages / "trop").symlink_to(neovim.copy_plugin() / "editors/neovim")
    neovim.plugin = None

    neovim.run("sessions", "package")


@pytest.mark.parametrize("page", ["README.md", "editors/neovim/README.md"])
def test_what_a_readme_says_to_type_installs_the_plugin_and_its_help(neovim: Neovim, page: str) -> None:
    (lines,) = [block.text for block in blocks(page) if "site/pack/trop/start" in block.text]
    checkout = neovim.copy_plugin()
    programs = neovim.sandbox.root / "programs"
    programs.mkdir()
    (programs / "nvim").symlink_to(executable())
    environment = neovim.sandbox.environment(PATH=f"{programs}:{os.environ['PATH']}")

    for _ in range(2):
        subprocess.run(["sh", "-ec", lines], cwd=checkout, env=environment, timeout=PATIENCE, check=True)

    shown = ["-c", "help trop", "-c", "if expand('%:t') !=# 'trop.txt' | cquit 1 | endif", "-c", "quitall"]
    subprocess.run(["nvim", "--headless", *shown], env=environment, timeout=PATIENCE, check=True)


def test_the_types_of_the_api_are_those_of_the_catalogue() -> None:
    done = subprocess.run([sys.executable, HERE / "lua_types.py", "--check"], timeout=PATIENCE, check=False)

    assert done.returncode == 0, "run: .venv/bin/python tests/editors/neovim/lua_types.py"

"""What the READMEs say: their links, the parts made from the catalogue, and that commands print what is shown."""

from __future__ import annotations

import ast
import getpass
import json
import os
import re
import shutil
import sys
import tomllib
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import yaml
from support.readme_scenes import ANSWERS, NOT_RUN, SCENES
from support.readmes import RECIPES, ROOT, Block, anchors, blocks, links, pages, play, text_of
from support.repositories import make_repository
from support.sandbox import SCRIPTS, Sandbox
from support.sockets import free_port

import trop_core.errors
from trop_core.config.schema import KEYS
from trop_core.errors.base import TropError
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.reference import PAGES, update, updated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LANGUAGES = {"sh", "console", "powershell", "json", "yaml", "toml", "lua", "elisp", "python", "make", "text"}
LOOKING = "trop_core/operations/looking/README.md"

_ELSEWHERE = re.compile(r"[a-z]+:")
_NPM = """\
#!/bin/sh
[ "$*" = "run dev -- --port $(trop reserve) --strictPort" ] || { echo "npm was called with $*"; exit 1; }
"""


def all_blocks(*languages: str) -> list[Block]:
    """The blocks of all pages in the given languages."""
    return [block for page in pages() for block in blocks(page) if block.language in languages]


def to_run(page: str) -> list[Block]:
    """The blocks of a page whose commands are run here. The recipes take their tools: tests/recipes runs those."""
    if page == RECIPES:
        return []
    return [block for block in blocks(page) if block.is_commands and block.name not in NOT_RUN]


def target_of(page: str, link: str) -> tuple[str, str]:
    """The path that a relative link leads to, from the top of the repository, and the anchor."""
    path, _, anchor = unquote(link).partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    return os.path.relpath(target, ROOT), anchor


class TestLinks:
    @pytest.mark.parametrize("page", pages())
    def test_every_relative_link_leads_to_something(self, page: str) -> None:
        wrong = []
        for link in links(page):
            if _ELSEWHERE.match(link):
                continue
            target, anchor = target_of(page, link)
            if not (ROOT / target).exists() or (anchor and (target not in pages() or anchor not in anchors(target))):
                wrong.append(link)

        assert wrong == []

    def test_an_anchor_is_made_as_github_makes_it(self) -> None:
        made = anchors("trop_server/README.md")

        assert {"trop-server-and-the-ways-in", "a-minute-with-the-server", "tropreserve", "troplistprojects"} <= made

    def test_every_page_is_reached_from_the_front_page(self) -> None:
        reached: set[str] = set()
        new = {"README.md"}
        while new:
            reached |= new
            targets = {target_of(page, link)[0] for page in new for link in links(page) if not _ELSEWHERE.match(link)}
            new = (targets & set(pages())) - reached

        assert set(pages()) - reached == set()


class TestTheFrontPage:
    def test_it_has_two_hundred_lines_at_most(self) -> None:
        assert len(text_of("README.md").splitlines()) <= 200

    @pytest.mark.parametrize("heading", ["Get a port", "Run the tests"])
    def test_each_of_the_two_commands_is_a_single_line(self, heading: str) -> None:
        block = text_of("README.md").split(f"## {heading}\n", 1)[1].split("```sh\n", 1)[1].split("```", 1)[0]

        assert block.count("\n") == 1


class TestMadeParts:
    @pytest.mark.parametrize("page", PAGES)
    def test_a_page_is_what_the_catalogue_makes_it(self, page: str) -> None:
        assert updated(text_of(page)) == text_of(page), "run: .venv/bin/python -m trop_server.reference"

    @pytest.mark.parametrize("page", pages())
    def test_a_page_holds_the_parts_that_the_table_names(self, page: str) -> None:
        begun = re.findall(r"^<!-- made: (\w+) -->$", text_of(page), flags=re.MULTILINE)
        ended = re.findall(r"^<!-- end: (\w+) -->$", text_of(page), flags=re.MULTILINE)

        assert tuple(begun) == tuple(ended) == PAGES.get(page, ())

    def test_one_run_updates_what_is_stale_in_every_page_and_names_the_page(self, tmp_path: Path) -> None:
        for page in PAGES:
            (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / page, tmp_path / page)
        stale = tmp_path / "trop_server/README.md"
        stale.write_text(stale.read_text().replace("| 7 |", "| 8 |").replace("| `folder` |", "| `directory` |"))

        changed = update(tmp_path)

        assert changed == ["trop_server/README.md"]
        assert [(tmp_path / page).read_text() for page in PAGES] == [text_of(page) for page in PAGES]

    def test_every_key_of_the_configuration_is_in_the_table(self) -> None:
        text = text_of("trop_core/config/README.md")

        assert [key for key in KEYS if f"| `{key}` |" not in text] == []

    def test_every_kind_of_error_has_an_exit_code_and_stands_in_the_table(self) -> None:
        text = text_of("trop_server/README.md")
        kinds = {kind.kind for kind in _all(TropError)}

        assert kinds == set(EXIT_CODES)
        assert [kind for kind in kinds if f"`{kind}`" not in text] == []


class TestBlocks:
    @pytest.mark.parametrize("page", pages())
    def test_every_block_says_what_it_is_written_in(self, page: str) -> None:
        assert [str(block) for block in blocks(page) if block.language not in LANGUAGES] == []

    @pytest.mark.parametrize("page", pages())
    def test_a_console_and_nothing_else_begins_with_a_prompt(self, page: str) -> None:
        assert [str(block) for block in blocks(page) if block.is_transcript != (block.language == "console")] == []

    @pytest.mark.parametrize("name", [*NOT_RUN, *SCENES, *ANSWERS], ids=" ".join)
    def test_whatever_is_named_by_its_first_line_is_there_once(self, name: tuple[str, str]) -> None:
        assert [block.name for block in blocks(name[0]) if block.is_commands].count(name) == 1
        assert name in ANSWERS or (name in NOT_RUN) != (name in SCENES)

    @pytest.mark.parametrize("block", all_blocks("json"), ids=str)
    def test_json_parses(self, block: Block) -> None:
        assert isinstance(json.loads(block.text), dict)

    @pytest.mark.parametrize("block", all_blocks("toml"), ids=str)
    def test_toml_parses(self, block: Block) -> None:
        assert tomllib.loads(block.text)

    @pytest.mark.parametrize("block", all_blocks("python"), ids=str)
    def test_python_parses(self, block: Block) -> None:
        assert ast.parse(block.text).body

    @pytest.mark.parametrize(
        "block", [block for block in all_blocks("yaml") if block.file in (None, "trop.yaml")], ids=str
    )
    def test_yaml_is_a_configuration_that_trop_takes(self, block: Block, sandbox: Sandbox) -> None:
        (sandbox.work / "trop.yaml").write_text(block.text)

        done = sandbox.trop("validate", "trop.yaml")

        assert isinstance(yaml.safe_load(block.text), dict)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.parametrize("page", pages())
    def test_no_page_writes_over_a_file_of_variables_or_installs_by_a_name(self, page: str) -> None:
        assert re.search(r">\s*\.env\b", text_of(page)) is None
        assert re.search(r"pip3? install (-\S+ )*trop", text_of(page)) is None


class TestCommands:
    @pytest.mark.parametrize("page", [page for page in pages() if to_run(page) and page != LOOKING])
    def test_they_print_what_is_shown(self, page: str, sandbox: Sandbox) -> None:
        check(page, sandbox, TROP_SKIP_OCCUPANCY_CHECK="1")

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a warning says what the system hides")
    def test_they_tell_who_uses_a_port(self, sandbox: Sandbox) -> None:
        port = str(free_port())

        def as_shown(printed: str) -> str:
            ours = re.sub(r"(?m)^    command: .*$", "    command:     python3 -m http.server 5000", printed)
            ours = re.sub(rf"\b{port}\b", "5000", ours)
            return re.sub(rf"\b{re.escape(getpass.getuser())}\b", "ann", ours)

        check(
            LOOKING,
            sandbox,
            commands=lambda text: text.replace("5000", port),
            printed=as_shown,
            both=lambda text: re.sub(r"\d+(?=\s+python3)", "4242", text),
            TROP_PORT_MIN=port,
            TROP_PORT_MAX=port,
            TROP_SKIP_OCCUPANCY_CHECK=None,
        )


def same(text: str) -> str:
    """The text."""
    return text


def check(
    page: str,
    sandbox: Sandbox,
    *,
    commands: Callable[[str], str] = same,
    printed: Callable[[str], str] = same,
    both: Callable[[str], str] = same,
    **environment: str | None,
) -> None:
    """Run a page's commands in a home that looks like Ann's, and compare what they print with what is shown.

    ``commands`` changes the commands before they are run, ``printed`` what they print, and ``both`` this and what the
    page shows, before the two are compared.
    """
    repository = make_repository(sandbox.home / "work/shop")
    checkout = sandbox.home / "trop/.venv"
    checkout.mkdir(parents=True)
    (checkout / "bin").symlink_to(SCRIPTS)
    tools = sandbox.root / "bin"
    tools.mkdir()
    (tools / "npm").write_text(_NPM)
    (tools / "npm").chmod(0o755)
    first_yaml = sandbox.root / "first.yaml"
    first_yaml.write_text(next((block.text for block in blocks(page) if block.language == "yaml"), ""))

    steps = play(
        to_run(page),
        SCENES,
        change=commands,
        cwd=repository,
        environment=sandbox.environment(
            PATH=f"{tools}:{SCRIPTS}:{os.environ['PATH']}",
            TROP_DATA_DIR=str(sandbox.home / ".local/share/trop"),
            FIRST_YAML=str(first_yaml),
            **environment,
        ),
    )

    for step in steps:
        output = printed(step.output.replace(str(sandbox.home), "/home/ann"))
        if step.block.is_transcript or step.block.name in ANSWERS:
            assert both(timeless(output)) == both(timeless(shown_for(step.block, step.shown))), step.command
        if step.output == "" or not step.block.is_transcript:
            assert step.code == 0, f"{step.command}\n{output}"


def shown_for(block: Block, shown: str) -> str:
    """What a page shows for a command of a block."""
    if block.name not in ANSWERS:
        return shown
    following = blocks(block.page)
    return following[following.index(block) + 1].text


def timeless(text: str) -> str:
    """A text in which times, process ids and tokens are always the same, and no column is wider than another."""
    # A page shows what a terminal does: columns as wide as what stands in them. Here the same goes into a pipe.
    text = re.sub(r"(?<=\S)(?: {2,}|\t)", "  ", text)
    text = re.sub(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d", r"2026-11-22\g<1>09:00:00", text)
    text = re.sub(r"--plan \S+", "--plan AQAAAABr…", text)
    return re.sub(r"\bprocess \d+", "process 4242", text)


def _all(base: type[TropError]) -> set[type[TropError]]:
    for module in iter_modules(trop_core.errors.__path__):
        import_module(f"trop_core.errors.{module.name}")
    return {base}.union(*(_all(subclass) for subclass in base.__subclasses__()))

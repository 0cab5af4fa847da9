"""What agents' hosts are offered: few tools in few words, schemas that all of them take, and answers that fit them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from support.client import TROP_SERVER
from support.mcp import BOTH_ERAS, Era, call, connected, refused

from trop_core.catalogue import operations
from trop_server.mcp.offers import offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp_types import Tool
    from support.sandbox import Sandbox

USUAL = [
    "trop_reserve",
    "trop_autoreserve",
    "trop_release",
    "trop_migrate",
    "trop_status",
    "trop_list",
    "trop_port_info",
    "trop_undo",
]
LARGEST_LIST_OF_TOOLS = 20_000
LARGEST_ANSWER = 1024


async def tools_of(sandbox: Sandbox, tools: str | None, era: Era = "legacy") -> list[Tool]:
    async with connected(sandbox, tools=tools, era=era) as client:
        return list((await client.list_tools()).tools)


def schemas_in(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in a schema, with the place that it has there."""
    yield place, schema
    for name, member in schema.get("properties", {}).items():
        yield from schemas_in(member, f"{place}/{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from schemas_in(schema[key], f"{place}/{key}")


class TestTheList:
    @BOTH_ERAS
    @pytest.mark.asyncio
    async def test_it_is_short(self, sandbox: Sandbox, era: Era) -> None:
        tools = await tools_of(sandbox, None, era)

        whole = {"tools": [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]}
        assert [tool.name for tool in tools] == USUAL
        assert len(json.dumps(whole)) <= LARGEST_LIST_OF_TOOLS

    @pytest.mark.asyncio
    async def test_the_tools_can_be_chosen(self, sandbox: Sandbox) -> None:
        tools = await tools_of(sandbox, "trop_scan, trop_reserve")

        assert [tool.name for tool in tools] == ["trop_reserve", "trop_scan"]
        assert "skipTcp" in tools[0].input_schema["properties"]

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (
                ["--mcp", "--tools", "trop_reserve,trop_kill"],
                "there is no tool 'trop_kill': --tools takes all, or some ",
            ),
            (["--mcp", "--tools", ""], "there is no tool '': --tools takes all, or some of trop_reserve, "),
            (["--mcp", "--tools", "\x1b]0;T\x07"], "there is no tool '\\x1b]0;T\\x07': --tools takes all"),
            (["--tools", "all"], "--tools is for the agents' server: it needs --mcp"),
        ],
    )
    def test_a_choice_that_makes_no_sense_is_refused(
        self, sandbox: Sandbox, arguments: list[str], expected: str
    ) -> None:
        done = sandbox.run(TROP_SERVER, *arguments)

        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(f"error: {expected}")

    @pytest.mark.asyncio
    async def test_a_field_that_is_not_shown_is_understood(self, sandbox: Sandbox) -> None:
        async with connected(sandbox, tools=None) as client:
            (reserve, *_) = (await client.list_tools()).tools
            reserved = await call(client, "trop_reserve", project="shop")

        assert "project" not in reserve.input_schema["properties"]
        assert reserved["reservation"]["project"] == "shop"

    def test_what_is_shown_exists(self) -> None:
        for offer in offers(None).values():
            assert offer.shown is not None
            assert set(offer.shown) <= {field.name for field in offer.operation.fields}, offer.name

    @pytest.mark.asyncio
    async def test_what_is_needed_is_shown_and_what_is_not_is_not_refused(self, sandbox: Sandbox) -> None:
        for tool in await tools_of(sandbox, None):
            assert set(tool.input_schema.get("required", ())) <= tool.input_schema["properties"].keys()
            assert "additionalProperties" not in tool.input_schema

    @pytest.mark.parametrize("tools", [None, "all"])
    @pytest.mark.asyncio
    async def test_each_says_when_to_call_it(self, sandbox: Sandbox, tools: str | None) -> None:
        described = [tool.description or "" for tool in await tools_of(sandbox, tools)]

        firsts = [text.split(". ")[0] for text in described]
        assert all(first.startswith("Call this ") for first in firsts)
        assert len(set(firsts)) == len(firsts)


class TestTheSchemas:
    @pytest.mark.asyncio
    async def test_they_have_only_words_that_every_host_knows(self, sandbox: Sandbox) -> None:
        for tool in await tools_of(sandbox, "all"):
            for whole in (tool.input_schema, tool.output_schema):
                assert whole is not None
                assert whole["type"] == "object"
                Draft202012Validator.check_schema(whole)
                for place, schema in schemas_in(whole, tool.name):
                    assert not {"anyOf", "oneOf", "allOf", "format", "$ref"} & schema.keys(), place
                    assert isinstance(schema.get("type", "object"), str), place
                    assert "(?" not in schema.get("pattern", ""), place
                    assert None not in schema.get("enum", ()), place
                    assert set(schema.get("required", ())) <= schema.get("properties", {}).keys(), place

    @pytest.mark.parametrize("accepted", ["web", " web ", "w", "ä b", "a" * 255, "\tweb\n"])
    def test_a_tag_that_is_taken_fits_its_pattern(self, accepted: str) -> None:
        assert re.search(tag_pattern(), accepted)

    @pytest.mark.parametrize("refused", ["", " ", "a\x00b", "a\nb", "a" * 256, "\x1b"])
    def test_a_tag_that_is_refused_does_not(self, refused: str) -> None:
        assert not re.search(tag_pattern(), refused)


def tag_pattern() -> str:
    from trop_server.mcp.plain_schemas import plain
    from trop_server.wire.schemas import input_schema

    (reserve,) = (operation for operation in operations() if operation.name == "reserve")
    pattern: str = plain(input_schema(reserve))["properties"]["tag"]["pattern"]
    return pattern


class TestTheAnswers:
    @pytest.mark.asyncio
    async def test_what_a_model_writes_as_a_text_is_a_number_or_a_truth(self, sandbox: Sandbox) -> None:
        async with connected(sandbox) as client:
            reserved = await call(client, "trop_reserve", port="5010", dryRun="false", tag="5000")
            tried = await call(client, "trop_release", dryRun="true", tag="5000")
            info = await call(client, "trop_port_info", port="5010")

        assert (reserved["reservation"]["port"], reserved["reservation"]["tag"]) == (5010, "5000")
        assert (tried["dryRun"], tried["releasedCount"]) == (True, 1)
        assert info["reservation"]["port"] == 5010

    @pytest.mark.asyncio
    async def test_they_are_small(self, sandbox: Sandbox) -> None:
        async with connected(sandbox) as client:
            answer = await client.call_tool("trop_reserve", {"tag": "web"})

        assert len(answer.content[0].model_dump_json()) <= LARGEST_ANSWER

    @pytest.mark.asyncio
    async def test_a_list_comes_in_pages(self, sandbox: Sandbox) -> None:
        sandbox.fill(120)
        async with connected(sandbox) as client:
            pages = [await call(client, "trop_list")]
            while "next" in pages[-1]:
                pages.append(await call(client, "trop_list", after=pages[-1]["next"], limit=1000))
            short = await call(client, "trop_list", limit=7)

        assert [len(page["reservations"]) for page in pages] == [50, 50, 20]
        assert [page["truncated"] for page in pages] == [True, True, False]
        assert ["ask for less" in " ".join(page["warnings"]) for page in pages] == [True, True, False]
        assert len({row["port"] for page in pages for row in page["reservations"]}) == 120
        assert (len(short["reservations"]), short["truncated"]) == (7, True)

    @pytest.mark.asyncio
    async def test_other_lists_are_cut_and_their_counts_are_complete(self, sandbox: Sandbox) -> None:
        sandbox.fill(120)
        async with connected(sandbox) as client:
            tried = await call(
                client, "trop_release", path="/stored", recursive=True, allowUnrelatedPath=True, dryRun=True
            )

        assert (len(tried["released"]), tried["releasedCount"], tried["truncated"]) == (50, 120, True)
        assert "only the first 50 entries" in tried["warnings"][-1]


class TestWhereNobodyMeantToBe:
    """A session that starts somewhere by accident reserves nothing there."""

    @pytest.mark.parametrize("started_in", ["home", "work"])
    @pytest.mark.parametrize("root", ["{home}", "/", "{link}", "c%3A/Users/x", "{root}/gone"])
    @pytest.mark.asyncio
    async def test_a_root_that_says_nothing_counts_as_none(self, sandbox: Sandbox, root: str, started_in: str) -> None:
        link = sandbox.root / "link"
        link.symlink_to(sandbox.home)
        name = root.format(home=sandbox.home, link=link, root=sandbox.root).lstrip("/")

        async with connected(sandbox, roots=[f"file:///{name}"], cwd=getattr(sandbox, started_in)) as client:
            told = await refused(client, "trop_reserve")
            named = await call(client, "trop_reserve", folder=str(sandbox.work))

        assert (told["kind"], told["details"]["field"]) == ("invalid_argument", "folder")
        assert named["reservation"]["path"] == str(sandbox.work)
        assert [row[0] for row in sandbox.rows()] == [str(sandbox.work)]

    @pytest.mark.asyncio
    async def test_beside_a_root_that_says_something_it_is_in_nobodys_way(self, sandbox: Sandbox) -> None:
        async with connected(sandbox, roots=[sandbox.home.as_uri(), sandbox.work.as_uri()]) as client:
            reserved = await call(client, "trop_reserve")

        assert reserved["reservation"]["path"] == str(sandbox.work)

    @pytest.mark.parametrize("variable", ["PLUGIN_ROOT", "CLAUDE_PLUGIN_ROOT"])
    @pytest.mark.parametrize("has_root", [True, False], ids=["root", "working directory"])
    @pytest.mark.asyncio
    async def test_a_plugins_own_directory_is_nobodys(self, sandbox: Sandbox, variable: str, has_root: bool) -> None:
        plugin = sandbox.directory("plugin")
        environment: dict[str, Any] = {variable: str(plugin)}
        roots = [plugin.as_uri()] if has_root else None

        async with connected(sandbox, roots=roots, cwd=plugin, **environment) as client:
            told = await refused(client, "trop_reserve")

        assert (told["kind"], told["details"]["field"]) == ("invalid_argument", "folder")
        assert not sandbox.database.exists() or sandbox.rows() == []


class TestErrorsThatFit:
    """What a stranger's file or a model itself makes long is told in short."""

    @pytest.mark.asyncio
    async def test_a_file_with_a_thousand_mistakes(self, sandbox: Sandbox) -> None:
        keys = "".join(f'"k{number} {"z" * 900}": 1\n' for number in range(1000))
        (sandbox.work / "trop.yaml").write_text(keys)

        async with connected(sandbox) as client:
            answer = await client.call_tool("trop_reserve", {})
            told = await refused(client, "trop_reserve")

        assert told["kind"] == "config_error"
        assert (len(told["details"]["problems"]), told["details"]["truncated"]) == (50, True)
        assert len(told["message"]) <= 1001
        assert len(answer.content[0].model_dump_json()) < 50_000

    @pytest.mark.asyncio
    async def test_an_argument_of_a_million_letters(self, sandbox: Sandbox) -> None:
        async with connected(sandbox) as client:
            told = await refused(client, "trop_reserve", tag="x" * 1_000_000)

        assert told["kind"] == "invalid_identifier"
        assert len(told["details"]["value"]) <= 1001

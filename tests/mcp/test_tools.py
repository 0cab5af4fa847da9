"""The catalogue as MCP tools: with the SDK's own client over the real process's pipes, and with bare lines."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from support.mcp import BOTH_ERAS, Era, LineClient, call, connected, refused, tool_call
from support.servers import server
from support.sockets import free_port
from support.window import eventually, next_of, reply

from trop_core.catalogue import operations
from trop_server.cli.exit_codes import EXIT_CODES
from trop_server.mcp.instructions import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.sandbox import Sandbox

ROOTS_PATIENCE = 5.0
"""Seconds for which the server waits for a client to tell its roots."""

README = Path(__file__).parents[2] / "trop_server/mcp/README.md"


class TestTheTools:
    @pytest.mark.asyncio
    async def test_they_are_the_catalogue_where_all_are_asked_for(self, sandbox: Sandbox) -> None:
        async with connected(sandbox) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}

        expected = [operation for operation in operations() if operation.name != "list_commands"]
        assert list(tools) == [f"trop_{operation.name}" for operation in expected]
        for operation in expected:
            tool = tools[f"trop_{operation.name}"]
            assert tool.title == operation.title
            assert tool.description is not None
            assert tool.description.startswith("Call this ")
            assert tool.description.endswith(f" {operation.description}")
            assert set(tool.input_schema["properties"]) == {field.wire for field in operation.fields}
            assert tool.annotations is not None
            assert tool.annotations.model_dump() == {
                "title": operation.title,
                "read_only_hint": operation.read_only,
                "destructive_hint": operation.destructive,
                "idempotent_hint": operation.idempotent,
                "open_world_hint": False,
            }

    @BOTH_ERAS
    @pytest.mark.asyncio
    async def test_every_one_of_them_works(self, sandbox: Sandbox, era: Era) -> None:
        work, moved = str(sandbox.work), str(sandbox.directory("moved"))
        config = sandbox.work / "trop.yaml"
        config.write_text("reservations: {services: {a: {offset: 0}, b: {offset: 1}}}\n")
        arguments: dict[str, dict[str, Any]] = {
            "trop_init": {"withConfig": True},
            "trop_reserve": {"tag": "wéb", "project": "shop"},
            "trop_list": {"includeOccupancy": True},
            "trop_list_projects": {},
            "trop_show_path": {},
            "trop_show_data_dir": {},
            "trop_migrate": {"from": moved, "to": work, "recursive": True},
            "trop_validate": {"config": str(config)},
            "trop_schema": {"file": "trop.yaml"},
            "trop_reserve_group": {"config": str(config)},
            "trop_autoreserve": {"folder": work},
            "trop_env": {"folder": work},
            "trop_url": {"folder": work, "tag": "a"},
            "trop_exclude": {"folder": work, "ports": "6001"},
            "trop_compact_exclusions": {"config": str(config)},
            "trop_scan": {"folder": work, "min": 6000, "max": 6001},
            "trop_port_info": {"port": 6000},
            "trop_assert_reservation": {"folder": work, "tag": "wéb"},
            "trop_assert_port": {"port": 6001, "not": True},
            "trop_assert_data_dir": {"validate": True},
            "trop_prune": {},
            "trop_expire": {"days": 1},
            "trop_autoclean": {"dryRun": True},
            "trop_status": {"folder": work},
            "trop_history": {"folder": work},
            "trop_doctor": {"folder": work},
            "trop_backup": {"file": str(sandbox.root / "copy.db")},
            "trop_release": {"folder": work},
            "trop_undo": {"folder": work},
        }

        async with connected(sandbox, era=era) as client:
            results = {name: await call(client, name, **given) for name, given in arguments.items()}
            await call(client, "trop_reserve", path=moved, tag="wéb")
            results["trop_swap"] = await call(client, "trop_swap", folder=work, path=moved, tag="wéb")
            results["trop_restore"] = await call(client, "trop_restore", file=str(sandbox.root / "copy.db"))
            listed = {tool.name for tool in (await client.list_tools()).tools}

        assert listed == set(results)
        assert [action["kind"] for action in results["trop_init"]["actions"]][-1] == "createConfig"
        reserved = results["trop_reserve"]
        assert (reserved["outcome"], reserved["reservation"]["path"]) == ("created", work)
        assert reserved["reservation"]["tag"] == "wéb"
        assert [entry["port"] for entry in results["trop_list"]["reservations"]] == [reserved["reservation"]["port"]]
        assert results["trop_list_projects"]["projects"] == ["shop"]
        assert results["trop_show_path"]["path"] == work
        assert results["trop_show_data_dir"]["dataDir"] == str(sandbox.data)
        assert results["trop_migrate"]["migratedCount"] == 0
        assert results["trop_validate"]["valid"] is True
        assert results["trop_reserve_group"]["outcome"] == "created"
        assert results["trop_autoreserve"]["outcome"] == "reused"
        assert results["trop_autoreserve"]["environment"] == results["trop_reserve_group"]["environment"]
        assert results["trop_env"]["environment"] == results["trop_autoreserve"]["environment"]
        assert [row["tag"] for row in results["trop_env"]["others"]] == ["wéb"]
        assert results["trop_url"]["url"] == f"http://localhost:{results['trop_autoreserve']['group']['a']['port']}/"
        assert results["trop_exclude"]["added"] == ["6001"]
        assert results["trop_compact_exclusions"]["changed"] is False
        assert (results["trop_scan"]["min"], results["trop_scan"]["max"]) == (6000, 6001)
        assert "reservation" not in results["trop_port_info"]
        assert all(results[f"trop_assert_{what}"]["holds"] for what in ("reservation", "port", "data_dir"))
        assert [results[f"trop_{verb}"]["removedCount"] for verb in ("prune", "expire", "autoclean")] == [0, 0, 0]
        assert results["trop_release"]["releasedCount"] == results["trop_undo"]["changed"] == 3
        assert results["trop_restore"]["restoredCount"] == 3
        assert results["trop_history"]["operations"][-1]["command"] == "trop.reserve"
        assert results["trop_swap"]["other"]["port"] == reserved["reservation"]["port"]

    @pytest.mark.asyncio
    async def test_those_that_give_out_ports_tell_who_is_there(self, sandbox: Sandbox) -> None:
        port = free_port()
        sandbox.reserve("--port", str(port))

        with server(port, sandbox.work):
            async with connected(sandbox, TROP_SKIP_OCCUPANCY_CHECK=None) as client:
                variables = await call(client, "trop_env")
                address = await call(client, "trop_url")

        told = [(row["port"], row["occupied"], row["occupant"]["relation"]) for row in variables["reservations"]]
        assert told == [(port, True, "own")]
        assert (address["port"], address["occupied"], address["occupant"]["relation"]) == (port, True, "own")

    @BOTH_ERAS
    @pytest.mark.asyncio
    async def test_the_server_tells_agents_how_to_use_them(self, sandbox: Sandbox, era: Era) -> None:
        async with connected(sandbox, era=era) as client:
            told = client.instructions

        assert told == INSTRUCTIONS

    @pytest.mark.asyncio
    async def test_the_data_directory_can_be_named(self, sandbox: Sandbox) -> None:
        elsewhere = str(sandbox.root / "elsewhere")

        async with connected(sandbox, "--data-dir", elsewhere) as client:
            shown = await call(client, "trop_show_data_dir")

        assert shown["dataDir"] == elsewhere

    @pytest.mark.asyncio
    async def test_what_the_shell_says_to_the_command_line_is_not_heard(self, sandbox: Sandbox) -> None:
        other = str(sandbox.directory("other"))

        async with connected(sandbox, TROP_PATH=other, TROP_PROJECT="p", TROP_TASK="t") as client:
            shown = await call(client, "trop_show_path")
            reserved = (await call(client, "trop_reserve"))["reservation"]

        assert shown["path"] == str(sandbox.work)
        assert reserved["path"] == str(sandbox.work)
        assert not {"project", "task"} & reserved.keys()


class TestTheInstructions:
    def test_every_kind_of_error_is_in_them(self) -> None:
        named = set(re.findall(r"`([a-z_]+)`", INSTRUCTIONS))

        assert set(EXIT_CODES) - named == set()

    def test_every_tool_that_they_name_exists(self) -> None:
        named = set(re.findall(r"`(trop_[a-z_]+)`", INSTRUCTIONS))

        assert named
        assert named <= {f"trop_{operation.name}" for operation in operations()}

    def test_the_readme_has_them(self) -> None:
        text = README.read_text(encoding="utf-8")

        assert f"<!-- made: instructions -->\n{INSTRUCTIONS}<!-- end: instructions -->" in text


class TestErrors:
    @BOTH_ERAS
    @pytest.mark.asyncio
    async def test_an_unknown_tool_is_an_error_of_the_protocol(self, sandbox: Sandbox, era: Era) -> None:
        async with connected(sandbox, era=era) as client:
            with pytest.raises(MCPError) as caught:
                await client.call_tool("trop_list_commands")

        assert caught.value.code == -32602
        assert caught.value.message == 'there is no tool "trop_list_commands"'
        assert caught.value.data == {
            "kind": "invalid_argument",
            "hint": "tools/list gives every tool; trop-server --mcp --tools all offers more of them.",
            "details": {},
            "retryable": False,
        }

    @pytest.mark.parametrize(
        ("tool", "arguments", "kind", "field"),
        [
            pytest.param("trop_reserve", {"prot": 5000}, "invalid_argument", "prot", id="an unknown field"),
            pytest.param("trop_reserve", {"port": "05000"}, "invalid_argument", "port", id="a text for a number"),
            pytest.param("trop_reserve", {"port": "5e3"}, "invalid_argument", "port", id="another one"),
            pytest.param("trop_reserve", {"force": "yes"}, "invalid_argument", "force", id="a text for a flag"),
            pytest.param("trop_reserve", {"port": 5000.0}, "invalid_argument", "port", id="a number with a point"),
            pytest.param("trop_reserve", {"port": 0}, "invalid_argument", "port", id="out of bounds"),
            pytest.param("trop_reserve", {"force": 1}, "invalid_argument", "force", id="a number for a flag"),
            pytest.param("trop_reserve", {"tag": " "}, "invalid_identifier", "tag", id="an empty tag"),
            pytest.param("trop_migrate", {"from": "/a"}, "invalid_argument", "to", id="a missing field"),
            pytest.param("trop_list_projects", {"tag": "a"}, "invalid_argument", "tag", id="no fields at all"),
        ],
    )
    @pytest.mark.asyncio
    async def test_arguments_that_the_schema_refuses_name_the_field(
        self, sandbox: Sandbox, tool: str, arguments: dict[str, Any], kind: str, field: str
    ) -> None:
        async with connected(sandbox) as client:
            told = await refused(client, tool, **arguments)

        assert (told["kind"], told["details"]["field"], told["retryable"]) == (kind, field, False)
        assert not sandbox.data.exists()

    @pytest.mark.asyncio
    async def test_a_field_that_is_null_counts_as_absent(self, sandbox: Sandbox) -> None:
        async with connected(sandbox) as client:
            reserved = await call(client, "trop_reserve", tag=None, port=None)

        assert "tag" not in reserved["reservation"]

    @pytest.mark.asyncio
    async def test_a_refusal_says_what_to_do_next(self, sandbox: Sandbox) -> None:
        work = str(sandbox.work)
        async with connected(sandbox) as client:
            await call(client, "trop_reserve", project="shop")
            sticky = await refused(client, "trop_reserve", project="other")
            unrelated = await refused(client, "trop_reserve", path="/elsewhere")
            unknown = await refused(client, "trop_migrate", **{"from": "/nowhere", "to": "/there"})
            both = await refused(client, "trop_reserve", path=work, folder=work)

        assert sticky == {
            "kind": "sticky_field",
            "message": f'the reservation of "{work}" has the project "shop", which would become "other"',
            "hint": "Leave project away to keep it, or add allowChangeProject to change it.",
            "details": {"field": "project", "stored": "shop", "requested": "other"},
            "retryable": False,
        }
        assert (unrelated["kind"], unrelated["details"]["anchors"]) == ("unrelated_path", [work])
        assert (unknown["kind"], unknown["details"]) == ("not_found", {"path": "/nowhere"})
        assert both["kind"] == "invalid_argument"

    @pytest.mark.asyncio
    async def test_a_conflict_lists_what_is_in_the_way(self, sandbox: Sandbox) -> None:
        async with connected(sandbox) as client:
            for name in ("a", "b"):
                await call(client, "trop_reserve", path=str(sandbox.work / name))
            paths = {"from": str(sandbox.work / "a"), "to": str(sandbox.work / "b")}
            told = await refused(client, "trop_migrate", **paths)

        assert told["kind"] == "reservation_conflict"
        assert [entry["path"] for entry in told["details"]["conflicts"]] == [paths["to"]]

    @pytest.mark.asyncio
    async def test_a_lock_that_is_not_released_is_the_one_that_can_be_tried_again(self, sandbox: Sandbox) -> None:
        async with connected(sandbox, TROP_BUSY_TIMEOUT="0.1") as client:
            with sandbox.locked():
                told = await refused(client, "trop_reserve")
            again = await call(client, "trop_reserve")

        assert (told["kind"], told["retryable"]) == ("lock_timeout", True)
        assert again["outcome"] == "created"

    @pytest.mark.asyncio
    async def test_a_broken_configuration_and_a_broken_store_are_told_and_survived(self, sandbox: Sandbox) -> None:
        configuration = sandbox.work / "trop.yaml"
        configuration.write_text("ports: {min: many}\n")
        async with connected(sandbox) as client:
            wrong = await refused(client, "trop_reserve")
            configuration.unlink()
            sandbox.data.mkdir()
            sandbox.database.write_bytes(b"noise" * 4096)
            corrupt = await refused(client, "trop_reserve")
            sandbox.database.unlink()
            reserved = await call(client, "trop_reserve")

        assert (wrong["kind"], wrong["details"]["problems"][0]["line"]) == ("config_error", 1)
        assert corrupt["kind"] == "database_corrupt"
        assert reserved["outcome"] == "created"

    def test_an_id_that_is_in_flight_is_refused_and_then_free_again(self, lines: LineClient, sandbox: Sandbox) -> None:
        with sandbox.locked():
            lines.send(tool_call(7, "trop_reserve", tag="web"), tool_call(7, "trop_reserve", tag="api"))
            refused_at_once = lines.answer(7)
        answered = lines.answer(7)
        lines.send(tool_call(7, "trop_reserve", tag="db"))
        again = lines.answer(7)

        assert refused_at_once["error"]["code"] == -32600
        assert "the id 7 is in use" in refused_at_once["error"]["message"]
        reservations = [answer["result"]["structuredContent"]["reservation"] for answer in (answered, again)]
        assert [each["tag"] for each in reservations] == ["web", "db"]
        assert sorted(row[1] for row in sandbox.rows()) == ["db", "web"]

    def test_an_id_that_was_cancelled_is_free_again(self, lines: LineClient, sandbox: Sandbox) -> None:
        with sandbox.locked():
            lines.send(tool_call(7, "trop_reserve", tag="web"))
            lines.notify("notifications/cancelled", {"requestId": 7})
        lines.send(tool_call(7, "trop_reserve", tag="api"))

        assert lines.answer(7)["result"]["structuredContent"]["reservation"]["tag"] == "api"
        assert [row[1] for row in sandbox.rows()] == ["api"]

    def test_half_a_surrogate_pair_is_refused_and_comes_back_as_it_was(self, lines: LineClient) -> None:
        lines.send(tool_call(1, "trop_reserve", path="/\udc80"))
        result = lines.answer(1)["result"]

        assert result["isError"]
        told = json.loads(result["content"][0]["text"])
        assert (told["kind"], told["details"]) == ("invalid_path", {"path": "/\udc80"})


def tell_roots(client: LineClient, asked: dict[str, Any], *roots: Path) -> None:
    """Answer the server's question for the roots."""
    reply(client, asked, result={"roots": [{"uri": root.as_uri()} for root in roots]})


def place_of_calls(client: LineClient) -> str:
    """Which directory a call without a folder is about."""
    client.send(tool_call("place", "trop_show_path"))
    return str(client.answer("place")["result"]["structuredContent"]["path"])


class TestWhichFolder:
    @pytest.fixture
    def rooted(self, sandbox: Sandbox) -> Iterator[LineClient]:
        """A client that has roots, and answers for itself when it is asked for them."""
        client = LineClient(cwd=str(sandbox.work), env=sandbox.environment())
        client.introduce(roots={"listChanged": True})
        yield client
        client.kill()

    @pytest.mark.asyncio
    async def test_one_root_is_the_folder(self, sandbox: Sandbox) -> None:
        root = sandbox.directory("a root")

        async with connected(sandbox, roots=[root.as_uri()]) as client:
            reserved = await call(client, "trop_reserve")
            unrelated = await refused(client, "trop_reserve", folder=str(sandbox.directory("other")))

        assert reserved["reservation"]["path"] == str(root)
        assert (unrelated["kind"], unrelated["details"]["anchors"]) == ("unrelated_path", [str(root)])

    def test_a_client_is_asked_for_its_roots_once_and_again_when_they_have_changed(
        self, rooted: LineClient, sandbox: Sandbox
    ) -> None:
        one, other = sandbox.directory("one"), sandbox.directory("other")

        rooted.send(tool_call(1, "trop_show_path"))
        tell_roots(rooted, next_of(rooted, "roots/list"), one)
        first = rooted.answer(1)
        rooted.send(tool_call(2, "trop_show_path"))
        second = rooted.answer(2)
        rooted.notify("notifications/roots/list_changed")
        rooted.send(tool_call(3, "trop_show_path"))
        tell_roots(rooted, next_of(rooted, "roots/list"), other)
        third = rooted.answer(3)

        told = [answer["result"]["structuredContent"]["path"] for answer in (first, second, third)]
        assert told == [str(one), str(one), str(other)]
        assert rooted.unmatched == []

    @pytest.mark.parametrize("uri", ["https://example.com/shop", "vscode-remote://ssh-remote+shop/work"])
    def test_a_root_that_is_on_no_disk_counts_as_none(self, rooted: LineClient, sandbox: Sandbox, uri: str) -> None:
        one = sandbox.directory("one")

        rooted.send(tool_call(1, "trop_show_path"))
        reply(rooted, next_of(rooted, "roots/list"), result={"roots": [{"uri": uri, "name": "shop"}]})
        alone = json.loads(rooted.answer(1)["result"]["content"][0]["text"])
        rooted.notify("notifications/roots/list_changed")
        rooted.send(tool_call(2, "trop_show_path"))
        reply(rooted, next_of(rooted, "roots/list"), result={"roots": [{"uri": uri}, {"uri": one.as_uri()}]})
        beside = rooted.answer(2)["result"]["structuredContent"]

        assert (alone["kind"], alone["details"]["field"]) == ("invalid_argument", "folder")
        assert beside["path"] == str(one)

    def test_a_client_that_does_not_tell_its_roots_is_waited_for_once_until_it_does(
        self, rooted: LineClient, sandbox: Sandbox
    ) -> None:
        one = sandbox.directory("one")

        rooted.send(*(tool_call(number, "trop_show_path") for number in range(3)))
        untold = [rooted.answer(number) for number in range(3)]
        begin = time.monotonic()
        rooted.send(tool_call(3, "trop_show_path"))
        untold.append(rooted.answer(3))
        took = time.monotonic() - begin
        tell_roots(rooted, next_of(rooted, "roots/list"), one)

        assert {answer["result"]["structuredContent"]["path"] for answer in untold} == {str(sandbox.work)}
        assert took < ROOTS_PATIENCE / 2
        eventually(lambda: place_of_calls(rooted) == str(one))
        assert rooted.logged().count("has not told its roots") == 1

    @pytest.mark.asyncio
    async def test_of_several_roots_one_has_to_be_named(self, sandbox: Sandbox) -> None:
        one, other = sandbox.directory("one"), sandbox.directory("other")

        async with connected(sandbox, roots=[one.as_uri(), other.as_uri()]) as client:
            told = await refused(client, "trop_reserve")
            named = await call(client, "trop_reserve", folder=other.as_uri())

        assert (told["kind"], told["details"]) == ("ambiguous_folder", {"folders": [str(one), str(other)]})
        assert named["reservation"]["path"] == str(other)

    @pytest.mark.parametrize(
        "roots", [None, [], OSError("no")], ids=["a client without roots", "no root", "a client that does not tell"]
    )
    @pytest.mark.asyncio
    async def test_without_a_root_it_is_the_working_directory(
        self, sandbox: Sandbox, roots: list[str] | Exception | None
    ) -> None:
        async with connected(sandbox, roots=roots) as client:
            reserved = await call(client, "trop_reserve")

        assert reserved["reservation"]["path"] == str(sandbox.work)

    @pytest.mark.asyncio
    async def test_the_newest_protocol_is_not_asked_for_roots(self, sandbox: Sandbox) -> None:
        async with connected(sandbox, era="auto", roots=[sandbox.directory("root").as_uri()]) as client:
            reserved = await call(client, "trop_reserve")

        assert reserved["reservation"]["path"] == str(sandbox.work)

    @pytest.mark.asyncio
    @pytest.mark.parametrize("spelling", ["proj", "./proj/", "~/proj", "proj/../proj"])
    async def test_a_relative_folder_starts_once_at_the_home_directory(self, sandbox: Sandbox, spelling: str) -> None:
        (sandbox.home / "proj").mkdir()

        async with connected(sandbox, cwd=sandbox.home) as client:
            reserved = await call(client, "trop_reserve", folder=spelling)
            shown = await call(client, "trop_show_path", folder=spelling)

        assert reserved["reservation"]["path"] == str(sandbox.home / "proj")
        assert shown["path"] == str(sandbox.home / "proj")

    @pytest.mark.asyncio
    async def test_in_the_home_directory_a_folder_has_to_be_named_and_is_enough(self, sandbox: Sandbox) -> None:
        folder, other = sandbox.directory("folder"), sandbox.directory("other")

        async with connected(sandbox, cwd=sandbox.home) as client:
            missing = await refused(client, "trop_reserve")
            named = await call(client, "trop_reserve", folder=str(folder))
            unrelated = await refused(client, "trop_reserve", path=str(other))

        assert (missing["kind"], missing["details"]["field"]) == ("invalid_argument", "folder")
        assert named["reservation"]["path"] == str(folder)
        assert (unrelated["kind"], unrelated["details"]["anchors"]) == ("unrelated_path", [])

"""Dev servers as the recipes start them: each listens on its directory's port, and on no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.readmes import RECIPES, text_of
from support.recipes import recipe
from support.requirements import find_tool
from support.sockets import free_port, listening
from support.workshop import ASGI_APP, FLASK_APP, answer

if TYPE_CHECKING:
    from support.workshop import Workshop

VITE = recipe("npm scripts and Vite")
READS_PORT = recipe("npm scripts that read PORT")
FLASK = recipe("Flask")
UVICORN = recipe("uvicorn")
MAKEFILE = recipe("Makefile")

FLASK_VARIABLE = "trop run --env FLASK_RUN_PORT -- flask --app app run"
UVICORN_VARIABLE = "trop run --env UVICORN_PORT -- uvicorn app:app"
PLAIN_SCRIPT = json.dumps({"scripts": {"dev": "vite"}})
SERVER = """
const { createServer } = require("node:http");
const server = createServer((_, response) => response.end(process.cwd()));
server.listen(process.env.PORT, () => console.log(`listening on ${server.address().port}`));
"""
GROUP = "reservations: {services: {api: {}, web: {}}}\n"


def page_of(name: str) -> dict[str, str]:
    """The page of a project for Vite, which tells whose it is."""
    return {"index.html": f"<!doctype html><title>{name}</title>"}


class TestVite:
    def test_each_of_two_worktrees_has_its_own_port(self, workshop: Workshop) -> None:
        find_tool("npm")
        shop = workshop.project("shop", {"package.json": PLAIN_SCRIPT, **page_of("shop")})
        login = workshop.project("shop-login", {"package.json": PLAIN_SCRIPT, **page_of("shop-login")})

        with workshop.running(VITE.command, shop) as first, workshop.running(VITE.command, login) as second:
            first.until(f"localhost:{workshop.port(shop)}/")
            second.until(f"localhost:{workshop.port(login)}/")

            assert "<title>shop</title>" in answer(workshop.port(shop))
            assert "<title>shop-login</title>" in answer(workshop.port(login))

    def test_the_script_of_the_project_says_it_once(self, workshop: Workshop) -> None:
        find_tool("npm")
        shop = workshop.project("shop", page_of("shop"))
        VITE.write(shop)

        with workshop.running("npm run dev", shop) as server:
            server.until(f"localhost:{workshop.port(shop)}/")

            assert "<title>shop</title>" in answer(workshop.port(shop))

    def test_in_a_group_it_is_the_port_of_web(self, workshop: Workshop) -> None:
        find_tool("npm")
        shop = workshop.project("shop", {"package.json": PLAIN_SCRIPT, "trop.yaml": GROUP, **page_of("shop")})

        with workshop.running(VITE.command, shop) as server:
            server.until(f"localhost:{workshop.port(shop, 'web')}/")

            assert "<title>shop</title>" in answer(workshop.port(shop, "web"))

    def test_a_second_one_ends_and_does_not_take_the_neighbours_port(self, workshop: Workshop) -> None:
        find_tool("npm")
        shop = workshop.project("shop", {"package.json": PLAIN_SCRIPT, **page_of("shop")})

        with listening([workshop.port(shop)]), workshop.running(VITE.command, shop) as server:
            code, printed = server.ended()

        assert code != 0
        assert f"Port {workshop.port(shop)} is already in use" in printed

    def test_without_strict_port_it_takes_the_neighbours_and_it_does_not_read_port(self, workshop: Workshop) -> None:
        shop = workshop.project("shop", page_of("shop"))
        taken = workshop.port(shop)

        with listening([taken]), workshop.running(f"trop run -- vite --port {taken}", shop) as server:
            server.until(f"localhost:{taken + 1}/")
        with workshop.running(f"PORT={taken} vite", shop) as server:
            assert str(taken) not in server.until("Local:")


class TestWhatReadsPort:
    def test_npm_start(self, workshop: Workshop) -> None:
        find_tool("npm")
        script = json.dumps({"scripts": {"start": "node server.js"}})
        shop = workshop.project("shop", {"package.json": script, "server.js": SERVER})

        with workshop.running(READS_PORT.command, shop) as server:
            server.until(f"listening on {workshop.port(shop)}")

            assert answer(workshop.port(shop)) == str(shop)

    def test_where_trop_fails_nothing_is_started(self, workshop: Workshop) -> None:
        find_tool("npm")
        script = json.dumps({"scripts": {"start": "touch started"}})
        shop = workshop.project("shop", {"package.json": script, "trop.yaml": "nonsense: ["})

        done = workshop.done(READS_PORT.command, shop)

        assert done.returncode == 7
        assert not (shop / "started").exists()


class TestPython:
    @pytest.mark.parametrize(
        ("app", "command", "ready"),
        [
            pytest.param(FLASK_APP, FLASK.command, "Running on", id="flask"),
            pytest.param(FLASK_APP, FLASK_VARIABLE, "Running on", id="flask by its variable"),
            pytest.param(ASGI_APP, UVICORN.command, "Application startup complete", id="uvicorn"),
            pytest.param(ASGI_APP, UVICORN_VARIABLE, "Application startup complete", id="uvicorn by its variable"),
        ],
    )
    def test_it_listens_on_the_port_of_its_directory(
        self, workshop: Workshop, app: str, command: str, ready: str
    ) -> None:
        shop = workshop.project("shop", {"app.py": app})

        with workshop.running(command, shop) as server:
            server.until(f"http://127.0.0.1:{workshop.port(shop)}", ready)

            assert answer(workshop.port(shop)) == str(shop)

    def test_the_page_tells_of_both_variables(self) -> None:
        told = text_of(RECIPES)

        assert f"`{FLASK_VARIABLE}`" in told
        assert f"`{UVICORN_VARIABLE}`" in told

    @pytest.mark.parametrize(
        ("app", "command", "own"),
        [
            pytest.param(FLASK_APP, "flask --app app run", 5000, id="flask"),
            pytest.param(ASGI_APP, "uvicorn app:app", 8000, id="uvicorn"),
        ],
    )
    def test_neither_reads_port(self, workshop: Workshop, app: str, command: str, own: int) -> None:
        shop = workshop.project("shop", {"app.py": app})
        port = str(free_port())

        with workshop.running(command, shop, PORT=port) as server:
            # It tells its own port also where it ends, for something else listens there on this machine.
            printed = server.until(own)

        assert port not in printed


class TestMake:
    def test_dev_starts_the_server(self, workshop: Workshop) -> None:
        find_tool("make")
        shop = workshop.project("shop", {"app.py": FLASK_APP})
        MAKEFILE.write(shop)

        with workshop.running("make dev", shop) as server:
            server.until(f"Running on http://127.0.0.1:{workshop.port(shop)}")

            assert answer(workshop.port(shop)) == str(shop)

    def test_open_opens_its_address(self, workshop: Workshop) -> None:
        find_tool("make")
        shop = workshop.project("shop")
        MAKEFILE.write(shop)
        browser = shop / "browser"
        browser.write_text('#!/bin/sh\necho "$1" >opened\n')
        browser.chmod(0o755)

        workshop.shell("make open", shop, BROWSER=str(browser))

        assert (shop / "opened").read_text() == f"http://localhost:{workshop.port(shop)}/\n"

    def test_a_variable_of_the_shell_goes_on_where_trop_fails(self, workshop: Workshop) -> None:
        find_tool("make")
        makefile = "PORT := $(shell trop reserve)\ndev:\n\t@echo port=$(PORT).\n"
        shop = workshop.project("shop", {"Makefile": makefile, "trop.yaml": "nonsense: ["})

        assert workshop.shell("make dev", shop) == "port=.\n"
        (shop / "Makefile").unlink()
        MAKEFILE.write(shop)
        assert workshop.done("make dev", shop).returncode != 0

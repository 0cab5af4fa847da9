"""Tools that take variables from a file or a shell: direnv, honcho, docker compose, GitHub Actions."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import yaml
from support.engine import engine
from support.recipes import recipe
from support.repositories import make_repository
from support.requirements import find_tool
from support.workshop import ASGI_APP, FLASK_APP, answer

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from support.workshop import Workshop

DIRENV = recipe("direnv")
HONCHO = recipe("Procfile, with honcho")
COMPOSE = recipe("docker compose")
ACTIONS = recipe("GitHub Actions")

SECRET = "# mine\r\nSECRET='a \"b\" #c'\nLAST=1"
"""A .env file of somebody's own: two kinds of line ends, and no end of the last line."""
STEERING = "reservations: {services: {web: {}}, environment: {PIP_INDEX_URL: 'http://localhost:{port:web}/'}}\n"
QUESTION = "reservations: {services: {web: {}}, environment: {A_URL: 'http://localhost:{port:web}/?a=b'}}\n"


class TestDirenv:
    def environment(self, workshop: Workshop, directory: Path, name: str) -> str:
        """What a variable is in a command of direnv's; empty where it is not set."""
        workshop.shell("direnv allow", directory)
        return workshop.shell(f"direnv exec . sh -c 'printf %s \"${name}\"'", directory)

    def test_the_port(self, workshop: Workshop) -> None:
        find_tool("direnv")
        shop = workshop.project("shop")
        (shop / ".envrc").write_text(DIRENV.files[0].text)

        assert self.environment(workshop, shop, "PORT") == str(workshop.port(shop))

    def test_the_services_and_no_variable_that_steers_other_programs(self, workshop: Workshop) -> None:
        find_tool("direnv")
        shop = workshop.project("shop", {"trop.yaml": STEERING})
        (shop / ".envrc").write_text(DIRENV.files[1].text)

        assert self.environment(workshop, shop, "WEB_PORT") == str(workshop.port(shop, "web"))
        assert self.environment(workshop, shop, "PIP_INDEX_URL") == ""

    def test_a_changed_list_of_services_is_noticed(self, workshop: Workshop) -> None:
        find_tool("direnv")
        shop = workshop.project("shop", {"trop.yaml": STEERING})
        (shop / ".envrc").write_text(DIRENV.files[1].text)
        workshop.shell("direnv allow", shop)
        exported = workshop.shell("direnv export bash", shop)
        changed = f"{exported}\necho 'reservations: {{services: {{web: {{}}, api: {{}}}}}}' >trop.yaml\n"

        assert "API_PORT" not in exported
        assert "API_PORT" in workshop.shell(f"{changed} touch -d '+1 minute' trop.yaml; direnv export bash", shop)


class TestHoncho:
    def test_each_process_has_the_port_of_its_service(self, workshop: Workshop) -> None:
        shop = workshop.project("shop", {"web.py": FLASK_APP, "api.py": ASGI_APP})
        HONCHO.write(shop)
        (shop / ".env").write_bytes(SECRET.encode())

        with workshop.running(HONCHO.command, shop) as honcho:
            web, api = workshop.port(shop, "web"), workshop.port(shop, "api")
            honcho.until(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{api}", "Application startup complete")

            assert answer(web) == answer(api) == str(shop)
        assert (shop / ".env").read_bytes().startswith(SECRET.encode())

    def test_it_sets_port_itself_and_counts_the_file_before_the_environment(self, workshop: Workshop) -> None:
        procfile = "web: echo web $PORT $WEB_PORT; read x\napi: echo api $PORT; read x\n"
        shop = workshop.project("shop", {"Procfile": procfile, ".env": "WEB_PORT=1\n"})

        with workshop.running("PORT=7000 WEB_PORT=7000 honcho start", shop) as honcho:
            printed = honcho.until("web 7000 1", "api 7100")

        assert "api 7100" in printed

    def test_a_port_of_ones_own_in_the_file_is_refused_and_stays(self, workshop: Workshop) -> None:
        shop = workshop.project("shop", {".env": "WEB_PORT=1\n"})
        HONCHO.write(shop)

        done = workshop.done(HONCHO.command, shop)

        assert (done.returncode, done.stdout) == (7, "")
        assert (shop / ".env").read_text() == "WEB_PORT=1\n"


class TestCompose:
    def compose(
        self, command: str, workshop: Workshop, directory: Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the docker compose that this machine has."""
        is_plugin = shutil.which("docker") and workshop.done("docker compose version", directory).returncode == 0
        program = "docker compose" if is_plugin else find_tool("docker-compose")
        return workshop.done(f"{program} {command}", directory, **environment)

    def published(self, workshop: Workshop, directory: Path, **environment: str) -> str:
        """The port of the host that compose publishes for the service."""
        # To fill in what the file leaves open takes no engine.
        done = self.compose("config", workshop, directory, **environment)
        assert done.returncode == 0, done.stderr
        (port,) = yaml.safe_load(done.stdout)["services"]["web"]["ports"]
        # The old one prints the short form, the new one the long form.
        return str(port["published"]) if isinstance(port, dict) else port.removeprefix("127.0.0.1:").partition(":")[0]

    def test_it_publishes_the_port_of_the_service(self, workshop: Workshop) -> None:
        shop = workshop.project("shop")
        COMPOSE.write(shop)
        (shop / ".env").write_bytes(SECRET.encode())
        write, _, up = COMPOSE.command.partition(" && ")
        assert up == "docker compose up"

        workshop.shell(write, shop)

        assert self.published(workshop, shop) == str(workshop.port(shop, "web"))
        assert self.published(workshop, shop, WEB_PORT="1") == "1"
        assert (shop / ".env").read_bytes().startswith(SECRET.encode())

    def test_without_the_file_it_tells_what_to_run(self, workshop: Workshop) -> None:
        shop = workshop.project("shop")
        COMPOSE.write(shop)

        done = self.compose("config", workshop, shop)

        assert done.returncode != 0
        assert "run trop env --write .env" in done.stderr

    def test_worktrees_whose_directories_have_one_name_have_containers_of_their_own(self, workshop: Workshop) -> None:
        projects: list[str] = []
        for place in ("a/web", "b/web"):
            web = workshop.project(place)
            COMPOSE.write(web)
            workshop.shell("trop env --write .env", web)
            with engine() as (host, asked):
                done = self.compose("ps", workshop, web, DOCKER_HOST=host)
            assert done.returncode == 0, done.stderr
            projects += set(re.findall(r"com\.docker\.compose\.project=([\w-]*-\d+)", "".join(asked)))

        assert projects == [
            f"web-{workshop.port(workshop.sandbox.work / place, 'web')}" for place in ("a/web", "b/web")
        ]

    def test_the_file_is_one_by_compose_s_own_schema(self, workshop: Workshop) -> None:
        shop = workshop.project("shop")
        COMPOSE.write(shop)

        workshop.shell("check-jsonschema --builtin-schema vendor.compose-spec compose.yaml", shop)


class TestActions:
    def steps(self) -> list[str]:
        """What the steps of the only job run."""
        # YAML 1.1 takes the key "on" for a truth value; GitHub does not.
        (job,) = yaml.load(ACTIONS.files[0].text, yaml.BaseLoader)["jobs"].values()
        return [step["run"] for step in job["steps"] if "run" in step]

    def run(self, workshop: Workshop, steps: list[str], checkout: Path) -> dict[str, str]:
        """Run steps as a runner does; the variables that they leave to those that follow."""
        told = workshop.sandbox.root / "github_env"
        told.touch()
        script = workshop.sandbox.root / "step.sh"
        variables: dict[str, str] = {}
        for step in steps:
            script.write_text(step)
            workshop.shell(f"bash -e '{script}'", checkout, GITHUB_ENV=str(told), **variables)
            variables = dict(line.split("=", 1) for line in told.read_text().splitlines())
        return variables

    def test_the_steps_that_follow_have_the_port(self, workshop: Workshop) -> None:
        find_tool("npm")
        checkout = make_repository(workshop.sandbox.work / "_work/shop/shop")
        (checkout / "package.json").write_text('{"scripts": {"test": "echo $PORT >tested"}}')

        self.run(workshop, self.steps(), checkout)

        assert (checkout / "tested").read_text() == f"{workshop.port(checkout)}\n"

    def test_an_address_with_a_question_mark_has_quotes_there_and_none_in_trop_run(self, workshop: Workshop) -> None:
        checkout = workshop.project("shop", {"trop.yaml": QUESTION})

        variables = self.run(workshop, self.steps()[:1], checkout)

        address = f"http://localhost:{workshop.port(checkout, 'web')}/?a=b"
        assert variables["A_URL"] == f"'{address}'"
        assert workshop.shell("trop run -- sh -c 'echo \"$A_URL\"'", checkout) == f"{address}\n"

    def test_where_trop_fails_the_step_does(self, workshop: Workshop) -> None:
        checkout = workshop.project("shop", {"trop.yaml": "nonsense: ["})

        assert workshop.done(f"set -e; {self.steps()[0]}", checkout, GITHUB_ENV=os.devnull).returncode == 7

    def test_the_file_is_one_by_the_schema_of_workflows(self, workshop: Workshop) -> None:
        shop = workshop.project("shop")
        ACTIONS.write(shop)

        workshop.shell(f"check-jsonschema --builtin-schema vendor.github-workflows {ACTIONS.files[0].file}", shop)

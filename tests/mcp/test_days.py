"""Days of an agent with ports: each ends with the right one, or with one right next step."""

from __future__ import annotations

import os
import shutil

import pytest
from support.days import Day, Place, each_of, spend
from support.repositories import git, make_repository

# Each begins sessions; what they go through is measured in the tests of the tools.
pytestmark = pytest.mark.usefixtures("unmeasured")


def a_first_port(place: Place) -> None:
    assert place.agent().port() == 5000


def the_same_port_tomorrow(place: Place) -> None:
    first = place.agent().port()
    assert place.agent().port() == first


def two_servers_of_one_directory(place: Place) -> None:
    agent = place.agent()
    assert (agent.port(tag="web"), agent.port(tag="api")) == (5000, 5001)


def a_sibling_worktree_in_a_session_of_its_own(place: Place) -> None:
    assert [place.agent(cwd).port() for cwd in (place.shop, place.login)] == [5000, 5001]


def a_sibling_worktree_in_the_same_session(place: Place) -> None:
    agent = place.agent()
    assert [agent.port(folder=str(cwd)) for cwd in (place.shop, place.login)] == [5000, 5001]


def deep_in_the_worktree(place: Place) -> None:
    agent = place.agent()
    root, below = agent.port(), place.shop / "src/app"
    below.mkdir(parents=True)
    told = agent.does("reserve", folder=str(below), dryRun=True)
    assert any("root" in warning for warning in told["warnings"])
    assert agent.port(folder=str(below), root=True) == root


def a_group(place: Place) -> None:
    (place.shop / "trop.yaml").write_text("reservations: {services: {web: {offset: 0}, api: {offset: 1}}}\n")
    told = place.agent().does("autoreserve", folder=str(place.shop))
    assert told["environment"] == {"WEB_PORT": 5000, "API_PORT": 5001}


def a_group_that_is_not_described(place: Place) -> None:
    agent = place.agent()
    assert agent.is_refused("autoreserve").kind == "not_found"
    assert agent.port() == 5000


def a_server_that_was_lost(place: Place) -> None:
    lowest = place.quiet_ports()
    agent = place.looking_agent()
    assert agent.port() == lowest
    assert agent.does("port_info", port=lowest)["occupied"] is False
    assert agent.port() == lowest


def a_squatter_who_came_first(place: Place) -> None:
    lowest = place.quiet_ports()
    place.listen(lowest)
    assert place.looking_agent().port() == lowest + 1


def a_squatter_on_the_preferred_port(place: Place) -> None:
    lowest = place.quiet_ports()
    place.listen(lowest + 5)
    assert place.looking_agent().port(port=lowest + 5) == lowest


def a_squatter_who_came_later(place: Place) -> None:
    lowest = place.quiet_ports()
    agent = place.looking_agent()
    place.listen(agent.port())
    assert agent.port(overwrite=True) == lowest + 1


def my_own_server_still_runs(place: Place) -> None:
    lowest = place.quiet_ports()
    agent = place.looking_agent()
    assert agent.does("reserve")["occupied"] is False
    place.serve(lowest, place.shop)
    told = agent.does("reserve")
    assert (told["reservation"]["port"], told["occupied"]) == (lowest, True)
    assert (told["occupant"]["relation"], told["occupant"]["workingDirectory"]) == ("own", str(place.shop))


def somebody_elses_server_is_on_my_port(place: Place) -> None:
    lowest = place.quiet_ports()
    agent = place.looking_agent()
    agent.port(folder=str(place.login), port=lowest + 50)
    assert agent.port() == lowest
    place.serve(lowest, place.login)
    occupant = agent.does("reserve")["occupant"]
    assert (occupant["relation"], occupant["directory"]) == ("other", str(place.login))
    assert "secret" not in str(occupant)
    assert agent.port(overwrite=True) == lowest + 1


def a_service_of_my_group_runs(place: Place) -> None:
    lowest = place.quiet_ports("reservations: {services: {web: {offset: 0}, api: {offset: 1}}}")
    agent = place.looking_agent()
    agent.does("autoreserve")
    place.serve(lowest + 1, place.shop)
    group = agent.does("autoreserve")["group"]
    assert [group[name]["occupied"] for name in ("web", "api")] == [False, True]
    assert group["api"]["occupant"]["relation"] == "own"


def who_is_on_that_port(place: Place) -> None:
    lowest = place.quiet_ports()
    place.serve(lowest, place.login)
    holder = place.looking_agent().does("port_info", port=lowest)["holder"]
    assert (holder["relation"], holder["workingDirectory"]) == ("unknown", str(place.login))


def a_full_range(place: Place) -> None:
    (place.shop / "trop.yaml").write_text("ports: {min: 5000, max: 5001}\n")
    agent = place.agent()
    assert [agent.port(tag=tag) for tag in ("a", "b")] == [5000, 5001]
    assert agent.is_refused("reserve", tag="c").kind == "port_exhausted"


def room_is_made_by_the_plan_first(place: Place) -> None:
    agent = place.agent()
    agent.port(tag="old")
    assert agent.does("release", tag="old", dryRun=True)["releasedCount"] == 1
    assert agent.does("release", tag="old")["releasedCount"] == 1
    assert agent.port(tag="new") == 5000


def a_directory_that_moved_unannounced(place: Place) -> None:
    port = place.agent(place.login).port()
    os.rename(place.login, place.sandbox.work / "moved")
    git(place.shop, "worktree", "repair", str(place.sandbox.work / "moved"))
    told = place.agent(place.sandbox.work / "moved").does("reserve")
    assert (told["reservation"]["port"], told["outcome"]) == (port, "moved")


def a_worktree_that_git_moved(place: Place) -> None:
    port = place.agent(place.login).port()
    git(place.shop, "worktree", "move", str(place.login), str(place.sandbox.work / "moved"))
    assert place.agent(place.sandbox.work / "moved").port() == port


def a_move_by_hand(place: Place) -> None:
    agent = place.agent()
    port = agent.port(folder=str(place.login))
    shutil.copytree(place.login, place.sandbox.work / "copy")
    shutil.rmtree(place.login)
    move = {"from": str(place.login), "to": str(place.sandbox.work / "copy")}
    assert agent.does("migrate", dryRun=True, **move)["migratedCount"] == 1
    assert agent.does("migrate", **move)["migratedCount"] == 1
    assert agent.does("port_info", port=port)["reservation"]["path"] == move["to"]


def a_move_onto_somebodys_ports(place: Place) -> None:
    agent = place.agent()
    for folder in (place.shop, place.login):
        agent.port(folder=str(folder))
    refused = agent.is_refused("migrate", **{"from": str(place.login), "to": str(place.shop)})
    assert refused.kind == "reservation_conflict"
    assert [row["path"] for row in refused.details["conflicts"]] == [str(place.shop)]


def a_lock(place: Place) -> None:
    agent = place.agent(TROP_BUSY_TIMEOUT="0.1")
    with place.sandbox.locked():
        refused = agent.is_refused("reserve")
    assert (refused.kind, refused.retryable) == ("lock_timeout", True)
    assert agent.port() == 5000


def a_store_that_is_noise(place: Place) -> None:
    place.sandbox.data.mkdir()
    place.sandbox.database.write_bytes(b"noise" * 4096)
    refused = place.agent().is_refused("reserve")
    assert (refused.kind, refused.retryable) == ("database_corrupt", False)
    assert place.sandbox.database.read_bytes() == b"noise" * 4096


def a_session_that_began_at_home(place: Place) -> None:
    agent = place.agent(place.sandbox.home)
    refused = agent.is_refused("reserve")
    assert (refused.kind, refused.details["field"]) == ("invalid_argument", "folder")
    assert agent.port(folder=str(place.shop)) == 5000


def a_session_that_began_in_a_plugin(place: Place) -> None:
    agent = place.agent(place.login, CLAUDE_PLUGIN_ROOT=str(place.login))
    assert agent.is_refused("reserve").details["field"] == "folder"
    assert agent.port(folder=place.shop.as_uri()) == 5000


def a_relative_folder(place: Place) -> None:
    (place.shop / "api").mkdir()
    told = place.agent().does("reserve", folder="api")
    assert told["reservation"]["path"] == str(place.shop / "api")


def numbers_as_texts(place: Place) -> None:
    assert place.agent().port(port="5010", overwrite="false") == 5010


def a_field_that_does_not_exist(place: Place) -> None:
    agent = place.agent()
    assert agent.is_refused("reserve", directory=str(place.shop)).details["field"] == "directory"
    assert agent.port(folder=str(place.shop)) == 5000


def a_port_that_is_none(place: Place) -> None:
    agent = place.agent()
    assert agent.is_refused("reserve", port=70000).details["field"] == "port"
    assert agent.port() == 5000


def somewhere_else(place: Place) -> None:
    other = make_repository(place.sandbox.work / "other")
    agent = place.agent()
    assert "allowUnrelatedPath" in agent.is_refused("reserve", folder=str(other)).hint
    assert agent.port(folder=str(other), allowUnrelatedPath=True) == 5000


def another_project(place: Place) -> None:
    agent = place.agent()
    agent.port()
    assert agent.is_refused("reserve", project="other").kind == "sticky_field"
    assert agent.port() == 5000


def a_broken_configuration(place: Place) -> None:
    (place.shop / "trop.yaml").write_text("ports: {min: many}\n")
    agent = place.agent()
    refused = agent.is_refused("reserve")
    assert (refused.kind, refused.details["problems"][0]["line"]) == ("config_error", 1)
    (place.shop / "trop.yaml").write_text("ports: {min: 6100}\n")
    assert agent.port() == 6100


def whose_port_is_it(place: Place) -> None:
    port = place.agent(place.login).port()
    told = place.agent().does("port_info", port=port)
    assert told["reservation"]["path"] == str(place.login)


def a_port_of_nobody(place: Place) -> None:
    assert "reservation" not in place.agent().does("port_info", port=5000)


def only_what_is_here(place: Place) -> None:
    agent = place.agent()
    for folder in (place.shop, place.login):
        agent.port(folder=str(folder))
    listed = agent.does("list", folder=str(place.login))["reservations"]
    assert [row["path"] for row in listed] == [str(place.login)]


def a_worktree_that_is_gone(place: Place) -> None:
    place.agent(place.login).port()
    git(place.shop, "worktree", "remove", "--force", str(place.login))
    listed = place.agent().does("list", path=str(place.login))["reservations"]
    assert [(row["path"], row["missing"]) for row in listed] == [(str(place.login), True)]


def names_that_look_like_orders(place: Place) -> None:
    agent, folder = place.agent(), place.shop / "$(touch x); `id` \x1b[31m\n%s"
    folder.mkdir()
    assert agent.does("reserve", folder=str(folder))["reservation"]["path"] == str(folder)


def a_tag_of_another_alphabet(place: Place) -> None:
    agent = place.agent()
    assert agent.port(tag="wéb/服务") == agent.port(tag="wéb/服务")


def a_tag_that_is_none(place: Place) -> None:
    agent = place.agent()
    assert agent.is_refused("reserve", tag="a\x1bb").kind == "invalid_identifier"
    assert agent.port(tag="ab") == 5000


def nothing_to_release(place: Place) -> None:
    assert place.agent().does("release")["releasedCount"] == 0


def a_link_to_the_worktree(place: Place) -> None:
    (place.sandbox.work / "link").symlink_to(place.shop)
    agent = place.agent()
    assert agent.port(folder=str(place.sandbox.work / "link")) == agent.port(folder=str(place.shop))


def the_command_line_beside_it(place: Place) -> None:
    port = place.agent().port()
    assert place.sandbox.reserve(cwd=place.shop) == port


def two_agents_at_once(place: Place) -> None:
    agents = [place.agent(folder) for folder in (place.shop, place.login)]
    ports = [agent.port(tag=tag) for tag in "abc" for agent in agents]
    assert sorted(ports) == list(range(5000, 5006))


def a_store_that_only_others_may_write(place: Place) -> None:
    port = place.agent().port()
    place.sandbox.run("chmod", "-R", "a-w", str(place.sandbox.data))
    (row,) = place.agent().does("list")["reservations"]
    assert row["port"] == port


DAYS = [
    Day(a_first_port, 1),
    Day(the_same_port_tomorrow, 2),
    Day(two_servers_of_one_directory, 2),
    Day(a_sibling_worktree_in_a_session_of_its_own, 2),
    Day(a_sibling_worktree_in_the_same_session, 2),
    Day(deep_in_the_worktree, 3),
    Day(a_group, 1),
    Day(a_group_that_is_not_described, 2),
    Day(a_server_that_was_lost, 3),
    Day(a_squatter_who_came_first, 1),
    Day(a_squatter_on_the_preferred_port, 1),
    Day(a_squatter_who_came_later, 2),
    Day(my_own_server_still_runs, 2),
    Day(somebody_elses_server_is_on_my_port, 4),
    Day(a_service_of_my_group_runs, 2),
    Day(who_is_on_that_port, 1),
    Day(a_full_range, 3),
    Day(room_is_made_by_the_plan_first, 4),
    Day(a_directory_that_moved_unannounced, 2),
    Day(a_worktree_that_git_moved, 2),
    Day(a_move_by_hand, 4),
    Day(a_move_onto_somebodys_ports, 3),
    Day(a_lock, 2),
    Day(a_store_that_is_noise, 1),
    Day(a_session_that_began_at_home, 2),
    Day(a_session_that_began_in_a_plugin, 2),
    Day(a_relative_folder, 1),
    Day(numbers_as_texts, 1),
    Day(a_field_that_does_not_exist, 2),
    Day(a_port_that_is_none, 2),
    Day(somewhere_else, 2),
    Day(another_project, 3),
    Day(a_broken_configuration, 2),
    Day(whose_port_is_it, 2),
    Day(a_port_of_nobody, 1),
    Day(only_what_is_here, 3),
    Day(a_worktree_that_is_gone, 2),
    Day(names_that_look_like_orders, 1),
    Day(a_tag_of_another_alphabet, 2),
    Day(a_tag_that_is_none, 2),
    Day(nothing_to_release, 1),
    Day(a_link_to_the_worktree, 2),
    Day(the_command_line_beside_it, 1),
    Day(two_agents_at_once, 6),
    Day(a_store_that_only_others_may_write, 2),
]


@each_of(DAYS)
def test_a_day_ends_with_the_right_port_or_the_right_next_step(place: Place, day: Day) -> None:
    spend(day, place)

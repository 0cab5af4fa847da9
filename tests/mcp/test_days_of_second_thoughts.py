"""Days of an agent that looks how things stand, plans what takes away, and takes back what was wrong."""

from __future__ import annotations

import os

import pytest
from support.days import Day, Place, each_of, spend

# Each begins sessions; what they go through is measured in the tests of the tools.
pytestmark = pytest.mark.usefixtures("unmeasured")


def how_things_stand_at_first(place: Place) -> None:
    agent = place.agent()
    assert agent.does("status")["entries"] == []
    assert agent.port() == 5000


def services_that_have_no_port_yet(place: Place) -> None:
    lowest = place.quiet_ports("reservations: {services: {web: {}, api: {}}}")
    agent = place.looking_agent()
    told = agent.does("status")["entries"]
    assert [(entry["tag"], entry["state"]) for entry in told] == [("web", "unreserved"), ("api", "unreserved")]
    agent.does("autoreserve")
    told = agent.does("status")["entries"]
    assert [(entry["port"], entry["variable"], entry["state"]) for entry in told] == [
        (lowest, "WEB_PORT", "free"),
        (lowest + 1, "API_PORT", "free"),
    ]


def my_server_runs_as_the_status_tells(place: Place) -> None:
    lowest = place.quiet_ports()
    agent = place.looking_agent()
    place.serve(agent.port(), place.shop)
    told = agent.does("status")
    [entry] = told["entries"]
    assert (entry["port"], entry["state"], told["warnings"]) == (lowest, "own", [])


def a_stranger_whom_the_status_names(place: Place) -> None:
    lowest = place.quiet_ports()
    agent = place.looking_agent()
    agent.port(folder=str(place.login), port=lowest + 50)
    place.serve(agent.port(), place.login)
    told = agent.does("status")
    [entry], [warning] = told["entries"], told["warnings"]
    assert (entry["state"], entry["holder"]["directory"]) == ("other", str(place.login))
    assert f"is on port {lowest}, and belongs to" in warning
    assert agent.port(overwrite=True) == lowest + 1


def a_service_that_has_left_the_file(place: Place) -> None:
    agent = place.agent()
    agent.port(tag="old")
    (place.shop / "trop.yaml").write_text("reservations: {services: {web: {}}}\n")
    told = {entry["tag"]: entry["inFile"] for entry in agent.does("status")["entries"]}
    assert told == {"web": True, "old": False}
    assert agent.does("release", tag="old")["releasedCount"] == 1


def a_move_that_the_status_tells_of(place: Place) -> None:
    port = place.agent(place.login).port()
    os.rename(place.login, place.sandbox.work / "moved")
    agent = place.agent(place.sandbox.work / "moved")
    told = agent.does("status")
    assert told["entries"] == []
    assert f"where these ports are reserved: {port}; reserving here moves them along" in told["warnings"][0]
    assert agent.port() == port


def a_file_that_is_broken_and_a_port_that_stays(place: Place) -> None:
    agent = place.agent()
    port = agent.port()
    (place.shop / "trop.yaml").write_text("ports: {min: many}\n")
    told = agent.does("status")
    assert [entry["port"] for entry in told["entries"]] == [port]
    assert "trop.yaml:1:" in told["warnings"][0]


def a_release_by_mistake(place: Place) -> None:
    agent = place.agent()
    port = agent.port()
    agent.does("release")
    assert agent.does("undo")["changed"] == 1
    assert agent.port() == port


def an_undo_that_comes_too_late(place: Place) -> None:
    agent = place.agent()
    agent.port()
    agent.does("release")
    assert place.agent(place.login).port() == 5000
    assert agent.is_refused("undo").kind == "undo_conflict"
    assert agent.port() == 5001


def nothing_to_take_back(place: Place) -> None:
    agent = place.agent()
    assert agent.is_refused("undo").kind == "not_found"
    assert agent.port() == 5000


def a_release_in_a_session_that_began_at_home(place: Place) -> None:
    agent, folder = place.agent(place.sandbox.home), str(place.shop)
    agent.port(folder=folder)
    refused = agent.is_refused("release", folder=folder)
    assert (refused.kind, refused.details["field"]) == ("invalid_argument", "plan")
    plan = agent.does("release", folder=folder, dryRun=True)["plan"]
    assert agent.does("release", folder=folder, plan=plan["token"])["releasedCount"] == 1


def a_plan_that_does_not_hold_any_more(place: Place) -> None:
    agent = place.agent()
    agent.port(tag="web")
    plan = agent.does("release", dryRun=True)["plan"]
    agent.port(tag="api")
    assert agent.is_refused("release", plan=plan["token"]).kind == "plan_changed"
    assert agent.does("release", tag="web")["releasedCount"] == 1


def a_plan_that_is_carried_out_once(place: Place) -> None:
    agent = place.agent()
    agent.port()
    plan = agent.does("release", dryRun=True)["plan"]
    assert agent.does("release", plan=plan["token"])["releasedCount"] == 1
    assert agent.is_refused("release", plan=plan["token"]).kind == "plan_used"


def a_move_by_a_plan(place: Place) -> None:
    agent = place.agent()
    port = agent.port(folder=str(place.login))
    move = {"from": str(place.login), "to": str(place.sandbox.work / "copy")}
    plan = agent.does("migrate", dryRun=True, **move)["plan"]
    assert agent.does("migrate", plan=plan["token"], **move)["migratedCount"] == 1
    assert agent.does("port_info", port=port)["reservation"]["path"] == move["to"]


def the_address_that_is_registered_elsewhere(place: Place) -> None:
    agent = place.agent(tools="trop_reserve,trop_swap")
    assert [agent.port(folder=str(cwd)) for cwd in (place.shop, place.login)] == [5000, 5001]
    swapped = agent.does("swap", folder=str(place.login), path=str(place.shop))
    assert (swapped["reservation"]["port"], swapped["other"]["port"]) == (5000, 5001)
    assert agent.port(folder=str(place.login)) == 5000


def a_swap_with_nobody(place: Place) -> None:
    agent = place.agent(tools="trop_reserve,trop_swap")
    assert agent.port() == 5000
    assert agent.is_refused("swap", path=str(place.login)).kind == "not_found"
    assert agent.port() == 5000


def the_variables_of_a_program(place: Place) -> None:
    (place.shop / "trop.yaml").write_text("reservations: {services: {web: {}, api: {}}}\n")
    told = place.agent(tools="trop_env").does("env")
    assert told["environment"] == {"PORT": 5000, "WEB_PORT": 5000, "API_PORT": 5001}


def the_address_of_a_program(place: Place) -> None:
    assert place.agent(tools="trop_url").does("url")["url"] == "http://localhost:5000/"


DAYS = [
    Day(how_things_stand_at_first, 2),
    Day(services_that_have_no_port_yet, 3),
    Day(my_server_runs_as_the_status_tells, 2),
    Day(a_stranger_whom_the_status_names, 4),
    Day(a_service_that_has_left_the_file, 3),
    Day(a_move_that_the_status_tells_of, 3),
    Day(a_file_that_is_broken_and_a_port_that_stays, 2),
    Day(a_release_by_mistake, 4),
    Day(an_undo_that_comes_too_late, 5),
    Day(nothing_to_take_back, 2),
    Day(a_release_in_a_session_that_began_at_home, 4),
    Day(a_plan_that_does_not_hold_any_more, 5),
    Day(a_plan_that_is_carried_out_once, 4),
    Day(a_move_by_a_plan, 4),
    Day(the_address_that_is_registered_elsewhere, 4),
    Day(a_swap_with_nobody, 3),
    Day(the_variables_of_a_program, 1),
    Day(the_address_of_a_program, 1),
]


@each_of(DAYS)
def test_a_day_ends_with_the_right_port_or_the_right_next_step(place: Place, day: Day) -> None:
    spend(day, place)

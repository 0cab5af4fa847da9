"""--verbose says what a call was based on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.sandbox import Sandbox


def test_it_names_the_store_and_the_place_of_each_setting_that_is_no_default(sandbox: Sandbox) -> None:
    work = sandbox.directory("work")
    settings = "ports: {min: 6000}\nexcluded_ports: [6000]\noccupancy_check: {skip: true}\n"
    (work / "trop.yaml").write_text(settings, encoding="utf-8")

    done = sandbox.trop("reserve", "--verbose", cwd=work, TROP_EXPIRE_AFTER_DAYS="7", TROP_SKIP_OCCUPANCY_CHECK=None)

    assert done.stdout == "6001\n"
    assert done.stderr.splitlines() == [
        f"the store is in {sandbox.data}",
        "cleanup.expire_after_days is set by: TROP_EXPIRE_AFTER_DAYS",
        f"excluded_ports is set by: {work}/trop.yaml:2:17",
        f"occupancy_check.skip is set by: {work}/trop.yaml:3:25",
        f"ports.min is set by: {work}/trop.yaml:1:14",
    ]


def test_without_it_nothing_of_the_kind_is_told(sandbox: Sandbox) -> None:
    done = sandbox.trop("reserve", TROP_EXPIRE_AFTER_DAYS="7")

    assert done.stderr == ""

"""Measuring the coverage of the many processes that tests start, in little time beside what they do themselves."""

from __future__ import annotations

import os

from coverage import Coverage


def measure_what_is_loaded() -> None:
    """Have processes that are started from here report on the modules alone that they load, if they are measured.

    To look through all there are takes longer than most of what they do, and the tests' own process does it anyway.
    """
    config = os.environ.get("COVERAGE_PROCESS_CONFIG")
    if config:
        measuring = Coverage(config_file=f":data:{config}")
        places = measuring.config.source or []
        measuring.set_option("run:source", None)
        # Of this checkout alone: tests install it in other places, too.
        measuring.set_option("run:include", [f"{place}/*" for place in places])
        os.environ["COVERAGE_PROCESS_CONFIG"] = measuring.config.serialize()


def look_at_modules() -> None:
    """Find out once what coverage would find out in each fork of this process: which module has which file."""
    measuring = Coverage(data_file=None, config_file=False)
    measuring.start()
    measuring.stop()

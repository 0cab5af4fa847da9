"""Configuration files, as the Rust tool of the same name takes or writes them, and what they mean here.

What that tool takes stands in its ``trop/src/config/schema.rs`` and ``validator.rs`` (github.com/plx/trop). A file
means the same in both unless a decision says why not. ``None`` is a file that is refused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from trop_core.ports.exclusions import Exclusions

Values = dict[str, Any] | None


class File(NamedTuple):
    """A file, what it means here, and why it means something else there, if it does."""

    text: str
    values: Values
    decision: str = ""
    user: bool = False
    """Whether it is the user's own ``config.yaml``."""


def excluded(*ranges: tuple[int, int]) -> dict[str, Any]:
    """What the exclusions come to."""
    return {"excluded_ports": Exclusions(ranges)}


def range_of(low: int | None, high: int | None = None, offset: int | None = None) -> dict[str, Any]:
    """What the range comes to."""
    given = {"ports.min": low, "ports.max": high, "ports.max_offset": offset}
    return {name: value for name, value in given.items() if value is not None}


SEEN = "a number is what a person sees: in decimal, and without what YAML versions disagree on"
QUOTED = "a quoted decimal number is a number here"
MORE = "here it is not needed"
WORDS = "YAML 1.1's words for yes and no are taken as well"

WRITTEN = """\
project: null
ports:
  min: 5000
  max: 7000
  max_offset: null
excluded_ports:
- 5001
- start: 5005
  end: 5009
cleanup:
  expire_after_days: 30
occupancy_check:
  skip: false
  skip_ip4: null
  skip_ip6: null
  skip_tcp: null
  skip_udp: true
  check_all_interfaces: null
reservations: null
disable_autoinit: null
disable_autoprune: true
disable_autoexpire: null
allow_unrelated_path: null
allow_change_project: null
allow_change_task: null
allow_change: null
maximum_lock_wait_seconds: 5
output_format: json
"""
"""What the tool writes when it has changed a file."""

_WRITTEN_VALUES: dict[str, Any] = {
    **range_of(5000, 7000),
    **excluded((5001, 5001), (5005, 5009)),
    "cleanup.expire_after_days": 30,
    "occupancy_check.skip": False,
    "occupancy_check.skip_udp": True,
    "disable_autoprune": True,
    "output_format": "json",
}

EXCLUSIONS: dict[str, tuple[Values, str]] = {
    "[]": (excluded(), ""),
    "[5001]": (excluded((5001, 5001)), ""),
    "[5001, 5001]": (excluded((5001, 5001)), ""),
    "[1, 65535]": (excluded((1, 1), (65535, 65535)), ""),
    "[5005..5009]": (excluded((5005, 5009)), ""),
    "['5005..5009']": (excluded((5005, 5009)), ""),
    '["5005..5009"]': (excluded((5005, 5009)), ""),
    "[5005 .. 5009]": (excluded((5005, 5009)), ""),
    "['5005 .. 5009']": (excluded((5005, 5009)), ""),
    "['5005.. 5009']": (excluded((5005, 5009)), ""),
    "['5005 ..5009']": (excluded((5005, 5009)), ""),
    "[' 5005..5009 ']": (excluded((5005, 5009)), ""),
    "['5005..5005']": (excluded((5005, 5005)), ""),
    "['05005..05009']": (excluded((5005, 5009)), ""),
    "['5000']": (excluded((5000, 5000)), ""),
    "[' 5000 ']": (excluded((5000, 5000)), ""),
    "['05000']": (None, SEEN),
    "['+5000']": (None, SEEN),
    "[{start: 5003, end: 5005}]": (excluded((5003, 5005)), ""),
    "[{end: 5005, start: 5003}]": (excluded((5003, 5005)), ""),
    "[{start: 5003, end: 5003}]": (excluded((5003, 5003)), ""),
    "[5001, {start: 5003, end: 5005}, 5010..5012, '5020']": (
        excluded((5001, 5001), (5003, 5005), (5010, 5012), (5020, 5020)),
        "",
    ),
    "[{start: 5003, end: 5005, note: mine}]": (None, "a key that nobody knows is told here, and overlooked there"),
    "[{start: 5003}]": (None, ""),
    "[{start: 5005, end: 5003}]": (None, ""),
    "[{start: 0, end: 5}]": (None, ""),
    "[{start: null, end: 5}]": (None, ""),
    "[5009..5005]": (None, ""),
    "[5005...5009]": (None, ""),
    "[5005..=5009]": (None, ""),
    "[5005-5009]": (None, ""),
    "[0]": (None, ""),
    "[65536]": (None, ""),
    "[-1]": (None, ""),
    "[5000.0]": (None, ""),
    "[true]": (None, ""),
    "[null]": (None, ""),
    "[[5001]]": (None, ""),
    "[web]": (None, ""),
    "['']": (None, ""),
    "5001": (None, ""),
    "{5001: true}": (None, ""),
    "null": ({}, ""),
    "~": ({}, ""),
    "": ({}, ""),
    "[05000]": (None, "there it is a text, and 5000; " + SEEN),
    "[0x1388]": (None, SEEN),
    "[5_000]": (None, ""),
}

RANGES: dict[str, tuple[Values, str]] = {
    "{min: 5000, max: 7000}": (range_of(5000, 7000), ""),
    "{min: 5000, max: 5000}": (range_of(5000, 5000), ""),
    "{min: 1, max: 65535}": (range_of(1, 65535), ""),
    "{min: 5000}": (range_of(5000), ""),
    "{min: 5000, max_offset: 100}": (range_of(5000, offset=100), ""),
    "{min: 5000, max: 7000, max_offset: null}": (range_of(5000, 7000), ""),
    "{min: 5000, max: null, max_offset: 100}": (range_of(5000, offset=100), ""),
    "null": ({}, ""),
    "{max: 7000}": (range_of(None, 7000), f"there min has to stand beside it; {MORE}"),
    "{}": ({}, f"there min has to stand in it; {MORE}"),
    "{min: '5000'}": (range_of(5000), QUOTED),
    "{min: 5000, max: '7000'}": (range_of(5000, 7000), QUOTED),
    "{min: 5000, max_offset: 0}": (range_of(5000, offset=0), "a range of one port is one"),
    "{min: +5000}": (range_of(5000), ""),
    "{min: 5000, max: 7000, max_offset: 100}": (None, ""),
    "{min: 7000, max: 5000}": (None, ""),
    "{min: 0}": (None, ""),
    "{min: 65536}": (None, ""),
    "{min: -1}": (None, ""),
    "{min: 5000.0}": (None, ""),
    "{min: 5e3}": (None, ""),
    "{min: true}": (None, ""),
    "{min: 05000}": (None, ""),
    "{min: 5_000}": (None, ""),
    "{min: 1:23:20}": (None, ""),
    "{min: 0x1388}": (None, SEEN),
    "{min: 0o11610}": (None, SEEN),
    "{min: 5000, mx: 7000}": (None, ""),
    "[5000, 7000]": (None, ""),
    "5000": (None, ""),
}

OTHERS: dict[str, File] = {
    "as the tool writes it": File(WRITTEN, {**_WRITTEN_VALUES, "maximum_lock_wait_seconds": 5.0}, user=True),
    "a null project of the user's": File("project: null\n", {}, user=True),
    "null reservations of the user's": File("reservations: null\n", {}, user=True),
    "a project of the user's": File("project: shop\n", None, user=True),
    "reservations of the user's": File("reservations: {services: {web: {}}}\n", None, user=True),
    "a project": File("project: shop\n", {"project": "shop"}),
    "a project in spaces": File("project: '  shop  '\n", {"project": "shop"}),
    "an empty project": File("project: '  '\n", None),
    "a project that is a number": File("project: 5\n", None),
    "days": File("cleanup: {expire_after_days: 7}\n", {"cleanup.expire_after_days": 7}),
    "null days": File("cleanup: {expire_after_days: null}\n", {}),
    "quoted days": File("cleanup: {expire_after_days: '7'}\n", {"cleanup.expire_after_days": 7}, QUOTED),
    "no day": File("cleanup: {expire_after_days: 0}\n", None),
    "half a day": File("cleanup: {expire_after_days: 0.5}\n", None),
    "a null cleanup": File("cleanup: null\n", {}),
    "a null check": File("occupancy_check: null\n", {}),
    "a check": File("occupancy_check: {skip_ip6: true}\n", {"occupancy_check.skip_ip6": True}),
    "a check with yes": File("occupancy_check: {skip: yes}\n", {"occupancy_check.skip": True}, WORDS),
    "a check with a number": File("occupancy_check: {skip: 1}\n", None),
    "a check with a text": File("occupancy_check: {skip: 'true'}\n", None),
    "a check that nobody knows": File("occupancy_check: {skip_ipv4: true}\n", None),
    "permissions": File(
        "allow_change: true\nallow_change_task: false\n", {"allow_change": True, "allow_change_task": False}
    ),
    "a wait": File("maximum_lock_wait_seconds: 9\n", {"maximum_lock_wait_seconds": 9.0}, user=True),
    "no wait": File(
        "maximum_lock_wait_seconds: 0\n", {"maximum_lock_wait_seconds": 0.0}, "0 is not to wait", user=True
    ),
    "half a second": File(
        "maximum_lock_wait_seconds: 0.5\n", {"maximum_lock_wait_seconds": 0.5}, "seconds have parts", user=True
    ),
    "a format": File("output_format: tsv\n", {"output_format": "tsv"}),
    "a format in capitals": File("output_format: TSV\n", None),
    "a key that nobody knows": File("port_range: 1\n", None),
    "a key twice": File("disable_autoprune: true\ndisable_autoprune: false\n", None),
    "two documents": File("disable_autoprune: true\n---\ndisable_autoprune: true\n", None),
    "a list": File("- 5000\n", None),
    "a text": File("ports\n", None),
    "broken": File("ports: {min: 5000\n", None),
}

FILES: dict[str, File] = {
    **{f"excluded_ports: {text}": File(f"excluded_ports: {text}\n", *means) for text, means in EXCLUSIONS.items()},
    **{f"ports: {text}": File(f"ports: {text}\n", *means) for text, means in RANGES.items()},
    **OTHERS,
}

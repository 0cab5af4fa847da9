"""The rows about the files that describe a group, hostile ones among them."""

from __future__ import annotations

from typing import Any

from support.groups.case import GROUP, GroupCase, Grouped, broken, case, made
from support.refusals import Refused

NAMED: dict[str, Any] = {"command": "reserve_group"}
FILES = (
    case("file", made(), given={"config": "trop.yaml"}, **NAMED),
    case(
        "file-of-a-pair",
        made(5002, 5003, 5006),
        local_file=GROUP.replace("  services", "  base: 5002\n  services", 1),
        given={"config": "trop.yaml"},
        **NAMED,
    ),
    case(
        "local-file-of-a-pair",
        made(5005, 5006, 5009),
        local_file="ports: {min: 5005}\n",
        given={"config": "./trop.local.yaml"},
        **NAMED,
    ),
    case(
        "file-of-another-name",
        made(5003, 5004, 5007),
        "project: shop\nports: {max: 5001}\n",
        files={"dev.yaml": GROUP.replace("  services", "  base: 5003\n  services", 1)},
        given={"config": "dev.yaml"},
        **NAMED,
    ),
    case(
        "file-below",
        made(path="sub"),
        None,
        files={"sub/trop.yaml": GROUP},
        given={"config": "sub/../sub//trop.yaml"},
        **NAMED,
    ),
    case(
        "no-such-file",
        Refused(kind="invalid_path", code=4, says="there is no such file"),
        given={"config": "trop.yml"},
        **NAMED,
    ),
    case(
        "no-such-directory",
        Refused(kind="invalid_path", code=4, says="there is no such file"),
        given={"config": "trop.yaml/trop.yaml"},
        **NAMED,
    ),
    case(
        "a-directory",
        broken("expected a file, and this is a directory"),
        None,
        files={"sub/x": ""},
        given={"config": "sub"},
        **NAMED,
    ),
    case(
        "file-without-a-group",
        broken("trop.yaml: reservations: there is nothing to reserve: add a mapping such as"),
        "project: shop\n",
        given={"config": "trop.yaml"},
        **NAMED,
    ),
    case(
        "the-global-file",
        broken("this key belongs in trop.yaml"),
        None,
        files={"config.yaml": GROUP},
        given={"config": "config.yaml"},
        **NAMED,
    ),
    case(
        "unrelated",
        Refused(kind="unrelated_path", code=1),
        None,
        files={"../elsewhere/trop.yaml": GROUP},
        given={"config": "../elsewhere/trop.yaml"},
        **NAMED,
    ),
    case(
        "unrelated-allowed",
        made(path="../elsewhere"),
        None,
        files={"../elsewhere/trop.yaml": GROUP},
        given={"config": "../elsewhere/trop.yaml", "allow_unrelated_path": True},
        **NAMED,
    ),
    case(
        "unrelated-forced",
        made(path="../elsewhere"),
        None,
        files={"../elsewhere/trop.yaml": GROUP},
        given={"config": "../elsewhere/trop.yaml", "force": True},
        **NAMED,
    ),
    case(
        "no-file-anywhere",
        Refused(
            kind="not_found",
            code=6,
            says='there is no trop.yaml or trop.local.yaml in "{work}" or a directory above it',
        ),
        None,
    ),
    case("no-group", broken("trop.yaml: reservations: there is nothing to reserve"), "project: shop\n"),
    case("group-taken-away", broken("there is nothing to reserve"), local_file="reservations:\n"),
    case("no-services", broken("expected at least one service"), "reservations: {services: {}}\n"),
    case(
        "nearest-file-has-no-group",
        broken("sub/trop.yaml: reservations: there is nothing to reserve"),
        given={"folder": "{work}/sub"},
        files={"sub/trop.yaml": "project: shop\n"},
    ),
)


def _named(name: str, says: str) -> GroupCase:
    text = f"reservations: {{services: {{web: {{env: {name}}}}}}}\n"
    return case(f"name-{len(says)}-{name[:20]}", broken(says), text)


A_NAME = "expected a name of letters, digits and _ that does not begin with a digit, 255 bytes at most"
TAKEN = "for something else: give another env"
HOSTILE = (
    *(
        _named(name, A_NAME)
        for name in (
            '"X; rm -rf ."',
            '"$(touch owned)"',
            '"`touch owned`"',
            '"X=1\\ntouch owned\\nY"',
            '"X\\n"',
            "'X\" \"'",
            '"X Y"',
            '"1X"',
            '""',
            '"-X"',
            '"X-Y"',
            '"X.Y"',
            "\u0420ORT",
            "\uff38",
            '"X\\u00e9"',
            '"X\\u200b"',
            "X" * 256,
        )
    ),
    *(_named(name, TAKEN) for name in ("PATH", "path", "Bash_Env", "LD_PRELOAD", "TROP_DATA_DIR", "PYTHONPATH")),
    case(
        "name-of-a-service-that-makes-none",
        broken('the service\'s name makes no name of a variable, "WEB;ID"'),
        'reservations: {services: {"web;id": {}}}\n',
    ),
    case(
        "name-of-a-service-that-means-something",
        broken("the variable HOME " + TAKEN),
        "reservations: {services: {home: {}}}\n",
    ),
    case(
        "names-that-differ-in-case-alone",
        broken("has the same variable, PORT"),
        "reservations: {services: {a: {env: port}, b: {offset: 1, env: PORT}}}\n",
    ),
    case(
        "longest-name",
        Grouped(outcome="created", ports={"web": 5000}),
        f"reservations: {{services: {{web: {{env: {'X' * 255}}}}}}}\n",
    ),
    case(
        "hostile-tag-with-a-good-name",
        Grouped(outcome="created", ports={"$(touch owned)": 5000}),
        'reservations: {services: {"$(touch owned)": {env: X}}}\n',
    ),
)

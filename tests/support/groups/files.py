"""The rows about the files that describe a group, hostile ones among them."""

from __future__ import annotations

from typing import Any

from support.groups.case import GROUP, GroupCase, Grouped, broken, case, made
from support.refusals import Refused
from support.reserve.case import RANGE, Row

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


A_NAME = "is no name of a variable: one has A to Z, digits and _, 255 at most, and no digit first"
NO_PORT = "has no PORT among its parts, as WEB_PORT and PORT_API have"
ALLOWING = "only your own config.yaml can allow it, under allowed_variables"
NOT_UPPER = "is not in upper case"
OWN = "begins with TROP_, as trop's own variables do"
REFUSED_TWO = "reservations: {services: {web: {env: PATH}, api: {}}}\n"

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
    *(
        _named(name, NO_PORT)
        for name in ("PATH", "LD_PRELOAD", "PYTHONPATH", "GIT_COMMON_DIR", "VIMRUNTIME", "TRANSPORT", "HTTP_PROXY")
    ),
    *(_named(name, NOT_UPPER) for name in ("path", "Bash_Env", "web_port")),
    *(_named(name, OWN) for name in ("TROP_DATA_DIR", "TROP_PORT_MIN", "trop_port")),
    case(
        "name-of-a-service-that-makes-none",
        broken('give env: the variable that the service\'s name makes, "WEB;ID_PORT" is no name of a variable'),
        'reservations: {services: {"web;id": {}}}\n',
    ),
    case(
        "names-of-services-that-would-mean-something",
        Grouped(outcome="created", ports={"home": 5000, "http-proxy": 5001, "lang": 5002}),
        "reservations: {services: {home: {}, http-proxy: {}, lang: {}}}\n",
    ),
    case(
        "names-that-two-services-make",
        broken('the service "my-app" has the same variable, MY_APP_PORT'),
        "reservations: {services: {my-app: {}, my_app: {}}}\n",
    ),
    case(
        "longest-name",
        Grouped(outcome="created", ports={"web": 5000}),
        f"reservations: {{services: {{web: {{env: {'X' * 250}_PORT}}}}}}\n",
    ),
    case(
        "hostile-tag-with-a-good-name",
        Grouped(outcome="created", ports={"$(touch owned)": 5000}),
        'reservations: {services: {"$(touch owned)": {env: PORT}}}\n',
    ),
    case(
        "name-that-the-user-allows",
        Grouped(outcome="created", ports={"web": 5000}),
        "reservations: {services: {web: {env: my_app}}}\n",
        config=RANGE + "allowed_variables: [my_*]\n",
    ),
    case(
        "name-that-the-file-itself-would-allow",
        broken('the variable "PATH" has no PORT among its parts'),
        "allowed_variables: [PATH]\nreservations: {services: {web: {env: PATH}}}\n",
    ),
    case(
        "key-that-is-the-users-has-no-effect",
        Grouped(
            outcome="created",
            ports={"web": 5000},
            warnings=("{work}/trop.yaml:1:1: disable_autoinit has no effect: it is the user's to set, in config.yaml",),
        ),
        "disable_autoinit: true\nreservations: {services: {web: {}}}\n",
    ),
    case(
        "name-refused-in-a-stored-group",
        Grouped(
            outcome="reused",
            ports={"web": 5000, "api": 5001},
            variables={"API_PORT": 5001},
            warnings=(f'reservations.services.web.env is left out: the variable "PATH" {NO_PORT}; {ALLOWING}',),
        ),
        REFUSED_TWO,
        stored=(Row(tag="web", port=5000), Row(tag="api", port=5001)),
    ),
    case(
        "name-refused-where-one-is-missing",
        broken(NO_PORT),
        REFUSED_TWO,
        stored=(Row(tag="web", port=5000),),
        given={"force": True},
    ),
    case(
        "offsets-left-out-and-a-port-alone",
        Grouped(outcome="created", ports={"web": 5050, "api": 5001, "db": 5003, "mail": 5002}),
        "reservations: {services: {web: 5050, api: {offset: 1}, db: {offset: 3}, mail: {}}}\n",
    ),
)

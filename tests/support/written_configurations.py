"""Project files as people write them, right ones and wrong ones, made at random from what may stand at each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_SWITCH = ("true", "false", "yes", "off", "null", "", "1", '"true"', "[]")
_PORT = (
    "1",
    "5000",
    "65535",
    "0",
    "65536",
    "-1",
    "5000.5",
    "5e3",
    '"5000"',
    '"0"',
    '"65536"',
    '"05000"',
    "high",
    "~",
    "{}",
)
_ODD_PORT = ("05000", "0x1388", "5_000", "1:30", "5000.0", "99999999999999999999999")
_OFFSET = ("0", "1", "2", "65534", "65535", "-1", '"7"', '"70000"', "x", "null", "true")
_NAME = (
    "shop",
    '" shop "',
    '""',
    "7",
    '"7"',
    "null",
    "2026-11-27",
    '"a\\tb"',
    '"a\\x7f"',
    "straße",
    "x" * 255,
    "x" * 256,
)
_EXCLUSION = (
    *(
        "5001",
        "5005..5009",
        '"5005 .. 5009"',
        "05005..05009",
        "5009..5005",
        "000001..2",
        "0..5",
        "1..65536",
        "1..65535",
    ),
    *("{start: 5005, end: 5009}", "{start: 5009, end: 5005}", "{start: 5005}", '{start: "5005", end: "05009"}'),
    *("{start: 1, end: 2, step: 1}", "0", "null", "true", "[5001]", "5001.5", '" 5001 "', "..", "5001..", "5001-5002"),
)
_VARIABLE = (
    *("PORT", "WEB_PORT", "PORT_API", "_PORT", "A__PORT_", "PORT9", "9_PORT", "PATH", "port", "Web_PORT", "TROP_PORT"),
    *("trop_port", "TRANSPORT", '""', "null", "5", '"A PORT"', "PÖRT_PORT", "P" * 250 + "_PORT", "P" * 251 + "_PORT"),
)
_MADE = (
    *("API_URL", "URL", "_URI", "ORIGIN_9", "ENDPOINT", "X_ADDR", "9_URL", "URLS", "api_url", "TROP_URL", "WEB_PORT"),
    *("COMPOSE_PROJECT_NAME", '"A URL"', "7"),
)
_TEMPLATE = (
    *('"http://localhost:{port:web}"', '"https://api.localhost:{port:web}/a?b=c#d"', '"ws://[::1]:{port:api}/"'),
    *('"http://127.0.0.1:{port:web}/%20"', '"http://example.org:{port:web}"', '"JavaScript://localhost:{port:web}"'),
    *('"file://localhost:{port:web}/x"', '"http://u@localhost:{port:web}"', '"http://localhost:{port:web}/a b"'),
    *(
        '"{name}"',
        '"http://localhost:{port}"',
        '"http://localhost:5000"',
        "5000",
        "null",
        '""',
        '"x-y+z.1://localhost:{port:web}"',
    ),
)
_SERVICE = ("null", "{}", "5050", '"5051"', "70000", "web", "true", "[]", "5050.5")
_TAG = ("web", "api", "db", "my-api", '"web "', '""', "7", '"a b"', "straße", "9live", "trop_x", '"a\\nb"', "x" * 256)

KEYS = {
    "project": _NAME,
    "excluded_ports": ("[]", "5001", "null", "{}"),
    "disable_autoprune": _SWITCH,
    "allow_change": _SWITCH,
    "allow_change_task": _SWITCH,
    "disable_autoinit": _SWITCH,
    "follow_moves": _SWITCH,
    "safe_directories": ("[/tmp]", "null"),
    "output_format": ("table", "json", "TABLE", "xml", "null", "7"),
    "reserve_for": ("directory", "root", "file", "null"),
    "cleanup": ("{expire_after_days: 30}", "{expire_after_days: 0}", "{expire: 3}", "null", "30", "{}"),
    "occupancy_check": ("{skip: true}", "{skip_ipv4: true}", "{skip_tcp: maybe}", "null", "[]", "false"),
    "ports": ("null", "[5000, 7000]", "5000", "{}"),
    "projekt": ("shop",),
    "ports.min": ("5000",),
}
"""What may stand at the keys of the top level. A key that the schema does not have is one that somebody made up."""


def written(random: Random) -> str:
    """A file: most are right or nearly so, since two mistakes in one hide each other."""
    entries: dict[str, str] = {}
    for key in random.sample(sorted(KEYS), random.choice((0, 1, 1, 2, 3))):
        entries[key] = _one(random, KEYS[key])
    if random.random() < 0.4:
        entries["ports"] = _mapping(
            random, {"min": (*_PORT, *_ODD_PORT), "max": _PORT, "max_offset": _OFFSET, "avoid": _AVOIDED, "mix": ("1",)}
        )
    if random.random() < 0.3:
        entries["excluded_ports"] = f"[{', '.join(_one(random, _EXCLUSION) for _ in range(random.randint(1, 3)))}]"
    if random.random() < 0.7:
        entries["reservations"] = _group(random)
    lines = [f"{key}: {value}" for key, value in entries.items()]
    if lines and random.random() < 0.03:
        lines.append(lines[0])
    return "\n".join(lines) + "\n"


_AVOIDED = ("[browser]", "[]", "[airplay, ephemeral]", "[chrome]", "browser", "null", "[null]")


def _group(random: Random) -> str:
    if random.random() < 0.1:
        return _one(
            random, ("null", "{}", "{services: {}}", "{services: null}", "{services: [web]}", "[]", "{base: 5000}")
        )
    tags = ["web", *(_one(random, _TAG) for _ in range(random.randint(0, 2)))]
    if random.random() < 0.03:
        tags = [f"s{number}" for number in range(random.choice((64, 65)))]
    services = ", ".join(f"{tag}: {_service(random)}" for tag in dict.fromkeys(tags))
    parts = [f"services: {{{services}}}"]
    if random.random() < 0.3:
        parts.append(f"base: {_one(random, _PORT)}")
    if random.random() < 0.4:
        made = dict.fromkeys(_one(random, _MADE) for _ in range(random.randint(1, 2)))
        parts.append(f"environment: {{{', '.join(f'{name}: {_one(random, _TEMPLATE)}' for name in made)}}}")
    if random.random() < 0.05:
        parts.append("service: {web: {}}")
    return f"{{{', '.join(parts)}}}"


def _service(random: Random) -> str:
    if random.random() < 0.5:
        return _one(random, _SERVICE)
    return _mapping(random, {"offset": _OFFSET, "preferred": (*_PORT, *_ODD_PORT), "env": _VARIABLE, "port": ("5000",)})


def _mapping(random: Random, fields: dict[str, tuple[str, ...]]) -> str:
    chosen = random.sample(sorted(fields), random.choice((1, 1, 2)))
    return "{" + ", ".join(f"{field}: {_one(random, fields[field])}" for field in chosen) + "}"


def _one(random: Random, texts: tuple[str, ...]) -> str:
    """One of the texts; of the first ones, which are right, more often."""
    among = len(texts) if random.random() < 0.4 else len(texts) // 4 or 1
    return texts[random.randrange(among)]

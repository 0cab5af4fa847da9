"""What may be wrong with the configuration, the range and the sockets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from support import stores
from support.unwell.patient import Case
from trop_core.errors.system import SocketsUnreadable
from trop_core.ports.exclusions import Exclusions
from trop_core.ports.sockets import ONLY_OWN, SocketTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.unwell.patient import Patient
    from trop_core.operations.doctor.finding import Finding

STRANGER = 12345


def _config(text: str) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        patient.config.touch(mode=0o600)
        patient.config.write_text(text)

    return make


def _variable(name: str, value: str) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        patient.environment[name] = value

    return make


def _variable_beside(name: str, value: str, text: str) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        _config(text)(patient)
        _variable(name, value)(patient)

    return make


def _variables_above_a_project(patient: Patient) -> None:
    patient.write("trop.yaml", "ports: {min: 6000, max: 6010}\n")
    patient.environment.update(TROP_PORT_MIN="6000", TROP_PORT_MAX="6000")


def _without_them(patient: Patient, _finding: Finding) -> None:
    del patient.environment["TROP_PORT_MIN"], patient.environment["TROP_PORT_MAX"]


def _unset(patient: Patient, finding: Finding) -> None:
    assert finding.advice is not None
    verb, name = finding.advice.split()
    assert verb == "unset"
    del patient.environment[name]


def _renamed_variable(old: str, new: str) -> Callable[[Patient, Finding], None]:
    def cure(patient: Patient, _finding: Finding) -> None:
        patient.environment[new] = patient.environment.pop(old)

    return cure


def _file(name: str, text: str) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        patient.write(name, text)

    return make


def _mended(name: str, text: str) -> Callable[[Patient, Finding], None]:
    """The file is corrected, and the command that the advice names finds nothing more in it."""

    def cure(patient: Patient, finding: Finding) -> None:
        assert finding.advice is not None
        path = patient.config if name == "config.yaml" else patient.work / name
        path.write_text(text)
        patient.shell(finding.advice.partition("then: ")[2])

    return cure


def _renamed(old: str, new: str) -> Callable[[Patient, Finding], None]:
    def cure(patient: Patient, _finding: Finding) -> None:
        place = patient.data if new == "config.yaml" else patient.work
        (place / old).rename(place / new)

    return cure


def _configured(text: str) -> Callable[[Patient, Finding], None]:
    def cure(patient: Patient, _finding: Finding) -> None:
        _config(text)(patient)

    return cure


def _removed(name: str) -> Callable[[Patient, Finding], None]:
    def cure(patient: Patient, _finding: Finding) -> None:
        path = patient.config if name == "config.yaml" else patient.work / name
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    return cure


def _config_is_a_directory(patient: Patient) -> None:
    patient.config.mkdir()


def _near_name_of_users(patient: Patient) -> None:
    (patient.data / "config.yml").touch(mode=0o600)


def _pipe(patient: Patient) -> None:
    os.mkfifo(patient.work / "trop.yaml")


def _of_a_stranger(patient: Patient) -> None:
    os.lchown(patient.write("trop.yaml", "project: strange\n"), STRANGER, STRANGER)


def _called_safe(patient: Patient, _finding: Finding) -> None:
    _config(f"safe_directories: ['{patient.work}']\n")(patient)


def _of_the_system(first: int, last: int) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        patient.world["ephemeral"] = lambda: Exclusions(((first, last),))

    return make


def _all_of_the_range_is_of_the_system(file: str) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        _of_the_system(6000, 9000)(patient)
        text = "ports: {min: 6500, max: 6600}\n"
        _config(text)(patient) if file == "config.yaml" else _file(file, text)(patient)

    return make


def _what_is_left_is_of_the_system(patient: Patient) -> None:
    _full(10, 21)(patient)
    _of_the_system(7110, 9000)(patient)


def _reserved_excluded_and_avoided(patient: Patient) -> None:
    _config("ports: {min: 6665, max: 6669}\nexcluded_ports: [6665..6668]\n")(patient)
    rows = (f"('{patient.work}', 't{port}', {port}, NULL, NULL, 1, 1)" for port in (6665, 6666))
    stores.run(patient.store, f"INSERT INTO reservations VALUES {', '.join(rows)}")


def _advised(finding: Finding) -> str:
    """The line that the advice has one write."""
    assert finding.advice is not None
    return finding.advice[finding.advice.index("ports: {") :] + "\n"


def _configured_as_advised(patient: Patient, finding: Finding) -> None:
    _config(_advised(finding))(patient)
    patient.do("reserve", tag="new")


def _written_as_advised(name: str) -> Callable[[Patient, Finding], None]:
    def cure(patient: Patient, finding: Finding) -> None:
        patient.write(name, _advised(finding))
        patient.do("reserve", tag="new")

    return cure


def _file_as_well(name: str, text: str) -> Callable[[Patient, Finding], None]:
    def cure(patient: Patient, _finding: Finding) -> None:
        patient.write(name, text)

    return cure


def _full(count: int, size: int) -> Callable[[Patient], None]:
    def make(patient: Patient) -> None:
        _config(f"ports: {{min: 7100, max_offset: {size - 1}}}\n")(patient)
        stores.run(
            patient.store,
            *(
                f"INSERT INTO reservations VALUES ('{patient.work}', 't{number}', {7100 + number}, NULL, NULL, 1, 1)"
                for number in range(count)
            ),
        )

    return make


def _unreadable(patient: Patient) -> None:
    def sockets(*_: Any, **__: Any) -> NoReturn:
        raise SocketsUnreadable("Permission denied")

    patient.world["sockets"] = sockets


def _hidden(patient: Patient) -> None:
    patient.world["sockets"] = lambda *_, **__: SocketTable(complete=False, warnings=(ONLY_OWN,))


def _shown(patient: Patient, _finding: Finding) -> None:
    patient.world["sockets"] = lambda *_, **__: SocketTable()


_MEND = "Mend it; then: trop validate "
_SERVICES = "reservations: {services: {web: {}}}\n"

CASES = (
    Case(
        "config.yaml has an unknown key",
        _config("porst: {min: 5000}\n"),
        "user_configuration",
        "error",
        "porst",
        _MEND,
        _mended("config.yaml", "ports: {min: 5000}\n"),
    ),
    Case(
        "config.yaml is no YAML",
        _config("ports: {min: 5000\n"),
        "user_configuration",
        "error",
        "config.yaml:",
        _MEND,
        _mended("config.yaml", "ports: {min: 5000}\n"),
    ),
    Case(
        "config.yaml has a wrong type",
        _config("ports: {min: many}\n"),
        "user_configuration",
        "error",
        "many",
        _MEND,
        _mended("config.yaml", "ports: {min: 5000}\n"),
    ),
    Case(
        "config.yaml is a directory",
        _config_is_a_directory,
        "user_configuration",
        "error",
        "config.yaml",
        "",
        _removed("config.yaml"),
    ),
    Case(
        "config.yaml is called config.yml",
        _near_name_of_users,
        "user_configuration",
        "warning",
        "has to be called config.yaml",
        "right name",
        _renamed("config.yml", "config.yaml"),
    ),
    Case("a variable is no port", _variable("TROP_PORT_MIN", "abc"), "environment", "error", "abc", "unset", _unset),
    Case(
        "a variable is no boolean",
        _variable("TROP_DISABLE_AUTOINIT", "perhaps"),
        "environment",
        "error",
        "perhaps",
        "unset",
        _unset,
    ),
    Case(
        "a variable is called TROP_PORT_MN",
        _variable("TROP_PORT_MN", "8000"),
        "environment",
        "warning",
        "TROP_PORT_MN: unknown variable: did you mean TROP_PORT_MIN?",
        "right name",
        _renamed_variable("TROP_PORT_MN", "TROP_PORT_MIN"),
    ),
    Case("the log mode is none", _variable("TROP_LOG_MODE", "loud"), "environment", "error", "loud", "unset", _unset),
    Case(
        "two layers make a range that is upside down",
        lambda patient: (_config("ports: {min: 7000}\n")(patient), _variable("TROP_PORT_MAX", "6000")(patient)),
        "configuration",
        "error",
        "7000",
        "",
        lambda patient, _: patient.environment.pop("TROP_PORT_MAX"),
    ),
    Case(
        "trop.yaml has an unknown key",
        _file("trop.yaml", "projet: shop\n"),
        "project_configuration",
        "error",
        "projet",
        _MEND,
        _mended("trop.yaml", "project: shop\n"),
    ),
    Case(
        "trop.local.yaml is no YAML",
        _file("trop.local.yaml", "project: [\n"),
        "project_configuration",
        "error",
        "trop.local.yaml:",
        _MEND,
        _mended("trop.local.yaml", "project: shop\n"),
    ),
    Case(
        "trop.yaml is called trop.yml",
        _file("trop.yml", "project: shop\n"),
        "project_configuration",
        "warning",
        "has to be called trop.yaml",
        "right name",
        _renamed("trop.yml", "trop.yaml"),
    ),
    Case(
        "trop.yaml has another letter case",
        _file("Trop.yaml", "project: shop\n"),
        "project_configuration",
        "warning",
        "has to be called trop.yaml",
        "right name",
        _renamed("Trop.yaml", "trop.yaml"),
    ),
    Case(
        "trop.yaml is a pipe",
        _pipe,
        "project_configuration",
        "warning",
        "it is no regular file",
        "",
        _removed("trop.yaml"),
    ),
    Case(
        "trop.yaml is a stranger's",
        _of_a_stranger,
        "project_configuration",
        "warning",
        "safe_directories",
        "",
        _called_safe,
    ),
    Case(
        "trop.yaml decides what is the user's",
        _file("trop.yaml", "follow_moves: false\n"),
        "project_configuration",
        "error",
        "follow_moves",
        "Take it out",
        _removed("trop.yaml"),
    ),
    Case(
        "trop.yaml would expire sooner",
        _file("trop.yaml", "cleanup: {expire_after_days: 1}\n"),
        "project_configuration",
        "info",
        "expire_after_days",
        "",
        _removed("trop.yaml"),
    ),
    Case(
        "trop.yaml names a variable that is none of a port's",
        _file("trop.yaml", "reservations: {services: {web: {env: PATH}}}\n"),
        "project_configuration",
        "error",
        "PATH",
        _MEND,
        _mended("trop.yaml", _SERVICES),
    ),
    Case(
        "the range takes privileges",
        _config("ports: {min: 800, max: 2000}\n"),
        "range",
        "warning",
        "where binding takes privileges",
        "1024 or above",
        _configured("ports: {min: 1024, max: 2000}\n"),
    ),
    Case(
        "the system hands ports of the range out",
        _of_the_system(6000, 9000),
        "range",
        "warning",
        "6000..9000",
        "avoid: [browser, ephemeral]",
        _configured("ports: {avoid: [browser, ephemeral]}\n"),
    ),
    Case(
        "the system hands all of the range out",
        _all_of_the_range_is_of_the_system("config.yaml"),
        "range",
        "warning",
        "6000..9000",
        "take another one, in config.yaml: ports: {min: ",
        _configured_as_advised,
    ),
    Case(
        "the system hands all of a project's range out",
        _all_of_the_range_is_of_the_system("trop.yaml"),
        "range",
        "warning",
        "6000..9000",
        '/trop.yaml": ports: {min: ',
        _written_as_advised("trop.yaml"),
    ),
    Case(
        "the system hands out what is left of the range",
        _what_is_left_is_of_the_system,
        "range",
        "warning",
        "7110..9000",
        "To avoid them would leave 0 ports of this range: take another one, in config.yaml: ports: {min: 5000, ",
        _configured_as_advised,
    ),
    Case(
        "browsers open nothing of the range",
        _config("ports: {min: 6665, max: 6669, avoid: []}\n"),
        "range",
        "info",
        "5 ports of the range may be given that no browser opens",
        "ports: {min: 5000, max: 7000, avoid: [browser]}",
        _configured_as_advised,
    ),
    Case(
        "browsers open not all of the range",
        _config("ports: {avoid: []}\n"),
        "range",
        "info",
        "no browser opens",
        "avoid: [browser]",
        _configured("ports: {avoid: [browser]}\n"),
    ),
    Case(
        "no port is left",
        _full(3, 3),
        "room",
        "error",
        "0 of the 3 ports",
        "ports.max",
        _configured("ports: {min: 7100, max: 7200}\n"),
    ),
    Case(
        "few ports are left",
        _full(20, 21),
        "room",
        "warning",
        "1 of the 21 ports",
        "ports.max",
        _configured("ports: {min: 7100, max: 7200}\n"),
    ),
    Case(
        "the range is excluded as a whole",
        _config("ports: {min: 7100, max: 7102}\nexcluded_ports: [7100..7102]\n"),
        "room",
        "error",
        "3 excluded",
        "ports.max",
        _configured("ports: {min: 7100, max: 7200}\n"),
    ),
    Case(
        "all of the range is avoided",
        _config("ports: {min: 6665, max: 6669}\n"),
        "room",
        "error",
        "0 of the 5 ports from 6665 to 6669 are left: 0 are reserved, 0 excluded, 5 avoided",
        "let fewer be avoided, with ports.avoid (built-in default)",
        _configured("ports: {min: 6665, max: 6669, avoid: []}\n"),
    ),
    Case(
        "what is reserved is excluded and avoided as well",
        _reserved_excluded_and_avoided,
        "room",
        "error",
        "0 of the 5 ports from 6665 to 6669 are left: 2 are reserved, 2 excluded, 1 avoided",
        "exclude fewer, with excluded_ports (",
        _configured("ports: {min: 7100, max: 7200}\n"),
    ),
    Case(
        "a project's file narrows the range",
        _file("trop.yaml", "ports: {min: 6000, max: 6000}\n"),
        "room",
        "error",
        "0 of the 1 port ",
        '/trop.yaml"; or let fewer be avoided',
        _file_as_well("trop.yaml", "ports: {min: 6000, max: 6010}\n"),
    ),
    Case(
        "a variable narrows the range",
        _variable_beside("TROP_PORT_MIN", "6000", "ports: {max: 6000}\n"),
        "room",
        "error",
        "0 of the 1 port ",
        "in config.yaml, without TROP_PORT_MIN",
        lambda patient, _: patient.environment.pop("TROP_PORT_MIN"),
    ),
    Case(
        "variables narrow a project's range",
        _variables_above_a_project,
        "room",
        "error",
        "0 of the 1 port ",
        '/trop.yaml", without TROP_PORT_MIN and TROP_PORT_MAX; ',
        _without_them,
    ),
    Case("the system shows no sockets", _unreadable, "sockets", "warning", "cannot read", "/proc", _shown),
    Case("the system shows some sockets", _hidden, "sockets", "info", "its own processes only", "", _shown),
    Case(
        "nobody is to look for sockets",
        _variable("TROP_SKIP_OCCUPANCY_CHECK", "1"),
        "sockets",
        "info",
        "TROP_SKIP_OCCUPANCY_CHECK",
        "",
        lambda patient, _: patient.environment.pop("TROP_SKIP_OCCUPANCY_CHECK"),
    ),
)

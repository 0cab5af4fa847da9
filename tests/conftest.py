"""What every test stands on: a home that nothing can be written to, and a world of its own for each process."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings
from support import forking
from support.client import Client
from support.measuring import measure_what_is_loaded
from support.requirements import needs_root
from support.sandbox import UNMEASURED, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long it takes to make an example says nothing about trop, and much about what else the machine does.
settings.register_profile("trop", database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("trop")


def pytest_xdist_auto_num_workers() -> int:
    """How many run the tests with ``-n auto``: of one more than there are processors one most often only waits."""
    return (os.cpu_count() or 1) + 1


_LEADS_ASTRAY = ("TROP_", "GIT_", "XDG_", "SNAP_")


@pytest.fixture(scope="session", autouse=True)
def unusable_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home directory of all tests: a file, so that whatever forgets to name a place fails, also for root."""
    home = tmp_path_factory.mktemp("nowhere") / "home"
    home.write_text("This is no directory, so that no test can write to the home directory.\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_LEADS_ASTRAY):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("LC_ALL", "C.UTF-8")
        yield home


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches what the tests start, also where the tests run in the background: a shell ignores it there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def measured_as_far_as_loaded() -> None:
    """Where coverage is measured, a process that is started reports on what it loads."""
    measure_what_is_loaded()


@pytest.fixture(autouse=True)
def measured_in_part(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where coverage is measured: of a test's cases, which go the same ways, one in five is.

    Measuring takes three times as long as what is measured. What is reached by an unmeasured one alone counts as not
    reached at all, so that the bound holds for less than there is.
    """
    case = getattr(request.node, "callspec", None)
    is_measured = "unmeasured" not in request.fixturenames and (case is None or sum(case.indices.values()) % 5 == 0)
    if not is_measured:
        for name in UNMEASURED:
            monkeypatch.delenv(name, raising=False)
    if is_measured or Coverage.current() is None:
        yield
        return
    # To stop and start it as a whole would patch os._exit once more each time.
    measuring = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(measuring)


@pytest.fixture
def started_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of how a program is loaded, of what it holds, or of which process began it: its script is run."""
    monkeypatch.setattr(forking, "started_whole", True)


@pytest.fixture(scope="session")
def unmeasured() -> None:
    """For tests that do one thing many times over, or whose processes are killed, of whom no measure comes."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A home, a data directory and a place for projects that belong to this test alone."""
    return Sandbox(tmp_path)


@pytest.fixture
def public_place() -> Iterator[Path]:
    """A directory that another user can reach; pytest's own ones are closed to others."""
    needs_root()
    with tempfile.TemporaryDirectory(prefix="trop-public-") as name:
        place = Path(os.path.realpath(name))
        place.chmod(0o755)
        yield place


@pytest.fixture
def start(sandbox: Sandbox) -> Iterator[Callable[..., Client]]:
    """Starts servers in the test's sandbox; they are gone when the test ends."""
    clients: list[Client] = []

    def start_one(*arguments: str, cwd: str | None = None, **environment: str | None) -> Client:
        client = Client(*arguments, cwd=cwd or str(sandbox.work), env=sandbox.environment(**environment))
        clients.append(client)
        return client

    yield start_one
    for client in clients:
        client.kill()


@pytest.fixture
def client(start: Callable[..., Client], sandbox: Sandbox) -> Client:
    """A server that was initialized with one open folder, the sandbox's ``work``. It waits for a lock a minute long."""
    started = start(TROP_BUSY_TIMEOUT="60")
    started.initialize(str(sandbox.work))
    return started


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A sandbox for all tests of a module, which leave no state behind that another one of them could see."""
    return Sandbox(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def shared(shared_sandbox: Sandbox) -> Iterator[Client]:
    """A server for all tests of a module; the folder ``work`` is open."""
    started = Client(cwd=str(shared_sandbox.work), env=shared_sandbox.environment())
    started.initialize(str(shared_sandbox.work))
    yield started
    started.kill()

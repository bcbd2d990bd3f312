"""What holds for all tests. How many examples properties are tried on is said in `tests.examples`.

What a test needs beyond this process is said in `tests.tiers`. What `make dev` does not install is missing for tests
of Azurite and of the Functions runtime; those are skipped with the command to run, and fail where `make test` or
continuous integration set `COMPLETE_TESTS`.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import examples, tiers
from tests.fresh import forget_routes

if TYPE_CHECKING:
    from coverage import Coverage

    from tests.contract.azurite import Azurite

examples.load_profile()

# Where there is this package, jsonschema makes a parser of its grammar, for formats (IRIs) that no schema here has: 1.4 s
# of CPU in each process of a run. None: as if it was not installed.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # what the import system takes for this

pytest_plugins = ["tests.pauses", "tests.shell"]

TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option of ours."""
    parser.addoption("--quick", action="store_true", help="only tests that need nothing beyond this process")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and let programs that tests start see Ctrl-C, which a shell hides from what it runs aside."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.quick:
        config.option.markexpr = tiers.QUICK
    for name, meaning in tiers.MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "soaked: `make soak` plays more of it (tests/examples.py)")
    config.addinivalue_line("markers", "unmeasured: coverage rests (tests/tiers.py)")
    config.addinivalue_line("markers", "cases(number): how many cases one test goes through (tests/security.py)")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Collecting makes what stays until the end: there is nothing to find in it."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """From here on the garbage collector looks at what tests make, not again and again at what the run consists of."""
    gc.freeze()
    gc.set_threshold(20_000, *gc.get_threshold()[1:])
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A quick run does not even import what it leaves out."""
    if not config.option.quick or not collection_path.is_relative_to(TESTS):
        return None
    return True if tiers.markers_of(collection_path.relative_to(TESTS)) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by where they are, those over Azurite by their fixture, and those during which coverage rests."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            place = item.path.relative_to(TESTS)
            for marker in tiers.markers_of(place):
                item.add_marker(marker)
            if tiers.unmeasured(place):
                item.add_marker("unmeasured")
        if "azurite" in getattr(item, "fixturenames", ()):
            item.add_marker("azurite")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let coverage rest from the first fixture to the last: pytest-cov's own marker is about the test between them alone."""
    measuring = _measuring(item.config) if item.get_closest_marker("unmeasured") else None
    if measuring is None:
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


def _measuring(config: pytest.Config) -> Coverage | None:
    """What measures this run; none without `--cov`, and with `--no-cov`."""
    if not config.pluginmanager.hasplugin("_cov"):
        return None
    from coverage import Coverage  # noqa: PLC0415 - few runs measure

    return Coverage.current()


@pytest.hookimpl(optionalhook=True)  # xdist may be left out
def pytest_xdist_auto_num_workers() -> int:
    """Workers of `-n auto`: three for two cores, since a third of what tests take is waiting for other processes."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The storage emulator, one for each process of a test run."""
    from tests.contract.azurite import running  # noqa: PLC0415 - most tests need none of what it imports

    with running(tmp_path_factory.mktemp("azurite")) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def fresh_routes() -> None:
    """As a new process begins."""
    forget_routes()

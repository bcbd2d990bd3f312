"""One emulator a module, made new before each scenario; a scenario that passed ends with a run that writes nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import requests

from emulator import Running, start
from tests.fresh import Routes, forget_routes, known_routes
from tests.scenarios.drafts import estate, managed, release
from tests.scenarios.world import World

PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the scenario itself passed: only then is its end worth a look."""
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Both planes and their control port."""
    with start(estate()) as found:
        yield found


@pytest.fixture(scope="module")
def routes(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Routes:
    """What a process of the module's emulator knows that has looked once."""
    forget_routes()
    made = World(running, tmp_path_factory.mktemp("routes"))
    made.spec(managed(), release())
    made.sweep()
    made.close()
    return known_routes()


@pytest.fixture(autouse=True)
def fresh_routes(routes: Routes) -> None:
    """Those of the module's emulator are known, those of others are not."""
    forget_routes(routes)


@pytest.fixture
def world(running: Running, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Two pools in two organizations, both planes as the specs want them."""
    running.do.reset()
    made = World(running, tmp_path)
    made.spec(managed(), release())
    yield made
    try:
        if request.node.stash.get(PASSED, False):
            made.finish()
    finally:
        made.close()


@pytest.fixture
def nothing(world: World) -> World:
    """The same specs, and no pool was ever created."""
    world.do.replace(estate(pools=False))
    return world


@pytest.fixture
def arm(world: World) -> Iterator[requests.Session]:
    """A person with rights in Azure, beside the operator."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {world.running.tokens['arm']}"
        yield session

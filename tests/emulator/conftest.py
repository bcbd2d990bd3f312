from __future__ import annotations

from collections.abc import Iterator

import pytest

import emulator
from emulator import Running
from tests.emulator.wire import ESTATE, Wire


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    with emulator.start(ESTATE) as found:
        yield found


@pytest.fixture
def wire(running: Running) -> Iterator[Wire]:
    """One emulator for all tests of a worker, as new for each of them."""
    running.do.reset()
    found = Wire(running)
    yield found
    found.session.close()

"""One emulator for all tests of a worker, as new for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import emulator
from emulator import Running
from tests.emulator.devops.fabrikam import ESTATE, Caller


@pytest.fixture(scope="session")
def fabrikam() -> Iterator[Running]:
    with emulator.start(ESTATE) as found:
        yield found


@pytest.fixture
def operator(fabrikam: Running) -> Iterator[Caller]:
    """The operator, administrator of all agent pools and of some projects, in a world as new."""
    fabrikam.do.reset()
    with requests.Session() as session:
        yield Caller(fabrikam, session)


@pytest.fixture
def root(operator: Caller) -> Caller:
    """A Project Collection Administrator."""
    return operator.by("root")


@pytest.fixture
def bob(operator: Caller) -> Caller:
    """A member without any rights."""
    return operator.by("bob")

"""What holds for all tests: properties are judged by what they find, never by how busy the machine is.

Their examples are the same in every run, so that a change is judged by the change. `HYPOTHESIS_PROFILE=explore` draws
others: what that finds becomes a test of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.contract.azurite import Azurite

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", PATIENT)
settings.register_profile("same", PATIENT, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

pytest_plugins = ["tests.shell"]


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The storage emulator, one for each process of a test run."""
    from tests.contract.azurite import running  # noqa: PLC0415 - most tests need none of what it imports

    with running(tmp_path_factory.mktemp("azurite")) as emulator:
        yield emulator

"""One emulator for the matrix of a test process, and the run without a fault that says which call sites there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator import start
from tests.faults.matrix import Stage
from tests.scenarios.drafts import estate


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Ready to play."""
    with start(estate()) as running:
        yield Stage(running, tmp_path_factory.mktemp("faults"))

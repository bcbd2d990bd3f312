"""Halls of one and of three pools, for each test its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.families import Settable
from tests.service.queue.hall import Hall, hall


@pytest.fixture
def one(tmp_path: Path) -> Iterator[tuple[Hall, Settable]]:
    with hall(tmp_path) as made:
        yield made


@pytest.fixture
def three(tmp_path: Path) -> Iterator[tuple[Hall, Settable]]:
    with hall(tmp_path, pools=3) as made:
        yield made

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.sqlite.store import Local


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[Local]:
    stores = Local(tmp_path / "state.db")
    yield stores
    stores.close()

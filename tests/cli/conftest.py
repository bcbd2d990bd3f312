"""A desk for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.process import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty working folder."""
    return Desk(tmp_path)

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.loopback import Script, serving


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Script]:
    """A second server, which must never see a token."""
    with serving() as server:
        yield server

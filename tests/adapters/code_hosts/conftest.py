"""A host for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.code_hosts.host_kit import KINDS, Host, hosted


@pytest.fixture(params=KINDS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with hosted(request.param) as running:
        yield running

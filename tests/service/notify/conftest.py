from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.notify.receivers import Post, receivers


@pytest.fixture
def post() -> Iterator[Post]:
    with receivers() as made:
        yield made

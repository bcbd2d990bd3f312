from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from reconciler.adapters.telemetry.exporters import QUIET
from reconciler.adapters.telemetry.quiet import NOISY


@pytest.fixture
def restored() -> Iterator[None]:
    """What an exporter that is opened in this process changes of it is as before afterwards."""
    levels = {name: logging.getLogger(name).level for name in NOISY}
    given = {name: os.environ.get(name) for name in QUIET}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for name, value in given.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value

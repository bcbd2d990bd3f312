from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.service.triggers import TriggerContext
from tests.deployment import Deployment, deployed


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as made:
        yield made


@pytest.fixture
def context(deployment: Deployment) -> TriggerContext:
    return deployment.context()

"""Both planes, and a state in which both pools were in sync once: where each story begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment import Deployment, deployed
from tests.service.notify.receivers import Post, receivers


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployment, Path]]:
    """Both planes, and a state in which both pools were in sync once."""
    folder = tmp_path_factory.mktemp("crashes")
    (folder / "before").mkdir()
    state = str(folder / "before" / "state.db")
    with deployed(folder, {"RECONCILER_STATE": state}) as deployment:
        context = deployment.context()
        specs = context.catalogue.specs()
        for one in specs.by_key.values():
            with context.worker.reconciler.look([one], shared=False) as look:
                result = look.reconcile(one, specs.revision)
            assert result.outcome.value == "in-sync", result
        yield deployment, folder


@pytest.fixture
def post() -> Iterator[Post]:
    """Receivers of notices."""
    with receivers() as made:
        yield made

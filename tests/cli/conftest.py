"""A desk for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Running, start
from tests.cli.process import ROOT, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty working folder."""
    return Desk(tmp_path)


@pytest.fixture
def cloud() -> Iterator[Running]:
    """Both planes, drifted as the demo's estate is, with operations that end soon."""
    with start(ROOT / "reconciler" / "demo" / "files" / "estate.yaml", switches={"arm.update-seconds": 0.2}) as running:
        yield running


@pytest.fixture
def online(desk: Desk, cloud: Running) -> Desk:
    """A desk with the demo's specs, signed in to the emulator."""
    shutil.copytree(ROOT / "reconciler" / "demo" / "files" / "specs", desk.folder / "specs")
    desk.environment |= {
        "RECONCILER_SPECS": "specs",
        "RECONCILER_STATE": str(desk.folder / "state.db"),
        "RECONCILER_ALLOW_LOOPBACK": "1",
        "RECONCILER_CREDENTIAL": "static",
        "RECONCILER_ARM_ENDPOINT": cloud.arm,
        "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
        "RECONCILER_ARM_TOKEN": cloud.tokens["arm"],
        "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
    }
    return desk

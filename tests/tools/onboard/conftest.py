"""The command line in this process, signed in to an emulator as a person who administers organizations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from emulator import Running, start
from tests.shell import Shell, sign_in
from tests.tools.onboard.fabrikam import ESTATE


@pytest.fixture
def world() -> Iterator[Running]:
    """Two organizations whose private projects are for their members."""
    with start(ESTATE, switches={"devops.project-visibility": "members"}) as running:
        yield running


@pytest.fixture
def root(shell: Shell, world: Running, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Signed in as a Project Collection Administrator of both."""
    sign_in(monkeypatch, world)
    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-root")
    return shell


@pytest.fixture
def become(root: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sign in as another person."""
    return lambda name: monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", f"devops-{name}")

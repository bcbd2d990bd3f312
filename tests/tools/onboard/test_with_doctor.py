"""What `doctor` finds missing in Azure DevOps is what `onboard` gives: two commands, one idea of enough."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import yaml

from emulator import Running, start
from tests.shell import DEMO, Shell, sign_in
from tests.tools.onboard.fabrikam import ROBOT


@pytest.fixture
def world() -> Iterator[Running]:
    """The demo's estate, whose pools inherit, with an operator that is not let in yet."""
    estate = yaml.safe_load((DEMO / "estate.yaml").read_text())
    estate["principals"].append({"name": "robot", "kind": "managedIdentity", "displayName": "Robot", "oid": ROBOT})
    for organization in estate["organizations"]:
        for pool in organization["agentPools"]:
            pool["inherit"] = True
    with start(estate, switches={"devops.project-visibility": "members"}) as running:
        yield running


@pytest.mark.parametrize("mode", ["report", "enforce"])
def test_who_was_onboarded_is_healthy(shell: Shell, world: Running, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    shutil.copytree(DEMO / "specs", shell.folder / "specs")
    sign_in(monkeypatch, world)
    organizations = ("fabrikam-prime", "fabrikam-tailspin")

    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-robot")
    assert shell.run("doctor", "--mode", mode).code == 2
    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-dan")
    onboarded = shell.run("onboard", *organizations, "--identity", ROBOT, "--mode", mode, "--apply")
    assert onboarded.code == 0, onboarded.out
    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-robot")
    healthy = shell.run("doctor", "--mode", mode)

    assert healthy.code == 0, healthy.out
    assert shell.run("plan").code == 2, "it plans: the estate has drifted, and every project is seen"


def test_an_operator_that_was_let_in_repairs(shell: Shell, world: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the rights that were given and no others the whole estate comes into sync."""
    shutil.copytree(DEMO / "specs", shell.folder / "specs")
    sign_in(monkeypatch, world)
    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-dan")
    organizations = ("fabrikam-prime", "fabrikam-tailspin")
    shell.run("onboard", *organizations, "--identity", ROBOT, "--mode", "enforce", "--apply")
    monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-robot")
    monkeypatch.setenv("RECONCILER_WAIT_ONCE", "1")

    applied = shell.run("apply")

    assert applied.code == 0, applied.out + applied.err

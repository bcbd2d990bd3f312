"""A person's desk in front of an empty cloud: the largest example in `specs/`, and nothing made of it yet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator import Running, start
from tests.cli.process import ROOT, Desk

NAME = "fabrikam-everything"


@pytest.fixture
def cloud() -> Iterator[Running]:
    """Both planes with all that the example names, and without its pool; operations end soon."""
    quick = {"arm.create-seconds": 0.2, "arm.update-seconds": 0.2}
    with start(Path(__file__).with_name("estate.yaml"), switches=quick) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, cloud: Running) -> Desk:
    """A folder with the example as it is, paused; signed in as the operator."""
    desk = Desk(tmp_path)
    (tmp_path / "specs").mkdir()
    shutil.copy(ROOT / "examples" / "specs" / f"{NAME}.yaml", tmp_path / "specs")
    desk.environment |= {
        "RECONCILER_SPECS": "specs",
        "RECONCILER_STATE": str(tmp_path / "state.db"),
        "RECONCILER_ALLOW_LOOPBACK": "1",
        "RECONCILER_CREDENTIAL": "static",
        "RECONCILER_ARM_ENDPOINT": cloud.arm,
        "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
        "RECONCILER_ARM_TOKEN": cloud.tokens["arm"],
        "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
    }
    return desk


@pytest.fixture
def running_pool(desk: Desk, cloud: Running) -> Desk:
    """The operator was given what it lacked, the pause was taken out, and the pool was made."""
    cloud.do.replace(granted(cloud.do.state()))
    edit(desk, PAUSE, "")
    ended = desk.run("apply")
    assert ended.code == 0, ended.out + ended.err
    return desk


GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/fabrikam-build"


def granted(state: dict[str, Any]) -> dict[str, Any]:
    """What `doctor` asks for was given."""
    operator = next(one for one in state["principals"] if one["name"] == "operator")
    operator["roles"] = [
        {"role": "Owner", "scope": "/subscriptions/11111111-2222-3333-4444-555555555555"},
        {"role": "Key Vault Certificate User", "scope": VAULT},
    ]
    tailspin = next(one for one in state["organizations"] if one["name"] == "fabrikam-tailspin")
    tailspin["administrators"] = ["operator"]
    return state


PAUSE = "mode: pause\nuntil: 2027-12-31\nreason: shown as an example, not run\n"


def edit(desk: Desk, before: str, after: str) -> None:
    """Change the spec as a person would."""
    path = desk.folder / "specs" / f"{NAME}.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")

"""The commands of the README, run one after the other as a newcomer would, against the emulator."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from emulator import start
from tests.cli.process import Desk

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DONE, LEFT = 0, 2


def commands() -> list[list[str]]:
    section = README.split("\n## Use it\n", 1)[1].split("\n## ", 1)[0]
    block = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0]
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The demo's specs, nothing else."""
    shutil.copytree(ROOT / "reconciler" / "demo" / "files" / "specs", tmp_path / "specs")
    return Desk(tmp_path)


def test_every_command_of_the_readme_does_what_it_says(desk: Desk) -> None:
    """In its order: what a plan shows as left, `apply` does; the rest then finds things in order."""
    with start(ROOT / "reconciler" / "demo" / "files" / "estate.yaml", switches={"arm.update-seconds": 0.2}) as cloud:
        desk.environment |= {
            "RECONCILER_SPECS": "specs", "RECONCILER_STATE": str(desk.folder / "state.db"),
            "RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": cloud.arm, "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
            "RECONCILER_ARM_TOKEN": cloud.tokens["arm"], "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
        }  # fmt: skip
        # A line with a placeholder in capitals is for an estate of one's own; tests/onboarding runs that command.
        ended = {words[0]: desk.run(*words) for words in commands() if "OBJECT_ID" not in words}

    codes = {command: each.code for command, each in ended.items()}
    assert [*ended] == ["validate", "policy", "plan", "apply", "status", "import", "explain", "doctor", "probe"]
    assert codes == {**dict.fromkeys(ended, DONE), "plan": LEFT}, {c: (e.code, e.out + e.err) for c, e in ended.items()}

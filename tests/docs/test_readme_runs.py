"""The commands of the README, run one after the other as a newcomer would, against the emulator."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.running import DEMO, ROOT, Shell, at_estate

README = (ROOT / "README.md").read_text(encoding="utf-8")
DONE, LEFT = 0, 2


def commands() -> list[str]:
    section = README.split("\n## Use it\n", 1)[1].split("\n## ", 1)[0]
    block: str = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0]
    return block.splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """The demo's specs, nothing else, and an emulator that is out of sync with them."""
    with at_estate(tmp_path) as (running, _):
        shutil.copytree(DEMO / "specs", tmp_path / "desk" / "specs")
        running.run("export RECONCILER_SPECS=specs")
        yield running


def test_every_command_of_the_readme_does_what_it_says(shell: Shell) -> None:
    """In its order: what a plan shows as left, `apply` does; the rest then finds things in order."""
    # A line with a placeholder in capitals is for an estate of one's own; tests/onboarding runs that command.
    ended = {line.split()[1]: shell.run(line) for line in commands() if "OBJECT_ID" not in line}
    codes = {command: code for command, (code, _) in ended.items()}

    names = ["validate", "policy", "plan", "apply", "status", "adopt", "import", "explain", "doctor", "probe"]
    assert [*ended] == names
    assert codes == {**dict.fromkeys(ended, DONE), "plan": LEFT}, (ended, shell.errors())

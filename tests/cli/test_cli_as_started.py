"""One command of each kind, started as people start it: all other tests of the command line fork it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from emulator import Running
from tests.cli.process import Desk

POOL = "fabrikam-managed-pool"


def started(desk: Desk, *arguments: str) -> tuple[int, str, str]:
    """A process that nothing was imported for before."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=desk.folder,
        env=desk.surroundings(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate",),
        ("plan", "--output", "json"),
        ("explain", POOL, "fabrikam-prime/Web"),
        ("import", POOL, "--to", "-"),
        ("adopt", POOL),
        ("policy", "schema"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_says_the_same_as_forked(online: Desk, arguments: tuple[str, ...]) -> None:
    ended = online.run(*arguments)

    assert ended.out
    assert started(online, *arguments) == (ended.code, ended.out, ended.err)


def test_an_apply_that_is_started_repairs_what_a_forked_one_then_finds_in_order(online: Desk, cloud: Running) -> None:
    code, out, err = started(online, "apply", "--yes")
    assert (code, "2 applied and verified" in out) == (0, True), (out, err)
    assert started(online, "status", POOL)[0] == 0
    cloud.do.reset_log()

    assert online.run("plan").code == 0
    assert online.run("apply", "--yes").code == 0
    assert cloud.do.count(writes=True) == 0

"""Warnings about specs stand in `validate`, `plan` and `apply`, with file, line and the nearest value; none is an error."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.process import Desk

POOL = "fabrikam-release-pool"


def misspell(desk: Desk) -> None:
    path = desk.folder / "specs" / f"{POOL}.yaml"
    text = path.read_text()
    assert "openAccess:" in text
    path.write_text(re.sub(r"wellKnownImageName: [\w./-]+", "wellKnownImageName: ubunt-24.04", text))


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_plan_and_apply_name_warnings_on_standard_error_and_go_on(online: Desk, command: str) -> None:
    misspell(online)

    ended = online.run(command, POOL, "--output", "json", "--dry-run" if command == "apply" else "--no-color")

    assert ended.code == 2, ended.err
    assert json.loads(ended.out)["plans"][0]["pool"] == POOL
    (said,) = [line for line in ended.err.splitlines() if line.startswith("warning: ")]
    assert re.match(
        rf"warning: specs/{POOL}\.yaml:\d+: pool\..*wellKnownImageName: is ubunt-24\.04, which is not known", said
    )
    assert "did you mean ubuntu-24.04?" in said


def test_warnings_of_other_pools_are_left_out_where_a_pool_is_named(online: Desk) -> None:
    misspell(online)

    assert "warning:" not in online.run("plan", "fabrikam-managed-pool").err
    assert "1 warning" in online.run("validate").out


def test_an_exception_that_has_ended_is_a_warning_of_validate_and_no_error(desk: Desk) -> None:
    desk.spec("fabrikam-managed-pool")
    path = desk.folder / "specs" / "fabrikam-managed-pool.yaml"
    path.write_text(
        path.read_text()
        + "access:\n  openAccess:\n    - project: fabrikam-tailspin/Web\n      allow: false\n      until: 2020-01-31\n"
        "      reason: release week\n"
    )

    ended = desk.run("validate", "--specs", "specs")

    assert ended.code == 0, ended.err
    assert re.search(r"yaml:\d+: access\.openAccess\[0\]\.until: warning: is 2020-01-31, which has passed", ended.out)
    assert "access of fabrikam-tailspin/Web is open instead of closed" in ended.out

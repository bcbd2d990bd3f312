"""Commands on a damaged state, and on the state of another deployment."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from emulator import Running
from tests.cli.process import Desk

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"


def plant(desk: Desk, name: str, text: str | bytes, table: str = "documents") -> None:
    with closing(sqlite3.connect(desk.folder / "state.db")) as file:
        done = file.execute(f"UPDATE {table} SET body = ? WHERE name = ?", (text, name)).rowcount  # noqa: S608 - ours
        file.commit()
    assert done == 1


@pytest.mark.parametrize("content", ["[]", b"\xff\xfe", '{"conditions": 7, "attempts": 1e999}'])
def test_a_damaged_status_stops_no_command_and_hides_no_other_pool(
    online: Desk, cloud: Running, content: str | bytes
) -> None:
    assert online.run("apply").code == 0
    plant(online, f"pools/{POOL}", content)
    cloud.do.reset_log()

    status = online.run("status", "--output", "json")
    assert [one["key"] for one in json.loads(status.out)["pools"]] == [POOL, RELEASE]
    assert f"state pools/{POOL}: " in status.err
    assert "damaged/pools/" in status.err
    assert "Traceback" not in status.err
    applied = online.run("apply")

    assert applied.code == 0, applied.err
    assert cloud.do.count(writes=True) == 0
    again = online.run("status", "--output", "json")
    assert (again.code, again.err) == (0, "")
    assert f"state: damaged documents were set aside: damaged/pools/{POOL}/" in online.run("doctor").err
    with closing(sqlite3.connect(online.folder / "state.db")) as file:
        kept = file.execute("SELECT body FROM documents WHERE name LIKE 'damaged/%'").fetchall()
    assert len(kept) == 1
    assert json.loads(kept[0][0])["name"] == f"pools/{POOL}"


@pytest.mark.parametrize("content", ["{", "null", "{}", '{"document": {"version": 7}}'])
def test_a_damaged_mode_lets_nothing_be_written(online: Desk, cloud: Running, content: str) -> None:
    assert online.run("mode", "set", "enforce", "--reason", "go").code == 0
    plant(online, "mode", content, "safety")
    cloud.do.reset_log()

    assert online.run("apply").code != 0
    assert cloud.do.count(writes=True) == 0
    assert online.run("plan").code in (1, 2)


def test_the_state_of_another_deployment_is_refused_with_both_names(online: Desk, cloud: Running) -> None:
    online.environment["RECONCILER_DEPLOYMENT"] = "dev"
    assert online.run("apply").code == 0
    cloud.do.reset_log()

    online.environment["RECONCILER_DEPLOYMENT"] = "prod"
    for command in (
        ["apply"],
        ["status"],
        ["plan"],
        ["forget", POOL],
        ["mode", "show"],
        ["history", "verify"],
        ["doctor"],
    ):
        ended = online.run(*command)
        assert (ended.code == 1) == (command not in (["plan"], ["doctor"])), command  # these only read, and say so
        assert "belongs to the deployment dev, and this one is prod" in ended.out + ended.err, command
        assert "Traceback" not in ended.err
    assert cloud.do.count(writes=True) == 0
    del online.environment["RECONCILER_DEPLOYMENT"]  # the file says whose it is
    assert online.run("apply").code == 0
    assert online.run("status").code == 0


@pytest.mark.parametrize(
    ("name", "value"), [("DEPLOYMENT", "a b"), ("DEPLOYMENT", "x" * 64), ("CONTAINER", "A--b"), ("CONTAINER", "x" * 57)]
)
def test_a_name_that_none_can_have_is_refused(online: Desk, name: str, value: str) -> None:
    online.environment[f"RECONCILER_{name}"] = value
    ended = online.run("status")
    assert (ended.code, len(ended.errors)) == (1, 1)
    assert f"RECONCILER_{name}: {value!r} is " in ended.errors[0]

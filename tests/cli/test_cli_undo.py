"""`undo`: what a run changed is put back through the same guards, and the next run leaves it so until the spec agrees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Desk, Ended
from tests.deployment import Deployment, deployed, spec

POOL, ORGANIZATION = "build-pool", "fabrikam-prime"
ROLES = (
    "access:\n  roles:\n    - organization: fabrikam-prime\n      administrators: [ann@fabrikam.com]\n"
    "      exclusive: true\n"
)
FILE = spec(POOL) + ROLES


@dataclass
class Undoing:
    """A person at a desk with the deployment's state."""

    deployment: Deployment
    desk: Desk

    def run(self, *arguments: str, **more: str) -> Ended:
        return self.desk.run(*arguments, **more)

    def apply(self) -> Ended:
        return self.run("apply", POOL, "--yes")

    def writes(self) -> list[Any]:
        return list(json.loads(self.run("history", POOL, "-o", "json").out)["writes"])

    def administrators(self) -> set[str]:
        (found,) = [one for one in self.deployment.cloud.do.state()["organizations"] if one["name"] == ORGANIZATION]
        (agents,) = [one for one in found["agentPools"] if one["name"] == POOL]
        return set(agents["roles"]["Administrator"])


@pytest.fixture
def undoing(tmp_path: Path) -> Iterator[Undoing]:
    """Zoe is an administrator, and Web is closed; a run takes the one away and opens the other."""
    with deployed(tmp_path) as made:
        made.commit(**{POOL: FILE})
        made.cloud.do.edit("add-identity", organization=ORGANIZATION, principal="zoe")
        one = Undoing(made, Desk(made.folder, dict(made.environment)))
        assert one.apply().code == 0
        made.cloud.do.edit("set-role", organization=ORGANIZATION, pool=POOL, who="zoe", role="Administrator")
        made.close_access(POOL, "Web")
        assert one.apply().code == 0
        assert "zoe" not in one.administrators()
        yield one


def newest_run(undoing: Undoing) -> str:
    return str(undoing.writes()[0]["run"])


def test_a_run_is_undone_verified_on_record_and_not_done_again(undoing: Undoing) -> None:
    run = newest_run(undoing)
    dry = undoing.run("undo", run, "--dry-run")
    assert dry.code == 2, dry.err
    assert "zoe" in dry.out
    assert "Web" in dry.out
    assert "zoe" not in undoing.administrators()

    done = undoing.run("undo", run, "--yes")

    assert done.code == 0, (done.out, done.err)
    assert "zoe" in undoing.administrators()
    assert "ann" in undoing.administrators(), "nothing else of the pool"
    assert not undoing.deployment.is_open(POOL, "Web")
    made = [one for one in undoing.writes() if one["trigger"] == "undo"]
    assert {one["proof"]["outcome"] for one in made} == {"verified"}
    assert len(made) == 2
    known = json.loads(undoing.run("status", POOL, "-o", "json").out)
    (status,) = known["pools"]
    ready = next(one for one in status["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "OutOfSync"), "the spec in Git says otherwise"
    assert ready["message"] == "undone: 2 changes; not made again until the spec agrees"

    undoing.deployment.cloud.do.reset_log()
    again = undoing.apply()
    assert again.code == 2, (again.out, again.err)
    assert undoing.deployment.cloud.do.count(writes=True) == 0, "what was undone is not done again"
    shown = undoing.run("plan", POOL)
    assert "mode report (undo of run" in shown.out
    undoing.deployment.close_access(POOL, "Api")
    undoing.apply()
    assert undoing.deployment.is_open(POOL, "Api"), "the pool is not held, only what was undone"


def test_a_spec_that_agrees_ends_it(undoing: Undoing) -> None:
    assert undoing.run("undo", newest_run(undoing), "--yes").code == 0
    agreed = ROLES.replace("[ann@fabrikam.com]", "[ann@fabrikam.com, zoe@fabrikam.com]")
    closed = f"  openAccess:\n    - {{ project: {ORGANIZATION}/Web, allow: false, reason: agreed }}\n"
    undoing.deployment.commit(**{POOL: spec(POOL) + agreed + closed})
    agreed_run = undoing.apply()
    assert agreed_run.code == 0, agreed_run.out

    undoing.deployment.commit(**{POOL: FILE})
    back = undoing.apply()

    assert back.code == 0, back.out
    assert "zoe" not in undoing.administrators()
    assert undoing.deployment.is_open(POOL, "Web")


def test_some_writes_of_a_run(undoing: Undoing) -> None:
    run = newest_run(undoing)
    (removal,) = [one for one in undoing.writes() if one["run"] == run and one["action"] == "remove"]

    done = undoing.run("undo", run, removal["id"].rpartition(".")[2], "--yes")

    assert done.code == 0, done.err
    assert "zoe" in undoing.administrators()
    assert undoing.deployment.is_open(POOL, "Web")


def test_a_field_of_the_pool_is_put_back(undoing: Undoing) -> None:
    tagged = FILE.replace("pool: {location", "pool: {tags: {team: red}, location")
    undoing.deployment.commit(**{POOL: tagged})
    assert undoing.apply().code == 0
    undoing.deployment.commit(**{POOL: tagged.replace("red", "blue")})
    assert undoing.apply().code == 0

    done = undoing.run("undo", newest_run(undoing), "--yes")

    assert done.code == 0, (done.out, done.err)
    (pool,) = [
        one for sub in undoing.deployment.cloud.do.state()["subscriptions"] for one in sub["pools"]
        if one["name"] == POOL
    ]  # fmt: skip
    assert pool["tags"]["team"] == "red"
    assert undoing.apply().code == 2


def test_what_cannot_be_undone_is_named_with_its_reason(undoing: Undoing) -> None:
    undoing.deployment.cloud.do.edit("delete-queue", organization=ORGANIZATION, pool=POOL, project="Api")
    created = undoing.apply()
    assert created.code == 0, created.out
    run = newest_run(undoing)

    done = undoing.run("undo", run, "--yes")

    assert "a queue is not deleted" in done.err + done.out
    assert done.code in (1, 2)


def test_without_names_a_role_cannot_be_put_back(undoing: Undoing) -> None:
    undoing.deployment.cloud.do.edit("set-role", organization=ORGANIZATION, pool=POOL, who="zoe", role="Administrator")
    assert undoing.run("apply", POOL, "--yes", RECONCILER_NAMES="off").code == 0

    done = undoing.run("undo", newest_run(undoing), "--yes")

    assert done.code == 1
    assert "the record does not name the person (RECONCILER_NAMES=off)" in done.out + done.err


def test_a_mode_that_lets_nothing_be_written_undoes_nothing(undoing: Undoing) -> None:
    run = newest_run(undoing)
    assert undoing.run("mode", "set", "report", "--reason", "holiday").code == 0

    done = undoing.run("undo", run, "--yes")

    assert done.code == 1
    assert "nothing is undone: not applied: mode report" in done.err
    assert "zoe" not in undoing.administrators()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "RUN"),
        (("nonsense",), "is not the id of a run"),
        (("20261120T120000Z-000000000000",), "none of its writes is on record"),
    ],
)
def test_what_cannot_be_meant_is_refused(undoing: Undoing, arguments: tuple[str, ...], says: str) -> None:
    ended = undoing.run("undo", *arguments)

    assert ended.code == 1
    assert says in ended.err
    assert "zoe" not in undoing.administrators()


def test_a_write_that_the_run_has_not_is_named(undoing: Undoing) -> None:
    ended = undoing.run("undo", newest_run(undoing), "99")

    assert ended.code == 1
    assert ".99; it has" in ended.err

"""A worker killed before and after each of its writes: the next delivery ends the work, and nothing is lost or doubled.

`make test` tries some points of each story, spread over all of them; ``CRASH_POINTS=all`` tries every one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Desk
from tests.crashes.theatre import EVERY, Story, Theatre, difference, points
from tests.deployment import POOLS, Deployment, spec
from tests.scenarios.test_approved_plans import NO_WIDENING
from tests.scenarios.test_record import capped
from tests.service.notify.receivers import Post

pytestmark = pytest.mark.timeout(7200 if EVERY else 900)


def drift(do: Any) -> None:
    for project in ("Web", "Api"):
        do.edit("close-access", organization="fabrikam-prime", pool="build-pool", project=project)


def drift_of_both(do: Any) -> None:
    for pool, organization in POOLS.items():
        do.edit("close-access", organization=organization, pool=pool, project="Web")


def zoe(do: Any) -> None:
    do.edit("add-identity", organization="fabrikam-prime", principal="zoe")


def nothing(_: Any) -> None:
    pass


def project(do: Any) -> None:
    do.edit("create-project", organization="fabrikam-prime", name="New")


def gone(do: Any) -> None:
    do.edit("delete-project", organization="fabrikam-prime", project="Api")
    do.edit("close-access", organization="fabrikam-prime", pool="build-pool", project="Web")


def surplus(do: Any) -> None:
    zoe(do)
    for who in ("ann", "zoe"):
        do.edit("set-role", organization="fabrikam-prime", pool="build-pool", who=who, role="Administrator")


def applied(theatre: Theatre, environment: dict[str, str]) -> tuple[str, ...]:
    """A run has opened both queues again, and a person undoes it; the message comes, and nothing is done again."""
    desk = Desk(theatre.folder, environment)
    assert desk.run("apply", "build-pool", "--yes").code == 0
    newest = json.loads(desk.run("history", "build-pool", "-o", "json").out)["writes"][0]
    return ("undo", newest["run"], "--yes")


def capped_plan(theatre: Theatre, environment: dict[str, str]) -> tuple[str, ...]:
    """The owner approves a plan that is over a cap."""
    found = json.loads(Desk(theatre.folder, environment).run("plan", "build-pool", "-o", "json").out)
    (plan,) = found.get("plans", [found])
    return ("approve", plan["hash"])


def approved_plan(theatre: Theatre, environment: dict[str, str]) -> tuple[str, ...]:
    """The same, and the approval is stored before the message comes."""
    assert Desk(theatre.folder, environment).run(*capped_plan(theatre, environment)).code == 0
    return ()


def pause(_theatre: Theatre, _environment: dict[str, str]) -> tuple[str, ...]:
    """A person pauses the pool, and then the message comes."""
    return ("pause", "build-pool", "--until", "P3D", "--reason", "move")


def resume(theatre: Theatre, environment: dict[str, str]) -> tuple[str, ...]:
    """A person ends a pause, and then the message comes."""
    assert Desk(theatre.folder, environment).run(*pause(theatre, environment)).code == 0
    return ("resume", "build-pool")


def lowered(_theatre: Theatre, _environment: dict[str, str]) -> tuple[str, ...]:
    """A person stops writing to the pool, and then the message comes."""
    return ("mode", "set", "stop", "--pool", "build-pool", "--reason", "move")


def raised(theatre: Theatre, environment: dict[str, str]) -> tuple[str, ...]:
    """A person lets the pool be written again, and then the message comes."""
    assert Desk(theatre.folder, environment).run(*lowered(theatre, environment)).code == 0
    return ("mode", "clear", "--pool", "build-pool", "--reason", "moved")


def adopted(_theatre: Theatre, _environment: dict[str, str]) -> tuple[str, ...]:
    """A person writes what was done by hand into the spec; the message comes, and nothing is corrected."""
    return ("adopt", "build-pool", "--write")


PRIME = "{organization: fabrikam-prime, "
ROLES = f"access: {{roles: [{PRIME}administrators: [ann@fabrikam.com, zoe@fabrikam.com]}}]}}\n"
EXCLUSIVE = f"access: {{roles: [{PRIME}administrators: [ann@fabrikam.com], exclusive: true}}]}}\n"
MOVED = spec("build-pool").replace("location: eastus", "location: westeurope")
EXPIRED = "access: {openAccess: [{project: fabrikam-prime/Web, allow: false, until: 2026-01-01, reason: ended}]}\n"


STORIES = {
    "open access was closed": Story(drift),
    "a project was added": Story(project),
    "a project was removed": Story(gone),
    "two organizations": Story(drift_of_both, keys=tuple(POOLS)),
    "two roles are granted": Story(zoe, {"build-pool": spec("build-pool") + ROLES}),
    "a role is revoked": Story(surplus, {"build-pool": spec("build-pool") + EXCLUSIVE}),
    "a field of the pool changes": Story(nothing, {"build-pool": spec("build-pool", concurrency=3)}),
    "a pool is created": Story(nothing, {"new-pool": spec("new-pool", "fabrikam-prime")}, ("new-pool",)),
    "an exception has expired": Story(drift, {"build-pool": spec("build-pool") + EXPIRED}),
    "the pool is paused": Story(
        drift, {"build-pool": spec("build-pool", mode="pause") + "until: 2099-01-01\nreason: move\n"}, writes=False
    ),
    "the spec is gone": Story(drift, {"build-pool": ""}, writes=False),
    "a pool is replaced": Story(
        nothing, {"build-pool": MOVED + "replace: allowed\n"}, policy="replacePools: [build-pool]\n"
    ),
    "a run is undone": Story(drift, prepare=applied, message=True),
    "a plan is approved": Story(drift, writes=False, policy=capped(NO_WIDENING), prepare=capped_plan),
    "an approved plan is applied": Story(drift, policy=capped(NO_WIDENING), prepare=approved_plan),
    "a person pauses": Story(drift, writes=False, prepare=pause, message=True),
    "a person resumes": Story(drift, prepare=resume, message=True),
    "a person stops writing": Story(drift, writes=False, prepare=lowered, message=True),
    "a person lets it write": Story(drift, prepare=raised, message=True),
    "a spec is adopted": Story(drift, writes=False, prepare=adopted, message=True, adopts=True),
    "a notice is handed over": Story(drift, told=True),
    "a notice is sent": Story(drift, told=True, turn=1, at="POST "),
    "only a report": Story(drift, {"build-pool": spec("build-pool", mode="report")}, writes=False),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_killed_worker_loses_and_doubles_nothing(prepared: tuple[Deployment, Path], name: str, post: Post) -> None:
    deployment, folder = prepared
    theatre = Theatre(deployment, folder / name.replace(" ", "-"), STORIES[name], post=post)
    shutil.copytree(folder / "before", theatre.folder / "before")
    whole = theatre.play(theatre.begin())
    assert bool(whole.writes) == theatre.story.writes, whole
    assert len(whole.texts) == 1 + theatre.story.adopts
    assert [(receiver, problem) for receiver, problem, _ in sorted(whole.told)] == [
        (receiver, "") for receiver in ("slack", "teams", "webhook") if theatre.story.told
    ]
    assert (whole.broken, whole.attempts) == ([], 1)
    assert sum(whole.intents.values()) <= sum(whole.writes.values())
    tried = points(whole, theatre.story, list(STORIES).index(name))
    assert tried

    wrong = {}
    for point, after in tried:
        killed = theatre.play(theatre.begin(), point, after=after)
        if problem := difference(whole, killed):
            wrong[point, after] = problem
    assert wrong == {}


@pytest.mark.parametrize(
    "name", [name for name, story in STORIES.items() if story.prepare not in (None, approved_plan)]
)
def test_a_command_that_was_killed_at_its_first_write_can_be_repeated(
    prepared: tuple[Deployment, Path], name: str
) -> None:
    """What it had only begun to store is no reason to refuse the same command for ever."""
    deployment, folder = prepared
    theatre = Theatre(deployment, folder / f"{name}-again".replace(" ", "-"), STORIES[name])
    shutil.copytree(folder / "before", theatre.folder / "before")
    whole = theatre.play(theatre.begin())
    assert difference(whole, theatre.play(theatre.begin(), 1, after=True)) == ""

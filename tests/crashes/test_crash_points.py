"""A worker killed before and after each of its writes: the next delivery ends the work, and nothing is lost or doubled.

`make test` tries some points of each story, spread over all of them; ``CRASH_POINTS=all`` tries every one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emulator import Running
from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.config.settings import Settings
from reconciler.documents.chain import problems
from reconciler.engine import load_status
from tests.cli.process import Desk
from tests.crashes.killing import command, deliver, later
from tests.deployment import POOLS, Deployment, deployed, spec
from tests.forking import FUNCTIONS
from tests.scenarios.test_approved_plans import NO_WIDENING
from tests.scenarios.test_record import capped

pytestmark = pytest.mark.timeout(7200 if os.environ.get("CRASH_POINTS") == "all" else 900)
SAMPLE = 3
"""Points of a story that are tried; the first is before the first write, the last one after the last write."""
ROUNDS = 12


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
    """A run has opened both queues again, and a person undoes it."""
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


PRIME = "{organization: fabrikam-prime, "
ROLES = f"access: {{roles: [{PRIME}administrators: [ann@fabrikam.com, zoe@fabrikam.com]}}]}}\n"
EXCLUSIVE = f"access: {{roles: [{PRIME}administrators: [ann@fabrikam.com], exclusive: true}}]}}\n"
MOVED = spec("build-pool").replace("location: eastus", "location: westeurope")
EXPIRED = "access: {openAccess: [{project: fabrikam-prime/Web, allow: false, until: 2026-01-01, reason: ended}]}\n"


@dataclass(frozen=True)
class Story:
    """What differs when the message comes."""

    change: Callable[[Any], None]
    specs: dict[str, str] = field(default_factory=dict)
    """Pool → the text of its spec, where it is another one."""
    keys: tuple[str, ...] = ("build-pool",)
    writes: bool = True
    """Whether something is written to a plane."""
    policy: str = ""
    prepare: Callable[[Theatre, dict[str, str]], tuple[str, ...]] | None = None
    """What happens before; returns the command that is killed in place of the worker, if it is one."""
    message: bool = False
    """Whether the message comes after such a command too."""


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
    "a run is undone": Story(drift, prepare=applied),
    "a plan is approved": Story(drift, writes=False, policy=capped(NO_WIDENING), prepare=capped_plan),
    "an approved plan is applied": Story(drift, policy=capped(NO_WIDENING), prepare=approved_plan),
    "a person pauses": Story(drift, writes=False, prepare=pause, message=True),
    "a person resumes": Story(drift, prepare=resume, message=True),
    "only a report": Story(drift, {"build-pool": spec("build-pool", mode="report")}, writes=False),
}


@dataclass
class Theatre:
    """A new estate for each run of a story."""

    deployment: Deployment
    folder: Path
    story: Story
    number: int = 0
    command: tuple[str, ...] = ()
    """Of this run."""
    earlier: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What was on record before it."""

    @property
    def cloud(self) -> Running:
        return self.deployment.cloud

    def begin(self) -> dict[str, str]:
        """Everything as before the story: planes, state, specs, and one message."""
        self.number += 1
        place = self.folder / f"run-{self.number}"
        shutil.copytree(self.folder / "before", place)
        (place / "specs").mkdir()
        for pool in POOLS:
            (place / "specs" / f"{pool}.yaml").write_text(spec(pool))
        for pool, text in self.story.specs.items():
            path = place / "specs" / f"{pool}.yaml"
            path.write_text(text) if text else path.unlink()
        (place / "policy.yaml").write_text(self.story.policy or "{}\n")
        self.cloud.do.reset()
        for name in ("arm.update-seconds", "arm.create-seconds", "arm.delete-seconds"):
            self.cloud.do.switch(name, 0.05)
        self.story.change(self.cloud.do)
        environment = self.deployment.environment | {
            "RECONCILER_STATE": str(place / "state.db"),
            "RECONCILER_SPECS": str(place / "specs"),
            "RECONCILER_POLICY": str(place / "policy.yaml"),
        }
        self.command = self.story.prepare(self, environment) if self.story.prepare else ()
        self.cloud.do.reset_log()
        with closing(bootstrap.store(Settings.read(environment), SystemClock())) as store:
            self.earlier = _intents(store)
            if not self.command or self.story.message:
                store.named("work").put(json.dumps({"keys": self.story.keys, "trigger": "event"}))
        return environment

    def play(self, environment: dict[str, str], point: int = 0, *, after: bool = False) -> Play:
        """Deliver messages until none is left; the first delivery is killed at the point (0: never)."""
        place = Path(environment["RECONCILER_STATE"]).parent
        out = place / "log"
        if self.command:
            self._repeat(environment, out, point, after=after)
        left = later(place / "state.db")
        for turn in range(ROUNDS):
            if not left:
                break
            killed = 0 if turn or self.command else point
            self._run(deliver, (environment, killed, after, str(out)), killed)
            self.cloud.do.settle()
            left = later(place / "state.db")
        assert not left, f"{left} messages after {ROUNDS} deliveries; killed at {point}, after={after}"
        return self._seen(environment, [json.loads(line) for line in out.read_text().splitlines()])

    def _repeat(self, environment: dict[str, str], out: Path, point: int, *, after: bool) -> None:
        """A person runs the command again until it ends well; what is left to do then may be nothing."""
        for turn in range(3):
            with out.open("a") as log:
                log.write(json.dumps({"attempts": turn + 1}) + "\n")
            killed = 0 if turn else point
            code = self._run(command, (environment, self.command, killed, after, str(out)), killed)
            later(Path(environment["RECONCILER_STATE"]))
            if code >= 0:
                assert code == 0 or turn, f"{self.command}: exit code {code}"
                return

    @staticmethod
    def _run(target: Callable[..., None], arguments: tuple[Any, ...], point: int) -> int:
        """In a process of its own; its exit code, negative where it was killed."""
        process = FUNCTIONS.Process(target=target, args=arguments)
        process.start()
        process.join(600)
        code = process.exitcode
        assert code is not None, "it hangs"
        assert code >= 0 or (code == -9 and point), code
        assert code == 0 or target is command or point, code
        process.close()
        return code

    def _seen(self, environment: dict[str, str], log: list[Any]) -> Play:
        writes = [one for one in self.cloud.do.requests() if one["method"] not in ("GET", "HEAD", "OPTIONS")]
        with closing(bootstrap.store(Settings.read(environment), SystemClock())) as store:
            chains = {chain: list(store.record.entries(chain)) for chain in store.record.chains()}
            status = {key: load_status(store.state, key) for key in self.story.keys}
            intents = _intents(store) - self.earlier
        return Play(
            end=_without_moments(self.cloud.do.state()),
            writes=Counter(f"{one['method']} {one['path']}" for one in writes),
            intents=intents,
            broken=[line for chain in chains.values() for line in problems(chain)],
            attempts=max(one["attempts"] for one in log if "attempts" in one),
            points=next((len(one["writes"]) for one in log if "writes" in one), 0),
            conditions={
                key: [(c.kind.value, c.status.value, c.reason) for c in one.conditions] for key, one in status.items()
            },
        )


def _intents(store: bootstrap.Store) -> Counter[tuple[str, str]]:
    """Changes on record, before they were sent."""
    entries = [one for chain in store.record.chains() for one in store.record.entries(chain)]
    return Counter((one["pool"], one["change"]) for one in entries if one["kind"] == "intent")


@dataclass(frozen=True)
class Play:
    """How a story went."""

    end: Any
    writes: Counter[str]
    intents: Counter[tuple[str, str]]
    broken: list[str]
    attempts: int
    points: int
    conditions: dict[str, list[tuple[str, str, str]]]


def _without_moments(value: Any) -> Any:
    """The end state; when something happened, and which number it got, may differ."""
    moments = ("createdOn", "createdAt", "lastModifiedAt", "authorizedOn", "systemData", "etag", "now", "on")
    if isinstance(value, dict):
        return {name: _without_moments(inner) for name, inner in value.items() if name not in moments}
    return [_without_moments(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployment, Path]]:
    """Both planes, and a state in which both pools were in sync once."""
    folder = tmp_path_factory.mktemp("crashes")
    (folder / "before").mkdir()
    state = str(folder / "before" / "state.db")
    with deployed(folder, {"RECONCILER_STATE": state}) as deployment:
        context = deployment.context()
        specs = context.catalogue.specs()
        for one in specs.by_key.values():
            with context.worker.reconciler.look([one], shared=False) as look:
                result = look.reconcile(one, specs.revision)
            assert result.outcome.value == "in-sync", result
        yield deployment, folder


@pytest.mark.parametrize("name", STORIES)
def test_a_killed_worker_loses_and_doubles_nothing(prepared: tuple[Deployment, Path], name: str) -> None:
    deployment, folder = prepared
    theatre = Theatre(deployment, folder / name.replace(" ", "-"), STORIES[name])
    shutil.copytree(folder / "before", theatre.folder / "before")
    whole = theatre.play(theatre.begin())
    assert bool(whole.writes) == theatre.story.writes, whole
    assert whole.points > 0
    assert (whole.broken, whole.attempts) == ([], 1)
    assert sum(whole.intents.values()) <= sum(whole.writes.values())
    every = [(point, after) for point in range(1, whole.points + 1) for after in (False, True)]
    tried = every if os.environ.get("CRASH_POINTS") == "all" else _spread(every)

    wrong = {}
    for point, after in tried:
        killed = theatre.play(theatre.begin(), point, after=after)
        if problem := _difference(whole, killed):
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
    assert _difference(whole, theatre.play(theatre.begin(), 1, after=True)) == ""


def _unlike(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Where two end states differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _unlike(one.get(name), other.get(name), f"{at}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _unlike(left, right, f"{at}[{index}]")
    elif one != other:
        yield f"{at}: {one} -> {other}"


def _spread(points: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """The first, the last, and some between them."""
    return [points[round(index * (len(points) - 1) / (SAMPLE - 1))] for index in range(SAMPLE)]


def _difference(whole: Play, killed: Play) -> str:
    extra = sum(killed.writes.values()) - sum(whole.writes.values())
    lost = [change for change in whole.intents if change not in killed.intents]
    found = {
        f"another end state: {list(_unlike(whole.end, killed.end))}": killed.end != whole.end,
        f"{extra} extra writes: {killed.writes - whole.writes}": extra > 1,
        f"not in the record: {lost}": bool(lost),
        f"record: {killed.broken}": bool(killed.broken),
        f"{killed.attempts} deliveries": killed.attempts > 3,
        f"conditions {killed.conditions} instead of {whole.conditions}": killed.conditions != whole.conditions,
    }
    return "; ".join(text for text, wrong in found.items() if wrong)

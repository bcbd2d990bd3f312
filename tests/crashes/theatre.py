"""A story of a process that is killed: everything before it, its deliveries, and what is there at the end."""

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

from emulator import Running
from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.config.settings import Settings
from reconciler.documents.chain import problems
from reconciler.engine import load_status
from tests.crashes.killing import command, deliver, later
from tests.deployment import POOLS, Deployment, spec
from tests.forking import FUNCTIONS
from tests.service.notify.receivers import Post

EVERY = os.environ.get("CRASH_POINTS") == "all"
SAMPLE = 3
"""Points of a story to choose from: before the first write, between, and after the last write. Each story tries all but one
of them, and which one that is goes round."""
ROUNDS = 12


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
    told: bool = False
    """Whether notices are sent to receivers."""
    turn: int = 0
    """Which delivery is killed: the first one works, and the second one sends what it has to tell."""
    at: str = ""
    """How the writes begin that a sample is taken of."""
    adopts: bool = False
    """Whether the pool's spec is written."""


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
    post: Post = field(default_factory=Post)
    """Where notices arrive, if the story sends any."""
    texts: set[str] = field(default_factory=set)
    """The specs of the first pool that stood in its file, seen after each process."""

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
        environment |= self.post.environment if self.story.told else {}
        self.texts = set()
        self.command = self.story.prepare(self, environment) if self.story.prepare else ()
        self.cloud.do.reset_log()
        self.post.received.clear()
        with closing(bootstrap.store(Settings.read(environment), SystemClock())) as store:
            self.earlier = _intents(store)
            if not self.command or self.story.message:
                store.named("work").put(json.dumps({"keys": self.story.keys, "trigger": "event"}))
        return environment

    def play(self, environment: dict[str, str], point: int = 0, *, after: bool = False) -> Play:
        """Deliver messages until none is left; the first delivery is killed at the point (0: never)."""
        place = Path(environment["RECONCILER_STATE"]).parent
        out = place / "log"
        self._read(environment)
        if self.command:
            self._repeat(environment, out, point, after=after)
        left = later(place / "state.db")
        for turn in range(ROUNDS):
            if not left:
                break
            killed = point if turn == self.story.turn and not self.command else 0
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
            self._read(environment)
            if code >= 0:
                assert code == 0 or turn, f"{self.command}: exit code {code}"
                return

    def _read(self, environment: dict[str, str]) -> None:
        file = Path(environment["RECONCILER_SPECS"]) / "build-pool.yaml"
        self.texts.add(file.read_text() if file.exists() else "")

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
            seen=[one["writes"] for one in log if "writes" in one],
            told=Counter(
                (one.receiver, one.problem, json.dumps(one.body, sort_keys=True)) for one in self.post.received
            ),
            texts=frozenset(self.texts),
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
    seen: list[list[str]]
    """Writes of each process that ended."""
    told: Counter[tuple[str, str, str]]
    """Receiver, what was wrong, body: how often it came."""
    texts: frozenset[str]
    conditions: dict[str, list[tuple[str, str, str]]]


def _without_moments(value: Any) -> Any:
    """The end state; when something happened, and which number it got, may differ."""
    moments = ("createdOn", "createdAt", "lastModifiedAt", "authorizedOn", "systemData", "etag", "now", "on")
    if isinstance(value, dict):
        return {name: _without_moments(inner) for name, inner in value.items() if name not in moments}
    return [_without_moments(one) for one in value] if isinstance(value, list) else value


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


def points(whole: Play, story: Story, number: int) -> list[tuple[int, bool]]:
    """Where a process is killed: before and after each of its writes, or a sample of that by the story's number."""
    writes = whole.seen[story.turn]
    every = [(number, after) for number in range(1, len(writes) + 1) for after in (False, True)]
    return every if EVERY else _spread([one for one in every if writes[one[0] - 1].startswith(story.at)], number)


def _spread(points: list[tuple[int, bool]], number: int) -> list[tuple[int, bool]]:
    """Of the first, the last, and some between them all but one."""
    found = [points[round(index * (len(points) - 1) / (SAMPLE - 1))] for index in range(SAMPLE)]
    return [one for index, one in enumerate(found) if index != number % SAMPLE]


def difference(whole: Play, killed: Play) -> str:
    extra = sum(killed.writes.values()) - sum(whole.writes.values())
    lost = [change for change in whole.intents if change not in killed.intents]
    found = {
        f"another end state: {list(_unlike(whole.end, killed.end))}": killed.end != whole.end,
        f"{extra} extra writes: {killed.writes - whole.writes}": extra > 1,
        f"not in the record: {lost}": bool(lost),
        f"record: {killed.broken}": bool(killed.broken),
        f"{killed.attempts} deliveries": killed.attempts > 3,
        f"conditions {killed.conditions} instead of {whole.conditions}": killed.conditions != whole.conditions,
        f"the spec's file: {killed.texts}": killed.texts != whole.texts,
        f"told {_letters(killed)} instead of {_letters(whole)}": _letters(killed) != _letters(whole),
        f"told more than twice: {killed.told}": max(killed.told.values(), default=0) > 2,
    }
    return "; ".join(text for text, wrong in found.items() if wrong)


def _letters(play: Play) -> Counter[tuple[str, str]]:
    """How many different messages each receiver took, or refused; one that came again is the same, byte for byte."""
    return Counter((receiver, problem) for receiver, problem, _ in play.told)

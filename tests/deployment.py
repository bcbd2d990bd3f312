"""A deployment on this machine: the emulator, specs in a git repository, stores, and the settings that name them all.

Two pools in two organizations, in sync with their specs; what drifts, a test lets drift.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.estates import GROUP, SUBSCRIPTION
from benchmarks.estates import properties as pool_properties
from benchmarks.worker import MovedClock
from emulator import Running, start
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.ports.stores import Message, MessageQueue
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.queue.messages import read
from reconciler.service.triggers import TriggerContext, composition, messages
from reconciler.telemetry import MemoryTelemetry
from tests.adapters.git.git_kit import Work

T = TypeVar("T")

POOLS = {"build-pool": "fabrikam-prime", "test-pool": "fabrikam-tailspin"}
"""Pool → organization."""
PROJECTS = ("Web", "Api")
CANARY = "canary-5b1f"
"""Stands in every secret and claim that a test plants."""


def spec(pool: str, organization: str = "", *, concurrency: int = 2, mode: str = "enforce") -> str:
    """A spec file's text: JSON is YAML."""
    properties = pool_properties(organization or POOLS[pool], openAccess=True) | {"maximumConcurrency": concurrency}
    properties["organizationProfile"]["organizations"][0]["parallelism"] = concurrency
    head = f"apiVersion: reconciler/v1\nkind: ManagedDevOpsPool\nname: {pool}\nsubscription: {SUBSCRIPTION}\n"
    return (
        f"{head}resourceGroup: {GROUP}\nmode: {mode}\npool: {{location: eastus, properties: {properties}}}\n".replace(
            "True", "true"
        )
    )


def estate() -> dict[str, Any]:
    """What the emulator begins with."""
    pools = [
        {"name": pool, "resourceGroup": GROUP, "location": "eastus", "properties": pool_properties(organization)}
        for pool, organization in POOLS.items()
    ]
    return {
        "principals": [{"name": "operator", "kind": "servicePrincipal"}, {"name": "ann", "kind": "user", "mail": "ann@fabrikam.com"}, {"name": "zoe", "kind": "user", "mail": "zoe@fabrikam.com"}],
        "subscriptions": [{"id": SUBSCRIPTION, "resourceGroups": [GROUP], "pools": pools}],
        "organizations": [_organization(organization, pool) for pool, organization in POOLS.items()],
    }  # fmt: skip


def _organization(name: str, pool: str) -> dict[str, Any]:
    queues = [{"project": project, "openAccess": True} for project in PROJECTS]
    agents = {
        "name": pool,
        "managed": True,
        "allProjects": True,
        "inherit": False,
        "queues": queues,
    }
    return {
        "name": name,
        "identities": ["operator", "ann"],
        "administrators": ["operator", "ann"],
        "projects": list(PROJECTS),
        "agentPools": [{**agents, "roles": {"Administrator": ["operator"]}}],
    }


class WorldClock(MovedClock):
    """The clock of the processes of a deployment: what is added to it is added to the emulator's too."""

    def __init__(self, cloud: Running) -> None:
        super().__init__()
        self._cloud = cloud

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.ahead += seconds
        self._cloud.do.advance(seconds)


@dataclass
class Deployment:
    """Everything but the process that runs the triggers."""

    folder: Path
    cloud: Running
    repository: Work
    environment: dict[str, str]
    metrics: MemoryTelemetry = field(default_factory=MemoryTelemetry)

    def __post_init__(self) -> None:
        self.clock = WorldClock(self.cloud)

    def context(self, **given: str) -> TriggerContext:
        """The triggers' parts, put together as in production; a new process each time, as far as they know."""
        environment = {**self.environment, **{f"RECONCILER_{name}": value for name, value in given.items()}}
        settings = Settings.read(environment, beneath=state(environment))
        context = composition.build(settings, Hosting.read(environment), self.metrics, self.clock)
        if context.safety.documents.index().new:
            enforce(context)
        return context

    def commit(self, **files: str) -> str:
        """A commit with these files (``pool`` is ``specs/pool.yaml``)."""
        return self.repository.commit(**{f"specs__{name}": text for name, text in files.items()})

    def close_access(self, pool: str, project: str) -> None:
        """A person changes something by hand."""
        self.cloud.do.edit("close-access", organization=POOLS[pool], pool=pool, project=project)

    def is_open(self, pool: str, project: str) -> bool:
        """Whether the pool's queue in a project is there and open."""
        organizations = self.cloud.do.state()["organizations"]
        (found,) = [one for one in organizations if one["name"] == POOLS[pool]]
        (agents,) = [one for one in found["agentPools"] if one["name"] == pool]
        return any(queue["project"] == project and queue.get("openAccess", False) for queue in agents["queues"])


def enforce(context: TriggerContext) -> None:
    """As the owner of a new deployment does."""
    context.safety.set_mode(ModeScope(), WriteMode.ENFORCE, reason="go live", by="ann")


def plan_of(context: TriggerContext, pool: str) -> list[Any]:
    """What would be done now."""
    specs = context.catalogue.specs()
    return list(context.plan(specs.by_key[pool], specs.revision)["changes"])


def take(queue: MessageQueue) -> list[Message]:
    """All visible messages, acknowledged."""
    taken: list[Message] = []
    while found := queue.take(32, 330):
        for message in found:
            queue.ack(message)
        taken += found
    return taken


def texts(queue: MessageQueue) -> list[str]:
    """Texts of all visible messages, sorted; they are gone then."""
    return sorted(message.text for message in take(queue))


def untraced(text: str) -> str:
    """A message's text without its trace, its places and its moment: for which pools it asks, and why."""
    asked = read(text)
    assert asked is not None
    return replace(asked, trace="", scopes=(), at=None).text()


def trace_id(traceparent: str) -> str:
    """Which trace a traceparent belongs to."""
    return traceparent.split("-")[1]


def work_off(context: TriggerContext, seconds: float = 300.0) -> int:
    """Do what is on both queues until nothing is left; how many messages there were. Time passes where none is due."""
    assert isinstance(context.clock, WorldClock)
    queues, done, waited = (context.outbox.events, context.outbox.sweeps), 0, 0
    while any(queue.length() for queue in queues):
        taken = 0
        for queue in queues:
            for message in queue.take(1, 330):
                messages.work(context, message.text, message.inserted)
                queue.ack(message)
                taken += 1
        if not taken:
            waited += 1
            assert waited <= seconds, f"nothing came of it in {seconds} s"
            context.clock.later(1.0)
        done += taken
    return done


def until(look: Callable[[], T], seconds: float = 300.0) -> T:
    """Look again until there is something, within bounds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing came of it in {seconds} s")


def with_options(context: TriggerContext, **options: Any) -> TriggerContext:
    """The same context with other options."""
    return replace(context, options=replace(context.options, **options))


@contextmanager
def deployed(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Deployment]:
    """A deployment with both specs committed and state in a SQLite file, unless `more` says otherwise."""
    repository = Work(folder / "repository")
    repository.commit(**{f"specs__{pool}": spec(pool) for pool in POOLS})
    with start(estate(), switches={"arm.update-seconds": 0.1}) as cloud:
        environment = {
            "RECONCILER_SPECS": f"{repository.path}#main:specs",
            "RECONCILER_STATE": str(folder / "state.db"),
            "RECONCILER_ALLOW_LOOPBACK": "1",
            "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": cloud.arm,
            "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
            "RECONCILER_AUDIT_ENDPOINT": cloud.devops,
            "RECONCILER_ARM_TOKEN": cloud.tokens["arm"],
            "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
            "RECONCILER_GITHUB_SECRET": f"github-{CANARY}",
            "RECONCILER_AZURE_REPOS_SECRET": f"repos-{CANARY}",
            "RECONCILER_CACHE": str(folder / "cache"),
            "AZURE_DEVOPS_CACHE_DIR": str(folder / "cache"),
            **(more or {}),
        }
        yield Deployment(folder, cloud, repository, {name: text for name, text in environment.items() if text})

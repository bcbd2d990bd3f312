"""Ten thousand specs, parsed and planned from memory, against the YAML parser alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import median

import yaml

from benchmarks import estates
from benchmarks.measure import Row, Table, apart, at_most, shown, worked
from reconciler.documents import Json
from reconciler.engine import Planner
from reconciler.errors import ReconcilerError
from reconciler.facets.registry import FACETS
from reconciler.plan.policy import Policy
from reconciler.ports.azure import API_VERSION, Operation
from reconciler.ports.devops import (
    AgentPool,
    Group,
    Identity,
    Pipeline,
    PipelinePermissions,
    Project,
    Queue,
    QueueCheck,
    RoleAssignment,
)
from reconciler.ports.readers_writers import Readers
from reconciler.ports.specs import Snapshot
from reconciler.service.catalogue import Catalogue
from reconciler.service.triggers.changed import changed, digests_of
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.scope import scope_of

TITLE = "Specs parsed and planned from memory"
ME = Identity("11111111-0000-0000-0000-000000000000", "Pool operator", origin_id="1")
ANN = Identity("22222222-0000-0000-0000-000000000000", "Ann Example", "ann@fabrikam.com")
BATCH = 100
"""Pools of one survey, as a sweep cuts them."""


def run(*, quick: bool = False) -> Table:
    """All figures; the median of three rounds, each in one process."""
    count = 50 if quick else 10_000
    found, _ = apart(_measured, count, 1 if quick else 3)
    rows: tuple[Row, ...] = (
        at_most("changes and gaps planned", max(one.changes for one in found), 0, count=True),
        at_most("pools to run after a commit to one file", max(one.touched for one in found), 1, count=True),
    )
    if not quick:
        first = median((one.parsed + one.planned) / one.alone for one in found)
        rows += (
            shown("yaml.load, CSafeLoader", median(one.alone for one in found), "s"),
            shown("parse and check", median(one.parsed for one in found), "s"),
            shown("plan", median(one.planned for one in found), "s"),
            at_most("parse and plan against yaml.load", first, 2.0, "×"),
            at_most("one file changed: against yaml.load", median(one.again / one.alone for one in found), 0.05, "×"),
        )
    how = (
        f"{count:,} YAML files in memory, read through the service's catalogue of specs, then a plan of each with "
        f"readers in memory, batches of {BATCH}; against `yaml.load` with `CSafeLoader` of the same files. Then a "
        "commit changes one file: the catalogue reads again, and finds and plans what is to run. CPU of one thread; "
        "medians of three rounds, ratios within a round."
    )
    return Table(TITLE, how, rows)


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of CPU, and counts."""

    alone: float
    parsed: float
    planned: float
    again: float
    changes: int
    touched: int


def _measured(count: int, rounds: int) -> list[Round]:
    files = specs(count)
    load(dict(list(files.items())[:5]))
    return [_round(files) for _ in range(rounds)]


def _round(files: Mapping[str, bytes]) -> Round:
    with worked() as alone:
        for content in files.values():
            yaml.load(content, Loader=yaml.CSafeLoader)
    source = Commits(files)
    catalogue = Catalogue(source, Noon())
    with worked() as parsed:
        read = catalogue.specs()
    loaded = tuple(read.by_key.values())
    assert len(loaded) == len(files), read.problems[:3]
    batches = [loaded[start : start + BATCH] for start in range(0, len(files), BATCH)]
    ready = [(batch, _planner(batch)) for batch in batches]
    with worked() as planned:
        changes = sum(_planned(batch, planner) for batch, planner in ready)
    before = {"files": digests_of(read), "pools": list(read.by_key)}
    source.commit(next(iter(files)), b"# edited\n")
    planner = _planner(batches[0])
    with worked() as again:
        read = catalogue.specs()
        touched = changed(read, before, digests_of(read))
        changes += _planned(touched, planner)
    return Round(alone(), parsed(), planned(), again(), changes, len(touched))


class Commits:
    """A source of specs in memory, as the one of Git is once it has what a commit changed."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        self._revision = 1

    def commit(self, path: str, more: bytes) -> None:
        """Append to one file."""
        self._files = {**self._files, path: self._files[path] + more}
        self._revision += 1

    def snapshot(self) -> Snapshot:
        """The newest one."""
        return Snapshot(f"{self._revision:040}", self._files)


def _planner(batch: Sequence[Spec]) -> Planner:
    return Planner(FACETS, Readers(Arm(batch), DevOps(batch)), Policy(), Noon())


def _planned(specs: Sequence[Spec], planner: Planner) -> int:
    # One thread: memory answers at once, so there is nothing to wait for side by side.
    pools, listed, roles = scope_of(specs)
    survey = SharedSurvey(replace(planner.readers, parallel=1), pools, listed=listed, administered=roles, sample=0)
    plans = [planner.plan(spec, survey, "r") for spec in specs]
    return sum(len(plan.changes) + len(plan.gaps) for plan in plans)


def specs(count: int) -> dict[str, bytes]:
    """YAML files as people write them, in block style; they differ by their names."""
    first = "pool-00000"
    text = yaml.dump(json.loads(estates.spec(first)), Dumper=yaml.CSafeDumper, sort_keys=False)
    names = [f"pool-{number:05d}" for number in range(count)]
    return {f"{name}.yaml": text.replace(first, name).encode() for name in names}


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Always the same."""
        return datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        """Always the same."""
        return 0.0


class Arm:
    """Pools in ARM, as the specs want them."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self._pools = [self._pool(spec) for spec in specs]

    @staticmethod
    def _pool(spec: Spec) -> dict[str, Json]:
        body: dict[str, Json] = copy.deepcopy(json.loads(json.dumps(spec.body)))
        body["properties"]["provisioningState"] = "Succeeded"
        return {"id": spec.pool_id, "name": spec.name, **body}

    def pool(self, pool_id: str, api_version: str = API_VERSION) -> dict[str, Json] | None:  # noqa: ARG002 - one version here
        """One of them."""
        return next((pool for pool in self._pools if pool["id"] == pool_id), None)

    def pools(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All of them."""
        return [pool for pool in self._pools if subscription in pool["id"]]

    def subscriptions(self) -> Sequence[str]:
        """Those of the pools."""
        return sorted({pool["id"].split("/")[2] for pool in self._pools})

    def machines(self, pool_id: str) -> Sequence[str]:
        """None is busy."""
        return ["Ready"] if pool_id else []

    def operation(self, url: str) -> Operation:
        """There is none."""
        return Operation("gone", url)


class DevOps:
    """An organization that agrees with the specs: two projects, every queue open."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self._pools = [AgentPool(number, spec.name) for number, spec in enumerate(specs, 1)]
        self._projects = [Project(f"{number}", f"project-{number}") for number in range(2)]

    def me(self, organization: str) -> Identity:
        """The operator."""
        return ME if organization else ANN

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        """One for each spec."""
        return self._pools if organization else ()

    def projects(self, organization: str) -> Sequence[Project]:
        """Two."""
        return self._projects if organization else ()

    def groups(self, organization: str) -> Sequence[Group]:
        """Those of visible projects."""
        return [Group(f"[{project.name}]\\Readers", project=project.id) for project in self.projects(organization)]

    def may(self, organization: str, token: str, bits: int) -> bool:
        """Everything."""
        return bool(organization and token and bits)

    def deleted_projects(self, organization: str) -> frozenset[str]:
        """None."""
        return frozenset() if organization else frozenset({"0"})

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """None."""
        return () if organization and project_id else (Pipeline(1, "none"),)

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """One for each pool."""
        return [Queue(self._queue(project_id, pool), organization, project_id, pool) for pool in pool_ids]

    def checks(self, organization: str, project_id: str, queue_id: int) -> Sequence[QueueCheck]:
        """One: no pool is replaced here."""
        return [QueueCheck(queue_id, f"{organization} {project_id}", {})]

    def pipelines_of_queues(self, organization: str, project_id: str) -> Mapping[int, Sequence[Pipeline]]:
        """One, as above."""
        return {1: [Pipeline(1, f"{organization} {project_id}")]}

    def organization_queues(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """None: no list is believed here."""
        return () if organization and pool_ids else (Queue(1, "none", "", 1),)

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        """All of them."""
        return frozenset(self._queue(project_id, pool.id) for pool in self._pools if organization)

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        """Open."""
        return PipelinePermissions(all_pipelines=bool(organization and project_id and queue_id))

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """The operator and Ann."""
        people = (ME, ANN) if organization and scope and resource else ()
        return [RoleAssignment(identity, "Administrator", inherited=False) for identity in people]

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        """Off everywhere."""
        return {pool.id: False for pool in self._pools if organization}

    def identities(self, organization: str, principals: Mapping[str, str]) -> Mapping[str, Identity | ReconcilerError]:
        """Everybody is Ann."""
        return {name: ANN for name in principals if organization}

    def names_of(self, organization: str, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """No name leads back."""
        del organization, ids
        return {}

    def memberships(self, organization: str, identity_id: str) -> Sequence[Group]:
        """Nothing is removed, so no group is read."""
        raise NotImplementedError(f"{organization}: {identity_id}")

    def members(self, organization: str, identity_ids: Sequence[str]) -> Mapping[str, tuple[str, ...] | None]:
        """As above."""
        raise NotImplementedError(f"{organization}: {identity_ids}")

    @staticmethod
    def _queue(project_id: str, pool: int) -> int:
        return int(project_id) * 1_000_000 + pool

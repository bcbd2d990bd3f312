"""Ten thousand specs, parsed and planned from memory, against the YAML parser alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from statistics import median

import yaml

from benchmarks import estates
from benchmarks.measure import Row, Table, apart, at_most, shown, timed
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
    (alone, parsed, planned, changes), _ = apart(_measured, count, 1 if quick else 3)
    rows: tuple[Row, ...] = (at_most("changes and gaps planned", changes, 0, count=True),)
    if not quick:
        ratio = (parsed + planned) / alone
        rows += (
            shown("yaml.load, CSafeLoader", alone, "s"),
            shown("parse and check", parsed, "s"),
            shown("plan", planned, "s"),
            at_most("parse and plan against yaml.load", ratio, 2.0, "×"),
        )
    how = (
        f"{count:,} YAML files in memory; `spec.loader.load`, then a plan of each with readers in memory, batches "
        f"of {BATCH}; against `yaml.load` with `CSafeLoader` of the same files. One thread; median of three."
    )
    return Table(TITLE, how, rows)


def _measured(count: int, rounds: int) -> tuple[float, float, float, int]:
    files = specs(count)
    load(dict(list(files.items())[:5]))
    found = [_round(files) for _ in range(rounds)]
    alone, parsed, planned = (median(one[place] for one in found) for place in range(3))
    return alone, parsed, planned, max(int(one[3]) for one in found)


def _round(files: Mapping[str, bytes]) -> tuple[float, float, float, int]:
    with timed() as alone:
        for content in files.values():
            yaml.load(content, Loader=yaml.CSafeLoader)
    with timed() as parsed:
        loaded = load(files)
    assert len(loaded.specs) == len(files), loaded.problems[:3]
    batches = [loaded.specs[start : start + BATCH] for start in range(0, len(files), BATCH)]
    ready = [(batch, Planner(FACETS, Readers(Arm(batch), DevOps(batch)), Policy(), Noon())) for batch in batches]
    with timed() as planned:
        changes = sum(_planned(batch, planner) for batch, planner in ready)
    return alone(), parsed(), planned(), changes


def _planned(specs: Sequence[Spec], planner: Planner) -> int:
    # One thread: memory answers at once, so there is nothing to wait for side by side.
    pools, listed, roles = scope_of(specs)
    survey = SharedSurvey(planner.readers, pools, listed=listed, administered=roles, sample=0, parallel=1)
    plans = [planner.plan(spec, survey, "r") for spec in specs]
    return sum(len(plan.changes) + len(plan.gaps) for plan in plans)


def specs(count: int) -> dict[str, bytes]:
    """YAML files as people write them, in block style."""
    return {
        f"pool-{number:05d}.yaml": yaml.safe_dump(
            json.loads(estates.spec(f"pool-{number:05d}")), sort_keys=False
        ).encode()
        for number in range(count)
    }


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

"""A pool in sync with its spec, and a person who changes it beside the spec."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from emulator import Running, start
from reconciler.plan.model import Plan
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.tools.adopt.rounds import AdoptionOutcome, adopt_pool
from tests.aspects.shop import POOL, SUBSCRIPTION, Shop, parsed, settings

Json = Any
QUICK = {"arm.create-seconds": 0.0, "arm.update-seconds": 0.0, "arm.retry-after": 0}
PRIME, TAILSPIN = "fabrikam-prime", "fabrikam-tailspin"
API = "2026-06-02"
RESOURCE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/{POOL}"
)
TEXT = f"""\
# The pool of two teams.
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: {POOL}   # as in the portal
subscription: {SUBSCRIPTION}
resourceGroup: rg-build
pool:
  location: eastus
  tags: {{ team: "build", cost: '7' }}
  properties:
    maximumConcurrency: 4   # for the release
    organizationProfile:
      kind: AzureDevOps
      organizations:
        # all projects
        - url: https://dev.azure.com/{TAILSPIN}
          projects: []
          openAccess: true
          parallelism: 2
        - {{ url: https://dev.azure.com/{PRIME}, projects: [dev, test], openAccess: false, parallelism: 2 }}
    agentProfile:
      kind: Stateful
      maxAgentLifetime: 1.00:00:00
      resourcePredictionsProfile: {{ kind: Manual }}
      resourcePredictions:
        timeZone: UTC
        daysData:
          - {{}}
          - {{ '08:00:00': 2, '18:00:00': 0 }}   # Monday
          - {{}}
          - {{}}
          - {{}}
          - {{}}
          - {{}}
    fabricProfile:
      kind: Vmss
      sku: {{ name: Standard_D2ads_v5 }}
      images:
        - wellKnownImageName: ubuntu-24.04
          aliases: [linux]
          buffer: '*'
access:
  openAccess:
    - project: {TAILSPIN}/Legacy
      allow: false
      reason: under audit   # ends with the audit
  pipelines:
    - project: {PRIME}/dev
      pipelines:
        - \\release\\nightly   # every night
      exclusive: true
  roles:
    # who may do everything
    - organization: {PRIME}
      administrators: [ann@fabrikam.com]
      exclusive: true
      inherit: false
  agentPools:
    - {{ organization: {TAILSPIN}, autoProvision: false }}
  queueRoles:
    - {{ project: {PRIME}/test, users: [bob@fabrikam.com], readers: [], exclusive: true }}
# The end.
"""


def estate() -> Json:
    people = [{"name": one, "kind": "user", "mail": f"{one}@fabrikam.com"} for one in ("ann", "bob", "eve")]
    pipelines = [{"id": 41, "name": "nightly", "path": "\\release"}, {"id": 42, "name": "weekly", "path": "\\release"}]
    projects = {PRIME: ["dev", "test", "other"], TAILSPIN: ["Web", "Legacy"]}
    return {
        "principals": [{"name": "operator", "kind": "servicePrincipal"}, *people],
        "subscriptions": [{"id": SUBSCRIPTION, "resourceGroups": ["rg-build"], "pools": []}],
        "organizations": [
            {
                "name": name,
                "identities": ["operator", "ann", "bob", "eve"],
                "administrators": ["operator", "eve"],
                "projects": [{"name": one, "pipelines": pipelines} for one in projects[name]],
            }
            for name in (PRIME, TAILSPIN)
        ],
    }


@cache
def settled() -> tuple[Json, bytes]:
    """That estate and the program's memory once the pool is in sync; it takes longer than most of the tests."""
    with TemporaryDirectory() as folder, start(estate(), switches=QUICK) as cloud:
        state = Path(folder) / "state.db"
        shop = Shop(cloud, settings(cloud, state, PREREQUISITES="0"))
        shop.settle(parsed(TEXT))
        shop.app.close()
        with closing(sqlite3.connect(state)) as file:
            return cloud.do.state(), file.serialize()


@contextmanager
def settled_cloud() -> Iterator[Running]:
    """An emulator with that estate; `reset` leads back to it."""
    with start(copy.deepcopy(settled()[0]), switches=QUICK) as cloud:
        yield cloud


class Adopting:
    """A pool that is in sync, and a person beside it."""

    def __init__(self, cloud: Running, folder: Path) -> None:
        self.cloud = cloud
        (folder / "state.db").write_bytes(settled()[1])
        self.shop = Shop(cloud, settings(cloud, folder / "state.db", PREREQUISITES="0"))
        self.spec = parsed(TEXT)
        assert self.shop.plan(self.spec).in_sync, self.shop.plan(self.spec)

    def by_hand(self, what: str, **arguments: Json) -> None:
        if what != "create-project":
            arguments.setdefault("pool", POOL)
        self.cloud.do.edit(what, **arguments)

    def resource(self, change: Callable[[Json], None]) -> None:
        """Edit the resource as a client of ARM does."""
        headers = {"Authorization": f"Bearer {self.cloud.tokens['arm']}"}
        where, version = f"{self.cloud.arm}{RESOURCE}", {"api-version": API}
        document = requests.get(where, params=version, headers=headers, timeout=30).json()
        change(document)
        document["properties"].pop("provisioningState", None)
        made = requests.put(where, params=version, headers=headers, json=document, timeout=30)
        assert made.ok, made.text
        self.cloud.do.settle()

    def look(self, spec: Spec) -> tuple[Plan, SharedSurvey]:
        survey = self.shop.app.reconciler.survey([spec])
        return self.shop.app.planner.plan(spec, survey, "c0ffee"), survey

    def adopt(self, *names: str, text: str = TEXT, files: dict[str, bytes] | None = None) -> AdoptionOutcome:
        every = {**(files or {}), "pool.yaml": text.encode()}
        self.cloud.do.reset_log()
        app = self.shop.app
        spec = parsed(text)
        found = adopt_pool(every, spec, names, self.look, today=app.clock.now().date(), policy=app.planner.policy)
        assert self.cloud.do.count(writes=True) == 0
        return found

    def adopted_all(self, *names: str) -> str:
        """Adopt; nothing is left, the plan is empty, and the next run writes nothing. The new text."""
        outcome = self.adopt(*names)
        assert outcome.left == []
        text = outcome.after.decode()
        plan = self.shop.plan(parsed(text))
        assert (plan.changes, plan.refusals, plan.gaps, plan.following) == ((), (), (), ()), text
        self.shop.second_run_writes_nothing(parsed(text))
        return text


def concurrency(document: Json) -> None:
    document["properties"]["maximumConcurrency"] = 6
    for one in document["properties"]["organizationProfile"]["organizations"]:
        one["parallelism"] = 3


def tags(document: Json) -> None:
    document["tags"] = {"team": "ops", "of": "a policy"}


def machines(document: Json) -> None:
    document["properties"]["fabricProfile"]["sku"]["name"] = "Standard_D4ads_v5"


def switch_automatic_queues(adopting: Adopting) -> None:
    agents = adopting.shop.agent_pool(TAILSPIN)
    headers = {"Authorization": f"Bearer {adopting.cloud.tokens['devops']}"}
    where = f"{adopting.cloud.devops}/{TAILSPIN}/_apis/distributedtask/pools/{agents['id']}?api-version=7.1"
    assert requests.patch(where, json={"autoProvision": True}, headers=headers, timeout=30).ok

"""`adopt` against an emulated estate: whatever people change beside the spec, the spec says it afterwards.

Each test brings a pool in sync, changes it by hand, adopts, and plans again: nothing is left, and nothing was written.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from emulator import Running, start
from reconciler.errors import NotFound
from reconciler.plan.model import Plan
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.tools.adopt.rounds import AdoptionOutcome, adopt_pool
from tests.aspects.shop import POOL, SUBSCRIPTION, Shop, parsed, settings

Json = Any
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


class Adopting:
    """A pool that is in sync, and a person beside it."""

    def __init__(self, cloud: Running, folder: Path) -> None:
        self.cloud = cloud
        self.shop = Shop(cloud, settings(cloud, folder / "state.db", PREREQUISITES="0"))
        self.spec = parsed(TEXT)
        self.shop.settle(self.spec)
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


@pytest.fixture
def adopting(tmp_path: Path) -> Iterator[Adopting]:
    with start(
        estate(), switches={"arm.create-seconds": 0.0, "arm.update-seconds": 0.0, "arm.retry-after": 0}
    ) as cloud:
        yield Adopting(cloud, tmp_path)


def differing(text: str) -> list[str]:
    """Lines that went, and lines that came."""
    found = difflib.ndiff(TEXT.splitlines(), text.splitlines())
    return [line for line in found if line.startswith(("- ", "+ "))]


def test_in_sync_there_is_nothing_to_adopt(adopting: Adopting) -> None:
    outcome = adopting.adopt()

    assert (outcome.after, outcome.adopted, outcome.left) == (TEXT.encode(), [], [])


def _concurrency(document: Json) -> None:
    document["properties"]["maximumConcurrency"] = 6
    for one in document["properties"]["organizationProfile"]["organizations"]:
        one["parallelism"] = 3


def _tags(document: Json) -> None:
    document["tags"] = {"team": "ops", "of": "a policy"}


def _images(document: Json) -> None:
    document["properties"]["fabricProfile"]["images"] = [
        {"wellKnownImageName": "windows-2022", "buffer": "50"},
        {"wellKnownImageName": "ubuntu-24.04", "aliases": ["linux", "lts"], "buffer": "50"},
    ]


def _schedule(document: Json) -> None:
    predictions = document["properties"]["agentProfile"]["resourcePredictions"]
    predictions["daysData"][1] = {"09:30:00": 1}


def _stateless(document: Json) -> None:
    document["properties"]["agentProfile"] = {"kind": "Stateless"}


def _lifetime(document: Json) -> None:
    document["properties"]["agentProfile"]["maxAgentLifetime"] = "2.00:00:00"


def _machines(document: Json) -> None:
    document["properties"]["fabricProfile"]["sku"]["name"] = "Standard_D4ads_v5"


def _projects(document: Json) -> None:
    for one in document["properties"]["organizationProfile"]["organizations"]:
        if one["url"].endswith(PRIME):
            one["projects"] = ["dev", "other"]


def _without_tailspin(document: Json) -> None:
    profile = document["properties"]["organizationProfile"]
    profile["organizations"] = [one for one in profile["organizations"] if one["url"].endswith(PRIME)]
    document["properties"]["maximumConcurrency"] = 2


RESOURCES: dict[str, tuple[Callable[[Json], None], list[str]]] = {
    "agents": (
        _concurrency,
        ["-     maximumConcurrency: 4   # for the release", "+     maximumConcurrency: 6   # for the release"],
    ),
    "tags": (_tags, ["-   tags: { team: \"build\", cost: '7' }", '+   tags: { team: "ops" }']),
    "images": (
        _images,
        ["+         - { wellKnownImageName: windows-2022, buffer: '50' }", "+           aliases: [linux, lts]"],
    ),
    "schedule": (_schedule, ["+           - { '09:30:00': 1 }   # Monday"]),
    "another kind of agents": (_stateless, ["+       kind: Stateless"]),
    "a field": (_lifetime, ["+       maxAgentLifetime: 2.00:00:00"]),
    "machines": (_machines, ["+       sku: { name: Standard_D4ads_v5 }"]),
}


@pytest.mark.parametrize("name", RESOURCES)
def test_the_resource_is_adopted(adopting: Adopting, name: str) -> None:
    change, expected = RESOURCES[name]
    adopting.resource(change)

    found = differing(adopting.adopted_all())

    assert set(expected) <= set(found), found


def test_the_projects_of_an_organization_are_adopted_with_what_is_said_of_them(adopting: Adopting) -> None:
    adopting.resource(_projects)
    adopting.shop.cloud.do.settle()

    text = adopting.adopted_all()

    assert "projects: [dev, other]" in text
    assert f"{PRIME}/test" not in text, "the roles of its queue go with it"


def test_an_organization_that_went_goes_with_what_is_said_of_it(adopting: Adopting) -> None:
    adopting.resource(_without_tailspin)

    text = adopting.adopted_all()

    assert TAILSPIN not in text
    assert "# all projects" in text, "no comment is lost that stands in a line of its own"


ACCESS: dict[str, tuple[str, dict[str, Json], list[str]]] = {
    "closed by hand, where the flag opens": (
        "close-access",
        {"organization": TAILSPIN, "project": "Web"},
        [f"+     - {{ project: {TAILSPIN}/Web, allow: false, reason: as found in Azure DevOps on TODAY }}"],
    ),
    "opened by hand, where an exception closes": (
        "open-access",
        {"organization": TAILSPIN, "project": "Legacy"},
        ["-       reason: under audit   # ends with the audit", f"-     - project: {TAILSPIN}/Legacy"],
    ),
    "one of the listed projects opened": (
        "open-access",
        {"organization": PRIME, "project": "test"},
        [f"+     - {{ project: {PRIME}/test, allow: true, reason: as found in Azure DevOps on TODAY }}"],
    ),
    "a pipeline let in": (
        "authorize-pipeline",
        {"organization": PRIME, "project": "dev", "pipeline": 42},
        ["+         - '\\release\\weekly'"],
    ),
    "a pipeline taken out": (
        "authorize-pipeline",
        {"organization": PRIME, "project": "dev", "pipeline": 41, "authorized": False},
        ["+       pipelines: []", "-         - \\release\\nightly   # every night"],
    ),
    "an administrator made": (
        "set-role",
        {"organization": PRIME, "who": "bob", "role": "Administrator"},
        ["+       administrators: [ann@fabrikam.com, bob@fabrikam.com]"],
    ),
    "inheritance switched on": (
        "set-inheritance", {"organization": PRIME, "on": True}, ["+       inherit: true"],
    ),
    "a role on a queue": (
        "set-role",
        {"organization": PRIME, "project": "test", "who": "ann", "role": "Reader"},
        [f"+     - {{ project: {PRIME}/test, users: [bob@fabrikam.com], readers: [ann@fabrikam.com], exclusive: true }}"],
    ),
    "a role on a queue taken away": (
        "remove-role",
        {"organization": PRIME, "project": "test", "who": "bob"},
        [f"+     - {{ project: {PRIME}/test, users: [], readers: [], exclusive: true }}"],
    ),
    "another role on a queue": (
        "set-role",
        {"organization": PRIME, "project": "test", "who": "bob", "role": "Reader"},
        [f"+     - {{ project: {PRIME}/test, users: [], readers: [bob@fabrikam.com], exclusive: true }}"],
    ),
    "a queue deleted": (
        "delete-queue",
        {"organization": TAILSPIN, "project": "Legacy"},
        [f"+     - {{ project: {TAILSPIN}/Legacy, reason: without a queue on TODAY }}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCESS)
def test_access_is_adopted(adopting: Adopting, name: str) -> None:
    what, arguments, expected = ACCESS[name]
    adopting.by_hand(what, **arguments)

    text = re.sub(r"\d{4}-\d{2}-\d{2} \}", "TODAY }", adopting.adopted_all())

    assert set(expected) <= set(differing(text)), differing(text)


def test_an_administrator_who_is_gone_is_listed_no_more(adopting: Adopting) -> None:
    adopting.by_hand("set-role", organization=PRIME, who="bob", role="Administrator")
    adopting.by_hand("remove-role", organization=PRIME, who="ann")

    assert "+       administrators: [bob@fabrikam.com]" in differing(adopting.adopted_all())


def switch_automatic_queues(adopting: Adopting) -> None:
    agents = adopting.shop.agent_pool(TAILSPIN)
    headers = {"Authorization": f"Bearer {adopting.cloud.tokens['devops']}"}
    where = f"{adopting.cloud.devops}/{TAILSPIN}/_apis/distributedtask/pools/{agents['id']}?api-version=7.1"
    assert requests.patch(where, json={"autoProvision": True}, headers=headers, timeout=30).ok


def test_automatic_queues_are_adopted(adopting: Adopting) -> None:
    switch_automatic_queues(adopting)

    assert f"+     - {{ organization: {TAILSPIN}, autoProvision: true }}" in differing(adopting.adopted_all())


def test_one_change_is_adopted_and_the_others_stay(adopting: Adopting) -> None:
    adopting.resource(_tags)
    adopting.resource(_machines)
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")
    adopting.by_hand("set-role", organization=PRIME, who="bob", role="Administrator")

    outcome = adopting.adopt("Tags.team", f"open_access:open access:{TAILSPIN}/Web")

    assert outcome.left == []
    left = adopting.shop.plan(outcome.spec)
    assert sorted(change.kind for change in left.changes) == ["administrator", "pool"]
    (pool,) = [change for change in left.changes if change.kind == "pool"]
    assert [detail.path for detail in pool.details] == ["fabricProfile.sku.name", "tags.cost"]


def test_a_field_that_needs_another_one_says_so(adopting: Adopting) -> None:
    adopting.resource(_concurrency)

    outcome = adopting.adopt("maximumConcurrency")

    assert outcome.after == TEXT.encode()
    ((subject, why),) = outcome.left
    assert subject == f"pool {POOL}"
    assert "parallelism adds up to 4" in why


def test_everything_at_once(adopting: Adopting) -> None:
    for change in (_concurrency, _tags, _schedule, _lifetime, _machines):
        adopting.resource(change)
    for what, arguments, _ in ACCESS.values():
        if what != "remove-role":
            adopting.by_hand(what, **arguments)

    text = adopting.adopted_all()

    for comment in re.findall(r"^ *#.*$", TEXT, re.MULTILINE):
        assert comment in text


# --- what is not adopted ----------------------------------------------------------------------------------------


def reasons(outcome: AdoptionOutcome) -> dict[str, str]:
    return dict(outcome.left)


def test_a_pool_that_is_gone_is_not_adopted(adopting: Adopting) -> None:
    headers = {"Authorization": f"Bearer {adopting.cloud.tokens['arm']}"}
    requests.delete(
        f"{adopting.cloud.arm}{RESOURCE}", params={"api-version": API}, headers=headers, timeout=30
    ).raise_for_status()
    adopting.cloud.do.settle()
    adopting.cloud.do.settle()

    outcome = adopting.adopt()

    assert outcome.after == TEXT.encode()
    assert "the pool does not exist in Azure" in reasons(outcome)[f"pool {POOL}"]


def test_a_hidden_pipeline_and_a_nameless_identity_are_not_adopted(adopting: Adopting) -> None:
    adopting.by_hand("authorize-pipeline", organization=PRIME, project="dev", pipeline=99)
    builders = {"organization": PRIME, "who": f"[{PRIME}]\\Builders"}
    adopting.cloud.do.edit("create-group", organization=PRIME, name="Builders")
    adopting.by_hand("set-role", role="Administrator", **builders)
    adopting.cloud.do.edit("double-identity", **builders)

    outcome = adopting.adopt()

    assert outcome.after == TEXT.encode()
    said = " ".join(reasons(outcome).values())
    assert "pipeline 99 is hidden or deleted, and no spec can name it" in said
    assert "no name leads back to this identity" in said


def test_what_looks_like_a_secret_gets_into_no_spec(adopting: Adopting) -> None:
    token = "ghp_" + "a1B2c3D4" * 5
    adopting.resource(lambda document: document["tags"].update(team=token))

    outcome = adopting.adopt()

    assert outcome.after == TEXT.encode()
    assert reasons(outcome)[f"pool {POOL}"] == "the value looks like a secret, and none is written to a spec"


def test_what_cannot_be_read_is_said(adopting: Adopting) -> None:
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")
    adopting.cloud.do.edit("hide-project", organization=PRIME, project="test")

    outcome = adopting.adopt()

    assert f"{TAILSPIN}/Web" in outcome.after.decode()
    assert any(f"{PRIME}/test" in subject for subject, _ in outcome.left)


def test_a_name_that_the_plan_does_not_have_is_an_error_with_the_nearest(adopting: Adopting) -> None:
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")

    with pytest.raises(NotFound, match=r"the plan has no change 'fabrikam-tailspin/Wep'; nearest: .*Web"):
        adopting.adopt(f"{TAILSPIN}/Wep")


def test_a_name_of_several_changes_is_an_error_with_their_ids(adopting: Adopting) -> None:
    text = TEXT.replace("  agentPools:", f"    - {{ organization: {TAILSPIN}, inherit: false }}\n  agentPools:")
    adopting.by_hand("set-inheritance", organization=TAILSPIN, on=True)
    switch_automatic_queues(adopting)

    with pytest.raises(NotFound) as caught:
        adopting.adopt(TAILSPIN, text=text)

    assert "names 2 changes; use the id of one: agent_pool:auto-provision:" in str(caught.value)
    assert adopting.adopt(f"inheritance:inheritance:{TAILSPIN}", text=text).left == []


def test_the_policy_that_would_refuse_it_is_named(adopting: Adopting) -> None:
    app = adopting.shop.app
    app.planner.policy = replace(app.planner.policy, open_access=("nobody/*",), projects=app.planner.policy.projects)
    adopting.by_hand("open-access", organization=PRIME, project="test")

    outcome = adopting.adopt()

    assert outcome.left == []
    assert outcome.warnings == [f"the policy does not let open access be granted in {PRIME}/test"]


def test_another_pool_in_the_file_and_in_the_folder_keeps_its_bytes(adopting: Adopting) -> None:
    adopting.resource(_tags)
    other = TEXT.replace(POOL, "other-pool").replace("\n", "\r\n")

    outcome = adopting.adopt(text=f"{TEXT}---\n{other}", files={"b.yaml": TEXT.replace(POOL, "third").encode()})

    assert outcome.after.endswith(other.encode())
    assert b'tags: { team: "ops" }' in outcome.after


@pytest.mark.parametrize("shape", ["JSON", "az mdp", "kinds as keys", "anchors", "CRLF", "byte order mark"])
def test_every_shape_of_a_spec_is_adopted_in_its_shape(adopting: Adopting, shape: str) -> None:
    adopting.resource(_concurrency)
    adopting.resource(_machines)
    adopting.by_hand("set-role", organization=PRIME, who="bob", role="Administrator")
    text = SHAPES[shape]()

    outcome = adopting.adopt(text=text)

    assert outcome.left == []
    plan = adopting.shop.plan(outcome.spec)
    assert plan.in_sync, plan
    kept = sum(line in outcome.after.split(b"\n") for line in text.encode().split(b"\n"))
    assert kept >= len(text.split("\n")) - 6


def _kebab(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", name)


def _with_kebab(value: Json, *, free: bool = False) -> Json:
    if isinstance(value, dict):
        return {
            key if free else _kebab(key): _with_kebab(item, free=key in {"tags", "daysData"})
            for key, item in value.items()
        }
    return [_with_kebab(item, free=free) for item in value] if isinstance(value, list) else value


def _flat() -> str:
    document = yaml.safe_load(TEXT)
    properties = document["pool"].pop("properties")
    document["pool"] |= _with_kebab(properties)
    return yaml.dump(document, Dumper=Quoting, sort_keys=False)


def _kinds_as_keys() -> str:
    document = yaml.safe_load(TEXT)
    properties = document["pool"]["properties"]
    for name, key in (("agentProfile", "stateful"), ("fabricProfile", "vmss"), ("organizationProfile", "azureDevOps")):
        inner = properties[name]
        del inner["kind"]
        properties[name] = {key: inner}
    return yaml.dump(document, Dumper=Quoting, sort_keys=False)


def _anchors() -> str:
    return (
        TEXT.replace("    maximumConcurrency: 4   # for the release", "    maximumConcurrency: &most 4")
        .replace("administrators: [ann@fabrikam.com]", "administrators: &us [ann@fabrikam.com]")
        .replace(
            "users: [bob@fabrikam.com], readers: []", "users: [bob@fabrikam.com], readers: [], administrators: *us"
        )
    )


class Quoting(yaml.SafeDumper):
    """Writes texts that another reader takes for numbers in quotes."""


SHAPES: dict[str, Callable[[], str]] = {
    "JSON": lambda: json.dumps(yaml.safe_load(TEXT.replace("1.00:00:00", "'1.00:00:00'")), indent=2),
    "az mdp": _flat,
    "kinds as keys": _kinds_as_keys,
    "anchors": _anchors,
    "CRLF": lambda: TEXT.replace("\n", "\r\n"),
    "byte order mark": lambda: f"\ufeff{TEXT}",
}

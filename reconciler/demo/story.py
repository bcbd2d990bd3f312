"""The seven steps of the demo, each with its checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from reconciler.demo.as_a_service import as_a_service
from reconciler.demo.observed import Estate
from reconciler.demo.scenario import POOL, PRIME, RELEASE, TAILSPIN, Scenario

SPEC = f"{POOL}.yaml"

BROKEN = f"""\
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: fabrikam-broken-pool
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: rg-build
pool:
  location: eastus
  properties:
    maximumConcurrency: plenty
    organizationProfile:
      kind: AzureDevOps
      organizations:
        - {{ url: https://dev.azure.com/{TAILSPIN}, projects: [], openAcess: true }}
    agentProfile: {{ kind: Stateless }}
    fabricProfile:
      kind: Vmss
      sku: {{ name: Standard_D2ads_v5 }}
      images: [{{ wellKnownImageName: ubuntu-24.04 }}]
access:
  openAccess:
    - {{ project: {TAILSPIN}/Web, allow: true, until: 2026-12-31 }}
"""
"""A text in place of a number, a misspelt field, and a date without a reason."""


def planned(cast: Scenario) -> None:
    """1: a plan of an estate that is out of sync."""
    cast.stage.heading("1  The estate is out of sync. What would have to change?")
    cast.emulation.forget()
    cast.stage.run("plan")
    found = cast.changes()
    for what, key in {
        "ARM has fewer agents than the spec": f"{POOL} pool {POOL}",
        "project Data was created later and has no queue": f"{POOL} queue {TAILSPIN}/Data",
        "open access of Web was closed": f"{POOL} open access {TAILSPIN}/Web",
        f"Ann is not an administrator in {TAILSPIN}": f"{POOL} administrator {TAILSPIN} ann@fabrikam.com",
        f"Bob is an administrator in {PRIME} that no spec lists": f"{POOL} administrator {PRIME} bob@fabrikam.com",
        "every pipeline may use the release machines": f"{RELEASE} open access {PRIME}/fabrikam-release",
    }.items():
        cast.stage.check(f"the plan found: {what}", key in found, sorted(found))
    cast.stage.check("nothing was written", cast.emulation.writes() == 0, cast.emulation.writes())


def applied(cast: Scenario) -> None:
    """2: apply, with progress; verified by the emulator's state."""
    cast.stage.heading("2  Apply it: grant first, revoke last, and read back.")
    done = cast.stage.run("apply")
    cast.stage.check("exit code 0: applied and verified", done.code == 0, done.code)
    estate = cast.estate()
    size = estate.resource(POOL)["maximumConcurrency"]
    cast.stage.check("ARM: maximumConcurrency is 4", size == 4, size)  # noqa: PLR2004 - as in the spec
    for project in ("Web", "Mobile", "Data"):
        opened = estate.open(TAILSPIN, POOL, project)
        cast.stage.check(f"{TAILSPIN}/{project} has a queue, open to all pipelines", opened)
    cast.stage.check("fabrikam-release is closed", not estate.open(PRIME, RELEASE, "fabrikam-release"))
    _administrators(cast, estate, TAILSPIN, {"ann", "operator"})
    _administrators(cast, estate, PRIME, {"ann", "operator"})


def in_sync(cast: Scenario) -> None:
    """3: a second plan is empty, and an apply writes nothing."""
    cast.stage.heading("3  Plan again: in sync is reported only after reading the state back.")
    cast.emulation.forget()
    done = cast.stage.run("plan")
    cast.stage.check("exit code 0: in sync, 0 changes", done.code == 0, done.code)
    again = cast.stage.ask("apply", "--output", "json")
    cast.stage.check("a second apply ends with exit code 0", again.code == 0, again.code)
    cast.stage.check(
        "and wrote nothing: 0 writes to ARM and Azure DevOps", cast.emulation.writes() == 0, cast.emulation.writes()
    )


def grown(cast: Scenario) -> None:
    """4: a commit adds a project; ARM creates the queue, the operator opens it."""
    cast.stage.heading("4  A commit adds a project to the spec. Azure creates the queue, without open access.")
    cast.repository.replace(SPEC, "[fabrikam-dev, fabrikam-test]", "[fabrikam-dev, fabrikam-test, fabrikam-perf]")
    commit = cast.repository.commit("Let fabrikam-perf use the managed pool")
    cast.stage.say(f"  commit {commit}")
    for line in cast.repository.difference():
        cast.stage.say(f"    {line.strip()}")
    cast.emulation.forget()
    cast.stage.run("plan", POOL)
    done = cast.stage.run("apply", POOL)
    cast.stage.check("exit code 0: applied and verified", done.code == 0, done.code)
    estate = cast.estate()
    listed = estate.projects(POOL, PRIME)
    cast.stage.check("ARM lists fabrikam-perf", "fabrikam-perf" in listed, listed)
    queue = estate.queue(PRIME, POOL, "fabrikam-perf")
    cast.stage.check("Azure created a queue in fabrikam-perf", queue is not None)
    writes = [(one["plane"], one["method"]) for one in cast.emulation.requests() if one["method"] in ("PUT", "PATCH")]
    order = writes == [("arm", "PUT"), ("devops", "PATCH")]
    cast.stage.check("two writes: one PUT in ARM, then one PATCH that opens the queue", order, writes)
    cast.stage.check("fabrikam-perf is open to all pipelines", estate.open(PRIME, POOL, "fabrikam-perf"))


def tampered(cast: Scenario) -> None:
    """5: drift by hand; the plan names it, apply repairs it."""
    cast.stage.heading("5  Drift: Dan closes open access and makes Eve an administrator, by hand.")
    estate = cast.estate()
    queue, pool = estate.queue(PRIME, POOL, "fabrikam-dev"), estate.agent_pool(PRIME, POOL)
    cast.stage.check("fabrikam-dev has a queue to close", queue is not None)
    number = (queue or {}).get("id")
    path = f"{PRIME}/fabrikam-dev/_apis/pipelines/pipelinepermissions/queue/{number}"
    cast.emulation.by_hand("dan", "PATCH", path, {"allPipelines": {"authorized": False}})
    scope = f"{PRIME}/_apis/securityroles/scopes/distributedtask.agentpoolrole/roleassignments/resources/{pool['id']}"
    role = [{"roleName": "Administrator", "userId": estate.identity(PRIME, "eve")}]
    cast.emulation.by_hand("dan", "PUT", scope, role)
    cast.stage.run("plan", POOL)
    found = cast.changes()
    for what, key in {
        "the closed queue": f"{POOL} open access {PRIME}/fabrikam-dev",
        "the added administrator": f"{POOL} administrator {PRIME} eve@fabrikam.com",
    }.items():
        cast.stage.check(f"the plan names {what}", key in found, sorted(found))
    done = cast.stage.run("apply", POOL)
    cast.stage.check("exit code 0: applied and verified", done.code == 0, done.code)
    estate = cast.estate()
    cast.stage.check("fabrikam-dev is open again", estate.open(PRIME, POOL, "fabrikam-dev"))
    _administrators(cast, estate, PRIME, {"ann", "operator"})


def refused(cast: Scenario) -> None:
    """6: a spec with three errors gives three lines and changes nothing."""
    cast.stage.heading("6  A spec with three errors is refused, with one line for each.")
    cast.repository.add("fabrikam-broken-pool.yaml", BROKEN)
    cast.stage.say(f"  commit {cast.repository.commit('Add a pool in a hurry')}")
    cast.emulation.forget()
    done = cast.stage.run("validate")
    cast.stage.check("exit code 1", done.code == 1, done.code)
    problems = cast.stage.ask("validate", "--output", "json").document()["problems"]
    cast.stage.check("three errors, each with its line", len({one["line"] for one in problems}) == 3, problems)  # noqa: PLR2004
    pools = {plan["pool"] for plan in cast.stage.ask("plan", "--output", "json").document()["plans"]}
    cast.stage.check("the other pools are planned all the same", pools == {POOL, RELEASE}, sorted(pools))
    cast.stage.check("nothing was written", cast.emulation.writes() == 0, cast.emulation.writes())


Step: TypeAlias = Callable[[Scenario], None]

STEPS: tuple[Step, ...] = (planned, applied, in_sync, grown, tampered, refused, as_a_service)
"""In their order; each begins where the one before ended."""


def _administrators(cast: Scenario, estate: Estate, organization: str, expected: set[str]) -> None:
    found = estate.administrators(organization, POOL)
    cast.stage.check(
        f"administrators in {organization}: {', '.join(sorted(expected))}", found == expected, sorted(found)
    )

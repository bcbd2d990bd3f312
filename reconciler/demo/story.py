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


def planned(scenario: Scenario) -> None:
    """1: a plan of an estate that is out of sync."""
    scenario.output.heading("1  The estate is out of sync. What would have to change?")
    scenario.emulation.forget()
    scenario.output.run("plan")
    found = scenario.changes()
    for what, key in {
        "ARM has fewer agents than the spec": f"{POOL} pool {POOL}",
        "project Data was created later and has no queue": f"{POOL} queue {TAILSPIN}/Data",
        "open access of Web was closed": f"{POOL} open access {TAILSPIN}/Web",
        f"Ann is not an administrator in {TAILSPIN}": f"{POOL} administrator {TAILSPIN} ann@fabrikam.com",
        f"Bob is an administrator in {PRIME} that no spec lists": f"{POOL} administrator {PRIME} bob@fabrikam.com",
        "every pipeline may use the release machines": f"{RELEASE} open access {PRIME}/fabrikam-release",
    }.items():
        scenario.output.check(f"the plan found: {what}", key in found, sorted(found))
    scenario.output.check("nothing was written", scenario.emulation.writes() == 0, scenario.emulation.writes())


def applied(scenario: Scenario) -> None:
    """2: apply, with progress; verified by the emulator's state."""
    scenario.output.heading("2  Apply it: grant first, revoke last, and read back.")
    done = scenario.output.run("apply")
    scenario.output.check("exit code 0: applied and verified", done.code == 0, done.code)
    estate = scenario.estate()
    size = estate.resource(POOL)["maximumConcurrency"]
    scenario.output.check("ARM: maximumConcurrency is 4", size == 4, size)  # noqa: PLR2004 - as in the spec
    for project in ("Web", "Mobile", "Data"):
        opened = estate.open(TAILSPIN, POOL, project)
        scenario.output.check(f"{TAILSPIN}/{project} has a queue, open to all pipelines", opened)
    scenario.output.check("fabrikam-release is closed", not estate.open(PRIME, RELEASE, "fabrikam-release"))
    _administrators(scenario, estate, TAILSPIN, {"ann", "operator"})
    _administrators(scenario, estate, PRIME, {"ann", "operator"})


def in_sync(scenario: Scenario) -> None:
    """3: a second plan is empty, and an apply writes nothing."""
    scenario.output.heading("3  Plan again: in sync is reported only after reading the state back.")
    scenario.emulation.forget()
    done = scenario.output.run("plan")
    scenario.output.check("exit code 0: in sync, 0 changes", done.code == 0, done.code)
    again = scenario.output.ask("apply", "--output", "json")
    scenario.output.check("a second apply ends with exit code 0", again.code == 0, again.code)
    scenario.output.check(
        "and wrote nothing: 0 writes to ARM and Azure DevOps",
        scenario.emulation.writes() == 0,
        scenario.emulation.writes(),
    )


def grown(scenario: Scenario) -> None:
    """4: a commit adds a project; ARM creates the queue, the operator opens it."""
    scenario.output.heading("4  A commit adds a project to the spec. Azure creates the queue, without open access.")
    scenario.repository.replace(SPEC, "[fabrikam-dev, fabrikam-test]", "[fabrikam-dev, fabrikam-test, fabrikam-perf]")
    commit = scenario.repository.commit("Let fabrikam-perf use the managed pool")
    scenario.output.say(f"  commit {commit}")
    for line in scenario.repository.difference():
        scenario.output.say(f"    {line.strip()}")
    scenario.emulation.forget()
    scenario.output.run("plan", POOL)
    done = scenario.output.run("apply", POOL)
    scenario.output.check("exit code 0: applied and verified", done.code == 0, done.code)
    estate = scenario.estate()
    listed = estate.projects(POOL, PRIME)
    scenario.output.check("ARM lists fabrikam-perf", "fabrikam-perf" in listed, listed)
    queue = estate.queue(PRIME, POOL, "fabrikam-perf")
    scenario.output.check("Azure created a queue in fabrikam-perf", queue is not None)
    writes = [
        (one["plane"], one["method"]) for one in scenario.emulation.requests() if one["method"] in ("PUT", "PATCH")
    ]
    order = writes == [("arm", "PUT"), ("devops", "PATCH")]
    scenario.output.check("two writes: one PUT in ARM, then one PATCH that opens the queue", order, writes)
    scenario.output.check("fabrikam-perf is open to all pipelines", estate.open(PRIME, POOL, "fabrikam-perf"))


def tampered(scenario: Scenario) -> None:
    """5: drift by hand; the plan names it, apply repairs it."""
    scenario.output.heading("5  Drift: Dan closes open access and makes Eve an administrator, by hand.")
    estate = scenario.estate()
    queue, pool = estate.queue(PRIME, POOL, "fabrikam-dev"), estate.agent_pool(PRIME, POOL)
    scenario.output.check("fabrikam-dev has a queue to close", queue is not None)
    number = (queue or {}).get("id")
    path = f"{PRIME}/fabrikam-dev/_apis/pipelines/pipelinepermissions/queue/{number}"
    scenario.emulation.by_hand("dan", "PATCH", path, {"allPipelines": {"authorized": False}})
    scope = f"{PRIME}/_apis/securityroles/scopes/distributedtask.agentpoolrole/roleassignments/resources/{pool['id']}"
    role = [{"roleName": "Administrator", "userId": estate.identity(PRIME, "eve")}]
    scenario.emulation.by_hand("dan", "PUT", scope, role)
    scenario.output.run("plan", POOL)
    found = scenario.changes()
    for what, key in {
        "the closed queue": f"{POOL} open access {PRIME}/fabrikam-dev",
        "the added administrator": f"{POOL} administrator {PRIME} eve@fabrikam.com",
    }.items():
        scenario.output.check(f"the plan names {what}", key in found, sorted(found))
    done = scenario.output.run("apply", POOL)
    scenario.output.check("exit code 0: applied and verified", done.code == 0, done.code)
    estate = scenario.estate()
    scenario.output.check("fabrikam-dev is open again", estate.open(PRIME, POOL, "fabrikam-dev"))
    _administrators(scenario, estate, PRIME, {"ann", "operator"})


def refused(scenario: Scenario) -> None:
    """6: a spec with three errors gives three lines and changes nothing."""
    scenario.output.heading("6  A spec with three errors is refused, with one line for each.")
    scenario.repository.add("fabrikam-broken-pool.yaml", BROKEN)
    scenario.output.say(f"  commit {scenario.repository.commit('Add a pool in a hurry')}")
    scenario.emulation.forget()
    done = scenario.output.run("validate")
    scenario.output.check("exit code 1", done.code == 1, done.code)
    problems = scenario.output.ask("validate", "--output", "json").document()["problems"]
    scenario.output.check("three errors, each with its line", len({one["line"] for one in problems}) == 3, problems)  # noqa: PLR2004
    pools = {plan["pool"] for plan in scenario.output.ask("plan", "--output", "json").document()["plans"]}
    scenario.output.check("the other pools are planned all the same", pools == {POOL, RELEASE}, sorted(pools))
    scenario.output.check("nothing was written", scenario.emulation.writes() == 0, scenario.emulation.writes())


Step: TypeAlias = Callable[[Scenario], None]

STEPS: tuple[Step, ...] = (planned, applied, in_sync, grown, tampered, refused, as_a_service)
"""In their order; each begins where the one before ended."""


def _administrators(scenario: Scenario, estate: Estate, organization: str, expected: set[str]) -> None:
    found = estate.administrators(organization, POOL)
    scenario.output.check(
        f"administrators in {organization}: {', '.join(sorted(expected))}", found == expected, sorted(found)
    )

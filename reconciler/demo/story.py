"""The story in seven steps, each with what it proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from reconciler.demo.as_a_service import told
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
"""A number that is none, a misspelt field, and a date without a reason."""


def drifted(cast: Scenario) -> None:
    """1: a plan of an estate that drifted."""
    cast.stage.heading("1  The estate drifted. What would have to change?")
    cast.emulation.forget()
    cast.stage.run("plan")
    found = cast.changes()
    for what, key in {
        "ARM has fewer agents than the spec": f"{POOL} pool {POOL}",
        "project Data came later and has no queue": f"{POOL} queue {TAILSPIN}/Data",
        "open access of Web was closed": f"{POOL} open access {TAILSPIN}/Web",
        f"Ann is missing in {TAILSPIN}": f"{POOL} administrator {TAILSPIN} ann@fabrikam.com",
        f"Bob is on no list of {PRIME}": f"{POOL} administrator {PRIME} bob@fabrikam.com",
        "every pipeline may use the release machines": f"{RELEASE} open access {PRIME}/fabrikam-release",
    }.items():
        cast.stage.check(f"the plan found: {what}", key in found, sorted(found))
    cast.stage.check("nothing was written", cast.emulation.writes() == 0, cast.emulation.writes())


def applied(cast: Scenario) -> None:
    """2: apply, with progress; proven by the emulator's state."""
    cast.stage.heading("2  Apply it: grants first, what narrows last, and read again.")
    done = cast.stage.run("apply")
    cast.stage.check("exit code 0: applied and proven", done.code == 0, done.code)
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
    """3: a second look finds nothing, and an apply writes nothing."""
    cast.stage.heading("3  Look again: in sync is something seen, never something written.")
    cast.emulation.forget()
    done = cast.stage.run("plan")
    cast.stage.check("exit code 0: in sync, 0 changes", done.code == 0, done.code)
    again = cast.stage.ask("apply", "--output", "json")
    cast.stage.check("a second apply ends with exit code 0", again.code == 0, again.code)
    cast.stage.check(
        "and wrote nothing: 0 writes on both planes", cast.emulation.writes() == 0, cast.emulation.writes()
    )


def grown(cast: Scenario) -> None:
    """4: a project is added by a commit; ARM makes the queue, the operator opens it."""
    cast.stage.heading("4  A project is added to the spec. Azure adds the queue, and leaves it closed.")
    cast.repository.replace(SPEC, "[fabrikam-dev, fabrikam-test]", "[fabrikam-dev, fabrikam-test, fabrikam-perf]")
    commit = cast.repository.commit("Let fabrikam-perf use the managed pool")
    cast.stage.say(f"  commit {commit}")
    for line in cast.repository.difference():
        cast.stage.say(f"    {line.strip()}")
    cast.emulation.forget()
    cast.stage.run("plan", POOL)
    done = cast.stage.run("apply", POOL)
    cast.stage.check("exit code 0: applied and proven", done.code == 0, done.code)
    estate = cast.estate()
    listed = estate.projects(POOL, PRIME)
    cast.stage.check("ARM lists fabrikam-perf", "fabrikam-perf" in listed, listed)
    queue = estate.queue(PRIME, POOL, "fabrikam-perf")
    cast.stage.check("Azure made a queue in fabrikam-perf", queue is not None)
    asked = [(one["plane"], one["method"]) for one in cast.emulation.requests() if one["method"] in ("PUT", "PATCH")]
    order = asked == [("arm", "PUT"), ("devops", "PATCH")]
    cast.stage.check("two writes: one PUT in ARM, then one PATCH that opens the queue", order, asked)
    cast.stage.check("fabrikam-perf is open to all pipelines", estate.open(PRIME, POOL, "fabrikam-perf"))


def tampered(cast: Scenario) -> None:
    """5: somebody clicks; the plan says who and what, apply repairs it."""
    cast.stage.heading("5  Dan, in a hurry, closes open access and makes Eve an administrator, by hand.")
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
        "what was closed": f"{POOL} open access {PRIME}/fabrikam-dev",
        "who was added": f"{POOL} administrator {PRIME} eve@fabrikam.com",
    }.items():
        cast.stage.check(f"the plan names {what}", key in found, sorted(found))
    done = cast.stage.run("apply", POOL)
    cast.stage.check("exit code 0: applied and proven", done.code == 0, done.code)
    estate = cast.estate()
    cast.stage.check("fabrikam-dev is open again", estate.open(PRIME, POOL, "fabrikam-dev"))
    _administrators(cast, estate, PRIME, {"ann", "operator"})


def refused(cast: Scenario) -> None:
    """6: a spec with three mistakes gives three lines and touches nothing."""
    cast.stage.heading("6  A spec with three mistakes is refused, with three lines.")
    cast.repository.add("fabrikam-broken-pool.yaml", BROKEN)
    cast.stage.say(f"  commit {cast.repository.commit('Add a pool in a hurry')}")
    cast.emulation.forget()
    done = cast.stage.run("validate")
    cast.stage.check("exit code 1", done.code == 1, done.code)
    problems = cast.stage.ask("validate", "--output", "json").document()["problems"]
    cast.stage.check("three mistakes, each with its line", len({one["line"] for one in problems}) == 3, problems)  # noqa: PLR2004
    pools = {plan["pool"] for plan in cast.stage.ask("plan", "--output", "json").document()["plans"]}
    cast.stage.check("the other pools are looked at all the same", pools == {POOL, RELEASE}, sorted(pools))
    cast.stage.check("nothing was written", cast.emulation.writes() == 0, cast.emulation.writes())


Step: TypeAlias = Callable[[Scenario], None]

STEPS: tuple[Step, ...] = (drifted, applied, in_sync, grown, tampered, refused, told)
"""In the order in which they are told; each begins where the one before ended."""


def _administrators(cast: Scenario, estate: Estate, organization: str, wanted: set[str]) -> None:
    found = estate.administrators(organization, POOL)
    cast.stage.check(f"administrators in {organization}: {', '.join(sorted(wanted))}", found == wanted, sorted(found))

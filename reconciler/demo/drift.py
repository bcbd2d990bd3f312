"""What people break in `play`: each cause is done in the emulator as a person would do it in Azure or Azure DevOps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.demo.as_a_service import SUBSCRIPTION
from reconciler.demo.emulation import Emulation
from reconciler.demo.observed import Estate
from reconciler.demo.scenario import POOL, PRIME, RELEASE, TAILSPIN

PROJECT = "fabrikam-dev"
PAUSE = 20.0
"""Seconds for which the service asks to be left alone."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One button of the panel."""

    key: str
    title: str
    expected: str
    """What the operator is expected to do."""
    do: Callable[[Emulation], str]
    """Does it, and returns what was done."""


def close_queue(emulation: Emulation) -> str:
    """Dan closes a queue that the spec wants open."""
    queue = Estate(emulation.state()).queue(PRIME, POOL, PROJECT) or {}
    path = f"{PRIME}/{PROJECT}/_apis/pipelines/pipelinepermissions/queue/{queue.get('id')}"
    emulation.by_hand("dan", "PATCH", path, {"allPipelines": {"authorized": False}})
    return f"Dan closed the queue of {POOL} in {PRIME}/{PROJECT}"


def add_project(emulation: Emulation) -> str:
    """A project that comes later, which Azure gives no queue."""
    organizations = emulation.state()["organizations"]
    known = {project["name"] for one in organizations if one["name"] == TAILSPIN for project in one["projects"]}
    name = next(f"Project-{number}" for number in range(1, len(known) + 2) if f"Project-{number}" not in known)
    emulation.edit("create-project", organization=TAILSPIN, name=name)
    return f"project {name} was created in {TAILSPIN}"


def remove_administrator(emulation: Emulation) -> str:
    """Ann loses the role that the spec gives her."""
    emulation.edit("remove-role", organization=TAILSPIN, pool=POOL, who="ann")
    return f"Ann is no administrator of {POOL} in {TAILSPIN} any more"


def edit_pool(emulation: Emulation) -> str:
    """Dan gives the release pool a second agent in the portal."""
    path = f"{SUBSCRIPTION}/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/{RELEASE}"
    organization = {"url": f"https://dev.azure.com/{PRIME}", "projects": ["fabrikam-release"], "parallelism": 2}
    profile = {"kind": "AzureDevOps", "organizations": [organization], "permissionProfile": {"kind": "Inherit"}}
    body = {"properties": {"maximumConcurrency": 2, "organizationProfile": profile}}
    emulation.in_portal("dan", "PATCH", path, body)
    return f"Dan set maximumConcurrency of {RELEASE} to 2"


def throttle(emulation: Emulation) -> str:
    """The operator's next calls about agent pools of an organization are answered with 429.

    Not those to its audit log: that is another service, whose pauses stop no repair, and it is read so often that it
    would get all of these answers.
    """
    emulation.fault(
        "429", path="*/_apis/distributedtask/*", organization=PRIME, caller="operator", count=3, seconds=PAUSE
    )
    return f"the next 3 calls of the operator about agent pools of {PRIME} get 429 with Retry-After {PAUSE:.0f}"


def take_audit_away(emulation: Emulation) -> str:
    """Switches auditing off, and on again at the next click."""
    on = bool(emulation.switch_value("devops.audit"))
    emulation.switch("devops.audit", not on)
    return f"auditing is switched {'off: changes are found by the resync alone' if on else 'on again'}"


CAUSES = (
    Drift("close-queue", "Close a queue", "an audit event, a plan of one change, the queue open again", close_queue),
    Drift("add-project", "Add a project", "a queue for it, with open access", add_project),
    Drift("remove-administrator", "Remove an administrator", "the role is granted again", remove_administrator),
    Drift("edit-pool", "Edit the pool in ARM", "an ARM event, and the value of the spec again", edit_pool),
    Drift("throttle", "Throttle", f"calls to {PRIME} pause, other pools go on; then as before", throttle),
    Drift("audit", "Take the audit feed away, or give it back", "a resync finds the next drift", take_audit_away),
)  # fmt: skip

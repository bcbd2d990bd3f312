"""How each property of the ARM pool can be changed once the pool exists, and what that does: one table.

The pool's facet reads it, docs/spec.md shows it (``python -m reconciler.facets.support.mutability``). It says
nothing of how two values compare (`reconciler.facets.support.arm_document`), but has what an absent one means: the
default that ARM applies, or a value that ARM does not return.

What is not in the table, or is newer than the api-version in use, is *not documented*: it is sent where a spec names
it, the plan's line says so, and it counts as something that may recycle agents.

Basis: azure-rest-api-specs devopsinfrastructure (read-only and create-only marks, the version that brought a
property); Microsoft Learn, managed-devops-pools/configure-security (what counts at creation alone);
terraform-provider-azurerm managed_devops_pool (which changes force a new resource). That machines are recreated where
their shape changes follows from what the properties mean; the service does not say which updates recycle agents.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.plan.model import Detail, Risk
from reconciler.ports.azure import API_VERSION

FIRST = "2024-10-19"
"""The oldest stable version."""


class Way(StrEnum):
    """How a property is changed; the words stand in the plan."""

    IN_PLACE = "in place"
    RECYCLES = "agents are recycled"
    DEVOPS = "only through Azure DevOps"
    REPLACE = "only by a new pool"
    SERVICE = "by the service alone"
    UNKNOWN = "not documented"


Judge: TypeAlias = Callable[[Json, Json], Risk]
"""What a change from one value to another does to people and machines."""


def _always(risk: Risk) -> Judge:
    return lambda _before, _after: risk


def _less(before: Json, after: Json) -> Risk:
    return Risk.NARROWS if (after or 0) < (before or 0) else Risk.NEUTRAL


def _presence(before: Json, after: Json) -> Risk:
    if before is None:
        return Risk.WIDENS
    return Risk.NARROWS if after is None else Risk.NEUTRAL


def _places(before: Json, after: Json) -> Risk:
    """Of lists of projects, where an empty one means all."""
    old, new = ({name.casefold() for name in names or ()} for names in (before, after))
    if not old:
        return Risk.NARROWS
    return Risk.NARROWS if new and old - new else Risk.WIDENS


def _members(before: Json, after: Json) -> Risk:
    """Of lists where an empty one means none."""
    old, new = ({name.casefold() for name in names or ()} for names in (before, after))
    return Risk.NARROWS if old - new else Risk.WIDENS


_NEUTRAL = _always(Risk.NEUTRAL)
_RESTARTS = _always(Risk.RESTARTS)


@dataclass(frozen=True, slots=True)
class PropertyRule:
    """One property, or a family of them."""

    path: str
    """Below `properties`, or at the top of the resource; ``*`` stands for anything."""
    way: Way
    judge: Judge = _NEUTRAL
    since: str = FIRST
    """First stable api-version with it."""
    note: str = ""
    default: Json = None
    """What ARM applies where the property is absent; None: nothing that is known."""
    returned: bool = True
    """False: ARM is known not to return it, so that an absent value says nothing."""
    code: bool = False
    """Whether it says which code runs under every job, so that another value widens."""

    def brings_code(self, before: Json, after: Json) -> bool:
        """Whether a change from one value to the other adds code."""
        old, new = ({str(one).casefold() for one in _items(value)} for value in (before, after))
        return self.code and bool(new - old)

    def grants(self, before: Json, after: Json) -> bool:
        """Whether a change that takes away adds others in their place: one list says both."""
        if self.judge not in (_places, _members) or self.judge(before, after) is not Risk.NARROWS:
            return False
        old, new = ({str(one).casefold() for one in value or ()} for value in (before, after))
        return bool(old and new - old)


def _items(value: Json) -> list[Json]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value in (None, "") else [value]


_ORGANIZATION = "organizationProfile.organizations[*]"
_IMAGE = "fabricProfile.images[*]"
_CODE = "widens: its code runs under every job"
AS_WELL = "widens as well: others are added"
"""Note of a list that takes away from some and gives to others."""
_DISK = "fabricProfile.storageProfile.dataDisks[*]"

TABLE: tuple[PropertyRule, ...] = (
    PropertyRule("location", Way.REPLACE, _always(Risk.DESTROYS)),
    PropertyRule("tags*", Way.IN_PLACE),
    PropertyRule("identity.userAssignedIdentities", Way.IN_PLACE, _members, note="every job may use them"),
    PropertyRule("identity*", Way.IN_PLACE),
    PropertyRule("provisioningState", Way.SERVICE),
    PropertyRule("maximumConcurrency", Way.IN_PLACE, _less),
    PropertyRule("devCenterProjectResourceId", Way.IN_PLACE),
    PropertyRule("runtimeConfiguration*", Way.IN_PLACE, since="2025-09-20"),
    PropertyRule(
        "organizationProfile.permissionProfile*", Way.DEVOPS, note="counts while a pool is created", returned=False
    ),
    PropertyRule(
        f"{_ORGANIZATION}.openAccess",
        Way.DEVOPS,
        since="2025-01-21",
        note="counts while a pool is created",
        returned=False,
    ),
    PropertyRule(f"{_ORGANIZATION}.projects", Way.IN_PLACE, _places),
    PropertyRule(f"{_ORGANIZATION}.repositories", Way.IN_PLACE, _places),
    PropertyRule(f"{_ORGANIZATION}.parallelism", Way.IN_PLACE, _less, default=0),
    PropertyRule(
        f"{_ORGANIZATION}.alias",
        Way.UNKNOWN,
        since="2025-09-20",
        note="whether the agent pool is renamed is not documented",
    ),
    PropertyRule(f"{_ORGANIZATION}.url", Way.IN_PLACE, note="another organization in its place"),
    PropertyRule(_ORGANIZATION, Way.IN_PLACE, _presence),
    PropertyRule(
        "organizationProfile.alias",
        Way.UNKNOWN,
        since="2025-09-20",
        note="whether the agent pool is renamed is not documented",
    ),
    PropertyRule("organizationProfile.description", Way.IN_PLACE, since="2026-06-02"),
    PropertyRule("organizationProfile.updateDescription", Way.IN_PLACE, since="2026-06-02"),
    PropertyRule("organizationProfile.kind", Way.IN_PLACE, _always(Risk.NARROWS)),
    PropertyRule("agentProfile.resourcePredictions.timeZone", Way.IN_PLACE, note="stand-by agents only", default="UTC"),
    PropertyRule("agentProfile.resourcePredictions*", Way.IN_PLACE, note="stand-by agents only"),
    PropertyRule("agentProfile.maxAgentLifetime", Way.RECYCLES, _RESTARTS, default="7.00:00:00"),
    PropertyRule("agentProfile.gracePeriodTimeSpan", Way.RECYCLES, _RESTARTS, default="0.00:00:00"),
    PropertyRule("agentProfile.*", Way.RECYCLES, _RESTARTS),
    PropertyRule(f"{_IMAGE}.isEphemeral", Way.SERVICE, since="2025-09-20"),
    PropertyRule(f"{_IMAGE}.buffer", Way.IN_PLACE, note="stand-by agents only", default="*"),
    PropertyRule(f"{_IMAGE}.ephemeralType", Way.RECYCLES, _RESTARTS, "2025-01-21", default="Automatic"),
    PropertyRule(f"{_IMAGE}.provisioningScriptShouldRestart", Way.RECYCLES, _RESTARTS, "2026-06-02", default=False),
    PropertyRule(f"{_IMAGE}.provisioningScript*", Way.RECYCLES, _RESTARTS, "2026-06-02", _CODE, code=True),
    PropertyRule(f"{_IMAGE}.resourceId", Way.RECYCLES, _RESTARTS, note=_CODE, code=True),
    PropertyRule(f"{_IMAGE}.wellKnownImageName", Way.RECYCLES, _RESTARTS, note=_CODE, code=True),
    PropertyRule("fabricProfile.images", Way.RECYCLES, _RESTARTS, note=_CODE, code=True),
    PropertyRule("fabricProfile.networkProfile.ipAddresses", Way.SERVICE, since="2025-09-20"),
    PropertyRule("fabricProfile.networkProfile.staticIpAddressCount", Way.RECYCLES, _RESTARTS, "2025-09-20", default=0),
    PropertyRule("fabricProfile.sku.windowsNvmeDrive", Way.RECYCLES, _RESTARTS, "2026-06-02", default="N"),
    PropertyRule(
        "fabricProfile.sku.linuxNvmePath", Way.RECYCLES, _RESTARTS, "2026-06-02", default="/mnt/azure_nvme_temp"
    ),
    PropertyRule("fabricProfile.sku.vmSizes", Way.RECYCLES, _RESTARTS, "2026-06-02"),
    PropertyRule("fabricProfile.osProfile.*.certificateStoreName", Way.RECYCLES, _RESTARTS, "2025-01-21", default="My"),
    PropertyRule("fabricProfile.osProfile.*.keyExportable", Way.RECYCLES, _RESTARTS, default=False),
    PropertyRule("fabricProfile.osProfile.logonType", Way.RECYCLES, _RESTARTS, default="Service"),
    PropertyRule("fabricProfile.storageProfile.osDiskStorageAccountType", Way.RECYCLES, _RESTARTS, default="Standard"),
    PropertyRule(f"{_DISK}.caching", Way.RECYCLES, _RESTARTS, default="ReadWrite"),
    PropertyRule(f"{_DISK}.storageAccountType", Way.RECYCLES, _RESTARTS, default="Standard_LRS"),
    *(
        PropertyRule(f"fabricProfile.{part}*", Way.RECYCLES, _RESTARTS)
        for part in ("kind", "sku", "images", "osProfile", "storageProfile", "networkProfile")
    ),
)
"""First match wins."""


def row_for(path: str, version: str = API_VERSION) -> PropertyRule:
    """The row of a property, ``fabricProfile.sku.name``; a row of its own where nothing is documented."""
    found = next((row for row in TABLE if fnmatchcase(path, row.path.replace("[", "[[]"))), None)
    if found is None or found.since > version:
        return PropertyRule(path, Way.UNKNOWN, _RESTARTS, version, "what an update does is not documented")
    return found


def beyond_this_release(detail: Detail) -> Detail:
    """A field that this release does not know may grant anything, so it counts as granting."""
    known = any(fnmatchcase(detail.path, row.path.replace("[", "[[]")) for row in TABLE)
    return detail if known else replace(detail, risk=Risk.WIDENS, note="not known to this release")


def names(*ways: Way) -> frozenset[str]:
    """Last names of the properties that are changed so."""
    return frozenset(row.path.rpartition(".")[2].rstrip("*") for row in TABLE if row.way in ways)


def defaults() -> dict[str, Json]:
    """Last name of a property → what ARM applies where it is absent."""
    return {row.path.rpartition(".")[2]: row.default for row in TABLE if row.default is not None}


def table() -> str:
    """The table in Markdown."""
    rows = [f"| `{row.path}` | {row.way.value} | {row.since} | {_absent(row)} | {row.note} |" for row in TABLE]
    head = ["| property | how it is changed | since | absent in ARM's response | |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def _absent(row: PropertyRule) -> str:
    if row.default is not None:
        return f"means `{json.dumps(row.default) if isinstance(row.default, bool) else row.default}`"
    return "" if row.returned else "says nothing"


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")

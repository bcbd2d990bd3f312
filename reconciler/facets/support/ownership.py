"""Which maps and lists of the ARM body a spec owns whole, by key, or by position: one table.

`reconciler.facets.support.arm_document` compares and merges by it, and docs/spec.md shows it
(``python -m reconciler.facets.support.ownership``). A list of objects without a row, which a newer api-version may
bring, is owned by position; an object without a row by the names of its fields.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from reconciler.documents import Json
from reconciler.spec.names import organization_key


class Owned(StrEnum):
    """How the entries of a map or list in the spec meet those of the live resource."""

    WHOLE = "whole"
    """What the spec does not list goes, and so does what an entry has beside the spec."""
    BY_KEY = "by key"
    """Entries meet by what identifies them; what a live entry has beside the named fields stays."""
    BY_POSITION = "by position"
    """Entries of lists of the same length meet by position, others by the fields that the spec names."""


Identity: TypeAlias = Callable[[Mapping[str, Json]], str]
"""What identifies an entry; empty where nothing does."""


def _field(name: str) -> Identity:
    return lambda item: str(item.get(name) or "").casefold()


def _image(item: Mapping[str, Json]) -> str:
    return str(item.get("wellKnownImageName") or item.get("resourceId") or "").casefold()


def _organization(item: Mapping[str, Json]) -> str:
    return organization_key(str(item.get("url", "")))


@dataclass(frozen=True, slots=True)
class Collection:
    """One map or list of the body."""

    path: str
    """Below `properties`, or at the top of the resource; ``[*]`` stands for each entry of a list."""
    owned: Owned
    key: str
    """What identifies an entry, for people; empty where nothing does."""
    unlisted: str
    """What happens to live entries that the spec does not list."""
    identity: Identity | None = None
    ordered: bool = True
    """Whether another order is a difference."""

    @property
    def name(self) -> str:
        """The field that holds it: names are unique in the body."""
        return self.path.rpartition(".")[2]


_ORGANIZATION = "organizationProfile.organizations"
_FABRIC = "fabricProfile"
_GO = "they go"

TABLE: tuple[Collection, ...] = (
    Collection("tags", Owned.BY_KEY, "name, regardless of case", "they stay: policies add their own", ordered=False),
    Collection("identity.userAssignedIdentities", Owned.WHOLE, "id, regardless of case", _GO, ordered=False),
    Collection(_ORGANIZATION, Owned.BY_KEY, "organization, in either form of its URL", _GO, _organization, False),
    Collection(f"{_ORGANIZATION}[*].projects", Owned.WHOLE, "name, regardless of case", _GO, ordered=False),
    Collection(f"{_ORGANIZATION}[*].repositories", Owned.WHOLE, "URL, regardless of case", _GO, ordered=False),
    Collection("organizationProfile.permissionProfile.users", Owned.WHOLE, "", "only through Azure DevOps"),
    Collection("organizationProfile.permissionProfile.groups", Owned.WHOLE, "", "only through Azure DevOps"),
    Collection(
        "agentProfile.resourcePredictions.daysData", Owned.BY_POSITION, "", "one map stands for seven equal ones"
    ),
    Collection("agentProfile.resourcePredictions.daysData[*]", Owned.WHOLE, "time of day", _GO, ordered=False),
    Collection(f"{_FABRIC}.sku.vmSizes", Owned.BY_KEY, "name", _GO, _field("name")),
    Collection(f"{_FABRIC}.images", Owned.BY_KEY, "`wellKnownImageName` or `resourceId`", _GO, _image),
    Collection(f"{_FABRIC}.images[*].aliases", Owned.WHOLE, "name, regardless of case", _GO, ordered=False),
    Collection(
        f"{_FABRIC}.osProfile.secretsManagementSettings.observedCertificates",
        Owned.WHOLE,
        "URL, regardless of case",
        _GO,
        ordered=False,
    ),
    Collection(
        f"{_FABRIC}.storageProfile.dataDisks",
        Owned.BY_POSITION,
        "`driveLetter`, where both have one",
        _GO,
        _field("driveLetter"),
    ),
)
_BY_NAME = {row.name.casefold(): row for row in TABLE}


def row_of(name: str) -> Collection | None:
    """The row of the field with this name, whatever its case; None where the table has none."""
    return _BY_NAME.get(name.casefold())


def unordered() -> frozenset[str]:
    """Names of the lists of texts in which the order means nothing."""
    return frozenset(row.name for row in TABLE if row.owned is Owned.WHOLE and not row.ordered)


def table() -> str:
    """The table in Markdown."""
    rows = [f"| `{row.path}` | {row.owned.value} | {row.key} | {row.unlisted} |" for row in TABLE]
    head = ["| map or list | owned | entries meet by | live entries that the spec does not list |"]
    return "\n".join([*head, "| --- | --- | --- | --- |", *rows])


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")

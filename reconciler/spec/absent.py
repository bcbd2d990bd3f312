"""What an absent, a null and an empty field mean, on each plane: the table of docs/spec.md; a test tries each cell.

``python -m reconciler.spec.absent`` prints it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum

BEGIN, END = "<!-- absent: made by python -m reconciler.spec.absent -->", "<!-- end of absent -->"


class Plane(StrEnum):
    """Where a field has an effect."""

    ARM = "ARM"
    DEVOPS = "Azure DevOps"


class Meaning(StrEnum):
    """What a field does there."""

    KEPT = "stays as ARM has it"
    ARMS = "what ARM has in this run; ARM unread: a gap"
    ALL = "all projects"
    NONE = "none; only `exclusive: true` removes"
    NOT_MANAGED = "not managed"
    NOT_SENT = "not sent by an update"
    REFUSED = "refused by `validate`"
    NO_SUCH = "-"
    """The field has no empty value."""


@dataclass(frozen=True, slots=True)
class AbsentRow:
    """One field on one plane."""

    field: str
    """Below `organizationProfile`, or `access`."""
    plane: Plane
    absent: Meaning
    empty: Meaning
    null: Meaning = Meaning.REFUSED
    creation: str = ""
    """What an absent field means where the pool, or the organization, is created."""


ROWS = (
    AbsentRow("organizations[].projects", Plane.ARM, Meaning.KEPT, Meaning.ALL, creation="the creation is refused"),
    AbsentRow("organizations[].projects", Plane.DEVOPS, Meaning.ARMS, Meaning.ALL, creation="nothing is written"),
    AbsentRow("organizations[].alias", Plane.ARM, Meaning.KEPT, Meaning.REFUSED, creation="not sent"),
    AbsentRow(
        "organizations[].alias",
        Plane.DEVOPS,
        Meaning.ARMS,
        Meaning.REFUSED,
        creation="the profile's alias, else the pool's name",
    ),
    AbsentRow("alias", Plane.ARM, Meaning.KEPT, Meaning.REFUSED, creation="not sent"),
    AbsentRow("alias", Plane.DEVOPS, Meaning.ARMS, Meaning.REFUSED, creation="the pool's name"),
    AbsentRow("organizations[].openAccess", Plane.ARM, Meaning.NOT_SENT, Meaning.NO_SUCH, creation="closed, by ARM"),
    AbsentRow("organizations[].openAccess", Plane.DEVOPS, Meaning.NOT_MANAGED, Meaning.NO_SUCH, creation="not managed"),
    AbsentRow("permissionProfile", Plane.ARM, Meaning.KEPT, Meaning.REFUSED, creation="CreatorOnly, by ARM"),
    AbsentRow("permissionProfile", Plane.DEVOPS, Meaning.NOT_MANAGED, Meaning.REFUSED, creation="not managed"),
    AbsentRow("access.agentPools[].autoProvision", Plane.DEVOPS, Meaning.REFUSED, Meaning.NO_SUCH),
    AbsentRow("access.roles[].administrators", Plane.DEVOPS, Meaning.NOT_MANAGED, Meaning.NONE),
    AbsentRow("access.roles[].inherit", Plane.DEVOPS, Meaning.NOT_MANAGED, Meaning.NO_SUCH),
    AbsentRow("access.queueRoles[].users", Plane.DEVOPS, Meaning.NOT_MANAGED, Meaning.NONE),
    AbsentRow("access.pipelines[].pipelines", Plane.DEVOPS, Meaning.REFUSED, Meaning.NONE),
)


def table() -> str:
    """The rows as Markdown, between the marks of the page."""
    lines = [
        f"| `{row.field}` | {row.plane} | {row.absent} | {row.null} | {row.empty} | {row.creation or '-'} |"
        for row in ROWS
    ]
    head = "| field | plane | absent | null | empty | absent at creation |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join((BEGIN, "", head, *lines, "", END))


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")

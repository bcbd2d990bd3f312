"""One row for each field that limits pools: its name in the file, what it means, and since when there is it.

The reference in docs/policy.md is made from it (``python -m reconciler.plan.policy.fields``).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds."""

    PATTERNS = "patterns"
    FLAG = "true or false"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Row:
    """One field."""

    name: str
    attribute: str
    """Of `PoolLimits`."""
    about: str
    form: str
    """What a pattern is compared with, or what the value is."""
    kind: Kind = Kind.PATTERNS
    first: int = 2
    """The version of the file that brought it."""
    most: int = 0
    """Of a number."""
    flag_first: bool = False
    """Whether policy/v1 has true or false in place of patterns."""

    @property
    def rule(self) -> str:
        """The rule that a refusal names."""
        if self.name == "maxRoleRemovals":
            return "role-removals"
        return "policy-" + re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", self.name)


MOST_MACHINES = 10_000
MOST_REMOVALS = 1000

ROWS: tuple[Row, ...] = (
    Row("pools", "pools", "pools that the entry is about; every entry has it", "name"),
    Row("subscriptions", "subscriptions", "subscriptions of pools", "id", first=1),
    Row("resourceGroups", "resource_groups", "resource groups of pools", "name", first=1),
    Row(
        "organizations",
        "organizations",
        "organizations that may be written to, or added to a pool's body",
        "name; `github.com/NAME`",
        first=1,
    ),
    Row(
        "projects",
        "projects",
        "projects that may be written to, or added to a pool's body; all projects need `ORGANIZATION/*`",
        "`ORGANIZATION/PROJECT`",
        first=1,
    ),
    Row(
        "agentPools",
        "agent_pools",
        "agent pools that are taken for the pool's own where a proof of that is missing, and an owner approved it",
        "`ORGANIZATION/NAME#ID`",
    ),
    Row(
        "principals",
        "principals",
        "who may be granted anything; removing is never limited by it. A guest matches only a pattern with `#EXT#`",
        "the principal as the spec writes it",
        first=1,
    ),
    Row(
        "roles",
        "roles",
        "roles that may be granted: on agent pools, and on queues of a project; with `=PRINCIPAL` to that one alone",
        "`ORGANIZATION/ROLE`, `ORGANIZATION/PROJECT/ROLE`",
    ),
    Row(
        "openAccess",
        "open_access",
        "projects in which all pipelines may be let in; closing is always allowed",
        "`ORGANIZATION/PROJECT`",
        first=1,
        flag_first=True,
    ),
    Row(
        "pipelines",
        "pipelines",
        "single pipelines that may be let in; an id matches however the spec names the pipeline",
        r"`ORGANIZATION/PROJECT/\FOLDER\NAME`, `ORGANIZATION/PROJECT/ID`",
    ),
    Row("inheritance", "inheritance", "organizations in which the agent pool may inherit roles", "name"),
    Row(
        "identities",
        "identities",
        "managed identities that may be added to a pool: every job may use them",
        "resource id; client id of a script's identity; `SystemAssigned`",
    ),
    Row("subnets", "subnets", "networks that machines may be moved to", "resource id; `none`: isolated by the service"),
    Row(
        "images", "images", "images that may be added: their code runs under every job", "resource id; well-known name"
    ),
    Row("certificates", "certificates", "certificates that may be installed on machines", "secret URL"),
    Row("skus", "skus", "sizes of machines that may be added", "name"),
    Row(
        "logonTypes", "logon_types", "how the agent may log on; `Service` is ARM's default", "`Service`, `Interactive`"
    ),
    Row(
        "provisioningScripts",
        "provisioning_scripts",
        "scripts that may be run on every machine",
        "resource id of the storage account, `/`, entry point",
    ),
    Row(
        "maxConcurrency",
        "max_concurrency",
        "most machines that a pool may be raised to",
        f"0 to {MOST_MACHINES}",
        Kind.NUMBER,
        most=MOST_MACHINES,
    ),
    Row("createPools", "create_pools", "whether pools may be created", "", Kind.FLAG, 1),
    Row(
        "replacePools",
        "replace_pools",
        "pools that may be deleted and created again where their spec says `replace: allowed`",
        "name",
        first=1,
    ),
    Row(
        "armApiVersions",
        "arm_api_versions",
        "versions of the ARM document, newer than the program's own, that specs may name in `armApiVersion`",
        "api-version",
        first=1,
    ),
    Row(
        "materialise",
        "materialise",
        "whether Entra users, groups and service principals may be added to an organization",
        "",
        Kind.FLAG,
        1,
    ),
    Row(
        "maxRoleRemovals",
        "max_role_removals",
        "role assignments that one run may remove from one pool; with more in the plan none is removed",
        f"0 to {MOST_REMOVALS}; default 3",
        Kind.NUMBER,
        1,
        MOST_REMOVALS,
    ),
)
"""In the order of the documentation, and of written files."""

BY_NAME = {row.name: row for row in ROWS}
BY_ATTRIBUTE = {row.attribute: row for row in ROWS}


def table() -> str:
    """The reference in Markdown."""
    head = (
        "| field | what it limits | compared with | policy/v1 | rule in a refusal |",
        "| --- | --- | --- | --- | --- |",
    )
    rows = (f"| `{row.name}` | {row.about} | {_form(row)} | {_first(row)} | `{row.rule}` |" for row in ROWS)
    return "\n".join([*head, *rows]) + "\n"


def _form(row: Row) -> str:
    return row.form if row.kind is Kind.PATTERNS else f"{row.kind.value}{': ' if row.form else ''}{row.form}"


def _first(row: Row) -> str:
    if row.first > 1:
        return "—"
    return "true or false" if row.flag_first else "yes"


if __name__ == "__main__":
    sys.stdout.write(table())

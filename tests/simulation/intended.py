"""The specs of the simulation, in words of its own, and what each of them asks for: read from docs/spec.md, not from plans.

A commit is a mapping of pool names to specs; a spec is plain JSON::

    {"organizations": {"prime": ["Web"]}, "open": true, "except": [["prime", "Web", false]], "concurrency": 2,
     "administrators": ["ann"], "exclusive": false, "mode": "enforce", "team": "a", "broken": false}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from benchmarks.estates import GROUP, SUBSCRIPTION

Json: TypeAlias = Any
Cell: TypeAlias = tuple[str, ...]
"""One fact of an estate: what, and where."""
Cells: TypeAlias = Mapping[Cell, Json]
Commit: TypeAlias = Mapping[str, Json]

ORGANIZATIONS = {"prime": "fabrikam-prime", "tailspin": "fabrikam-tailspin"}
PROJECTS = ("Web", "Api")
PEOPLE = ("ann", "zoe", "bob")
OPERATOR = "operator"
FIRST: Commit = {
    "build-pool": {"organizations": {"prime": []}, "open": True, "concurrency": 2, "mode": "enforce"},
    "test-pool": {
        "organizations": {"prime": ["Web"], "tailspin": []},
        "open": True,
        "concurrency": 4,
        "mode": "enforce",
        "administrators": ["ann"],
    },
}
NEW = {"organizations": {"tailspin": ["Web"]}, "open": False, "concurrency": 1, "mode": "enforce"}
"""A pool that does not exist at first: `new-pool`."""


def properties(spec: Json) -> Json:
    """The `properties` of the ARM body."""
    names = list(spec["organizations"])
    each, rest = divmod(spec["concurrency"], len(names))
    profiles = [
        {
            "url": f"https://dev.azure.com/{ORGANIZATIONS[name]}",
            "projects": list(spec["organizations"][name]),
            "parallelism": each + (rest if number == 0 else 0),
            "openAccess": spec["open"],
        }
        for number, name in enumerate(names)
    ]
    return {
        "maximumConcurrency": spec["concurrency"],
        "organizationProfile": {
            "kind": "AzureDevOps",
            "organizations": profiles,
            "permissionProfile": {"kind": "CreatorOnly"},
        },
        "agentProfile": {"kind": "Stateless"},
        "fabricProfile": {
            "kind": "Vmss",
            "sku": {"name": "Standard_D2ads_v5"},
            "images": [{"wellKnownImageName": "ubuntu-24.04"}],
        },
    }


def document(name: str, spec: Json) -> bytes:
    """The spec file."""
    if spec.get("broken"):
        return b"apiVersion: reconciler/v1\nkind: ManagedDevOpsPool\nname: " + name.encode() + b"\npool: [\n"
    pool: Json = {"location": "eastus", "properties": properties(spec)}
    if spec.get("team"):
        pool["tags"] = {"team": spec["team"]}
    access: Json = {}
    if spec.get("except"):
        access["openAccess"] = [
            {"project": f"{ORGANIZATIONS[organization]}/{project}", "allow": allow, "reason": "simulated"}
            for organization, project, allow in spec["except"]
        ]
    if spec.get("administrators") is not None:
        access["roles"] = [
            {
                "organization": ORGANIZATIONS[organization],
                "administrators": [f"{who}@fabrikam.com" for who in spec["administrators"]],
                **({"exclusive": True} if spec.get("exclusive") else {}),
            }
            for organization in spec["organizations"]
        ]
    body: Json = {
        "apiVersion": "reconciler/v1",
        "kind": "ManagedDevOpsPool",
        "name": name,
        "subscription": SUBSCRIPTION,
        "resourceGroup": GROUP,
        "mode": spec["mode"],
        "pool": pool,
        **({"access": access} if access else {}),
        **({"until": "2099-01-01", "reason": "simulated"} if spec["mode"] == "pause" else {}),
    }
    return json.dumps(body).encode()


def files(commit: Commit) -> dict[str, bytes]:
    """All spec files of a commit."""
    return {f"{name}.yaml": document(name, spec) for name, spec in sorted(commit.items())}


def writes(spec: Json | None) -> bool:
    """Whether this spec lets anything be written."""
    return spec is not None and not spec.get("broken") and spec["mode"] == "enforce"


def is_valid(spec: Json) -> bool:
    """Whether the file is a valid spec: exceptions are about its projects, and some administrator is left."""
    if spec.get("exclusive") and spec.get("administrators") == []:
        return False
    given = spec["organizations"]
    named = ((given[one[0]], one[1]) for one in spec.get("except") or ())
    return not spec.get("broken") and all(not projects or project in projects for projects, project in named)


def can_be_met(spec: Json, there: Cells) -> bool:
    """Whether every project that the spec names exists, and one at least in each organization."""
    some = {cell[1] for cell in there if cell[0] == "project"}
    return (
        is_valid(spec)
        and {ORGANIZATIONS[key] for key in spec["organizations"]} <= some
        and all(
            ("project", ORGANIZATIONS[key], project) in there
            for key, projects in spec["organizations"].items()
            for project in (*projects, *(one[1] for one in spec.get("except") or () if one[0] == key))
        )
    )


def flat(value: Json, path: Cell = ()) -> Iterator[tuple[Cell, Json]]:
    """Every leaf of a document; a list of organizations by their names, any other list as a whole."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, (*path, name))
    elif path[-1:] == ("organizations",) and isinstance(value, list):
        for one in value:
            yield from flat({k: v for k, v in one.items() if k != "url"}, (*path, one["url"].rsplit("/", 1)[-1]))
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, one in enumerate(value):
            yield from flat(one, (*path, str(number)))
    else:
        yield path, sorted(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


def asked(name: str, spec: Json, there: Cells) -> dict[Cell, Json]:
    """What a spec asks for, cell by cell, in an estate that holds `there`; a cell that it does not name is not managed.

    Of the roles of an exclusive list, those that are there and not listed are asked to be gone (None).
    """
    wanted: dict[Cell, Json] = {
        ("arm", name, *path): value for path, value in flat(properties(spec)) if path[-1] != "openAccess"
    }
    if spec.get("team"):
        wanted["arm", name, "tags", "team"] = spec["team"]
    exceptions = {(organization, project): allow for organization, project, allow in spec.get("except") or ()}
    for key, projects in spec["organizations"].items():
        organization = ORGANIZATIONS[key]
        known = [cell[2] for cell in there if cell[0] == "project" and cell[1] == organization]
        for project in known if not projects else [one for one in projects if one in known]:
            wanted["queue", organization, name, project] = True
            wanted["open", organization, name, project] = exceptions.get((key, project), spec["open"])
        wanted["inherit", organization, name] = False
        listed = spec.get("administrators")
        for who in listed or ():
            wanted["role", organization, name, who] = "Administrator"
        if listed is not None and spec.get("exclusive"):
            for cell, role in there.items():
                here = cell[:3] == ("role", organization, name)
                if here and role == "Administrator" and cell[3] not in (*listed, OPERATOR):
                    wanted[cell] = None
    return wanted

"""`adopt` against an emulated estate: whatever people change beside the spec, the spec says it afterwards.

Each test has a pool that is in sync, changes it by hand, adopts, and plans again: nothing is left, and nothing was written.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aspects.adopting import (
    PRIME,
    TAILSPIN,
    TEXT,
    Adopting,
    concurrency,
    machines,
    settled_cloud,
    switch_automatic_queues,
    tags,
)
from tests.aspects.shop import POOL

Json = Any


@pytest.fixture
def adopting(tmp_path: Path) -> Iterator[Adopting]:
    with settled_cloud() as cloud:
        yield Adopting(cloud, tmp_path)


def differing(text: str) -> list[str]:
    """Lines that went, and lines that came."""
    found = difflib.ndiff(TEXT.splitlines(), text.splitlines())
    return [line for line in found if line.startswith(("- ", "+ "))]


def test_in_sync_there_is_nothing_to_adopt(adopting: Adopting) -> None:
    outcome = adopting.adopt()

    assert (outcome.after, outcome.adopted, outcome.left) == (TEXT.encode(), [], [])


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
        concurrency,
        ["-     maximumConcurrency: 4   # for the release", "+     maximumConcurrency: 6   # for the release"],
    ),
    "tags": (tags, ["-   tags: { team: \"build\", cost: '7' }", '+   tags: { team: "ops" }']),
    "images": (
        _images,
        ["+         - { wellKnownImageName: windows-2022, buffer: '50' }", "+           aliases: [linux, lts]"],
    ),
    "schedule": (_schedule, ["+           - { '09:30:00': 1 }   # Monday"]),
    "another kind of agents": (_stateless, ["+       kind: Stateless"]),
    "a field": (_lifetime, ["+       maxAgentLifetime: 2.00:00:00"]),
    "machines": (machines, ["+       sku: { name: Standard_D4ads_v5 }"]),
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


def test_automatic_queues_are_adopted(adopting: Adopting) -> None:
    switch_automatic_queues(adopting)

    assert f"+     - {{ organization: {TAILSPIN}, autoProvision: true }}" in differing(adopting.adopted_all())


def test_one_change_is_adopted_and_the_others_stay(adopting: Adopting) -> None:
    adopting.resource(tags)
    adopting.resource(machines)
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")
    adopting.by_hand("set-role", organization=PRIME, who="bob", role="Administrator")

    outcome = adopting.adopt("Tags.team", f"open_access:open access:{TAILSPIN}/Web")

    assert outcome.left == []
    left = adopting.shop.plan(outcome.spec)
    assert sorted(change.kind for change in left.changes) == ["administrator", "pool"]
    (pool,) = [change for change in left.changes if change.kind == "pool"]
    assert [detail.path for detail in pool.details] == ["fabricProfile.sku.name", "tags.cost"]


def test_a_field_that_needs_another_one_says_so(adopting: Adopting) -> None:
    adopting.resource(concurrency)

    outcome = adopting.adopt("maximumConcurrency")

    assert outcome.after == TEXT.encode()
    ((subject, why),) = outcome.left
    assert subject == f"pool {POOL}"
    assert "parallelism adds up to 4" in why


def test_everything_at_once(adopting: Adopting) -> None:
    for change in (concurrency, tags, _schedule, _lifetime, machines):
        adopting.resource(change)
    for what, arguments, _ in ACCESS.values():
        if what != "remove-role":
            adopting.by_hand(what, **arguments)

    text = adopting.adopted_all()

    for comment in re.findall(r"^ *#.*$", TEXT, re.MULTILINE):
        assert comment in text

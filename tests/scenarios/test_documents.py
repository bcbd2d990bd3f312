"""What we send and what the emulator answers, held against the published documents, over all routes of a story.

With RECONCILER_OPENAPI set (see `tests.openapi`) each request of the story is validated as it was logged, then sent once
more as it was and its answer validated too. Without it the same story runs, and the same routes are asked again.
"""

from __future__ import annotations

import re
from typing import Any

import requests

from reconciler.ports.azure import API_VERSION
from tests import openapi
from tests.scenarios.drafts import ANN, BOB, POOL, PRIME, ROLES, TAILSPIN, ZOE, managed, organization
from tests.scenarios.world import World

ONCE = {"queues.add", "graph.users.create"}
"""Writes that a second time would be refused: what exists is not made again."""
DISCOVERY = {"locations.options", "connectiondata.get", "Subscriptions_List"}
"""Routes that no published document describes."""
NARROWER = (
    r"body\.(principalName|mailAddress|originId): is not in the document",  # in the subtypes, which nothing refers to
    r"body(\[\d+\])?\._links\..*: is not in the document",  # a collection of any links, in every example
    r"body\[\d+\]\.properties\..*: is not in the document",  # a collection of any properties, in every example
)
"""Where a document says less than its own examples show."""

Entry = dict[str, Any]


def story(world: World) -> list[Entry]:
    """A creation, an update, drift of every kind and its repair; each request that succeeded."""
    world.policy("materialise: true\n")
    world.switch(devops__queues_at_creation="none")
    world.settle()
    administrators = {"organization": PRIME, "administrators": [ANN, BOB, ZOE], "exclusive": True, "inherit": False}
    projects = ["fabrikam-dev", "fabrikam-test", "fabrikam-perf"]
    world.spec(
        managed(prime=organization(PRIME, projects, open_access=False), access={"roles": [administrators, *ROLES[1:]]})
    )
    world.by_hand("open-access", organization=PRIME, pool=POOL, project="fabrikam-dev")
    world.by_hand("close-access", organization=TAILSPIN, pool=POOL, project="Web")
    world.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    world.settle()
    return [entry for entry in world.do.requests() if 200 <= entry["status"] < 300]


def distinct(entries: list[Entry]) -> list[Entry]:
    """One request of each route and form."""
    found = {(e["route"], e["method"], frozenset(e["query"]), str(e["body"])[:60]): e for e in entries}
    return list(found.values())


def asked_again(world: World, entry: Entry) -> requests.Response:
    """The same request by hand; where the package gave the version in a header, it is given so again."""
    arm = entry["plane"] == "arm"
    base = world.running.arm if arm else world.running.devops
    token = world.running.tokens["arm" if arm else "devops"]
    version = "" if "api-version" in entry["query"] else ";api-version=7.1-preview"
    headers = {"Authorization": f"Bearer {token}", "Accept": f"application/json{version}"}
    return requests.request(
        entry["method"], base + entry["path"], params=entry["query"], json=entry["body"], headers=headers, timeout=30
    )


def spelt(entry: Entry) -> dict[str, str]:
    """The query, with the version that the package puts into a header."""
    return {"api-version": API_VERSION if entry["plane"] == "arm" else "7.1-preview.1", **entry["query"]}


def beyond(problems: list[str]) -> list[str]:
    """Problems that no example of the documents has itself."""
    return [problem for problem in problems if not any(re.fullmatch(known, problem) for known in NARROWER)]


def test_the_requests_of_a_story_fit_the_documents(nothing: World) -> None:
    """A body that only our own emulator takes would be found out in production alone."""
    entries = distinct(story(nothing))

    assert {entry["route"] for entry in entries} >= {
        "Pools_CreateOrUpdate",
        "queues.add",
        "pipelinepermissions.update",
        "roleassignments.set",
        "roleassignments.change",
        "graph.users.create",
    }
    for entry in entries:
        found = openapi.validate_request(entry["plane"], entry["method"], entry["path"], spelt(entry), entry["body"])
        assert beyond(found) == [], f"{entry['method']} {entry['route']}: {beyond(found)}"


def test_the_documents_know_the_routes_that_are_used(nothing: World) -> None:
    """A validation that finds no document for a route finds no problem either."""
    unknown = set()
    for entry in distinct(story(nothing)):
        if openapi.find(entry["plane"], entry["method"], entry["path"], spelt(entry)) is None:
            unknown.add(entry["route"])

    assert not openapi.folder() or unknown <= {*DISCOVERY, "OperationStatuses_Get"}, sorted(unknown)


def test_the_answers_to_a_story_fit_the_documents(nothing: World) -> None:
    """What the emulator says is what the program was proven against, so it has to be what the service says."""
    entries = [entry for entry in distinct(story(nothing)) if entry["route"] not in ONCE and "t" not in entry["query"]]
    for entry in entries:
        answer = asked_again(nothing, entry)
        assert answer.ok, f"{entry['route']}: {answer.status_code} {answer.text}"
        body = answer.json() if answer.content else None
        found = openapi.validate_response(
            entry["plane"], entry["method"], entry["path"], spelt(entry), status=answer.status_code, body=body
        )
        assert beyond(found) == [], f"{entry['method']} {entry['route']}: {beyond(found)}"
        nothing.do.settle()
    nothing.settle()

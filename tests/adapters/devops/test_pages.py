"""Lists in pages go through one helper, every page of build definitions carries an order, and each id has one source."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler.adapters.devops as adapter
from reconciler.adapters.devops.memberships import Memberships
from reconciler.adapters.devops.reads import DevOps
from reconciler.adapters.devops.session import Session
from reconciler.errors import Rejected, Unavailable
from reconciler.ports.devops import Pipeline
from tests.adapters.devops.scripted import Reply, Scripted, failure, wrapped

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
DEFINITIONS = f"/prime/{PROJECT}/_apis/build/definitions"
NEXT = {"X-MS-ContinuationToken": "2026-01-01T00:00:00Z"}
Read = Callable[[Session], object]
LISTS: dict[str, tuple[str, Read]] = {
    "projects": ("/prime/_apis/projects", lambda session: DevOps(session).projects("prime")),
    "deleted projects": ("/prime/_apis/projects", lambda session: DevOps(session).deleted_projects("prime")),
    "groups": ("/prime/_apis/graph/groups", lambda session: DevOps(session).groups("prime")),
    f"pipelines of project {PROJECT}": (DEFINITIONS, lambda session: DevOps(session).pipelines("prime", PROJECT)),
    "service principals": (
        "/prime/_apis/graph/serviceprincipals",
        lambda session: Memberships(session, session).service_principals("prime"),
    ),
}


def test_every_page_of_build_definitions_carries_an_order(reads: DevOps, service: Scripted) -> None:
    """The service rejects a continuation token without one: «… timestamp without query order is ambiguous»."""
    first = Reply(wrapped({"id": 7, "name": "nightly", "path": "\\release"}), headers=NEXT)
    service.reply("GET", DEFINITIONS, first, wrapped({"id": 8, "name": "ci", "path": "\\"}))

    assert reads.pipelines("prime", PROJECT) == [Pipeline(7, "\\release\\nightly"), Pipeline(8, "\\ci")]
    assert [seen.query.get("queryOrder") for seen in service.seen] == ["definitionNameAscending"] * 2
    assert [seen.query.get("continuationToken") for seen in service.seen] == [None, NEXT["X-MS-ContinuationToken"]]


def test_a_rejected_second_page_is_an_error_and_no_short_list(reads: DevOps, service: Scripted) -> None:
    said = "Continuation token timestamp without query order is ambiguous."
    first = Reply(wrapped({"id": 7, "name": "nightly", "path": "\\"}), headers=NEXT)
    service.reply("GET", DEFINITIONS, first, Reply(failure("ArgumentException", said), 400))

    with pytest.raises(Rejected, match=re.escape(said)):
        reads.pipelines("prime", PROJECT)


@pytest.mark.parametrize("what", LISTS)
def test_a_token_that_repeats_ends_the_list_with_an_error(session: Session, service: Scripted, what: str) -> None:
    path, read = LISTS[what]
    service.reply("GET", path, Reply(wrapped(), headers=NEXT))

    with pytest.raises(Unavailable, match=f"organization prime: {what}: pagination did not end"):
        read(session)
    assert len(service.seen) == 2


def test_a_page_that_comes_again_under_another_token_ends_the_list_too(reads: DevOps, service: Scripted) -> None:
    """Found by the fault matrix: a thousand requests for one list, and the same entry a thousand times."""
    entry = {"id": 7, "name": "nightly", "path": "\\release"}
    replies = [Reply(wrapped(entry), headers={"X-MS-ContinuationToken": str(number)}) for number in range(3)]
    service.reply("GET", DEFINITIONS, *replies)

    with pytest.raises(Unavailable, match="pagination did not end: a page or its token repeats"):
        reads.pipelines("prime", PROJECT)
    assert len(service.seen) == 2


def test_no_module_loops_over_pages_by_itself() -> None:
    """A second loop forgets what the first one knows; the audit log alone has its token in the body."""
    folder = Path(adapter.__file__).parent
    names = re.compile(r"continuation_?token|\$skip", re.IGNORECASE)
    users = {path.name for path in folder.glob("*.py") if names.search(path.read_text())}

    assert users == {"pages.py", "audit.py"}


@pytest.mark.parametrize(
    "id_",
    [
        "101eae8c-1709-47f9-b228-0e476c35b3ba",
        "distributedtask.agentpoolrole",
        "distributedtask.agentqueuerole",
        "distributedtask.globalagentpoolrole",
        "distributedtask.globalagentqueuerole",
    ],
)
def test_an_id_of_the_service_is_written_down_once(id_: str) -> None:
    """In code, not in docstrings; the demo checks the reconciler, and has its own."""
    form = re.compile(rf"(?<![\w`]){re.escape(id_)}(?![\w`])")
    places = [place for place, text in _texts() if form.search(text)]

    assert len(places) == 1, places


@functools.cache
def _texts() -> list[tuple[str, str]]:
    """Where the program has a text of one line, and the text."""
    root = Path(adapter.__file__).parents[2]
    return [
        (f"{path.relative_to(root)}:{node.lineno}", node.value)
        for path in sorted(root.rglob("*.py"))
        if "demo" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
    ]

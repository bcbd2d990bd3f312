"""The table of stored documents is the only one, and a damaged document harms no reader."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents import MOST, number_of
from reconciler.documents.kinds import (
    DEEPEST,
    MARK,
    SAFETY,
    STATE,
    DocumentKind,
    kind_of,
    marked,
    parsed,
    read,
)
from reconciler.engine.status import PoolStatus
from reconciler.service.triggers.overdue import Swept
from reconciler.survey import ListEvidence

SOURCE = Path(__file__).parents[2] / "reconciler"
STORES = {"load", "save", "names", "_remember", "change", "RememberedDeliveries"}
"""Calls that name a document."""
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    17,
    2**80,
    1e300,
    "",
    "2026-13-45",
    "x" * 5000,
    [],
    [None, [[]]],
    {},
    {"a": {"b": 7}},
)
AT = "2026-11-01T12:00:00Z"
POOL: dict[str, Any] = {
    "key": "build-pool", "path": "a.yaml", "attemptedRevision": "1", "appliedRevision": "1",
    "conditions": [{"type": "Ready", "status": "True", "reason": "InSync", "message": "m", "since": AT}],
    "lastRun": {"started": AT, "ended": AT, "outcome": "in-sync", "planned": 1, "written": 1, "verified": 1, "trace": "",
                "specsRead": AT, "factsRead": AT},
    "covered": AT, "seen": AT,
    "pending": {"url": "https://x", "description": "d", "facet": "pool", "change": "c", "retryAfter": 1.5, "since": AT,
                "lines": ["l"], "record": "r", "spec": "s"},
    "waited": ["w"], "unproven": {"u": 1},
    "resting": {"r": {"message": "m", "revision": "1", "attempts": 2, "until": AT, "basis": "b", "organization": "o",
                      "reason": "Forbidden"}},
    "ineffective": {"spec": "s", "lines": {"l": 1}},
    "remembered": {"agentPools": {"o": 1}, "projects": {"o/p": "id"}, "busySince": AT, "createdAt": AT},
    "awaited": {"a": {"since": AT, "looks": 1, "spec": "s"}},
    "replacing": {"facet": "pool", "description": "d", "revision": "1", "since": AT, "created": False, "owed": [
        {"organization": "o", "projectId": "i", "project": "p", "queueId": 1, "type": {"id": "t", "name": "n"},
         "settings": {"a": 1}, "timeout": 3},
        {"organization": "o", "projectId": "i", "project": "p", "queueId": 1, "pipelineId": 2, "path": "x"}]},
    "attempts": 1, "error": "Unavailable", "unreadySince": AT, "outOfSync": "drift",
    "verified": {"spec": "abc", "superseded": True},
}  # fmt: skip


def text_of_name(value: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in value.values)


def named_documents() -> Iterator[tuple[str, str]]:
    """Every document that the program names where it loads or saves: file and line, and the name with ``x`` for parts."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.endswith(("document", "document_of")):
                for returned in ast.walk(node):
                    if isinstance(returned, ast.Return) and isinstance(returned.value, ast.JoinedStr):
                        yield f"{path.name}:{returned.lineno}", text_of_name(returned.value)
                continue
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            if not isinstance(node, ast.Call) or name not in STORES:
                continue
            for argument in node.args:
                if isinstance(argument, ast.JoinedStr):
                    yield f"{path.name}:{node.lineno}", text_of_name(argument)
                elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield f"{path.name}:{node.lineno}", argument.value


def test_every_document_that_the_program_names_is_in_the_table() -> None:
    found = [(where, name) for where, name in named_documents() if "/" in name or name in {k.name for k in STATE}]
    unknown = []
    for where, name in found:
        try:
            kind_of(f"{name}x" if name.endswith("/") else name, (*STATE, *SAFETY, DocumentKind("damaged/")))
        except LookupError:
            unknown.append((where, name))

    assert unknown == []
    assert {name.partition("/")[0] for _, name in found} >= {
        "pools", "follow-ups", "sweep", "git", "deliveries", "idempotency", "agent-pools", "approvals",
    }  # fmt: skip


def test_kinds_are_told_apart() -> None:
    every = (*STATE, *SAFETY)
    assert len({kind.name for kind in STATE}) == len(STATE)
    for kind in every:
        name = f"{kind.name}x" if kind.name.endswith("/") else kind.name
        assert kind_of(name, STATE if kind in STATE else SAFETY) is kind
        assert MARK not in kind.fields


@pytest.mark.parametrize("kind", STATE, ids=lambda kind: kind.label)
def test_a_marked_document_reads_as_it_was(kind: DocumentKind) -> None:
    body = {"further": 1} if not kind.values else {}
    found = read(kind, json.loads(json.dumps(marked(kind, body, "dev"))))

    assert (found.body, found.problem, found.deployment) == (body, "", "dev")


@pytest.mark.parametrize("kind", [kind for kind in STATE if kind.fields], ids=lambda kind: kind.label)
def test_a_field_of_another_type_is_left_out_and_named_and_the_others_stay(kind: DocumentKind) -> None:
    sound = {"text": "a", "number": 1, "flag": True, "list": [], "object": {}}
    whole = {name: sound[of] for name, of in kind.fields.items()}
    assert read(kind, whole).body == whole
    for name, of in kind.fields.items():
        for other, value in sound.items():
            found = read(kind, {**whole, name: value})
            if other == of:
                assert not found.problem
            else:
                assert found.body == {key: value for key, value in whole.items() if key != name}
                assert name in found.problem


@pytest.mark.parametrize("version", [0, 2, -1, "1", None, [], 1e9, True])
def test_another_version_counts_as_empty(version: Any) -> None:
    kind = kind_of("sweep")
    found = read(kind, {"at": AT, MARK: {"version": version, "deployment": "dev"}})
    assert (found.body, found.deployment) == ({}, "dev")
    assert "this release reads version 1" in found.problem


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
    )
)
def test_whatever_is_stored_is_judged(body: Any) -> None:
    text = json.dumps(body).encode()
    for kind in STATE:
        found = read(kind, parsed(text))
        json.dumps(found.body, allow_nan=False)
        assert read(kind, found.body).problem == ""


@given(st.binary(max_size=60))
def test_bytes_are_a_document_or_a_value_error(content: bytes) -> None:
    try:
        expected = json.loads(content)
    except ValueError:
        with pytest.raises(ValueError, match="is no JSON"):
            parsed(content)
    else:
        assert parsed(content) == expected or content.strip() in (b"NaN", b"Infinity", b"-Infinity")


def test_depth_is_bounded_long_before_the_stack_is() -> None:
    for levels, sound in ((DEEPEST - 1, True), (DEEPEST + 1, False), (100_000, False)):
        content = b"[" * levels + b"]" * levels
        if sound:
            parsed(content)
        else:
            with pytest.raises(ValueError, match="nested deeper"):
                parsed(content)


@pytest.mark.parametrize("value", [-1, True, "7", None, float("inf"), float("nan"), MOST + 1, 10**400, [1]])
def test_a_number_that_no_program_stored_is_none(value: Any) -> None:
    assert number_of({"n": value}, "n") == 0


def damaged(body: Any) -> Iterator[Any]:
    """The document with each of its values replaced by each wrong one."""

    def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        yield at
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, below in inner:
            yield from paths(below, (*at, name))

    for path in paths(body):
        for wrong in WRONG:
            made: Any = {"": copy.deepcopy(body)}
            place, last = made, ""
            for step in path:
                place, last = place[last], step
            place[last] = copy.deepcopy(wrong)
            yield made[""]


READERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "pools": (POOL, lambda body: PoolStatus.from_json("build-pool", body).to_json()),
    "evidence": (ListEvidence().to_json(), lambda body: ListEvidence.from_json(body).to_json()),
    "sweep": (
        {"at": AT, "since": AT, "missed": True},
        lambda body: Swept.read(body, datetime(2026, 11, 1, tzinfo=UTC)),
    ),
}


@pytest.mark.parametrize("kind", READERS)
def test_each_value_of_a_document_may_be_anything(kind: str) -> None:
    """The reader of the kind gets what `read` leaves, and takes the rest for never stored."""
    body, reader = READERS[kind]
    assert reader(body)
    count = 0
    for one in damaged(body):
        for given_body in (one, read(STATE[0], one).body):
            found = reader(given_body)
            if isinstance(found, dict):
                json.dumps(found, allow_nan=False)
        count += 1
    assert count >= len(WRONG) * 4

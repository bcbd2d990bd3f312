"""Checks on a queue and the definitions that name it: what is not whole is no list, and absence is never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.reads import DevOps
from reconciler.errors import Unavailable
from reconciler.ports.devops import Pipeline, QueueCheck
from tests.adapters.devops.scripted import Scripted, wrapped

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
APPROVAL = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
CHECKS = f"/prime/{PROJECT}/_apis/pipelines/checks/configurations"


def check(number: Any, queue_id: str = "12", **more: Any) -> dict[str, Any]:
    kind = {"id": APPROVAL.upper(), "name": "Approval"}
    return {"id": number, "type": kind, "resource": {"type": "queue", "id": queue_id}, **more}


def test_checks_are_those_of_the_queue_with_their_settings(reads: DevOps, service: Scripted) -> None:
    """Both filters are optional in the document, so entries about other resources are no surprise."""
    other = {**check(9), "resource": {"type": "environment", "id": "12"}}
    service.reply(
        "GET",
        CHECKS,
        wrapped(
            check(7, settings={"a": 1}, timeout=60, isDisabled=True, modifiedBy={"id": "3B3DB741"}),
            check(8, "13"),
            other,
            check(6, settings=None),
        ),
    )

    assert reads.checks("prime", PROJECT, 12) == [
        QueueCheck(6, "Approval", {}, type_id=APPROVAL),
        QueueCheck(7, "Approval", {"a": 1}, 60, APPROVAL, disabled=True, changed_by="3b3db741"),
    ]
    assert service.only.query == {
        "resourceType": "queue",
        "resourceId": "12",
        "$expand": "settings",
        "api-version": "7.1-preview.1",
    }


@pytest.mark.parametrize(
    "answer",
    [
        *({}, {"value": 5}, {"count": 2, "value": [check(7)]}, wrapped(5), wrapped({"id": 7}), wrapped(check("x"))),
        wrapped(check(6), {**check(7), "resource": {"type": "unheard", "id": "12"}}),
    ],
)
def test_a_list_of_checks_that_is_not_whole_is_no_list(reads: DevOps, service: Scripted, answer: Any) -> None:
    service.reply("GET", CHECKS, answer)

    with pytest.raises(Unavailable, match="checks of queue 12"):
        reads.checks("prime", PROJECT, 12)


def definition(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": name, "path": "\\", "process": {"type": 2}, **more}


def test_pipelines_of_a_queue_are_found_by_their_default_and_by_their_jobs(reads: DevOps, service: Scripted) -> None:
    jobs = {"type": 1, "phases": [{"target": {"queue": {"id": 12}}}, {"target": {"queue": {"id": 13}}}, {"target": {}}]}
    service.reply(
        "GET",
        f"/prime/{PROJECT}/_apis/build/definitions",
        wrapped(
            definition(1, "a", queue={"id": 12}),
            definition(2, "b", queue={"id": 13}, process=jobs),
            definition(3, "c", queue=None),
        ),
    )

    assert reads.pipelines_of_queues("prime", PROJECT) == {
        12: [Pipeline(1, "\\a"), Pipeline(2, "\\b")],
        13: [Pipeline(2, "\\b")],
    }
    assert service.only.query["includeAllProperties"] == "true"
    assert service.only.query["queryOrder"] == "definitionNameAscending"


@pytest.mark.parametrize(
    "wrong",
    [{"process": None}, {"queue": {"name": "x"}}, {"queue": 5}, {"process": {"phases": [{"target": {"queue": 5}}]}}],
)
def test_a_definition_that_is_not_whole_is_an_error(reads: DevOps, service: Scripted, wrong: dict[str, Any]) -> None:
    service.reply("GET", f"/prime/{PROJECT}/_apis/build/definitions", wrapped(definition(1, "a", **wrong)))

    with pytest.raises(Unavailable, match="queues of the pipelines"):
        reads.pipelines_of_queues("prime", PROJECT)

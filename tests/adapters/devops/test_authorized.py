"""The list of authorized resources of a project: what it opens, and what makes it unreadable."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.reads import DevOps
from reconciler.errors import NotFound, Rejected, Unavailable
from tests.adapters.devops.scripted import Reply, Scripted, failure, wrapped

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
AUTHORIZED = f"/prime/{PROJECT}/_apis/build/authorizedresources"
OPEN = {"authorized": True, "id": "12", "name": "a", "type": "queue"}


def test_authorized_queues_are_the_authorized_ones_of_that_type(reads: DevOps, service: Scripted) -> None:
    service.reply(
        "GET",
        AUTHORIZED,
        wrapped(
            {"authorized": True, "id": "12", "name": "a", "type": "queue"},
            {"authorized": False, "id": "13", "name": "b", "type": "queue"},
            {"authorized": True, "id": "14", "name": "c", "type": "endpoint"},
        ),
    )

    assert reads.authorized_queues("prime", PROJECT) == {12}
    assert service.only.query == {"type": "queue", "api-version": "7.1-preview.1"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"id": "x"}, "is not a number"),
        ({"id": ""}, "is not a number"),
        ({"id": 12}, "is incomplete"),
        ({"id": None}, "is incomplete"),
        ({"type": None}, "is incomplete"),
        ({"type": ["queue"]}, "is incomplete"),
        ({"authorized": "true"}, "is incomplete"),
        ({"authorized": 1}, "is incomplete"),
        ({"authorized": None}, "is incomplete"),
        ({"authorized": False}, "have the same id and differ"),
    ],
)
def test_an_authorized_resource_that_cannot_be_read_is_not_skipped(
    reads: DevOps, service: Scripted, changed: dict[str, Any], why: str
) -> None:
    """Skipped, it would look closed; believed, open."""
    service.reply("GET", AUTHORIZED, wrapped(OPEN, {**OPEN, **changed}))

    with pytest.raises(Unavailable, match=why):
        reads.authorized_queues("prime", PROJECT)


@pytest.mark.parametrize("entry", [None, "queue", [], {}])
def test_an_authorized_resource_that_is_none_is_not_skipped(reads: DevOps, service: Scripted, entry: Any) -> None:
    service.reply("GET", AUTHORIZED, wrapped(OPEN, entry))

    with pytest.raises(Unavailable, match="is incomplete"):
        reads.authorized_queues("prime", PROJECT)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("HttpException", Rejected), ("ProjectDoesNotExistException", NotFound), ("", NotFound)],
)
def test_an_organization_without_the_list_is_no_missing_project(
    reads: DevOps, service: Scripted, kind: str, error: type[Exception]
) -> None:
    """Without the list every pair is read; a project that is gone has none."""
    service.reply("GET", AUTHORIZED, Reply(failure(kind, "not found"), 404))

    with pytest.raises(error, match="organization prime"):
        reads.authorized_queues("prime", PROJECT)

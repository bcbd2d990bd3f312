"""Pauses over HTTP: operators see them, the owner alone sets and ends them, and who it was is in the token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from reconciler.service.http.message import HttpRequest, HttpResponse
from reconciler.service.triggers import TriggerContext
from reconciler.service.triggers.web import answer
from tests.deployment import Deployment, deployed, enforce, with_options, work_off
from tests.service.http.test_mode import ID, NO_OWNERS, OPERATE, OWN, signed_in


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as one:
        yield one


@pytest.fixture
def context(deployment: Deployment) -> TriggerContext:
    return with_options(deployment.context(), role=OPERATE, platform_authenticates=True)


def put(context: TriggerContext, body: Any, headers: dict[str, str] | None = None) -> HttpResponse:
    given = signed_in(OWN) if headers is None else headers
    return answer(
        context, "set_pause", HttpRequest("PUT", "/api/pauses", headers=given, body=json.dumps(body).encode())
    )


def get(context: TriggerContext, headers: dict[str, str]) -> HttpResponse:
    return answer(context, "pauses", HttpRequest("GET", "/api/pauses", headers=headers))


def delete(context: TriggerContext, headers: dict[str, str] | None = None, **query: str) -> HttpResponse:
    given = signed_in(OWN) if headers is None else headers
    return answer(context, "resume", HttpRequest("DELETE", f"/api/pauses?{urlencode(query)}", {}, query, given))


MOVE = {"pool": "build-pool", "until": "4h", "reason": "moving"}


def test_the_owner_pauses_and_is_named_by_the_token(context: TriggerContext) -> None:
    assert put(context, MOVE).status == 200
    (shown,) = get(context, signed_in(OPERATE)).body["pauses"]

    assert (shown["pool"], shown["field"], shown["reason"]) == ("build-pool", None, "moving")
    assert shown["place"].rpartition(" by ")[2] == ID
    assert shown["until"] > context.clock.now().isoformat()
    assert delete(context, pool="BUILD-pool").body["resumed"] == [
        {"organization": None, "pool": "build-pool", "field": None}
    ]
    assert get(context, signed_in(OPERATE)).body["pauses"] == []
    assert delete(context, pool="build-pool").status == 404


def test_who_pauses_is_never_taken_from_the_body(context: TriggerContext) -> None:
    assert put(context, MOVE | {"by": "dan"}).status == 400
    assert get(context, signed_in(OPERATE)).body["pauses"] == []


@pytest.mark.parametrize(
    ("headers", "status"), [(one[1], one[2]) for one in NO_OWNERS], ids=[one[0] for one in NO_OWNERS]
)
def test_nobody_else_pauses_or_resumes(context: TriggerContext, headers: dict[str, str], status: int) -> None:
    put(context, MOVE)
    given = {"content-type": "application/json"} | headers

    assert put(context, MOVE | {"until": "5h"}, given).status == status
    assert delete(context, given, pool="build-pool").status == status
    assert len(get(context, signed_in(OPERATE)).body["pauses"]) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "body: must be an object"),
        (MOVE | {"until": None}, "until: must be a text; a pause needs an end"),
        ({"pool": "build-pool", "reason": "x"}, "until: must be a text; a pause needs an end"),
        (MOVE | {"until": "tomorrow"}, "until: is not a moment"),
        (MOVE | {"until": "2026-01-01T00:00:00"}, "until: is not a moment"),
        (MOVE | {"until": "2020-01-01"}, "until: is over already"),
        (MOVE | {"until": "91d"}, "until: is more than 90 days ahead"),
        (MOVE | {"until": "9999999w"}, "until: is"),
        (MOVE | {"until": "9999-12-31T23:00:00-05:00"}, "until: is"),
        (MOVE | {"until": "0001-01-01T00:00:00+05:00"}, "until: is"),
        (MOVE | {"reason": " "}, "reason: must be a text"),
        (MOVE | {"fields": []}, "fields: is empty"),
        (MOVE | {"fields": ["rols"]}, "did you mean roles?"),
        (MOVE | {"fields": [","]}, "',' is no part of a pool"),
        (MOVE | {"fields": ["roles", " "]}, "' ': names nothing"),
        (MOVE | {"fields": ["tags."]}, "'tags.': a name is missing"),
        (MOVE | {"fields": ["tags." + "x" * 1000]}, "has 1005 characters, the limit is 600"),
        (MOVE | {"fields": "roles"}, "fields: must be a list"),
        (MOVE | {"organization": "fabrikam-prime"}, "organization, pool: name one of them"),
        ({"until": "4h", "reason": "x"}, "organization, pool: name one of them"),
        ({"until": "4h", "reason": "x", "organization": "a/b"}, "organization: "),
        ({"until": "4h", "reason": "x", "organization": "o", "fields": ["roles"]}, "fields: are of a pool"),
        (MOVE | {"pool": "build-pol"}, "did you mean build-pool?"),
    ],
)
def test_a_pause_that_cannot_be_meant_is_refused_and_nothing_is_stored(
    context: TriggerContext, body: Any, text: str
) -> None:
    response = put(context, body)

    assert response.status in (400, 404)
    assert text in response.body["detail"]
    assert get(context, signed_in(OPERATE)).body["pauses"] == []


def test_a_field_is_paused_and_resumed_alone(context: TriggerContext) -> None:
    put(context, MOVE)
    shown = put(context, MOVE | {"fields": ["roles", "open_access"]}).body["pauses"]
    assert [one["field"] for one in shown] == [None, "openAccess", "roles"]

    assert [one["field"] for one in delete(context, pool="build-pool", field="roles").body["pauses"]] == [
        None, "openAccess",
    ]  # fmt: skip
    assert delete(context, pool="build-pool").body["pauses"] == []


@pytest.mark.parametrize(
    ("field", "text"),
    [("", "names nothing"), (",", "is no part of a pool"), ("rols", "did you mean roles?"), ("tags.", "is missing")],
)
def test_a_field_that_names_nothing_resumes_nothing(context: TriggerContext, field: str, text: str) -> None:
    assert put(context, MOVE).status == 200

    response = delete(context, pool="build-pool", field=field)

    assert response.status == 400
    assert text in str(response.body)
    assert [one.scope.field for one in context.safety.pauses()] == [""]


def test_what_was_held_back_is_done_when_the_pause_is_ended(deployment: Deployment) -> None:
    """The request for a run comes with it: the repair does not wait for the resync."""
    context = with_options(deployment.context(), role=OPERATE, platform_authenticates=True)
    enforce(context)
    put(context, MOVE)
    work_off(context)

    assert delete(context, pool="build-pool").status == 200

    assert work_off(context)

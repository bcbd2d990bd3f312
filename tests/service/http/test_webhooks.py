"""A push is a hint from a caller who proved its identity; everything else gets one sentence and changes nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from reconciler.service.http.message import HttpProblem, HttpRequest
from reconciler.service.http.webhooks import MAX_PUSH, Push, azure_repos_push, github_push

OLD, NEW = "old-secret-canary", "new-secret-canary"
SECRETS = (NEW, OLD)
BODY = json.dumps({"ref": "refs/heads/main", "after": "1" * 40}).encode()
HOOK = {
    "id": "4f1a-1",
    "eventType": "git.push",
    "resource": {"refUpdates": [{"name": "refs/heads/main", "newObjectId": "0" * 40}, {"name": "refs/heads/dev"}]},
}


def signed(body: bytes = BODY, secret: str = NEW, headers: dict[str, str] | None = None) -> HttpRequest:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    standard = {
        "x-hub-signature-256": signature,
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-github-event": "push",
        "content-type": "application/json",
    }
    return HttpRequest("POST", "/api/github/push", headers={**standard, **(headers or {})}, body=body)


def hooked(document: Any = None, **headers: Any) -> HttpRequest:
    body = json.dumps(HOOK if document is None else document).encode()
    return HttpRequest(
        "POST",
        "/api/azure-repos/push",
        headers={"content-type": "application/json; charset=utf-8", **headers},
        body=body,
    )


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize("secret", SECRETS)
def test_either_of_two_secrets_is_good_while_one_is_being_replaced(secret: str) -> None:
    assert github_push(signed(secret=secret), SECRETS) == (
        Push("72d3162e-cc78-11e3-81ab-4c9367dc0958", "refs/heads/main"),
    )
    expected = (Push("4f1a-1", "refs/heads/main"), Push("4f1a-1", "refs/heads/dev"))
    assert azure_repos_push(hooked(authorization=basic(secret)), SECRETS) == expected
    assert azure_repos_push(hooked(**{"x-reconciler-secret": secret}), SECRETS) == expected


def test_the_signature_is_over_raw_bytes_not_over_what_they_mean() -> None:
    spaced = signed(b'{ "ref" : "refs/heads/main" }')
    other = HttpRequest("POST", spaced.path, headers=spaced.headers, body=b'{"ref":"refs/heads/main"}')

    assert github_push(spaced, SECRETS)[0].ref == "refs/heads/main"
    with pytest.raises(HttpProblem) as caught:
        github_push(other, SECRETS)
    assert caught.value.status == 401


def test_a_ping_is_welcome_and_moves_nothing() -> None:
    assert github_push(signed(headers={"x-github-event": "ping"}), SECRETS)[0].ref == ""


BAD_GITHUB = [
    ("no signature at all", signed(headers={"x-hub-signature-256": ""}), SECRETS, 401),
    ("SHA-1 is another algorithm", signed(headers={"x-hub-signature-256": "sha1=" + "0" * 40}), SECRETS, 401),
    ("a wrong secret", signed(secret="guess"), SECRETS, 401),
    ("no secret configured: nobody may push, not even with an empty one", signed(secret=""), ("",), 401),
    ("no secrets at all", signed(), (), 401),
    ("an id is needed to remember the delivery", signed(headers={"x-github-delivery": ""}), SECRETS, 400),
    ("an id that would not fit a name", signed(headers={"x-github-delivery": "../x"}), SECRETS, 400),
    ("another event", signed(headers={"x-github-event": "issues"}), SECRETS, 400),
    ("no ref", signed(b"{}"), SECRETS, 400),
    ("not an object", signed(b"[]"), SECRETS, 400),
    ("not JSON", signed(b"ref=1"), SECRETS, 400),
    ("a form instead of JSON", signed(headers={"content-type": "application/x-www-form-urlencoded"}), SECRETS, 415),
    ("too large, before anything is computed", signed(b"x" * (MAX_PUSH + 1)), (), 413),
]

BAD_AZURE = [
    ("nothing", hooked(), SECRETS, 401),
    ("a wrong password", hooked(authorization=basic("guess")), SECRETS, 401),
    ("an empty secret is none", hooked(authorization=basic("")), ("",), 401),
    ("a header that is not Basic", hooked(authorization="Bearer x"), SECRETS, 401),
    ("a Basic that is not base64", hooked(authorization="Basic %%%"), SECRETS, 401),
    ("another event", hooked({"eventType": "build.complete"}, authorization=basic(NEW)), SECRETS, 400),
    ("details left out", hooked({"eventType": "git.push"}, authorization=basic(NEW)), SECRETS, 400),
    ("updates that are none", hooked({"eventType": "git.push", "resource": {"refUpdates": [1]}}, authorization=basic(NEW)), SECRETS, 400),
    ("a short ref", hooked({"eventType": "git.push", "resource": {"refUpdates": [{"name": "main"}]}}, authorization=basic(NEW)), SECRETS, 400),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "request_", "secrets", "status"), BAD_GITHUB)
def test_github_deliveries_that_are_refused(
    reason: str, request_: HttpRequest, secrets: tuple[str, ...], status: int
) -> None:
    with pytest.raises(HttpProblem) as caught:
        github_push(request_, secrets)

    assert caught.value.status == status, reason
    assert "canary" not in repr(caught.value) + repr(request_) + caught.value.response().content().decode()


@pytest.mark.parametrize(("reason", "request_", "secrets", "status"), BAD_AZURE)
def test_azure_repos_deliveries_that_are_refused(
    reason: str, request_: HttpRequest, secrets: tuple[str, ...], status: int
) -> None:
    with pytest.raises(HttpProblem) as caught:
        azure_repos_push(request_, secrets)

    assert caught.value.status == status, reason
    assert "canary" not in repr(caught.value) + repr(request_) + caught.value.response().content().decode()


def test_a_delivery_without_a_usable_id_is_followed_all_the_same() -> None:
    document = {**HOOK, "id": 7}

    assert azure_repos_push(hooked(document, authorization=basic(NEW)), SECRETS)[0].delivery == ""

"""Verifies push webhooks of Git hosts and reads which branch moved. The payload is only a hint.

GitHub signs the raw body (HMAC-SHA256, `X-Hub-Signature-256`); Azure Repos signs nothing and authenticates with
Basic or a custom header. Two secrets may be valid at once, so that one can be replaced without losing a push.
Everything is compared in constant time, and the size is checked before anything is read. Sources: GitHub Docs,
"Validating webhook deliveries"; Microsoft Learn, "Webhooks with Azure DevOps" and "Service hooks events, git.push".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.service.http.message import HttpProblem, HttpRequest, json_body

MAX_PUSH = 1_048_576
"""Bytes; a larger push gets a 413, and the timer finds its commit."""

_DELIVERY = re.compile(r"^[0-9A-Za-z-]{1,80}$")
_SIGNATURE = re.compile(r"^sha256=[0-9a-fA-F]{64}$")


@dataclass(frozen=True, slots=True)
class Push:
    """A verified delivery."""

    delivery: str
    """The host's id of this delivery, to be remembered; empty where it gave none."""
    ref: str = ""
    """``refs/heads/main``; empty where the event is no push (a ping)."""


def github_push(request: HttpRequest, secrets: Sequence[str]) -> tuple[Push, ...]:
    """Verify a delivery of GitHub; one push, or one without ref for a ping. `HttpProblem` otherwise."""
    _small_enough(request)
    signature = request.headers.get("x-hub-signature-256", "")
    if not _signed(request.body, signature, secrets):
        raise HttpProblem(401, "Unauthorized", "X-Hub-Signature-256: missing, or not made with the webhook's secret")
    delivery = request.headers.get("x-github-delivery", "")
    if not _DELIVERY.match(delivery):
        raise HttpProblem(400, "Bad Request", "X-GitHub-Delivery: send the delivery's id")
    event = request.headers.get("x-github-event", "")
    if event == "ping":
        return (Push(delivery),)
    if event != "push":
        raise HttpProblem(400, "Bad Request", "X-GitHub-Event: only push and ping are accepted")
    return (Push(delivery, _ref(_payload(request).get("ref"), "ref")),)


def azure_repos_push(request: HttpRequest, secrets: Sequence[str]) -> tuple[Push, ...]:
    """Verify a delivery of an Azure Repos service hook; one push for each ref that moved. `HttpProblem` otherwise."""
    _small_enough(request)
    if not _known(request, secrets):
        challenge = {"WWW-Authenticate": 'Basic realm="reconciler"'}
        detail = "Authorization: send Basic with the hook's secret as password, or X-Reconciler-Secret"
        raise HttpProblem(401, "Unauthorized", detail, headers=challenge)
    payload = _payload(request)
    if payload.get("eventType") != "git.push":
        raise HttpProblem(400, "Bad Request", "eventType: only git.push is accepted")
    resource = payload.get("resource")
    updates = resource.get("refUpdates") if isinstance(resource, dict) else None
    if not isinstance(updates, list) or not all(isinstance(update, dict) for update in updates):
        raise HttpProblem(400, "Bad Request", "resource.refUpdates: must be a list (send resource details: all)")
    delivery = payload.get("id")
    known = delivery if isinstance(delivery, str) and _DELIVERY.match(delivery) else ""
    return tuple(Push(known, _ref(update.get("name"), "resource.refUpdates.name")) for update in updates)


def _small_enough(request: HttpRequest) -> None:
    if len(request.body) > MAX_PUSH:
        raise HttpProblem(413, "Content Too Large", f"body: {len(request.body)} bytes, the limit is {MAX_PUSH}")


def _signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether any secret made the signature; all are tried, so that the duration reveals nothing."""
    if not _SIGNATURE.match(signature):
        return False
    matches = [
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature[7:].lower())
        for secret in secrets
        if secret
    ]
    return any(matches)


def _known(request: HttpRequest, secrets: Sequence[str]) -> bool:
    given = request.headers.get("x-reconciler-secret", "") or _basic_password(request.headers.get("authorization", ""))
    if not given:
        return False
    matches = [
        hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogateescape")) for secret in secrets if secret
    ]
    return any(matches)


def _basic_password(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except (ValueError, binascii.Error):
        return ""


def _payload(request: HttpRequest) -> dict[str, Json]:
    payload = json_body(request, limit=MAX_PUSH)
    if not isinstance(payload, dict):
        raise HttpProblem(400, "Bad Request", "body: must be a JSON object")
    return payload


def _ref(value: Json, where: str) -> str:
    if not isinstance(value, str) or not value.startswith("refs/"):
        raise HttpProblem(400, "Bad Request", f"{where}: must be a full ref such as refs/heads/main")
    return value

"""What ARM's answers mean in the two families of `reconciler.errors`.

The body of an error is ``{"error": {"code", "message", "details": [...]}}`` (azure-rest-api-specs, common-types v6,
ErrorResponse). Only its code and message are used, on one line and without secrets; the caller's own ids in ARM's
text on a missing right are left out, so that the message stays the same from run to run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.documents.redaction import oneline
from reconciler.errors import Forbidden, NotFound, NotReady, ReconcilerError, Rejected, Throttled, Unavailable

PARENT_MISSING = frozenset({"SubscriptionNotFound", "ResourceGroupNotFound"})
"""404 about something above the pool: not an absent pool, but a spec that names what is not there."""

_FOR_GOOD = frozenset(
    {
        "missingsubscriptionregistration",
        "subscriptionnotregistered",
        "readonlydisabledsubscription",
        "scopelocked",
        "invalidresourcelocation",
        "resourcealreadyexists",
        "alreadyexists",
        "namenotavailable",
        "poolnamealreadyinuse",
    }
)
"""Codes of a 409 that a retry does not solve. Every other 409 is treated as a write that meets another one: the code of
that case is published nowhere, and a retry is harmless."""

_ADVICE = {
    "unauthorizedaccesstovirtualnetwork": "the subnet has to be delegated to Microsoft.DevOpsInfrastructure/pools, and "
    "the service principal DevOpsInfrastructure needs Reader and Network Contributor on its virtual network",
}
"""What to do about an answer that does not say it (Microsoft Learn: managed-devops-pools/troubleshooting for the code,
configure-networking for what is needed)."""

_MISSING_ACTION = re.compile(r"perform action '([^']+)'(?: over scope '([^']+)')?")
_PROVIDER = "Microsoft.DevOpsInfrastructure"


class ArmAnswer(Exception):
    """ARM answered with a status of 300 or more."""

    def __init__(self, reply: ArmErrorBody) -> None:
        super().__init__(f"{reply.status} {reply.code}")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class ArmErrorBody:
    """The parts of such an answer that are used, already clean."""

    status: int
    code: str = ""
    message: str = ""
    retry_after: float | None = None

    @property
    def said(self) -> str:
        """``400 BadThing: The thing is bad``, as far as it is known."""
        head = f"{self.status} {self.code}".strip()
        return f"{head}: {self.message}" if self.message else head


def words(body: Json, secrets: tuple[str, ...] = ()) -> tuple[str, str]:
    """Code and message of an error body, details and advice included; empty strings where it has none."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", ""
    parts = [str(error.get("message") or "")]
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        text = str(detail.get("message") or detail.get("code") or "") if isinstance(detail, Mapping) else ""
        if text and not any(text in part for part in parts):
            parts.append(text)
    message = oneline("; ".join(part for part in parts if part), secrets=secrets)
    code = oneline(error.get("code") or "", secrets=secrets, limit=80)
    advice = _ADVICE.get(code.lower(), "")
    return code, "; ".join(part for part in (message, advice) if part)


def as_error(where: str, reply: ArmErrorBody) -> ReconcilerError:
    """The error for an answer that is not what the caller hoped for."""
    special = {401: _forbidden, 403: _forbidden, 404: _missing, 409: _conflict, 423: _conflict, 429: _throttled}
    if reply.status in special:
        return special[reply.status](where, reply)
    if reply.status >= 500 or reply.status == 408:  # noqa: PLR2004 - HTTP's own numbers
        return Unavailable(f"{where}: ARM answered {reply.said}", retry_after=reply.retry_after)
    if reply.status < 400:  # noqa: PLR2004 - HTTP's own number
        return Rejected(f"{where}: ARM answered {reply.status}, a redirect, and none is followed")
    return Rejected(f"{where}: ARM answered {reply.said}")


def _throttled(where: str, reply: ArmErrorBody) -> ReconcilerError:
    return Throttled(f"{where}: ARM throttles ({reply.said})", retry_after=reply.retry_after)


def _missing(where: str, reply: ArmErrorBody) -> ReconcilerError:
    """A 404 that is not ARM's own says nothing about a pool."""
    if reply.code:
        return NotFound(f"{where}: ARM answered {reply.said}")
    return Unavailable(f"{where}: 404 without ARM's error body; is something else answering?")


def _forbidden(where: str, reply: ArmErrorBody) -> ReconcilerError:
    missing = _MISSING_ACTION.search(reply.message)
    if missing:
        scope = f" over {missing[2]}" if missing[2] else ""
        return Forbidden(f"{where}: the identity lacks {missing[1]}{scope} ({reply.status} {reply.code})")
    return Forbidden(f"{where}: ARM answered {reply.said}")


def _conflict(where: str, reply: ArmErrorBody) -> ReconcilerError:
    code = reply.code.lower()
    if code in ("missingsubscriptionregistration", "subscriptionnotregistered"):
        return Rejected(
            f"{where}: the subscription has not registered {_PROVIDER} ({reply.status} {reply.code}); "
            f"run `az provider register --namespace {_PROVIDER}` once"
        )
    if code in _FOR_GOOD:
        return Rejected(f"{where}: ARM answered {reply.said}")
    return NotReady(f"{where}: another operation is in progress ({reply.said})", retry_after=reply.retry_after)

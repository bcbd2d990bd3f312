"""Who an event names: the actor's id, name and kind alone, and from audit entries a class of client and network.

Fields: the audit document of the Azure DevOps REST specifications, 7.2; Microsoft Learn, "Azure subscription as an
Event Grid source" (`data.claims`). An event of Azure Resource Notifications names no actor.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime

from reconciler.documents import Json, moment, moment_of, text_of
from reconciler.engine.sightings import ARM, AUDIT, Sighting
from reconciler.service.events.audit import entries_of, hint_of, organization_of
from reconciler.service.events.envelope import open_document
from reconciler.service.events.pools import pool_of

_OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_NO_APPLICATION = "00000000-0000-0000-0000-000000000000"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


def of_audit(entry: Json, organization: str = "") -> tuple[str, Sighting] | None:
    """Organization and sighting of an audit entry; None where it concerns no pool, or names no actor."""
    if not isinstance(entry, dict) or hint_of(entry, organization) is None:
        return None
    at, who = moment_of(entry.get("timestamp")), text_of(entry, "actorUserId").lower()
    where = organization or organization_of(entry)
    if at is None or not who or not where:
        return None
    given: Json = entry.get("data")
    data: dict[str, Json] = given if isinstance(given, dict) else {}
    application = text_of(entry, "actorClientId") not in ("", _NO_APPLICATION)
    return where, Sighting(
        at=moment(at),
        via=AUDIT,
        id=who,
        name=text_of(entry, "actorUPN") or text_of(entry, "actorDisplayName"),
        kind="application" if application and not text_of(entry, "actorUPN") else "user",
        action=text_of(entry, "actionId").lower(),
        project=text_of(entry, "projectId").lower(),
        resource=str(data.get("ResourceId") or "") if isinstance(data.get("ResourceId"), str | int) else "",
        token=text_of(data, "Token"),
        client=_client(text_of(entry, "userAgent")),
        network=_network(text_of(entry, "ipAddress")),
    )


def of_stream(body: bytes | str) -> Iterator[tuple[str, Sighting]]:
    """Those of a delivery of the audit stream."""
    for entry in entries_of(body):
        if (found := of_audit(entry)) is not None:
            yield found


def of_arm(body: bytes | str, now: datetime) -> Iterator[tuple[str, Sighting]]:
    """Pool key and sighting of each event of a pool that names its caller."""
    for event in open_document(body).events:
        name, data = pool_of(event), event.data if isinstance(event.data, dict) else {}
        claims = data.get("claims")
        if not name or not isinstance(claims, dict):
            continue
        who = next((text_of(claims, one).lower() for one in _OBJECT_ID if text_of(claims, one)), "")
        if who:
            yield (
                name,
                Sighting(
                    at=moment(moment_of(event.time) or now),
                    via=ARM,
                    id=who,
                    name=text_of(claims, "name"),
                    kind={"app": "application", "user": "user"}.get(text_of(claims, "idtyp"), ""),
                    action=text_of(data, "operationName").lower(),
                ),
            )


def _client(agent: str) -> str:
    found = _WORD.match(agent)
    if found is None:
        return ""
    return "browser" if found.group() == "Mozilla" else found.group()


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return ""
    if found.is_loopback:
        return "loopback"
    return "private" if found.is_private else "public"

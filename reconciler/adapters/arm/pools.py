"""ARM's `Microsoft.DevOpsInfrastructure/pools` over azure-mgmt-devopsinfrastructure, with raw bodies.

The package's models (1.0.0) know nothing of ``openAccess``, ``alias``, ``runtimeConfiguration`` and more, so bodies
stay the plain JSON that came and go: unknown properties stay unchanged. The api-version is
pinned. Long operations are started and polled, never waited for.

Reading and writing are two types, so that planning can hold the one without the other.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.adapters import lazy_imports
from reconciler.adapters.arm.document import pool_document
from reconciler.adapters.arm.errors import PARENT_MISSING, ArmAnswer, as_error, words
from reconciler.adapters.boundary import port
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.origin import Origin
from reconciler.adapters.retry_after import retry_after
from reconciler.adapters.shapes import distinct, object_of, text_of, text_or_none
from reconciler.documents import Json
from reconciler.errors import Rejected, SpecInvalid, Unavailable
from reconciler.ports.azure import API_VERSION, ArmReader, ArmWriter, Operation, Pending, SubscriptionReader
from reconciler.ports.clock import Clock
from reconciler.telemetry import Calls

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.devopsinfrastructure import DevOpsInfrastructureMgmtClient


PUBLIC_ENDPOINT = "https://management.azure.com"
PUBLIC_SCOPE = "https://management.azure.com/.default"
FIRST_LOOK = 15.0
"""Seconds until a started operation is polled, without a header of ARM: a tag change took seven when measured."""
MOST_PAGES = 1_000
NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
"""For calls above all subscriptions: the package makes its clients for one."""

_POOL_ID = re.compile(
    r"/subscriptions/([0-9a-f-]{36})/resourceGroups/([-\w.()]*[-\w()])"
    r"/providers/Microsoft\.DevOpsInfrastructure/pools/([a-z0-9][a-z0-9.-]*)/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PoolId:
    """A pool's resource id in its parts."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, pool_id: str) -> PoolId:
        """From a resource id in any casing (ARM's own answers differ in it)."""
        match = _POOL_ID.fullmatch(pool_id)
        if not match:
            raise SpecInvalid(f"pool id: {pool_id!r} is no resource id of a Managed DevOps Pool")
        return cls(match[1].lower(), match[2], match[3])

    @property
    def path(self) -> str:
        """The resource id, as we write it."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.DevOpsInfrastructure/pools/{self.name}"
        )


@port("ARM", ArmReader, SubscriptionReader)
class Arm:
    """Reads pools and the state of long operations (`reconciler.ports.azure.ArmReader`).

    Safe to share between threads.
    """

    def __init__(
        self,
        endpoint: str,
        credential: TokenCredential,
        *,
        allow_loopback: bool = False,
        calls: Calls | None = None,
        clock: Clock | None = None,
        timeout: float = 60.0,
        gets_alone: bool = False,
    ) -> None:
        """`timeout`: seconds between two pieces of an answer. `gets_alone`: any other method than GET is refused."""
        self.origin = Origin.of(endpoint, what="ARM endpoint", allow_loopback=allow_loopback)
        self.clock = clock or SystemClock()
        self._credential = credential
        self._calls = calls or Calls("arm")
        self._timeout = timeout
        self._gets_alone = gets_alone
        self._clients: dict[tuple[str, str], DevOpsInfrastructureMgmtClient] = {}
        self._transport: Any = None
        self._lock = threading.Lock()

    def pool(self, pool_id: str, api_version: str = API_VERSION) -> dict[str, Json] | None:
        """The raw body, or None where the pool does not exist; `NotFound` where its resource group does not."""
        target = PoolId.parse(pool_id)
        client = self.client(target.subscription, api_version)
        try:
            reply = _judged(
                client.pools.get,
                target.group,
                target.name,
                where=f"pool {target.name}",
                route="Pools_Get",
            )
        except ArmAnswer as answer:
            if _absent(answer):
                return None
            raise as_error(f"pool {target.name}", answer.reply) from None
        return pool_document(_body(reply), f"pool {target.name}")

    def pools(self, subscription: str) -> Sequence[dict[str, Json]]:
        """All pools of a subscription, following every page."""
        if not re.fullmatch(r"[0-9a-fA-F-]{36}", subscription):
            raise SpecInvalid(f"subscription: {subscription!r} is no subscription id")
        where = f"subscription {subscription}"
        path = f"/subscriptions/{subscription}/providers/Microsoft.DevOpsInfrastructure/pools?api-version={API_VERSION}"
        found = self.pages(path, where=where, route="Pools_ListBySubscription", subscription=subscription)
        return [pool_document(one, where) for one in found]

    def subscriptions(self) -> Sequence[str]:
        """GET subscriptions, all pages."""
        path = "/subscriptions?api-version=2022-12-01"
        pages = self.pages(path, where="subscriptions", route="Inspection_Get", subscription=NO_SUBSCRIPTION)
        return sorted({text_of(one, "subscriptionId", "subscriptions").lower() for one in pages})

    def machines(self, pool_id: str) -> Sequence[str]:
        """GET resources of a pool, every page: the status of each machine."""
        target = PoolId.parse(pool_id)
        where = f"machines of pool {target.name}"
        found = self.pages(
            f"{target.path}/resources?api-version={API_VERSION}",
            where=where,
            route="ResourceDetails_ListByPool",
            subscription=target.subscription,
        )
        return [str(object_of(machine, "properties", where).get("status") or "Unknown") for machine in found]

    def pages(self, path: str, *, where: str, route: str, subscription: str) -> list[dict[str, Json]]:
        """The entries of a list, following every page; the only loop over pages of ARM."""
        url, seen = f"{self.origin}{path}", set[str]()
        found: list[list[dict[str, Json]]] = []
        while url:
            again = bool(found and found[-1]) and found[-1:] == found[-2:-1]  # a page comes again, by whatever link
            if again or url in seen or len(seen) >= MOST_PAGES:
                raise Unavailable(f"{where}: pagination did not end after {len(seen)} pages")
            seen.add(url)
            page = _body(self.get(url, where=where, route=route, subscription=subscription))
            found.append(distinct(_items(page, where), where))
            url = text_or_none(page, "nextLink", where)
        return [one for items in found for one in items]

    def operation(self, url: str) -> Operation:
        """What a long operation says now; state ``gone`` where ARM keeps it no longer: read the resource instead."""
        found = re.search(r"/subscriptions/([0-9a-fA-F-]{36})", url)
        subscription = found[1].lower() if found else ""
        try:
            reply = self.get(url, where="long operation", route="OperationStatuses_Get", subscription=subscription)
        except ArmAnswer as answer:
            if answer.reply.status in (404, 410):
                return Operation("gone", answer.reply.code, answer.reply.message)
            if answer.reply.status == 409:  # noqa: PLR2004 - HTTP's own number
                # Asked at `location`, the operation's own failure is the answer; a read conflicts with nothing.
                return Operation("failed", answer.reply.code, answer.reply.message)
            raise as_error("long operation", answer.reply) from None
        return _said(reply, retry_after(reply.headers, self.clock.now()))

    def close(self) -> None:
        """Let the connections go."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
            self._transport = None
        for client in clients:
            client.close()

    def client(self, subscription: str, api_version: str = API_VERSION) -> DevOpsInfrastructureMgmtClient:
        """The package's client for a subscription and a version; all of them share one pool of connections."""
        with self._lock:
            key = (subscription, api_version)
            if key not in self._clients:
                self._clients[key] = self._made(subscription, api_version)
            return self._clients[key]

    def _made(self, subscription: str, api_version: str) -> DevOpsInfrastructureMgmtClient:
        lazy_imports.load()
        from azure.mgmt.devopsinfrastructure import (  # noqa: PLC0415 - heavy; a cold start may never need it
            DevOpsInfrastructureMgmtClient,
        )

        from reconciler.adapters import network  # noqa: PLC0415 - imports requests
        from reconciler.adapters.arm import wire as arm_wire  # noqa: PLC0415 - heavy, as above

        scope = PUBLIC_SCOPE if self.origin.loopback else f"{self.origin}/.default"
        wire = arm_wire.ArmPipeline(self.origin, self._credential, scope, self.clock, self._calls, self._gets_alone)
        self._transport = self._transport or network.azure_transport(arm_wire.CONNECT_SECONDS, self._timeout)
        return DevOpsInfrastructureMgmtClient(
            self._credential,
            subscription,
            str(self.origin),
            api_version=api_version,
            policies=arm_wire.policies(wire),
            transport=self._transport,
        )

    def get(self, url: str, *, where: str, route: str, subscription: str) -> Any:
        """GET an absolute URL as it is: signed queries and page links are passed on unchanged."""
        lazy_imports.load()
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - heavy; a cold start may never need it

        client = self.client(subscription)
        request = HttpRequest("GET", url.replace("{", "%7B").replace("}", "%7D"))
        try:
            return client.send_request(request, where=where, route=route)
        except ArmAnswer as answer:
            if route == "OperationStatuses_Get":
                raise
            raise as_error(where, answer.reply) from None


@port("ARM", ArmWriter)
class ArmWrites:
    """Writes pools (`reconciler.ports.azure.ArmWriter`), over the connections of an `Arm`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def put(self, pool_id: str, body: Mapping[str, Json], api_version: str = API_VERSION) -> Pending | None:
        """Start to create or replace the pool; None where ARM says that it is done already."""
        lazy_imports.load()
        from reconciler.adapters.arm import wire as arm_wire  # noqa: PLC0415 - heavy; a cold start may never need it

        target = PoolId.parse(pool_id)
        where = f"pool {target.name}"
        try:
            client = self._arm.client(target.subscription, api_version)
            reply = _judged(
                client.pools.begin_create_or_update,
                target.group,
                target.name,
                writable(body),
                polling=False,
                where=where,
                route="Pools_CreateOrUpdate",
                **arm_wire.ONCE,
            )
        except ArmAnswer as answer:
            raise as_error(where, answer.reply) from None
        return self._started(target, reply)

    def delete(self, pool_id: str) -> Pending | None:
        """Start to delete the pool; None where ARM says that it is gone already.

        202 with ``location``, which answers 202 until it is over, or 204 (azure-rest-api-specs devopsinfrastructure
        2026-06-02, Pools_Delete, final state via location).
        """
        lazy_imports.load()
        from reconciler.adapters.arm import wire as arm_wire  # noqa: PLC0415 - heavy; a cold start may never need it

        target = PoolId.parse(pool_id)
        where = f"deletion of pool {target.name}"
        try:
            reply = _judged(
                self._arm.client(target.subscription).pools.begin_delete,
                target.group,
                target.name,
                polling=False,
                where=where,
                route="Pools_Delete",
                **arm_wire.ONCE,
            )
        except ArmAnswer as answer:
            if _absent(answer):
                return None
            raise as_error(where, answer.reply) from None
        return None if reply.status_code == 204 else self._going(target, reply, where)  # noqa: PLR2004 - HTTP's own

    def _going(self, target: PoolId, reply: Any, description: str) -> Pending:
        """Where to poll the operation: its own URL where the response names one of our origin, else the resource."""
        seconds = retry_after(reply.headers, self._arm.clock.now())
        wait = FIRST_LOOK if seconds is None else seconds
        for header in ("Azure-AsyncOperation", "Location"):
            url = str(reply.headers.get(header) or "")
            if url and self._arm.origin.covers(url):
                return Pending(url, wait, description)
        return Pending(f"{self._arm.origin}{target.path}?api-version={API_VERSION}", wait, description)

    def _started(self, target: PoolId, reply: Any) -> Pending | None:
        seconds = retry_after(reply.headers, self._arm.clock.now())
        wait = FIRST_LOOK if seconds is None else seconds
        description = f"write of pool {target.name}"
        operation = str(reply.headers.get("Azure-AsyncOperation") or "")
        if operation and self._arm.origin.covers(operation):
            return Pending(operation, wait, description)
        state = _state(_body(reply)).lower()
        if state in ("failed", "canceled"):
            raise Rejected(f"pool {target.name}: the write ended with provisioningState {state}")
        if state in ("", "succeeded") and not operation:
            return None
        return Pending(f"{self._arm.origin}{target.path}?api-version={API_VERSION}", wait, description)


def writable(body: Mapping[str, Json]) -> dict[str, Json]:
    """A copy without what the service alone sets (marked read-only in the ARM document), and nothing else less.

    ``provisioningState`` is not marked so there, yet the service sets it; the values inside
    ``userAssignedIdentities`` are read-only, their keys are not.
    """
    left: dict[str, Json] = copy.deepcopy(dict(body))
    _drop(left, "id", "name", "type", "systemData")
    identity = left.get("identity")
    _drop(identity, "principalId", "tenantId")
    if isinstance(identity, dict) and isinstance(identity.get("userAssignedIdentities"), dict):
        identity["userAssignedIdentities"] = {key: {} for key in identity["userAssignedIdentities"]}
    properties = left.get("properties")
    _drop(properties, "provisioningState")
    fabric = properties.get("fabricProfile") if isinstance(properties, dict) else None
    if isinstance(fabric, dict):
        _drop(fabric.get("networkProfile"), "ipAddresses")
        images = fabric.get("images")
        for image in images if isinstance(images, list) else []:
            _drop(image, "isEphemeral")
    return left


def _drop(document: Json, *names: str) -> None:
    if isinstance(document, dict):
        for name in names:
            document.pop(name, None)


def _judged(operation: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """The response to one call of the package, as `OutcomePolicy` judged it.

    What the package makes of it afterwards does not count: it raises on headers and bodies that its models do not
    foresee, when a write has long arrived.
    """
    judged: list[Any] = []
    try:
        operation(*args, judged=judged, **options)
    except Exception:
        if not judged:
            raise
    return judged[-1]


def _body(reply: Any) -> dict[str, Json]:
    if reply.status_code == 204 or not reply.content:  # noqa: PLR2004 - HTTP's own number
        return {}
    body: dict[str, Json] = json.loads(reply.content.decode("utf-8-sig"))
    return body


def _absent(answer: ArmAnswer) -> bool:
    """ARM's own 404 about the pool; one about what lies above it, or from something else, is another matter."""
    reply = answer.reply
    return reply.status == 404 and bool(reply.code) and reply.code not in PARENT_MISSING  # noqa: PLR2004 - HTTP's own


def _items(page: Mapping[str, Json], where: str) -> list[dict[str, Json]]:
    value = page.get("value")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unavailable(f"{where}: a page of ARM contains no list of objects")
    return value


def _state(body: Mapping[str, Json]) -> str:
    properties = body.get("properties")
    inner = properties.get("provisioningState") if isinstance(properties, Mapping) else None
    return str(inner or "")


def _said(reply: Any, wait: float | None) -> Operation:
    """Read a status document, or the resource itself where that is what the URL gives.

    Only three words end an operation, in any casing; this provider was seen to say ``Provisioning`` in between.
    """
    body = _body(reply)
    state = str(body.get("status") or _state(body)).lower()
    code, message = words(body)
    if state == "succeeded" or reply.status_code == 204:  # noqa: PLR2004 - HTTP's own number
        return Operation("succeeded")
    if state in ("failed", "canceled"):
        return Operation("failed", code or state.capitalize(), message)
    if not state and reply.status_code != 202:  # noqa: PLR2004 - HTTP's own number
        raise Unavailable("long operation: ARM answered a document without a status")
    return Operation("running", retry_after=wait)

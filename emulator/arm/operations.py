"""Long operations: started by a write, reported at a signed URL, ended by the clock.

A creation as recorded (az extension mdp): 201 with `provisioningState: Accepted` and the header `azure-asyncoperation`;
the status says Provisioning, which is no terminal word, then Succeeded; `location` points to an operation of
Microsoft.CloudTest. PATCH and DELETE are declared to end via `location`: 202, then 200 or 204.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from emulator.arm.errors import refused
from emulator.frame import ApiError, Request
from emulator.state.arm import PROVIDER, Body, ManagedPool, Operation
from emulator.world import World

FINAL = frozenset({"Succeeded", "Failed", "Canceled"})


def _nothing() -> None:
    """What is left to do in most cases."""


@dataclass(frozen=True, slots=True)
class OperationWork:
    """What an operation does."""

    kind: str
    """``create``, ``update`` or ``delete``."""
    effect: Callable[[], None]
    """Carried out at the end; ApiError becomes the operation's error."""
    notify: Callable[[str], None]
    """Publishes the outcome, ``Success`` or ``Failure``."""
    done: Callable[[], None] = _nothing
    undo: Callable[[], None] = _nothing

    @property
    def state(self) -> str:
        """ProvisioningState while it is under way."""
        return {"create": "Provisioning", "update": "Updating", "delete": "Deleting"}[self.kind]


def begin(world: World, pool: ManagedPool, request: Request, work: OperationWork) -> Operation:
    """Start; the clock does the rest."""
    number = next(world.arm.serial)
    name = str(uuid.uuid4())
    digest = hashlib.sha256(f"{name}{number}".encode()).hexdigest().upper()
    operation = Operation(
        id=f"{name}*{digest}",
        kind=work.kind,
        pool_id=pool.id,
        location=str(pool.body["location"]),
        subscription=pool.subscription,
        version=request.query["api-version"],
        started=world.clock.stamp(),
        status="Deleting" if work.kind == "delete" else work.state,
    )
    world.arm.operations[operation.id.lower()] = operation
    pool.operation = operation.id
    pool.state = "Deleting" if work.kind == "delete" else "Accepted"
    seconds = world.switches.number(f"arm.{work.kind}-seconds")
    world.later(seconds / 2, lambda: _move(pool, operation, work))
    world.later(seconds, lambda: _end(world, pool, operation, work))
    _notify(world, work, "acceptance", "Success")
    return operation


def _move(pool: ManagedPool, operation: Operation, work: OperationWork) -> None:
    if pool.operation == operation.id:
        pool.state = work.state


def _end(world: World, pool: ManagedPool, operation: Operation, work: OperationWork) -> None:
    operation.ended = world.clock.stamp()
    last = pool.operation == operation.id
    if last:
        pool.operation = ""
    try:
        work.effect()
    except ApiError as error:
        operation.status, operation.error = "Failed", {"code": error.code, "message": error.message}
        pool.state = "Failed"
        work.undo()
        _notify(world, work, "completion", "Failure")
        return
    operation.status = "Succeeded"
    if last:
        pool.state = "Succeeded"
    work.done()
    _notify(world, work, "completion", "Success")


def _notify(world: World, work: OperationWork, moment: str, outcome: str) -> None:
    if world.switches.word("arm.events") == moment:
        work.notify(outcome)


def status_url(world: World, operation: Operation, base: str) -> str:
    """The URL of the status: `azure-asyncoperation`."""
    where = f"/subscriptions/{operation.subscription}/providers/{PROVIDER}/locations/{operation.location.upper()}"
    path = f"{where}/operationStatuses/{operation.id}"
    return base + quote(path, safe="/*") + "?" + urlencode(_signed(world, path, operation))


def result_url(world: World, operation: Operation, pool: ManagedPool, base: str) -> str:
    """Where the result comes out: `location`, under another provider's name as recorded."""
    where = f"/subscriptions/{operation.subscription}/resourceGroups/{pool.group}/providers/Microsoft.CloudTest"
    path = f"{where}/locations/{operation.location}/operations/{operation.id}"
    return base + quote(path, safe="/*") + "?" + urlencode(_signed(world, path, operation))


def _signed(world: World, path: str, operation: Operation) -> dict[str, str]:
    moment = str(638_000_000_000_000_000 + int(operation.id[-12:], 16))
    signature = _sign(world, path, moment)
    return {"api-version": operation.version, "t": moment, "c": "MIIemulator", "s": signature[:40], "h": signature[40:]}


def _sign(world: World, path: str, moment: str) -> str:
    message = f"{path.lower()}|{moment}".encode()
    return hmac.new(world.arm.secret.encode(), message, hashlib.sha256).hexdigest()


def find(world: World, request: Request) -> Operation:
    """The operation of a URL that came back unchanged; 404 for another id, 403 for another signature."""
    operation = world.arm.operations.get(request.params["operation"].lower())
    if operation is None or operation.subscription.lower() != request.params["subscription"].lower():
        raise refused(404, "ResourceNotFound", f"The operation '{request.params['operation']}' was not found.")
    query = request.query
    given = query.get("s", "") + query.get("h", "")
    if not hmac.compare_digest(given.encode(), _sign(world, request.path, query.get("t", "")).encode()):
        raise ApiError(403, "AuthorizationFailed", "The signature of the operation's URL is not valid.")
    return operation


def status_body(operation: Operation) -> Body:
    """`{id, name, resourceId, status, startTime}`; when over also endTime, properties, error."""
    path = f"/subscriptions/{operation.subscription}/providers/{PROVIDER}/locations/{operation.location.upper()}"
    body: Body = {
        "id": f"{path}/operationStatuses/{operation.id}",
        "name": operation.id,
        "resourceId": operation.pool_id,
        "status": operation.status,
        "startTime": operation.started,
    }
    if operation.status in FINAL:
        body |= {"endTime": operation.ended, "properties": None}
    if operation.error:
        body["error"] = operation.error
    return body


def pause(world: World) -> dict[str, str]:
    """Retry-After of an operation that goes on."""
    seconds = int(world.switches.number("arm.retry-after"))
    return {"Retry-After": str(seconds)} if seconds else {}

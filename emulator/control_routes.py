"""The third port: state, faults, clock, switches, log and events, for tests and for people who try things out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict

from emulator.arm import edits as arm_edits
from emulator.devops import edits
from emulator.documents import Json
from emulator.estate import dump, populate, read
from emulator.events import SOURCES, EventSubscription
from emulator.frame import ApiError, Request, Response
from emulator.router import Route, Router
from emulator.switches import TABLE
from emulator.world import World


class ControlPlane:
    """No sign-in, no versions: it is for the one who runs the emulator, on the same machine."""

    name = "control"

    def __init__(self) -> None:
        self.router = Router(ROUTES)

    def caller(self, world: World, method: str, headers: Mapping[str, str]) -> str:
        """No caller, but only by a loopback name, so that a page in a browser cannot get in by DNS rebinding."""
        del world, method
        host = headers.get("Host", "").rpartition(":")[0].strip("[]") or headers.get("Host", "")
        if host not in {"127.0.0.1", "localhost", "::1"}:
            raise ApiError(403, "NotLoopback", f"host {host!r}: the control port answers on loopback names only")
        return ""

    def admit(self, world: World, request: Request, route: Route) -> Mapping[str, str]:
        """Everything is admitted."""
        del world, request, route
        return {}

    def problem(self, kind: str, detail: str) -> ApiError:
        """One line for a person."""
        status = {"unknown-route": 404, "method": 405, "media-type": 415, "too-large": 413, "crash": 500}.get(kind, 400)
        return ApiError(status, kind, f"{kind}: {detail}")

    def render(self, error: ApiError) -> Response:
        """`{"error": {"code", "message"}}`."""
        return Response(error.status, {"error": {"code": error.code, "message": error.message}})

    def finish(self, world: World, request: Request, response: Response) -> Mapping[str, str]:
        """No headers of its own."""
        del world, request, response
        return {"Cache-Control": "no-store"}

    def fault(self, kind: str, seconds: float, request: Request) -> Response:
        """Faults never hit the control port."""
        raise NotImplementedError(f"faults never hit the control port: {kind} {seconds} {request.path}")


def _body(request: Request) -> dict[str, Json]:
    if not isinstance(request.body, dict):
        raise ApiError(400, "body", "body: must be a JSON object")
    return request.body


def _invalid_as_400(action: Callable[[], Json]) -> Json:
    """Run an action; an error in the request becomes a 400 with one line."""
    try:
        return action()
    except KeyError as error:
        raise ApiError(400, "unknown", str(error.args[0])) from error
    except (ValueError, TypeError) as error:
        raise ApiError(400, "invalid", str(error)) from error


def _health(world: World, request: Request) -> Response:
    del request
    return Response(body={"status": "ready", "inFlight": len(world.agenda), "now": world.clock.stamp()})


def _state(world: World, request: Request) -> Response:
    del request
    return Response(body=dump(world))


def _replace(world: World, request: Request) -> Response:
    def act() -> None:
        populate(world, read(_body(request)))

    _invalid_as_400(act)
    return Response(body=dump(world))


def _edit(world: World, request: Request) -> Response:
    arguments = dict(_body(request))
    what = str(arguments.pop("what", ""))
    edit = arm_edits.edit if what in arm_edits.EDITS else edits.edit
    return Response(body={"result": _invalid_as_400(lambda: edit(world, what, **arguments))})


def _switches(world: World, request: Request) -> Response:
    del request
    rows = [
        {**asdict(s), "choices": list(s.choices), "values": s.values, "value": world.switches[s.name]} for s in TABLE
    ]
    return Response(body={"switches": rows})


def _set_switches(world: World, request: Request) -> Response:
    for name, value in _body(request).items():
        _invalid_as_400(lambda name=name, value=value: world.switches.set(name, value))  # type: ignore[misc]  # mypy cannot type a lambda's defaults
    return Response(body=dict(world.switches))


def _faults(world: World, request: Request) -> Response:
    del request
    return Response(body={"faults": world.faults.dump(), "hits": world.faults.hits})


def _add_fault(world: World, request: Request) -> Response:
    return Response(body={"number": _invalid_as_400(lambda: world.faults.add(_body(request)).number)})


def _clear_faults(world: World, request: Request) -> Response:
    del request
    world.faults.clear()
    return Response(body={})


def _latency(world: World, request: Request) -> Response:
    def act() -> None:
        world.latency = max(0.0, float(_body(request)["seconds"]))

    _invalid_as_400(act)
    return Response(body={"seconds": world.latency})


def _hold(world: World, request: Request) -> Response:
    def act() -> None:
        (world.gate.close if _body(request)["on"] else world.gate.open)()

    _invalid_as_400(act)
    return Response(body={})


def _held(world: World, request: Request) -> Response:
    del request
    return Response(body={"waiting": world.gate.waiting})


def _release(world: World, request: Request) -> Response:
    del request
    return Response(body={"released": world.gate.release()})


def _advance(world: World, request: Request) -> Response:
    def act() -> int:
        world.agenda.run_due()
        world.agenda.advance(float(_body(request)["seconds"]))
        return len(world.agenda)

    return Response(body={"inFlight": _invalid_as_400(act), "now": world.clock.stamp()})


def _settle(world: World, request: Request) -> Response:
    del request
    world.agenda.settle()
    return Response(body={"now": world.clock.stamp()})


def _requests(world: World, request: Request) -> Response:
    del request
    return Response(body={"requests": world.log.dump()})


def _counters(world: World, request: Request) -> Response:
    del request
    return Response(body=world.log.counters())


def _clear_log(world: World, request: Request) -> Response:
    del request
    world.log.clear()
    return Response(body={})


def _events(world: World, request: Request) -> Response:
    found = world.events.since(int(request.query.get("since", "0")), request.query.get("source", ""))
    return Response(body={"events": [asdict(event) for event in found]})


def _subscribe(world: World, request: Request) -> Response:
    def act() -> EventSubscription:
        raw = _body(request)
        return world.events.subscribe(
            _loopback(str(raw["url"])),
            sources=tuple(raw.get("sources") or SOURCES),
            schema=str(raw.get("schema", "eventgrid")),
            headers=dict(raw.get("headers") or {}),
        )

    return Response(body=asdict(_invalid_as_400(act)))


def _loopback(url: str) -> str:
    if not re.match(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)", url):
        raise ValueError(f"url {url!r}: events are delivered to loopback addresses only")
    return url


def _subscriptions(world: World, request: Request) -> Response:
    del request
    return Response(body={"subscriptions": [asdict(s) for s in world.events.subscriptions]})


def _unsubscribe(world: World, request: Request) -> Response:
    world.events.unsubscribe(int(request.params["number"]))
    return Response(body={})


def _reset(world: World, request: Request) -> Response:
    """Estate, switches, faults, latency, log and events as at the start; the clock keeps its time."""
    del request
    world.switches.reset()
    for name, value in world.first_switches.items():
        world.switches.set(name, value)
    world.faults.clear()
    world.latency = 0.0
    world.gate.open()
    world.log.clear()
    world.spent.clear()
    world.events.clear()
    populate(world, world.first_estate)
    return Response(body={})


def _route(name: str, method: str, template: str, handler: Callable[[World, Request], Response]) -> Route:
    return Route(f"control.{name}", "control", method, template, handler)


ROUTES = [
    _route("health", "GET", "/health", _health),
    _route("state", "GET", "/state", _state),
    _route("replace", "PUT", "/state", _replace),
    _route("edit", "POST", "/edit", _edit),
    _route("switches", "GET", "/switches", _switches),
    _route("set-switches", "PATCH", "/switches", _set_switches),
    _route("faults", "GET", "/faults", _faults),
    _route("add-fault", "POST", "/faults", _add_fault),
    _route("clear-faults", "DELETE", "/faults", _clear_faults),
    _route("latency", "PUT", "/latency", _latency),
    _route("hold", "PUT", "/hold", _hold),
    _route("held", "GET", "/hold", _held),
    _route("release", "POST", "/hold", _release),
    _route("advance", "POST", "/advance", _advance),
    _route("settle", "POST", "/settle", _settle),
    _route("requests", "GET", "/requests", _requests),
    _route("clear-log", "DELETE", "/requests", _clear_log),
    _route("counters", "GET", "/counters", _counters),
    _route("events", "GET", "/events", _events),
    _route("subscribe", "POST", "/subscriptions", _subscribe),
    _route("subscriptions", "GET", "/subscriptions", _subscriptions),
    _route("unsubscribe", "DELETE", "/subscriptions/{number}", _unsubscribe),
    _route("reset", "POST", "/reset", _reset),
]

"""Starts the three ports on one event loop: in this process (`serve`), or in a thread of a test (`start`)."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from emulator.arm.plane import ArmPlane
from emulator.control import Control
from emulator.control_routes import ControlPlane
from emulator.delivery import Delivery
from emulator.devops.routes import ROUTES as DEVOPS_ROUTES
from emulator.documents import Json
from emulator.estate import populate, read
from emulator.plane import Plane
from emulator.server import PlaneServer
from emulator.switch import Value
from emulator.vss.plane import DevOpsPlane
from emulator.world import World

TICK = 0.05
"""Seconds between two checks for jobs that are due."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Which port for what; 0 takes a free one."""

    arm: int = 0
    devops: int = 0
    control: int = 0


def build(document: Mapping[str, Json], switches: Mapping[str, Value] | None = None, *, name: str = "estate") -> World:
    """A world with that estate; EstateError, or ValueError and KeyError for a switch."""
    world = World(switches)
    world.first_estate = document
    populate(world, document, name=name)
    return world


class Service:
    """A world on its three ports."""

    def __init__(self, world: World, ports: Ports, tls: ssl.SSLContext | None = None) -> None:
        self.world = world
        planes: tuple[tuple[Plane, int], ...] = (
            (ArmPlane(), ports.arm),
            (DevOpsPlane(DEVOPS_ROUTES), ports.devops),
            (ControlPlane(), ports.control),
        )
        secured = {"arm", "devops"}
        self._servers = [
            (PlaneServer(world, plane, tls=tls if plane.name in secured else None), port) for plane, port in planes
        ]
        self._ticking: asyncio.Task[None] | None = None
        self._delivery = Delivery(world.events, world.switches)

    async def start(self) -> None:
        """Listen. OSError where a port is taken."""
        for server, port in self._servers:
            await server.start(port)
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Close everything."""
        if self._ticking:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        await self._delivery.stop()
        for server, _ in self._servers:
            await server.stop()

    def ready(self) -> dict[str, Json]:
        """The content of the ready line."""
        arm, devops, control = (server.url for server, _ in self._servers)
        operator = self.world.principals.operator
        tokens = {"arm": operator.arm_token, "devops": operator.devops_token}
        return {"arm": arm, "devops": devops, "identity": devops, "control": control, "tokens": tokens}

    async def _tick(self) -> None:
        while True:
            self.world.agenda.run_due()
            self._delivery.pump()
            await asyncio.sleep(TICK)


@dataclass(slots=True)
class Running:
    """An emulator in a thread of this process; a context manager that ends it."""

    arm: str
    devops: str
    identity: str
    control: str
    tokens: dict[str, str] = field(repr=False)
    _end: Callable[[], None] = field(repr=False)
    _thread: threading.Thread = field(repr=False)

    @property
    def do(self) -> Control:
        """What can be done to the emulated world."""
        return Control(self.control)

    def close(self) -> None:
        """End it; a second time does nothing."""
        if self._thread.is_alive():
            self._end()
            self._thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(source: Path | Mapping[str, Json], *, switches: Mapping[str, Value] | None = None) -> Running:
    """Start on free ports and come back when they answer; EstateError for an estate that cannot be used."""
    name = str(source) if isinstance(source, Path) else "estate"
    world = build(read(source), switches, name=name)
    started: queue.Queue[tuple[dict[str, Json], Callable[[], None]] | OSError] = queue.Queue()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(world, started)), name="emulator", daemon=True)
    thread.start()
    found = started.get(timeout=20)
    if isinstance(found, OSError):
        raise found
    ready, end = found
    return Running(**ready, _end=end, _thread=thread)


async def _serve(world: World, started: queue.Queue[tuple[dict[str, Json], Callable[[], None]] | OSError]) -> None:
    service, stop, loop = Service(world, Ports()), asyncio.Event(), asyncio.get_running_loop()
    try:
        await service.start()
    except OSError as error:
        started.put(error)
    else:
        started.put((service.ready(), lambda: _stop_soon(loop, stop)))
        await stop.wait()
    finally:
        await service.stop()


def _stop_soon(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    loop.call_soon_threadsafe(stop.set)

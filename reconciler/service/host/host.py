"""Runs a function app: reads its bindings, calls its functions, carries their outputs, stops gracefully.

A stop lets every run that has begun come to its end (runs have a budget of their own); what is in the queues stays
there for the next start.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import azure.functions as func
from aiohttp import web
from azure.functions.queue import QueueMessage

from reconciler.ports.stores import Message, MessageQueues
from reconciler.service.host import http, ingress
from reconciler.service.host.bindings import Served
from reconciler.service.host.entrance import Connections, Entrance, Limits
from reconciler.service.host.keys import FunctionKey
from reconciler.service.host.timers import Timer
from reconciler.service.host.workers import Lane, Workers

_log = logging.getLogger("reconciler.serve")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve."""

    host: str = "127.0.0.1"
    port: int = 7071
    """0: any free port."""
    workers: int = 2
    key: FunctionKey = field(default_factory=FunctionKey)
    """Function key; by default none is required."""
    names: tuple[str, ...] = ()
    """Hosts that requests may name, beside the address and loopback."""
    limits: Limits = field(default_factory=Limits)
    timers: bool = True
    patient: tuple[str, ...] = ()
    """Names of queues whose messages may wait for all others."""
    grace: float = 250.0
    """Seconds that runs under way may still take after a stop."""
    ids: bool = True
    """Whether an invocation that belongs to no trace gets ids of its own, for the log. Where spans are recorded it
    does not: their trace would begin with an unknown span."""
    retry: float = 10.0
    """Seconds until a message comes again whose function failed: `visibilityTimeout` of host.json."""


class _Output(func.Out[Any]):
    """Keeps what a function sets on an output until it has returned."""

    def __init__(self) -> None:
        self.value: Any = None

    def set(self, val: Any) -> None:
        self.value = val

    def get(self) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class Trace:
    """The part of a function's context that functions read: where this invocation belongs in a distributed trace."""

    trace_parent: str
    trace_state: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """The `context` argument of a function."""

    function_name: str
    invocation_id: str
    trace_context: Trace


def context_of(served: Served, argument: object, *, ids: bool = True) -> Context:
    """A context of one invocation: in the trace of its HTTP request, or with `ids` in one of its own."""
    given = argument.headers.get("traceparent", "") if isinstance(argument, func.HttpRequest) else ""
    own = f"00-{uuid4().hex}-{uuid4().hex[:16]}-00" if ids else ""
    return Context(served.name, str(uuid4()), Trace(given or own))


class Host:
    """One process that serves one function app."""

    def __init__(self, functions: Iterable[Served], queues: MessageQueues, options: ServeOptions) -> None:
        self._functions = tuple(functions)
        self._queues = queues
        self._options = options
        self._timers = [Timer(served, self._tick(served)) for served in self._of("timerTrigger")]
        self._workers = Workers(self._lanes(), options.workers, options.retry)
        self._entrance = Entrance(options.key, options.host, options.names, options.limits)

    def _of(self, trigger: str) -> list[Served]:
        return [served for served in self._functions if served.trigger == trigger]

    def _lanes(self) -> list[Lane]:
        lanes = []
        for served in self._of("queueTrigger"):
            name = str(served.details["queueName"])
            lanes.append(Lane(name, self._queues.named(name), self._receiver(served), name in self._options.patient))
        return sorted(lanes, key=lambda lane: lane.name)

    def call(self, served: Served, argument: object) -> object:
        """Run a function with its trigger's value, then send what it put on its outputs. Errors pass, logged."""
        outputs = {output.argument: _Output() for output in served.outputs}
        try:
            context = {"context": context_of(served, argument, ids=self._options.ids)} if served.wants_context else {}
            answer = served.call(**{served.argument: argument}, **outputs, **context)
        except Exception as error:
            _log.error(
                "%s: %s\n%s", served.name, type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            )
            raise
        for output in served.outputs:
            for text in _texts(outputs[output.argument].value):
                self._queues.named(output.queue).put(text)
        # The function may have put messages, on its outputs or directly.
        self._workers.nudge()
        return answer

    def _tick(self, served: Served) -> Callable[[bool], None]:
        def run(past_due: bool) -> None:
            try:
                self.call(served, func.timer.TimerRequest(past_due=past_due))
            except Exception:  # noqa: BLE001 - logged by `call`; the timer's next run is the retry
                _log.warning("%s: ended with an error, its next run is on schedule", served.name)

        return run

    def _receiver(self, served: Served) -> Callable[[Message], None]:
        def run(message: Message) -> None:
            self.call(
                served,
                QueueMessage(  # type: ignore[no-untyped-call]  # the package leaves its constructor untyped
                    id=message.id, body=message.text, dequeue_count=message.attempts, insertion_time=message.inserted
                ),
            )

        return run

    def web(self) -> web.Application:
        """The HTTP side: functions, and the webhook into the queues that functions listen to."""
        app = http.application(self._of("httpTrigger"), self.call, self._entrance)
        listened = {str(served.details["queueName"]) for served in self._of("queueTrigger")}
        queues = {name: self._queues.named(name) for name in sorted(listened)}
        ingress.add_to(app, queues, self._entrance, self._workers.nudge)
        return app

    async def serve(self, ready: Callable[[str], None], stopping: asyncio.Event | None = None) -> bool:
        """Serve until SIGTERM, SIGINT or `stopping`; whether every run ended within the grace time."""
        stop = stopping or asyncio.Event()
        if stopping is None:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        limits = self._options.limits
        runner = web.AppRunner(
            self.web(), access_log=None, keepalive_timeout=limits.idle_seconds, lingering_time=limits.header_seconds
        )
        await runner.setup()
        listening = None
        try:
            if runner.server is None:
                raise RuntimeError("the server was not set up")
            connections = Connections(runner.server, self._entrance)
            listening = await asyncio.get_running_loop().create_server(
                connections, self._options.host, self._options.port
            )
            host, port = listening.sockets[0].getsockname()[:2]
            self._start()
            ready(f"http://{host}:{port}")
            await stop.wait()
        finally:
            # First: open HTTP requests may take a while.
            self._begin_nothing_more()
            if listening is not None:
                listening.close()
            await runner.cleanup()
        return await asyncio.to_thread(self._end)

    def _start(self) -> None:
        self._workers.start()
        if self._options.timers:
            for timer in self._timers:
                timer.start()

    def _parts(self) -> Sequence[Workers | Timer]:
        return [self._workers, *(self._timers if self._options.timers else [])]

    def _begin_nothing_more(self) -> None:
        for part in self._parts():
            part.stop()

    def _end(self) -> bool:
        ended = [part.join(self._options.grace) for part in self._parts()]
        return all(ended)


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)

"""Every way out of the process redacts: each is given every sample, and none may let a secret through."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from reconciler.cli.screen import Screen
from reconciler.engine.status import Condition, ConditionKind, PoolStatus, Truth
from reconciler.errors import Rejected
from reconciler.plan import render
from reconciler.plan.model import Gap, GapKind, Plan, Remark
from reconciler.service.host.lines import log_to
from reconciler.service.http.message import HttpProblem, HttpResponse
from reconciler.service.triggers import logs
from reconciler.spec.problem import show
from reconciler.telemetry import Bounded, MemoryTelemetry
from tests.documents.samples import CANARY, HARMLESS, SECRET

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def error(text: str) -> str:
    return str(Rejected(text))


def plan(text: str) -> Plan:
    return Plan(
        "build-pool",
        "",
        gaps=(Gap("queues", text, GapKind.UNKNOWN, "Rejected", text),),
        remarks=(Remark("queues", text, text),),
    )


def plan_text(text: str) -> str:
    return render.text(plan(text))


def plan_markdown(text: str) -> str:
    return render.markdown(plan(text))


def plan_json(text: str) -> str:
    return json.dumps(render.to_json(plan(text)))


def http_body(text: str) -> str:
    return HttpResponse(200, {"detail": text, "list": [text]}).content().decode()


def http_problem(text: str) -> str:
    return HttpProblem(400, "Bad Request", text).response().content().decode()


def status(text: str) -> str:
    condition = Condition(ConditionKind.READY, Truth.FALSE, "Rejected", text, NOW)
    return json.dumps([PoolStatus("build-pool", conditions=(condition,)).to_json()])


def spans(text: str) -> str:
    memory = MemoryTelemetry()
    with Bounded(memory).span(text, attributes={"reconciler.route": text}) as span:
        span.set("reconciler.reason", text)
        span.fail("Rejected", text)
    (made,) = memory.spans
    return repr((made.name, made.attributes, made.error))


@contextmanager
def logging_to(handler: logging.Handler) -> Iterator[None]:
    """Our logger as the Functions host sets it, and as it was afterwards."""
    ours = logging.getLogger("reconciler")
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(level)
        ours.removeHandler(handler)


def log_line(text: str) -> str:
    """A record of a library, as `serve` writes it."""
    stream, root = io.StringIO(), logging.getLogger()
    # Only the handler under test: what a test runner captures beside it would keep the text as it came.
    kept, root.handlers = root.handlers, []
    try:
        with log_to(["a known value"], stream):
            logging.getLogger("library").warning("%s and a known value", text)
    finally:
        root.handlers = kept
    assert "a known value" not in stream.getvalue()
    return stream.getvalue()


def event(text: str) -> str:
    """An event of ours, as the Functions host gets it."""
    stream = io.StringIO()
    with logging_to(logging.StreamHandler(stream)):
        logs.event("run", message=text, list=[text])
    return stream.getvalue()


OUTPUTS: tuple[Callable[[str], str], ...] = (
    *(error, plan_text, plan_markdown, plan_json, http_body, http_problem, status, spans, log_line, event, show),
)


@pytest.mark.cases(len(SECRET))
@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_lets_a_secret_through(output: Callable[[str], str]) -> None:
    assert [what for what, text, _ in SECRET if CANARY in output(text)] == []


@pytest.mark.cases(len(SECRET))
def test_the_command_line_prints_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(color=False, verbose=True)
    for way in (screen.result, screen.document, screen.good, screen.bad, screen.note, screen.detail, screen.error):
        for _, text, _ in SECRET:
            way(text)
    printed = capsys.readouterr()

    assert CANARY not in printed.out + printed.err
    assert len(printed.out.splitlines()) >= 4 * len(SECRET), "every line was printed"
    assert len(printed.err.splitlines()) == 3 * len(SECRET), "every line was printed"


@pytest.mark.parametrize("output", [error, plan_json, http_body, status, spans, log_line, event])
def test_harmless_text_passes_every_output(output: Callable[[str], str]) -> None:
    plain = [text for text in HARMLESS if text.isascii() and "\\" not in text]

    assert [text for text in plain if text not in output(text)] == []

"""Where telemetry is off, nothing is imported for it and nothing is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import bootstrap
from reconciler.config.settings import Settings, SettingsInvalid
from reconciler.telemetry import NO_TELEMETRY, Bounded, Calls, MemoryTelemetry
from tests.deployment import Deployment, deployed

ROOT = Path(__file__).parents[2]
RUN = """
import json, sys
import function_app
start = sorted(sys.modules)
from reconciler.service.triggers import composition, messages, timers
context = composition.trigger_context()
timers.sweep(context)
timers.watch_git(context)
done = 0
for queue in (context.outbox.events, context.outbox.sweeps):
    for message in queue.take(32, 330):
        messages.work(context, message.text, message.inserted)
        done += 1
print(json.dumps({"start": start, "end": sorted(sys.modules), "done": done}))
"""
WATCHING = ("opentelemetry", "azure.monitor", "psutil", "google.protobuf")


def modules(deployment: Deployment, kind: str) -> tuple[set[str], set[str], int]:
    """What a process of the function app has imported after its start, after some work, and how many messages that was."""
    environment = {**os.environ, **deployment.environment, "RECONCILER_TELEMETRY": kind}
    ended = subprocess.run(
        [sys.executable, "-c", RUN], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    told = json.loads(ended.stdout.splitlines()[-1])
    return set(told["start"]), set(told["end"]), told["done"]


def watching(names: set[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(WATCHING))


@pytest.mark.parametrize("kind", ["", "off"])
def test_off_imports_nothing_of_it_not_even_when_work_is_done(tmp_path: Path, kind: str) -> None:
    with deployed(tmp_path) as deployment:
        start, end, done = modules(deployment, kind)

    assert done >= 2
    assert watching(start) == []
    assert watching(end) == []


def test_on_imports_it_with_the_first_trigger_and_not_before(tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment:
        start, end, _ = modules(deployment, "console")

    assert watching(start) == []
    assert "opentelemetry.sdk" in end
    assert [name for name in watching(end) if name.startswith(("azure.monitor", "google"))] == []


def test_otlp_without_its_package_is_said_before_anything_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that is deployed does not have it."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    with pytest.raises(SettingsInvalid) as caught:
        bootstrap.telemetry(Settings.read({"RECONCILER_TELEMETRY": "otlp"}))

    (line,) = caught.value.problems
    assert line.startswith(
        "RECONCILER_TELEMETRY: otlp needs a package that is not installed: pip install opentelemetry-"
    )


def test_a_span_that_nobody_records_hands_on_what_it_came_with() -> None:
    """A message goes on carrying its event's trace through a process without telemetry."""
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    with NO_TELEMETRY.span("event", parent=parent, links=(parent,), attributes={"reconciler.keys": 1}) as span:
        span.set("reconciler.keys", 2)
        span.link(parent)
        span.fail("Unavailable", "text")
        with NO_TELEMETRY.span("pool") as inner:
            assert (span.traceparent, inner.traceparent) == (parent, "")
    NO_TELEMETRY.count("reconciler.runs")
    NO_TELEMETRY.record("reconciler.run.seconds", 1.0)
    NO_TELEMETRY.gauge("reconciler.sweep.age", 1.0)
    NO_TELEMETRY.flush()
    NO_TELEMETRY.close()

    assert vars(NO_TELEMETRY) == {}


def test_spans_nest_and_tell_of_errors_in_our_own_words() -> None:
    kept = MemoryTelemetry()
    bounded = Bounded(kept)

    def fails() -> None:
        with bounded.span("message"):
            with Calls("arm", bounded).call("GET", "Pools_Get") as call:
                call.tried(200, 0.1, "an id with spaces")
            raise KeyError("canary")

    with pytest.raises(KeyError):
        fails()
    bounded.flush()
    bounded.close()
    inner, message = kept.spans

    assert inner.parent == message.traceparent
    assert "reconciler.correlation" not in inner.attributes
    assert message.error == ("KeyError", "")


@pytest.mark.parametrize(
    ("status", "word"),
    [(0, "silent"), (200, "ok"), (302, "ok"), (401, "denied"), (403, "denied"), (404, "not-found"), (409, "rejected"),
     (429, "throttled"), (503, "failed")],
)  # fmt: skip
def test_an_outcome_is_one_word(status: int, word: str) -> None:
    kept = MemoryTelemetry()
    with Calls("devops", kept).call("PUT", "queues", "prime") as call:
        call.tried(status, 0.0)

    assert kept.total("reconciler.calls", outcome=word, target="devops", method="PUT") == 1

"""What the clock starts: the sweep, and the two watches that make it feel instant."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from reconciler.service.queue.messages import WorkMessage
from reconciler.service.triggers import TriggerContext, messages, timers
from tests.deployment import (
    POOLS,
    Deployment,
    spec,
    take,
    texts,
    trace_id,
    until,
    untraced,
    with_options,
    work_off,
)

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def keys(wishes: list[str]) -> list[str]:
    return sorted(key for text in wishes for key in json.loads(text)["keys"])


def test_a_sweep_asks_for_every_pool_once_by_organization(context: TriggerContext) -> None:
    timers.sweep(with_options(context, sweep_seconds=0.0), TRACE)

    found = texts(context.outbox.sweeps)
    assert {trace_id(json.loads(text)["trace"]) for text in found} == {trace_id(TRACE)}
    assert [untraced(text) for text in found] == [
        WorkMessage(("build-pool",), "sweep", organization="fabrikam-prime").text(),
        WorkMessage(("test-pool",), "sweep", organization="fabrikam-tailspin").text(),
    ]
    assert context.outbox.events.length() == 0


def test_a_sweep_is_spread_over_its_interval(context: TriggerContext) -> None:
    """No request waits for it, and no minute shall be crowded; the same batch comes at the same moment each time."""
    timers.sweep(context)

    assert context.outbox.sweeps.length() == 2
    assert take(context.outbox.sweeps) == []


def test_a_sweep_alone_repairs_what_no_event_told(deployment: Deployment, context: TriggerContext) -> None:
    for pool in POOLS:
        deployment.close_access(pool, "Web")

    timers.sweep(with_options(context, sweep_seconds=0.0))
    work_off(context)

    assert [deployment.is_open(pool, "Web") for pool in POOLS] == [True, True]


def test_what_a_sweep_asked_for_outlives_the_process_that_asked(
    deployment: Deployment, context: TriggerContext
) -> None:
    """A worker that dies with a batch in its hands gives it back by not acknowledging it."""
    deployment.close_access("test-pool", "Web")
    timers.sweep(with_options(context, sweep_seconds=0.0))
    for message in context.outbox.sweeps.take(32, 60.0):
        assert message.attempts == 1
        context.outbox.sweeps.hide(message, 0.0)

    work_off(deployment.context())

    assert deployment.is_open("test-pool", "Web")


def test_the_first_look_at_git_asks_for_every_pool_and_the_second_for_none(context: TriggerContext) -> None:
    timers.watch_git(context, TRACE)
    first = texts(context.outbox.events)
    timers.watch_git(context, TRACE)

    assert keys(first) == sorted(POOLS)
    assert {json.loads(text)["trigger"] for text in first} == {"git"}
    assert {trace_id(json.loads(text)["trace"]) for text in first} == {trace_id(TRACE)}
    assert texts(context.outbox.events) == []


def test_a_commit_asks_for_the_pools_whose_files_changed(deployment: Deployment, context: TriggerContext) -> None:
    timers.watch_git(context)
    take(context.outbox.events)
    deployment.commit(**{"test-pool": spec("test-pool", mode="report")})

    timers.watch_git(context)

    assert keys(texts(context.outbox.events)) == ["test-pool"]


def test_a_commit_elsewhere_asks_for_nothing(deployment: Deployment, context: TriggerContext) -> None:
    timers.watch_git(context)
    take(context.outbox.events)
    deployment.repository.commit(docs__other="a: 1")

    timers.watch_git(context)

    assert texts(context.outbox.events) == []


def test_a_bad_spec_is_told_and_hides_no_good_one(
    deployment: Deployment, context: TriggerContext, caplog: pytest.LogCaptureFixture
) -> None:
    timers.watch_git(context)
    take(context.outbox.events)
    bad = spec("test-pool").replace("resourceGroup", "resourceGruop")
    deployment.commit(**{"test-pool": bad, "build-pool": spec("build-pool", mode="report")})

    with caplog.at_level("INFO", "reconciler"):
        timers.watch_git(context)

    assert keys(texts(context.outbox.events)) == ["build-pool"]
    line = [line for line in map(json.loads, caplog.messages) if line["event"] == "git"][-1]
    assert any("test-pool.yaml:5: resourceGruop" in problem for problem in line["problems"])


def test_a_file_that_is_too_large_to_be_read_is_told_too(deployment: Deployment, context: TriggerContext) -> None:
    """A pool described there goes unmanaged: that must not be silent."""
    deployment.commit(huge="# " + "x" * 300_000)

    assert [str(problem) for problem in context.catalogue.specs().problems if "left out" in problem.message]


def test_a_git_that_is_away_leaves_the_last_commit_in_force_and_says_so(
    deployment: Deployment, context: TriggerContext
) -> None:
    timers.watch_git(context)
    take(context.outbox.events)
    (deployment.repository.path / ".git").rename(deployment.folder / "away")

    timers.watch_git(context)
    timers.sweep(with_options(context, sweep_seconds=0.0))

    assert deployment.metrics.total("reconciler.git.stale") == 1
    assert keys(texts(context.outbox.sweeps)) == sorted(POOLS)


def test_a_new_project_is_seen_in_the_audit_log_and_asked_for_once(
    deployment: Deployment, context: TriggerContext
) -> None:
    timers.watch_audit(context)
    take(context.outbox.events)
    deployment.cloud.do.edit("create-project", organization="fabrikam-tailspin", name="New")

    def asked_for() -> list[str]:
        timers.watch_audit(context, TRACE)
        return texts(context.outbox.events)

    asked = until(asked_for)
    timers.watch_audit(deployment.context())

    assert [untraced(text) for text in asked] == [WorkMessage(("test-pool",), "audit").text()]
    assert trace_id(json.loads(asked[0])["trace"]) == trace_id(TRACE)
    assert texts(context.outbox.events) == []


def test_an_organization_that_refuses_its_audit_log_is_left_alone_and_stops_no_other(
    deployment: Deployment, context: TriggerContext
) -> None:
    """Auditing is off unless an administrator switched it on, and reading it is a right of its own."""
    deployment.cloud.do.fault("403", organization="fabrikam-prime", route="*audit*", count=None)
    deployment.cloud.do.edit("create-project", organization="fabrikam-tailspin", name="New")

    timers.watch_audit(context)
    deployment.cloud.do.reset_log()
    timers.watch_audit(context)

    assert keys(texts(context.outbox.events)) == ["test-pool"]
    asked = [request["path"] for request in deployment.cloud.do.requests()]
    assert asked
    assert not [path for path in asked if "fabrikam-prime" in path]
    assert deployment.metrics.total("reconciler.audit.failed", organization="fabrikam-prime") == 1
    assert "refusedUntil" in getattr(context.state.load("audit/fabrikam-prime"), "body", {})


def test_the_age_of_the_sweep_is_told_by_looks_at_git_too(deployment: Deployment, context: TriggerContext) -> None:
    """Where no sweep comes any more, something else has to tell how long that is so."""
    timers.watch_git(context)
    assert deployment.metrics.all("reconciler.sweep.age") == []
    timers.sweep(context)
    timers.watch_git(context)

    (age,) = deployment.metrics.all("reconciler.sweep.age")
    assert 0 <= age < 60
    assert deployment.metrics.all("reconciler.pools") == [2.0]


def test_problems_of_the_specs_are_counted(deployment: Deployment, context: TriggerContext) -> None:
    deployment.commit(broken="kind: Nothing\n")
    timers.watch_git(context)
    counts = deployment.metrics.all("reconciler.specs.problems")

    assert counts[-1] >= 1


def test_a_batch_of_a_sweep_is_a_trace_of_its_own_that_links_to_the_sweep(
    deployment: Deployment, context: TriggerContext
) -> None:
    """One trace with every read of an estate would be of no use."""
    timers.sweep(with_options(context, sweep_seconds=0.0), TRACE)
    own = "00-" + "e" * 32 + "-" + "f" * 16 + "-01"
    first, second = take(context.outbox.sweeps)
    messages.work(context, first.text, first.inserted, own)
    messages.work(context, second.text, second.inserted)
    (sweep,) = [span for span in deployment.metrics.named("event") if span.attributes["reconciler.function"] == "sweep"]
    batch, alone = deployment.metrics.named("message")

    assert trace_id(sweep.traceparent) == trace_id(TRACE)
    assert (batch.parent, batch.links) == (own, [sweep.traceparent])
    assert (alone.parent, alone.links) == ("", [sweep.traceparent])


def test_gates_that_close_are_told_with_their_organization(deployment: Deployment, context: TriggerContext) -> None:
    deployment.cloud.do.fault("429", organization="fabrikam-prime", route="*", count=1)
    messages.work(context, "build-pool", None)

    assert deployment.metrics.total("reconciler.calls", target="devops", outcome="throttled") == 1
    assert len(deployment.metrics.all("reconciler.gate.seconds", organization="fabrikam-prime")) >= 1


class Flood:
    """An audit log of which one look reads only the newest part."""

    def __init__(self, *, cut: bool) -> None:
        self._cut = cut

    def entries(self, organization: str, cursor: str) -> tuple[list[Any], str, bool]:
        assert (organization, bool(cursor)) in {("fabrikam-prime", True), ("fabrikam-tailspin", True)}
        return [], "2026-11-22T12:00:00+00:00", self._cut and organization == "fabrikam-prime"


@pytest.mark.parametrize(("cut", "asked"), [(True, ["build-pool"]), (False, [])])
def test_what_a_flooded_audit_log_does_not_show_is_looked_for_in_every_pool_of_the_organization(
    deployment: Deployment, context: TriggerContext, cut: bool, asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """More happened between two looks than one look reads: it may have been about any of them."""
    with caplog.at_level("INFO", logger="reconciler"):
        timers.watch_audit(replace(context, audit=Flood(cut=cut)))

    assert keys(texts(context.outbox.events)) == asked
    assert deployment.metrics.total("reconciler.audit.cut", organization="fabrikam-prime") == len(asked)
    assert ('"reason": "Cut"' in caplog.text) is cut


def test_warnings_about_specs_are_logged_for_a_commit_and_once_a_day(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """With file, line and the nearest value; the same commit says it no more until the next day."""
    caplog.set_level(logging.INFO, "reconciler")
    text = spec("build-pool").replace("ubuntu-24.04", "ubunt-24.04")
    assert "ubunt-24.04" in text
    revision = deployment.commit(**{"build-pool": text})

    def said(context: TriggerContext) -> list[Any]:
        caplog.clear()
        timers.watch_git(context)
        found = [json.loads(one.message) for one in caplog.records if one.message.startswith("{")]
        return [one for one in found if one["event"] == "specs"]

    context = deployment.context()
    (event,) = said(context)
    assert (event["revision"], event["number"]) == (revision, 1)
    assert (
        "build-pool.yaml:7: pool.properties.fabricProfile.images[0].wellKnownImageName: is ubunt-24.04"
        in event["warnings"][0]
    )
    assert "did you mean ubuntu-24.04?" in event["warnings"][0]
    assert said(context) == []
    document = context.state.load("git")
    assert document is not None
    context.state.save("git", {**document.body, "warned": "2026-01-01"}, document.etag)
    assert len(said(context)) == 1
    assert said(context) == []

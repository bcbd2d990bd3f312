"""From a click in Azure DevOps to a message: worker, stores and emulator as they are deployed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.worker import MovedClock
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.service.triggers import TriggerContext, composition, timers
from reconciler.service.triggers.messages import work
from tests.deployment import CANARY, Deployment, deployed, enforce, spec, take
from tests.service.notify.receivers import PATH, Post


@pytest.fixture
def deployment(tmp_path: Path, post: Post) -> Iterator[Deployment]:
    with deployed(tmp_path, post.environment) as made:
        yield made


def sweep(context: TriggerContext) -> None:
    """A full resync a quarter of an hour later, worked off, and what is due at its end."""
    assert isinstance(context.clock, MovedClock)
    context.clock.ahead += 900
    context.outbox.sweep(context.catalogue.specs().by_key.values())
    for queue in (context.outbox.events, context.outbox.sweeps):
        for message in take(queue):
            work(context, message.text, message.inserted)
    context.clock.ahead += 60
    for message in take(context.outbox.events):
        work(context, message.text, message.inserted)


def opened(deployment: Deployment, clock: MovedClock, **given: str) -> TriggerContext:
    """The triggers' parts as a new process has them, in a test's own time."""
    environment = {**deployment.environment, **{f"RECONCILER_{name}": text for name, text in given.items()}}
    settings = Settings.read(environment, beneath=state(environment))
    context = composition.build(settings, Hosting.read(environment), deployment.metrics, clock)
    if context.safety.documents.index().new:
        enforce(context)
    return context


def settled(deployment: Deployment) -> TriggerContext:
    context = opened(deployment, MovedClock())
    for _ in range(2):
        sweep(context)
    return context


def test_drift_that_is_corrected_is_one_message_to_each_receiver(deployment: Deployment, post: Post) -> None:
    context = settled(deployment)
    assert post.received == []

    deployment.close_access("build-pool", "Web")
    sweep(context)
    sweep(context)

    assert deployment.is_open("build-pool", "Web")
    assert [(one.receiver, one.problem) for one in post.received] == [("slack", ""), ("teams", ""), ("webhook", "")]
    (event,) = post.accepted()
    (notice,) = event["data"]["notices"]
    assert (event["data"]["kind"], event["data"]["organization"]) == ("repaired", "fabrikam-prime")
    assert event["type"].endswith(".notice.repaired")
    assert notice["pool"] == "build-pool"
    (line,) = notice["lines"]
    assert line["what"] == "open access fabrikam-prime/Web"
    assert line["before"] != line["after"]
    assert notice["commit"]


def test_drift_in_report_mode_is_one_message_and_its_correction_another(deployment: Deployment, post: Post) -> None:
    context = settled(deployment)
    deployment.commit(**{"build-pool": spec("build-pool", mode="report")})
    sweep(context)
    deployment.close_access("build-pool", "Web")
    for _ in range(4):
        sweep(context)
    assert post.kinds() == ["drift"]

    deployment.commit(**{"build-pool": spec("build-pool")})
    for _ in range(4):
        sweep(context)

    assert post.kinds() == ["drift", "repaired"]


def test_a_converged_estate_sends_nothing_and_stores_nothing(deployment: Deployment, post: Post) -> None:
    context = settled(deployment)
    for _ in range(10):
        sweep(context)

    assert post.received == []
    assert context.state.names("notices/") == []
    assert context.outbox.events.length() == 0


def test_a_notice_outlives_a_process_that_dies_before_it_hands_it_over(deployment: Deployment, post: Post) -> None:
    context = settled(deployment)
    deployment.close_access("build-pool", "Web")
    assert isinstance(context.clock, MovedClock)
    silent = opened(
        deployment, context.clock, NOTIFY_TEAMS="", NOTIFY_SLACK="", NOTIFY_WEBHOOK="", NOTIFY_WEBHOOK_SECRET=""
    )
    sweep(silent)  # stores the status, and hands over nothing
    assert post.received == []

    sweep(opened(deployment, context.clock))
    sweep(opened(deployment, context.clock))

    assert post.kinds() == ["repaired"]
    assert len(post.received) == 3


def test_a_broken_spec_file_is_told_once_and_its_end_too(deployment: Deployment, post: Post) -> None:
    context = settled(deployment)
    deployment.commit(**{"build-pool": spec("build-pool") + "surprise: 1\n"})
    for _ in range(3):
        timers.watch_git(context)
        sweep(context)
    assert post.kinds() == ["stalled"]
    assert post.accepted()[0]["data"]["cause"] == "SpecInvalid"

    deployment.commit(**{"build-pool": spec("build-pool")})
    for _ in range(3):
        sweep(context)

    assert post.kinds() == ["stalled", "recovered"]


def test_a_receiver_that_is_down_delays_no_run_and_loses_nothing(deployment: Deployment, post: Post) -> None:
    context = settled(deployment)
    post.answers[:] = [(503, {}), (500, {}), (429, {"Retry-After": "3"})]
    deployment.close_access("build-pool", "Web")
    sweep(context)

    assert deployment.is_open("build-pool", "Web")
    assert post.accepted() == []
    assert context.outbox.events.length() == 1, "the message that goes on"
    for receiver in ("teams", "slack", "webhook"):
        assert deployment.metrics.total("reconciler.notices.unsent", receiver=receiver) == 1

    sweep(context)
    sweep(context)

    assert [len(post.accepted(receiver)) for receiver in ("teams", "slack", "webhook")] == [1, 1, 1]
    assert post.received[-1].headers["webhook-id"] == post.accepted()[0]["id"]


def test_nothing_of_an_address_or_a_key_is_stored_logged_or_measured(
    deployment: Deployment, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    context = settled(deployment)
    post.answers[:] = [(404, {}), (302, {"Location": f"{post.url}/teams{PATH}"}), (500, {})]
    deployment.close_access("build-pool", "Web")
    sweep(context)

    canary = PATH.rpartition("/")[2]
    rows = sqlite3.connect(deployment.folder / "state.db").iterdump()
    said = [*rows, caplog.text, repr(deployment.metrics.series()), repr(context)]
    assert len(post.received) == 3
    for text in said:
        assert CANARY not in text
        assert canary not in text
        assert post.environment["RECONCILER_NOTIFY_WEBHOOK_SECRET"] not in text

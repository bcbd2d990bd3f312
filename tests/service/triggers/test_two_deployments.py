"""Dev and prod on one storage account: they never share a container, and side by side neither misses anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.engine import load_status
from reconciler.errors import Refused
from reconciler.service.http.message import HttpRequest
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.triggers import TriggerContext, composition, messages, timers, web
from reconciler.service.triggers.owned import PASSES
from reconciler.telemetry import MemoryTelemetry
from tests.adapters.git.git_kit import Work
from tests.contract.azurite import Azurite
from tests.deployment import Deployment, deployed, spec, take, texts

BOTH = "belongs to the deployment dev, and this one is prod"


@pytest.fixture
def dev(azurite: Azurite, tmp_path: Path) -> Iterator[Deployment]:
    own = f"t{uuid4().hex[:12]}"
    more = {
        "RECONCILER_STATE": azurite.connection,
        "RECONCILER_CONTAINER": own,
        "RECONCILER_DEPLOYMENT": "dev",
        "RECONCILER_WORK_QUEUE": f"{own}-work",
        "RECONCILER_SWEEP_QUEUE": f"{own}-sweep",
    }
    with deployed(tmp_path, more) as made:
        yield made


@pytest.fixture
def prod(dev: Deployment, tmp_path: Path) -> Deployment:
    """Other queues, another repository, the same account and the same organizations; one pool is in both."""
    repository = Work(tmp_path / "prod")
    repository.commit(specs__build="# prod\n" + spec("build-pool", mode="report"))
    repository.commit(**{"specs__test-pool": spec("test-pool")})
    own = f"t{uuid4().hex[:12]}"
    environment = dev.environment | {
        "RECONCILER_SPECS": f"{repository.path}#main:specs",
        "RECONCILER_DEPLOYMENT": "prod",
        "RECONCILER_WORK_QUEUE": f"{own}-work",
        "RECONCILER_SWEEP_QUEUE": f"{own}-sweep",
    }
    return replace(dev, repository=repository, environment=environment, metrics=MemoryTelemetry())


def context_of(deployment: Deployment) -> TriggerContext:
    """Without a look at its safety facts."""
    environment = deployment.environment
    settings = Settings.read(environment, beneath=state(environment))
    return composition.build(settings, Hosting.read(environment), deployment.metrics)


def stored_in(deployment: Deployment) -> dict[str, object]:
    settings = Settings.read(deployment.environment)
    with closing(bootstrap.store(settings, SystemClock())) as store:
        return {name: store.state.load(name) for name in store.state.names("")}


def keys(found: list[str]) -> list[str]:
    return sorted(key for text in found for key in json.loads(text)["keys"])


def test_a_container_of_another_deployment_is_refused_with_both_names(
    dev: Deployment, prod: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "reconciler")
    first = dev.context()
    timers.watch_git(first)
    messages.work(first, '{"keys":["build-pool"]}', None)
    before = stored_in(dev)
    second = context_of(prod)

    for start in (timers.watch_git, timers.sweep):
        with pytest.raises(Refused, match=BOTH):
            start(second)
    for _ in range(2 * PASSES):
        messages.work(second, '{"keys":["test-pool"],"trigger":"http"}', None)
    health = web.answer(second, "health", HttpRequest("GET", "/api/health"))

    assert stored_in(dev) == before
    assert prod.metrics.total("reconciler.state.refused", reason="Refused") == 2 * PASSES
    assert second.outbox.events.length() == 2 * PASSES
    assert take(second.outbox.events) == []
    assert health.status == 503
    assert "dev" not in json.dumps(health.body)
    assert BOTH in caplog.text
    assert "RECONCILER_CONTAINER" in caplog.text
    assert load_status(first.state, "build-pool").run is not None


def test_with_containers_of_their_own_neither_misses_what_the_other_read(dev: Deployment, prod: Deployment) -> None:
    prod.environment["RECONCILER_CONTAINER"] = f"t{uuid4().hex[:12]}"
    first, second = dev.context(), prod.context()
    for context in (first, second):
        timers.watch_git(context)
        timers.watch_audit(context)
        assert keys(texts(context.outbox.events)) == ["build-pool", "test-pool"]

    for context in (first, second, first, second):
        timers.watch_git(context)
        assert texts(context.outbox.events) == []
    dev.close_access("build-pool", "Web")
    for context in (first, second):
        timers.watch_audit(context)
        found = texts(context.outbox.events)
        assert keys(found) == ["build-pool"]
    dev.commit(**{"test-pool": spec("test-pool", mode="report")})
    timers.watch_git(second)
    timers.watch_git(first)
    assert texts(second.outbox.events) == []
    assert keys(texts(first.outbox.events)) == ["test-pool"]


def test_a_message_of_another_deployment_is_put_back_for_it_and_becomes_a_dead_letter_with_both_names(
    dev: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "reconciler")
    context = dev.context()
    text = json.dumps({"keys": ["their-pool"], "trigger": "event", "deployment": "prod"})
    for passed in range(1, PASSES + 1):
        messages.work(context, text, None)
        assert take(context.outbox.events) == []
        assert context.outbox.events.length() == passed
        text = json.dumps({**json.loads(text), "passed": passed})

    with pytest.raises(Refused, match="of the deployment prod, this one is dev"):
        messages.work(context, text, None)
    messages.quarantine(context, text, "work")

    assert dev.metrics.total("reconciler.messages.foreign", queue="work") == PASSES + 1
    assert dev.metrics.total("reconciler.events.dropped") == 0
    assert context.state.names("pools/") == []
    assert '"deployment": "prod"' in caplog.text
    assert '"taker": "dev"' in caplog.text


def test_a_message_of_ours_and_one_without_a_mark_are_handled(dev: Deployment) -> None:
    context = dev.context()
    context.outbox.request(list(context.catalogue.specs().by_key.values())[:1], "event")
    (message,) = take(context.outbox.events)
    assert json.loads(message.text)["deployment"] == "dev"

    messages.work(context, message.text, message.inserted)
    messages.work(context, WorkMessage(("test-pool",), "event").text(), message.inserted)

    assert load_status(context.state, "build-pool").run is not None
    assert load_status(context.state, "test-pool").run is not None
    assert dev.metrics.total("reconciler.messages.foreign") == 0


@pytest.mark.parametrize("named", [True, False])
def test_another_deployment_that_writes_where_our_pools_are_is_reported(
    dev: Deployment, prod: Deployment, caplog: pytest.LogCaptureFixture, *, named: bool
) -> None:
    """Two stores, one pool: the audit log shows the other, where its entries say whose calls they are."""
    caplog.set_level("INFO", "reconciler")
    dev.cloud.do.switch("devops.audit-user-agent", named)
    prod.environment["RECONCILER_CONTAINER"] = f"t{uuid4().hex[:12]}"
    first, second = dev.context(), prod.context()
    for context in (first, second):
        timers.watch_audit(context)
    dev.close_access("test-pool", "Web")

    messages.work(second, '{"keys":["test-pool"],"trigger":"http"}', None)
    assert dev.is_open("test-pool", "Web")
    for context in (first, second):
        timers.watch_audit(context)
        timers.watch_audit(context)

    expected = 1 if named else 0
    assert dev.metrics.total("reconciler.operators.other", organization="fabrikam-tailspin") == expected
    assert prod.metrics.total("reconciler.operators.other") == 0
    (*lines,) = [json.loads(line) for line in caplog.messages if '"other-operator"' in line]
    assert lines == [
        {"event": "other-operator", "organization": "fabrikam-tailspin", "deployment": "prod", "taker": "dev",
         "pools": ["test-pool"]}
    ] * expected  # fmt: skip

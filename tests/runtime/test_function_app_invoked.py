"""`function_app.py` in the runtime that runs it in Azure: every function indexed, each trigger with its real effect."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient, ContentSettings

from benchmarks.estates import SUBSCRIPTION
from reconciler.engine import load_status
from reconciler.engine.status import ConditionKind, Truth
from reconciler.ports.stores import MessageQueue
from reconciler.service.queue.messages import read
from tests.deployment import take, until
from tests.runtime.conftest import Real
from tests.runtime.host import Invoked

EVENT = json.dumps({
    "id": "1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "topic": "t",
    "subject": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DevOpsInfrastructure/pools/Build-Pool",
})  # fmt: skip
CLOSED = json.dumps({
    "actionId": "Pipelines.ResourceNotAuthorizedForProject", "scopeDisplayName": "fabrikam-prime (Organization)",
    "projectName": "Api", "data": {"ResourceType": "queue"},
})  # fmt: skip
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
"""What the emulated host says of every invocation."""


def now() -> str:
    return datetime.now(UTC).isoformat()


def lines(real: Real, event: str) -> list[dict[str, object]]:
    """Events that the app logged, as the host got them."""
    told = [json.loads(line) for line in list(real.host.logs) if line.startswith('{"event"')]
    return [line for line in told if line["event"] == event]


def test_every_function_is_indexed(real: Real) -> None:
    assert sorted(real.host.functions) == [
        "approve", "approve_agent_pool", "azure_repos_push", "devops_changed", "github_push", "health", "history",
        "mode", "openapi", "page_file", "page_organization", "page_overview", "page_pause", "page_plan",
        "page_pool", "page_reconcile", "pauses", "plan", "pool", "pool_changed", "pools", "quarantine", "quarantine_devops_events",
        "quarantine_pool_events", "quarantine_sweep", "reconcile", "reconcile_pool", "resume", "run", "set_mode",
        "set_pause", "sweep",
        "sweeper", "watch_audit", "watch_git", "worker",
    ]  # fmt: skip


def test_an_event_becomes_valid_work_on_the_output(real: Real) -> None:
    invoked = real.host.queue("pool_changed", EVENT, now())

    assert invoked.succeeded, invoked.exception
    (text,) = invoked.outputs["work"]
    work = read(text)
    assert work is not None
    assert (work.keys, work.trigger, work.trace) == (("build-pool",), "event", TRACE)


@pytest.mark.parametrize("text", ["", "no json", "\ufffd", '{"eventType": "x"}'])
def test_what_is_none_of_ours_puts_nothing_on_the_output(real: Real, text: str) -> None:
    for function in ("pool_changed", "devops_changed"):
        invoked = real.host.queue(function, text, now())

        assert (invoked.succeeded, dict(invoked.outputs)) == (True, {})


def test_an_audited_change_becomes_work_for_its_organization(real: Real) -> None:
    entry = {"actionId": "Project.CreateCompleted", "scopeDisplayName": "fabrikam-prime (Organization)", "data": {}}

    (text,) = real.host.queue("devops_changed", json.dumps(entry), now()).outputs["work"]
    assert json.loads(text)["keys"] == ["build-pool"]


def test_timers_ask_for_looks(real: Real) -> None:
    for name in ("watch_git", "watch_audit", "sweep"):
        invoked = real.host.timer(name)
        assert invoked.succeeded, invoked.exception

    assert real.context.outbox.sweeps.length() == 2
    assert {json.loads(message.text)["trace"] for message in take(real.queue("WORK_QUEUE"))} == {TRACE}


def test_the_worker_repairs_and_its_line_tells_the_trace(real: Real) -> None:
    real.deployment.close_access("test-pool", "Web")
    trace = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"
    text = json.dumps({"keys": ["test-pool"], "trigger": "event", "trace": trace})

    invoked = real.host.queue("worker", text, now())

    assert invoked.succeeded, invoked.exception
    assert real.deployment.is_open("test-pool", "Web")
    (line,) = until(lambda: [line for line in lines(real, "run") if line["trace"] == trace])
    assert (line["pool"], line["outcome"]) == ("test-pool", "applied")


def asked(real: Real, name: str, method: str = "GET", **request: object) -> Invoked:
    invoked = real.host.http(name, method, **request)
    assert invoked.succeeded, invoked.exception
    return invoked


def test_http_answers_as_its_document_says(real: Real) -> None:
    assert json.loads(asked(real, "openapi").body)["openapi"] == "3.1.0"
    assert asked(real, "health").status == 200
    assert [pool["name"] for pool in json.loads(asked(real, "pools").body)["pools"]] == ["build-pool", "test-pool"]
    assert json.loads(asked(real, "pool", params={"name": "Test-Pool"}).body)["name"] == "test-pool"
    assert json.loads(asked(real, "plan", params={"name": "build-pool"}).body)["changes"] == []
    accepted = asked(real, "reconcile_pool", "POST", params={"name": "build-pool"})
    assert (accepted.status, accepted.headers["Location"]) == (202, "/api/pools/build-pool")
    several = asked(
        real, "reconcile", "POST", body=b'{"pools": ["test-pool"]}', headers={"content-type": "application/json"}
    )
    assert several.status == 202


def test_pages_pass_the_runtime_as_they_are(real: Real) -> None:
    """Here the platform's sign-in is off: a page with the reason for a browser, and style and script as files."""
    refused = asked(real, "page_overview", headers={"accept": "text/html"})
    script = asked(real, "page_file", params={"name": "htmx-2.0.11.min.js"})

    assert (refused.status, script.status) == (403, 200)
    assert b"App Service authentication" in refused.body
    assert "default-src 'none'" in refused.headers["Content-Security-Policy"]
    assert b'version:"2.0.11"' in script.body


def test_http_refuses_as_its_document_says(real: Real) -> None:
    missing = asked(real, "pool", params={"name": "test-poll"})
    assert (missing.status, json.loads(missing.body)["detail"]) == (
        404,
        "pools: no spec names 'test-poll'; did you mean test-pool?",
    )
    for name in ("github_push", "azure_repos_push"):
        assert asked(real, name, "POST", body=b"{}").status == 401


def test_an_error_is_reported_to_the_host(real: Real) -> None:
    """The platform redelivers what failed: an error that is not reported would be a lost request."""
    invoked = real.host.queue("worker", '{"keys":["build-pool"]}', "no moment")

    assert not invoked.succeeded
    assert invoked.exception


def carry(real: Real, function: str, source: MessageQueue) -> list[Invoked]:
    """The host's loop for one queue: what fails comes again, five times, and then lies in the poison queue."""
    done: list[Invoked] = []
    while taken := source.take(1, 60):
        (message,) = taken
        done.append(real.host.queue(function, message.text, message.inserted.isoformat(), message.attempts))
        if done[-1].succeeded:
            for text in done[-1].outputs.get("work", []):
                real.queue("WORK_QUEUE").put(text)
            source.ack(message)
        else:
            source.hide(message, 0.0)
    return done


def test_from_the_event_over_two_queues_to_the_repair(real: Real) -> None:
    real.deployment.close_access("build-pool", "Api")
    take(real.queue("WORK_QUEUE"))
    real.queue("DEVOPS_EVENTS_QUEUE").put(CLOSED)

    assert [one.succeeded for one in carry(real, "devops_changed", real.queue("DEVOPS_EVENTS_QUEUE"))] == [True]
    until(lambda: carry(real, "worker", real.queue("WORK_QUEUE")) and real.deployment.is_open("build-pool", "Api"))

    assert real.deployment.is_open("build-pool", "Api")


def test_five_failures_are_poison_and_poison_is_a_pool_that_says_so(real: Real) -> None:
    """For two days the store has sent what is remembered of this pool in no form that can be read: no run can begin."""
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    connection = real.deployment.environment["RECONCILER_STORAGE"]
    assert real.host.queue("sweeper", '{"keys":["test-pool"],"trigger":"sweep"}', now()).succeeded
    with BlobServiceClient.from_connection_string(connection) as service:
        blob = service.get_blob_client("reconciler", "pools/test-pool")
        content = blob.download_blob().readall()
        blob.upload_blob(content, overwrite=True, content_settings=ContentSettings(content_encoding="gzip"))
        take(real.queue("SWEEP_QUEUE"))
        real.queue("SWEEP_QUEUE").put(f'{{"keys":["test-pool"],"trigger":"sweep","since":"{since}"}}')

        attempts = carry(real, "sweeper", real.queue("SWEEP_QUEUE"))
        assert [one.succeeded for one in attempts] == [False] * 5
        blob.upload_blob(content, overwrite=True)
        assert [one.succeeded for one in carry(real, "quarantine_sweep", real.queue("SWEEP_QUEUE", "-poison"))] == [
            True
        ]

    stalled = load_status(real.context.state, "test-pool").condition(ConditionKind.STALLED)
    assert stalled is not None
    assert (stalled.status, stalled.reason) == (Truth.TRUE, "Stalled")
    # The next sweep, so much later that no run of before can have answered it.
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert real.host.queue("sweeper", '{"keys":["test-pool"],"trigger":"sweep"}', later).succeeded
    healed = load_status(real.context.state, "test-pool").condition(ConditionKind.STALLED)
    assert healed is not None
    assert healed.status is Truth.FALSE


def test_quarantine_makes_a_pool_stalled(real: Real) -> None:
    for name in ("quarantine", "quarantine_sweep", "quarantine_pool_events", "quarantine_devops_events"):
        assert real.host.queue(name, '{"keys":["build-pool"]}', now()).succeeded

    stalled = load_status(real.context.state, "build-pool").condition(ConditionKind.STALLED)
    assert stalled is not None
    assert stalled.status is Truth.TRUE


def test_bytes_that_are_no_text_are_dropped_and_not_tried_again(real: Real) -> None:
    value = real.host._protos.TypedData(bytes=base64.b64decode("/w=="))
    invoked = real.host.invoke("pool_changed", value, {"Id": "1", "DequeueCount": 1, "InsertionTime": now()})

    assert invoked.succeeded, invoked.exception

"""Messages of any writer of the queue: read or dropped, counted, and never a fault or a loop."""

from __future__ import annotations

import json

import pytest

from reconciler.service.queue.messages import LATEST, MAX_KEYS, MAX_TEXT, read
from reconciler.service.triggers import TriggerContext, messages
from tests.deployment import Deployment

NO_POOLS = "a text that names no pools"
TOO_LATE = "a follow-up that is due in more than seven days"

TEXTS = [
    "", " ", "\n", "\0", "{", "}", "[]", "{}", '""', "'x'", "a b", "a/b", "../x", "-a", ".a", "a_b",
    "ä", "\u202ea", "\ud800", "\ufeff{}", "a" * 65, "a\nb", "a\0", "%", "a;b", "<a>", "a=b", "a:b", "x" * (MAX_TEXT + 1),
    "[" * 200_000, '{"keys":' * 10_000, '{"keys":[' * 10_000, "1" * 10_000, '{"keys":NaN}',
    '{"keys":["a"]' + " " * MAX_TEXT + "}",
    '{"keys":[], "keys":[]}', '{"Keys":["a"]}', '{"keys":["a"]} x', '[{"keys":["a"]}]', '{"keys":{"a":1}}', "\x1b[2J",
]  # fmt: skip
KEYS: list[object] = [
    None, [], {}, "a", 7, True, [None], [7], [True], [[]], [{}], [["a"]], [""], [" "], ["A"], ["a "], [" a"], ["a\n"],
    ["a\0"], ["../a"], ["a/b"], ["a\\b"], ["a" * 65], ["ä"], ["\u202ea"], ["\ud800"], ["a", ""], ["a", None], ["-a"],
    [".a"], ["a_b"], ["a"] * (MAX_KEYS + 1), ["##vso[x]"], ["::error::"], ["\x1b[2J"], ["a,b"], ["*"], ["a?"],
]  # fmt: skip
LATE = [
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999+00:00", "2999-01-01T00:00:00Z", "9000-01-01",
    "9999-12-31T23:59:59-14:00", "9998-01-01T00:00:00+23:59",
]  # fmt: skip
NO_DUE = [
    "", "soon", 0, 1e400, -1, True, [], {}, None, "9999-12-31T23:59:59", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "99999-01-01T00:00:00Z", "\ud800", "2026-11-28T00:00:00Z" * 100, "2026-11-28T25:00:00Z",
]  # fmt: skip
LABELS = ["", "x" * 32, "Event", "e v", "e\n", "ä", "##vso[", 7, None, [], {}, "\ud800", "\x1b[2J", "event;"]


def test_as_many_messages_are_tried_as_promised() -> None:
    assert len(TEXTS) + len(KEYS) + len(LATE) + len(NO_DUE) + len(LABELS) >= 100


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_that_names_no_pools_is_dropped_and_counted(
    deployment: Deployment, context: TriggerContext, text: str
) -> None:
    messages.work(context, text, None)

    assert deployment.metrics.total("reconciler.events.dropped", trigger="unknown", reason=NO_POOLS) == 1
    assert context.state.names("pools/") == []


@pytest.mark.parametrize("keys", KEYS, ids=range(len(KEYS)))
def test_keys_that_are_none_make_no_message(keys: object) -> None:
    assert read(json.dumps({"keys": keys, "trigger": "event"})) is None


@pytest.mark.parametrize("due", LATE[:3] + LATE[5:])
def test_a_follow_up_that_is_due_in_years_is_dropped_and_counted(
    deployment: Deployment, context: TriggerContext, due: str
) -> None:
    """It would come back each week and never run."""
    messages.work(context, json.dumps({"keys": ["build-pool"], "trigger": "follow-up", "due": due}), None)

    assert deployment.metrics.total("reconciler.events.dropped", trigger="follow-up", reason=TOO_LATE) == 1
    assert deployment.metrics.total("reconciler.runs") == 0
    assert context.outbox.events.length() == 0


@pytest.mark.parametrize("due", [*NO_DUE, LATE[3], LATE[4]], ids=range(len(NO_DUE) + 2))
def test_a_due_that_is_no_moment_is_none(due: object) -> None:
    found = read(json.dumps({"keys": ["a"], "due": due}))

    assert found is not None
    assert found.due is None


@pytest.mark.parametrize("label", LABELS, ids=range(len(LABELS)))
def test_a_label_that_is_none_is_unknown(label: object) -> None:
    found = read(json.dumps({"keys": ["a"], "trigger": label, "trace": label}))

    assert found is not None
    assert (found.trigger, found.trace) == ("unknown", "")


def test_a_due_in_the_past_is_now(deployment: Deployment, context: TriggerContext) -> None:
    messages.work(context, json.dumps({"keys": ["build-pool"], "due": "0001-01-01T00:00:00Z"}), None)

    assert deployment.metrics.total("reconciler.runs") == 1
    assert deployment.metrics.total("reconciler.events.dropped") == 0


def test_a_follow_up_that_comes_days_before_it_is_due_runs_now(deployment: Deployment, context: TriggerContext) -> None:
    """The store waited as long as it was told to: the clock of the worker that queued it was ahead."""
    due = (context.clock.now() + LATEST / 2).isoformat()
    messages.work(context, json.dumps({"keys": ["build-pool"], "due": due}), None)

    assert deployment.metrics.total("reconciler.runs", result="in-sync") == 1
    assert context.outbox.events.length() == 0


def test_pools_that_no_spec_names_are_counted_and_leave_nothing(
    deployment: Deployment, context: TriggerContext
) -> None:
    keys = [f"unknown-{index}" for index in range(MAX_KEYS)]
    messages.work(context, json.dumps({"keys": keys, "trigger": "event"}), None)

    assert deployment.metrics.total("reconciler.runs", result="unknown", trigger="event") == MAX_KEYS
    assert context.state.names("pools/") == context.state.names("follow-ups/") == []
    assert context.outbox.events.length() == context.outbox.sweeps.length() == 0

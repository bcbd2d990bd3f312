"""A member who was rejected is sent again when a caller asks for it, and not by events or the resync."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from reconciler.engine import load_status
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, messages, timers, web
from tests.cli.process import Desk
from tests.deployment import Deployment, deployed, spec, with_options, work_off

POOL, ORGANIZATION = "build-pool", "fabrikam-prime"
ADDING = "graph.*.create"
ACCESS = "access: { roles: [{ organization: fabrikam-prime, administrators: [zoe@fabrikam.com] }] }\n"


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Deployment]:
    """Zoe is not in the directory yet, and a run was told so."""
    (tmp_path / "policy.yaml").write_text("materialise: true\n")
    with deployed(tmp_path, {"RECONCILER_POLICY": str(tmp_path / "policy.yaml")}) as made:
        made.commit(**{POOL: spec(POOL) + ACCESS})
        made.cloud.do.fault("404", route=ADDING, count=None)
        swept(made.context())
        assert load_status(made.context().state, POOL).resting
        yield made


def swept(context: TriggerContext) -> None:
    timers.sweep(with_options(context, sweep_seconds=0.0))
    work_off(context)


def requested(context: TriggerContext) -> None:
    request = HttpRequest("POST", f"/api/pools/{POOL}/reconcile", params={"name": POOL})
    assert web.answer(context, "reconcile_pool", request).status == 202
    work_off(context)


def sent(deployment: Deployment) -> int:
    """How often the directory was asked to add a member."""
    return sum(fnmatch(request["route"], ADDING) for request in deployment.cloud.do.requests())


def is_administrator(deployment: Deployment) -> bool:
    (found,) = [one for one in deployment.cloud.do.state()["organizations"] if one["name"] == ORGANIZATION]
    return "zoe" in found["agentPools"][0]["roles"]["Administrator"]


def test_a_callers_request_asks_again_and_a_sweep_does_not(late: Deployment) -> None:
    context = late.context()
    late.cloud.do.clear_faults()
    late.cloud.do.reset_log()
    swept(context)
    assert (sent(late), is_administrator(late)) == (0, False)

    requested(context)

    assert (sent(late), is_administrator(late)) == (1, True)
    assert load_status(context.state, POOL).resting == {}
    late.cloud.do.reset_log()
    requested(context)
    assert late.cloud.do.count(writes=True) == 0


def test_a_request_that_another_run_would_cover_asks_again_all_the_same(late: Deployment) -> None:
    """A sweep between request and run reads everything, and does not send what rests."""
    context = late.context()
    late.cloud.do.clear_faults()
    request = HttpRequest("POST", f"/api/pools/{POOL}/reconcile", params={"name": POOL})
    web.answer(context, "reconcile_pool", request)
    (message,) = context.outbox.events.take(1, 330)
    context.outbox.events.ack(message)
    swept(context)

    context.outbox.events.put(message.text)
    work_off(context)

    assert is_administrator(late)


def test_each_request_asks_once_while_the_directory_says_no(late: Deployment) -> None:
    context = late.context()
    late.cloud.do.reset_log()

    requested(context)
    first = sent(late)
    swept(context)

    assert first > 0
    assert sent(late) == first
    (rest,) = load_status(context.state, POOL).resting.values()
    assert rest.attempts == 1


def test_apply_asks_again(late: Deployment) -> None:
    late.cloud.do.clear_faults()

    ended = Desk(late.folder, dict(late.environment)).run("apply", POOL)

    assert ended.code == 0, ended.err
    assert is_administrator(late)


def test_another_content_of_the_spec_asks_again_and_another_commit_does_not(late: Deployment) -> None:
    late.cloud.do.clear_faults()
    late.commit(**{POOL: f"# a comment\n{spec(POOL)}{ACCESS}"})
    swept(late.context())
    assert not is_administrator(late)

    late.commit(**{POOL: spec(POOL, concurrency=3) + ACCESS})
    swept(late.context())

    assert is_administrator(late)


def test_an_update_whose_operation_failed_is_not_sent_again_by_each_event_of_its_end(tmp_path: Path) -> None:
    """Found by the simulation: each end of a failed operation requested the next one, without end.

    One more is sent (the reason may have passed), and then the update rests until a person asks for it.
    """
    with deployed(tmp_path) as made:
        context = made.context()
        swept(context)
        made.commit(**{POOL: spec(POOL, concurrency=3).replace("'projects': []", "'projects': ['Web', 'Gone']")})
        made.cloud.do.reset_log()
        swept(context)
        assert puts(made) == 1
        assert load_status(context.state, POOL).resting

        for _ in range(3):
            for published in made.cloud.do.events("arm"):
                for text in messages.pool_changed(context, json.dumps(published["event"])):
                    context.outbox.events.put(text)
            swept(context)

        assert puts(made) == 2
        requested(context)
        assert puts(made) == 3


def puts(deployment: Deployment) -> int:
    """How often ARM was asked to change a pool."""
    return sum(request["route"] == "Pools_CreateOrUpdate" for request in deployment.cloud.do.requests())

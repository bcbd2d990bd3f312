"""A pool whose spec is gone, broken or named twice does not stay as its last run left it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.engine import load_status, unnamed
from reconciler.engine.status import ConditionKind
from reconciler.errors import LeaseHeld, NotFound
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, timers, web
from tests.deployment import Deployment, spec, take, texts, with_options, work_off

POOL, FILE = "build-pool", "build-pool.yaml"


@pytest.fixture
def settled(deployment: Deployment) -> TriggerContext:
    """Both pools were read, and are in sync."""
    return settle(deployment)


def settle(deployment: Deployment) -> TriggerContext:
    context = deployment.context()
    timers.watch_git(context)
    work_off(context)
    assert ready(context)[:2] == ("True", "InSync")
    deployment.cloud.do.reset_log()
    return context


def ready(context: TriggerContext, key: str = POOL) -> tuple[str, str, str]:
    found = load_status(context.state, key).condition(ConditionKind.READY)
    assert found is not None
    return found.status.value, found.reason, found.message


def get(context: TriggerContext, path: str, **params: str) -> tuple[int, Any]:
    name = "pool" if params else "pools"
    answered = web.answer(context, name, HttpRequest("GET", path, params=params))
    return answered.status, answered.body


Edit = Callable[[Deployment], None]


def remove(deployment: Deployment, path: str) -> None:
    (deployment.repository.path / "specs" / path).unlink()
    deployment.repository.commit()


def deleted(deployment: Deployment) -> None:
    remove(deployment, FILE)


def emptied(deployment: Deployment) -> None:
    deployment.commit(**{POOL: ""})


def broken(deployment: Deployment) -> None:
    deployment.commit(**{POOL: spec(POOL).replace("resourceGroup", "resourceGruop")})


def twice(deployment: Deployment) -> None:
    deployment.commit(copy=spec(POOL))


def renamed(deployment: Deployment) -> None:
    deployment.commit(**{POOL: spec(POOL).replace(POOL, "other-pool")})


CASES = [
    (deleted, "NotInSpecs", "no spec names the pool (it was in build-pool.yaml)"),
    (renamed, "NotInSpecs", "no spec names the pool"),
    (emptied, "SpecInvalid", "build-pool.yaml:1: holds no spec"),
    (broken, "SpecInvalid", "build-pool.yaml:"),
    (twice, "SpecInvalid", "build-pool.yaml:"),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "seen_by", [timers.watch_git, lambda context: timers.sweep(with_options(context, sweep_seconds=0.0))]
)
def test_it_shows_in_status_api_and_metric_and_nothing_is_read_or_removed(
    deployment: Deployment, case: tuple[Edit, str, str], seen_by: Callable[[TriggerContext], None]
) -> None:
    settled = settle(deployment)
    edit, reason, message = case
    edit(deployment)
    for _ in range(2):
        seen_by(settled)

    status, why, text = ready(settled)
    assert (status, why) == ("Unknown", reason)
    assert message in text
    assert deployment.metrics.all("reconciler.pools.unnamed")[-1] == 1.0
    code, listed = get(settled, "/api/pools")
    assert (code, [(one["name"], one["reason"]) for one in listed["unnamed"]]) == (200, [(POOL, reason)])
    assert POOL not in [one["name"] for one in listed["pools"]]
    code, one = get(settled, f"/api/pools/{POOL}", name=POOL.upper())
    assert (code, one["spec"], one["status"]["conditions"][0]["reason"]) == (200, None, reason)
    assert deployment.cloud.do.count(writes=True) == 0


def test_the_condition_ends_when_a_spec_names_the_pool_again(deployment: Deployment, settled: TriggerContext) -> None:
    """Also where its own file was never touched: a second file had taken the name, and gave it back."""
    twice(deployment)
    timers.watch_git(settled)
    work_off(settled)
    assert ready(settled)[1] == "SpecInvalid"
    remove(deployment, "copy.yaml")

    timers.watch_git(settled)
    work_off(settled)

    assert ready(settled)[:2] == ("True", "InSync")
    assert get(settled, "/api/pools")[1]["unnamed"] == []


def test_while_git_is_away_no_pool_counts_as_gone(deployment: Deployment, settled: TriggerContext) -> None:
    (deployment.repository.path / ".git").rename(deployment.folder / "away")

    timers.sweep(with_options(settled, sweep_seconds=0.0))

    assert ready(settled)[:2] == ("True", "InSync")


def test_a_pool_in_a_run_is_marked_the_next_time(deployment: Deployment, settled: TriggerContext) -> None:
    deleted(deployment)
    lease = settled.leases.acquire(POOL, 60)
    timers.watch_git(settled)
    assert ready(settled)[1] == "InSync"

    lease.release()
    timers.sweep(with_options(settled, sweep_seconds=0.0))
    take(settled.outbox.sweeps)

    assert ready(settled)[1] == "NotInSpecs"


def test_a_condition_that_is_stored_is_written_once(
    deployment: Deployment, settled: TriggerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted(deployment)
    timers.watch_git(settled)
    saved: list[str] = []
    save = settled.state.save

    def counted(_self: object, name: str, body: Any, etag: str | None) -> str:
        saved.append(name)
        return save(name, body, etag)

    monkeypatch.setattr(type(settled.state), "save", counted)

    for _ in range(3):
        timers.sweep(with_options(settled, sweep_seconds=0.0))

    assert f"pools/{POOL}" not in saved


def test_a_forgotten_pool_is_gone_until_a_spec_names_it(deployment: Deployment, settled: TriggerContext) -> None:
    deleted(deployment)
    timers.watch_git(settled)

    unnamed.forget(settled.state, settled.leases, settled.clock, POOL)
    timers.sweep(with_options(settled, sweep_seconds=0.0))

    assert get(settled, "/api/pools")[1]["unnamed"] == []
    assert get(settled, f"/api/pools/{POOL}", name=POOL)[0] == 404
    assert deployment.metrics.all("reconciler.pools.unnamed")[-1] == 0.0
    with pytest.raises(NotFound, match="no status is stored"):
        unnamed.forget(settled.state, settled.leases, settled.clock, POOL)
    take(settled.outbox.sweeps)
    deployment.commit(**{POOL: spec(POOL)})
    timers.watch_git(settled)
    assert texts(settled.outbox.events)
    timers.sweep(with_options(settled, sweep_seconds=0.0))
    work_off(settled)
    assert ready(settled)[:2] == ("True", "InSync")


def test_a_pool_in_a_run_is_not_forgotten(settled: TriggerContext) -> None:
    settled.leases.acquire(POOL, 60)

    with pytest.raises(LeaseHeld):
        unnamed.forget(settled.state, settled.leases, settled.clock, POOL)
    assert ready(settled)[1] == "InSync"

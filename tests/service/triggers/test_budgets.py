"""What full resyncs need and have: said by metrics, health and the interface, with both figures."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reconciler.documents import Json
from reconciler.errors import Unavailable
from reconciler.ports import pacing
from reconciler.ports.budgets import SWEEPS, WINDOW, Looks, Rate, RateBudget, document_name
from reconciler.ports.pacing import Priority
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, rates, timers, web
from tests.deployment import Deployment, plan_of
from tests.service.triggers.test_quarantine_and_health import health


def organizations(context: TriggerContext) -> list[str]:
    return sorted({one.name for spec in context.catalogue.specs().by_key.values() for one in spec.organizations})


def store(context: TriggerContext, organization: str, needs: int, calls: float | None) -> None:
    """What a worker stored: a full resync made so many calls, a window allows so many."""
    now = context.clock.now().timestamp() - 10
    budget = RateBudget(calls, now if calls else 0.0)
    rate = Rate(None, budget, Looks(((now, needs),), 0, (now, needs)))
    context.state.save(document_name(organization), {"managed": rate.body()}, None)


def budgets(context: TriggerContext, function: str, **params: str) -> list[Json]:
    response = web.answer(context, function, HttpRequest("GET", "/api/pools", params=params))
    assert response.status == 200
    found: list[Json] = response.body["budgets"]
    return found


def test_both_figures_are_in_metrics_and_in_the_interface(deployment: Deployment, context: TriggerContext) -> None:
    first = organizations(context)[0]
    store(context, first, 1498, 400)
    timers.sweep(context)

    (found,) = budgets(context, "pools")
    has = int(SWEEPS * 400 * 900 / WINDOW)
    assert found["text"] == f"{first} needs 1498 calls per sweep, has {has}"
    assert (found["needs"], found["has"], found["age"]) == (1498, has, "")
    assert deployment.metrics.all("reconciler.budget.needs", organization=first) == [1498]
    assert deployment.metrics.all("reconciler.budget.has", organization=first) == [has]
    _, checks = health(context)
    assert checks["budget"] == {
        "name": "budget",
        "ok": True,
        "detail": "1 of 1 organizations: a full resync takes longer than its interval",
    }


def test_a_budget_that_does_not_allow_the_maximum_age_is_unhealthy_and_says_both_figures(
    context: TriggerContext,
) -> None:
    first = organizations(context)[0]
    store(context, first, 20_000, 400)
    timers.sweep(context)

    (found,) = budgets(context, "pools")
    assert found["age"] == (
        f"{first}: verifying every fact within 4 h needs 20000 calls, and the rate budget allows 15360; evidence gets older"
    )
    status, checks = health(context)
    assert (status, checks["budget"]["ok"]) == (503, False)
    assert first not in str(checks), "no name is shown without a key"


def test_a_pool_names_its_own_organizations_alone(context: TriggerContext) -> None:
    specs = context.catalogue.specs().by_key
    for name in organizations(context):
        store(context, name, 64, None)
    (pool, *_) = specs.values()

    found = budgets(context, "pool", name=pool.name)
    assert [one["organization"] for one in found] == sorted(one.name for one in pool.organizations)
    assert found[0]["text"].endswith("needs 64 calls per sweep; no limit is known")
    assert found[0]["has"] is None


def test_before_anything_was_measured_nothing_is_said(deployment: Deployment, context: TriggerContext) -> None:
    timers.sweep(context)

    assert budgets(context, "pools") == []
    assert health(context)[1]["budget"]["detail"] == "no full resync was measured yet"
    assert deployment.metrics.all("reconciler.budget.needs") == []


@pytest.mark.parametrize("body", [{}, [], {"budgets": 5}, {"budgets": {"measured": "x", "short": True}}])
def test_counts_that_cannot_be_read_are_healthy(body: Json) -> None:
    assert rates.check(body) == (True, "no full resync was measured yet")


def test_a_full_resync_starts_where_figures_cannot_be_read(
    context: TriggerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = context.state.load

    def broken(name: str) -> object:
        if name.startswith("gates/"):
            raise Unavailable(f"{name}: no response")
        return load(name)

    monkeypatch.setattr(context.state, "load", broken)
    timers.sweep(context)

    assert timers.stored_sweep(context).at is not None


def test_the_calls_of_a_full_resync_are_measured_where_they_are_made(
    deployment: Deployment, context: TriggerContext
) -> None:
    """Through the readers, over HTTP: as many as the emulator counted."""
    pool = next(iter(context.catalogue.specs().by_key.values()))
    deployment.cloud.do.reset_log()
    with pacing.priority(Priority.SWEEP):
        plan_of(context, pool.name)
    made = deployment.cloud.do.count(writes=False, plane="devops")

    found = budgets(context, "pool", name=pool.name)
    assert made > 0
    assert sum(one["needs"] for one in found) == made


def test_figures_of_a_clock_that_was_ahead_are_unknown(context: TriggerContext) -> None:
    first = organizations(context)[0]
    ahead = (context.clock.now() + timedelta(days=1)).timestamp()
    rate = Rate(
        datetime.fromtimestamp(ahead, context.clock.now().tzinfo), RateBudget(400.0, ahead), Looks(((ahead, 9),))
    )
    context.state.save(document_name(first), {"managed": rate.body()}, None)

    assert budgets(context, "pools") == []

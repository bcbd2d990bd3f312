"""What people see of a pool that looks found as it was: the moment of the last one, although no status was stored."""

from __future__ import annotations

from datetime import timedelta

from reconciler import bootstrap
from reconciler.config.settings import Settings
from reconciler.config.triggers import state
from reconciler.documents import moment_of
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, timers, web
from tests.deployment import Deployment, with_options, work_off


def test_status_api_page_and_health_show_when_a_pool_was_seen_last(
    deployment: Deployment, context: TriggerContext
) -> None:
    for _ in range(2):
        timers.sweep(with_options(context, sweep_seconds=0.0))
        work_off(context)
    stored = context.state.versions("pools/")
    timers.sweep(with_options(context, sweep_seconds=0.0))
    began = context.clock.now()
    work_off(context)
    assert context.state.versions("pools/") == stored

    listed = web.answer(context, "pools", HttpRequest("GET", "/api/pools")).body["pools"]
    one = web.answer(context, "pool", HttpRequest("GET", "/api/pools/build-pool", params={"name": "build-pool"})).body
    settings = Settings.read(deployment.environment, beneath=state(deployment.environment))
    shown = [
        *(moment_of(each["seen"]) for each in listed),
        moment_of(one["status"]["seen"]),
        *(each.seen for each in bootstrap.statuses(settings)),
        *(each.seen for each in bootstrap.statuses(settings, ["build-pool"])),
    ]
    assert len(shown) == 2 + 1 + 2 + 1
    assert all(each is not None and each >= began - timedelta(seconds=1) for each in shown), (began, shown)
    checks = web.answer(context, "health", HttpRequest("GET", "/api/health")).body["checks"]
    assert "0 minutes" in next(check["detail"] for check in checks if check["name"] == "evidence")

"""Secrets planted wherever one may be; what exporters got and printed is searched for them, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment import CANARY, POOLS, PROJECTS, Deployment, deployed, until
from tests.telemetry.process import serving
from tests.telemetry.receiver import receiving
from tests.telemetry.test_one_trace import on_otlp, tell

PERSON = "ann@fabrikam.com"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as made:
        yield made


def troubled(deployment: Deployment) -> None:
    """A queue to be opened, and services that answer with errors on the way, echoing what they like."""
    deployment.close_access("build-pool", "Web")
    deployment.cloud.do.fault("500", organization=POOLS["build-pool"], route="*pipelinepermissions*", count=2)
    deployment.cloud.do.fault("403", organization=POOLS["test-pool"], route="*", count=3)


def secrets(deployment: Deployment) -> list[str]:
    return [CANARY, deployment.cloud.tokens["arm"], deployment.cloud.tokens["devops"], "Bearer ", "Basic ", "eyJ"]


@pytest.mark.parametrize("kind", ["console", "otlp", "azure"])
def test_no_exporter_gets_a_secret_a_person_a_query_or_a_body(deployment: Deployment, kind: str) -> None:
    with receiving() as receiver:
        troubled(deployment)
        where = {**on_otlp(receiver), "APPLICATIONINSIGHTS_CONNECTION_STRING": receiver.connection}
        with serving(deployment, **(where | {"RECONCILER_TELEMETRY": kind})) as served:
            tell(served, "build-pool")
            tell(served, "test-pool", f"token={CANARY}")
            until(lambda: deployment.is_open("build-pool", "Web"))
            until(lambda: served.text.count('"event": "run"') >= 2)
    got = receiver.everything.decode(errors="replace") + (served.text if kind == "console" else "")

    assert "reconcile" in got
    assert [secret for secret in secrets(deployment) if secret in got] == []
    assert [word for word in (PERSON, "api-version", "openAccess", "fabricProfile", "_apis") if word in got] == []


def test_metrics_name_no_pool_no_project_and_no_person(deployment: Deployment) -> None:
    with receiving() as receiver:
        troubled(deployment)
        with serving(deployment, **on_otlp(receiver)) as served:
            tell(served, "build-pool")
            until(lambda: deployment.is_open("build-pool", "Web"))
    labels = {value for point in receiver.points() for value in point.labels.values()}

    assert receiver.points() != []
    assert labels & {*POOLS, *PROJECTS, PERSON, "ann", "operator"} == set()

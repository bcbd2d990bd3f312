"""What Application Insights gets: the names that alerts and workbook ask for, in the columns that they read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler import bootstrap
from reconciler.config.settings import Settings
from reconciler.telemetry import Telemetry
from reconciler.telemetry.names import METRICS, MetricKind
from tests.deployment import deployed, until
from tests.telemetry.process import serving
from tests.telemetry.receiver import Receiver, receiving
from tests.telemetry.test_one_trace import TRACE, tell


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def to(receiver: Receiver) -> dict[str, str]:
    return {"RECONCILER_TELEMETRY": "azure", "APPLICATIONINSIGHTS_CONNECTION_STRING": receiver.connection}


def told(receiver: Receiver) -> dict[str, dict[str, Any]]:
    """Name of each metric that arrived → its data point and its dimensions."""
    data = [envelope["data"]["baseData"] for envelope in receiver.tracked()]
    return {
        one["metrics"][0]["name"]: {**one["metrics"][0], "about": one["properties"]} for one in data if "metrics" in one
    }


def opened(receiver: Receiver) -> Telemetry:
    """As in production, but for the token: loopback gets none."""
    given = {"ALLOW_LOOPBACK": "1", "CREDENTIAL": "static", "ARM_TOKEN": "a", "DEVOPS_TOKEN": "d"}
    places = dict.fromkeys(("ARM_ENDPOINT", "DEVOPS_ENDPOINT", "IDENTITY_ENDPOINT"), receiver.url)
    environment = {f"RECONCILER_{name}": value for name, value in {**given, **places}.items()} | to(receiver)
    return bootstrap.telemetry(Settings.read(environment))


def test_every_metric_arrives_by_its_name_in_the_columns_of_its_kind(receiver: Receiver, restored: None) -> None:
    telemetry = opened(receiver)
    for metric in METRICS:
        labels = dict.fromkeys(metric.labels, "other")
        say = {
            MetricKind.COUNTER: telemetry.count,
            MetricKind.HISTOGRAM: telemetry.record,
            MetricKind.GAUGE: telemetry.gauge,
        }[metric.kind]
        say(metric.name, 2.0, **labels)
        say(metric.name, 4.0, **labels)
    telemetry.close()
    found = told(receiver)

    assert set(found) == {metric.name for metric in METRICS}
    for metric in METRICS:
        point = found[metric.name]
        assert point["about"] == dict.fromkeys(metric.labels, "other"), metric.name
        value = {MetricKind.COUNTER: 6.0, MetricKind.HISTOGRAM: 6.0, MetricKind.GAUGE: 4.0}[metric.kind]
        assert (point["value"], point["count"]) == (value, 2 if metric.kind is MetricKind.HISTOGRAM else 1), metric.name
        if metric.kind is MetricKind.HISTOGRAM:
            assert (point["min"], point["max"]) == (2.0, 4.0), metric.name


def test_a_repair_is_one_operation_and_its_calls_have_names(receiver: Receiver, tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment:
        deployment.close_access("build-pool", "Web")
        with serving(deployment, **to(receiver)) as served:
            tell(served, "build-pool")
            until(lambda: '"event": "run"' in served.text)
    spans = [e for e in receiver.tracked() if e["data"]["baseType"] == "RemoteDependencyData"]
    calls = {
        e["data"]["baseData"]["name"]: e["data"]["baseData"] for e in spans if e["data"]["baseData"]["type"] == "HTTP"
    }

    assert {e["tags"]["ai.operation.id"] for e in spans} == {TRACE}
    assert {e["tags"]["ai.cloud.role"] for e in spans} == {"pool-reconciler"}
    assert {"GET /Pools_Get", "PATCH /pipeline-permissions"} <= set(calls)
    assert (calls["GET /Pools_Get"]["target"], calls["GET /Pools_Get"]["resultCode"]) == ("arm", "200")
    assert {path for path, _ in receiver.bodies} == {"/v2.1/track"}
    assert [line for line in served.said if '"event": "run"' not in line and '"event": "write"' not in line] == []


def test_an_ingestion_that_refuses_is_said_once(receiver: Receiver, tmp_path: Path) -> None:
    """Local authentication is off and the role is missing: the first thing that goes wrong in a new deployment."""
    receiver.status = 403
    with deployed(tmp_path) as deployment:
        deployment.close_access("build-pool", "Web")
        with serving(deployment, **to(receiver)) as served:
            tell(served, "build-pool")
            until(lambda: '"event": "run"' in served.text)

    lines = [line for line in served.said if '"event": "run"' not in line and '"event": "write"' not in line]
    assert len(lines) == 1
    assert "could not be sent to Application Insights" in lines[0]
    assert served.code == 0

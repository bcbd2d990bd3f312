"""Telemetry takes the route of all other calls: the company's proxy, its certificate authorities, no `.netrc`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.adapters.telemetry import exporters
from reconciler.adapters.telemetry.otel import Exported
from tests.adapters.company import Authority, Proxy, proxying
from tests.adapters.loopback import Answer, Script, serving
from tests.keeping import HandClock

COLLECTOR = "collector.fabrikam.com"
INGESTION = "westeurope-1.in.applicationinsights.azure.com"
KEY = "11111111-2222-3333-4444-555555555555"
VARIABLES = (
    "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_HEADERS",
)  # fmt: skip


@dataclass(frozen=True)
class Surroundings:
    service: Script
    proxy: Proxy
    authority: Authority
    folder: Path


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    """Both hosts behind one proxy; no test resolves their names."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"https://{COLLECTOR}")
    authority = Authority(tmp_path)
    with serving(authority.server(COLLECTOR, INGESTION)) as service, proxying(service.url) as proxy:
        accepted = {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}
        service.say(*[Answer(200, accepted)] * 20)
        yield Surroundings(service, proxy, authority, tmp_path)


def otlp() -> Exported:
    return exporters.otlp(exporters.resource("0"), HandClock().monotonic)


def azure() -> Exported:
    connection = f"InstrumentationKey={KEY};IngestionEndpoint=https://{INGESTION}/"
    return exporters.azure(connection, None, exporters.resource("0"), HandClock().monotonic)


def until(look: Callable[[], bool]) -> None:
    """The end of telemetry waits for 2 s at most; what is under way then arrives a little later."""
    ends = time.monotonic() + 300
    while not look():
        assert time.monotonic() < ends
        time.sleep(0.01)


def paths(around: Surroundings) -> set[str]:
    return {asked.path.partition("?")[0] for asked in around.service.asked}


def send(sink: Sink) -> None:
    exported = sink.made()
    with exported.span("message"):
        exported.count("reconciler.runs", result="in-sync", trigger="sweep")
    exported.close()


@dataclass(frozen=True)
class Sink:
    """Where telemetry goes."""

    made: Callable[[], Exported]
    host: str
    paths: frozenset[str]


OTLP = Sink(otlp, COLLECTOR, frozenset({"/v1/traces", "/v1/metrics"}))
AZURE = Sink(azure, INGESTION, frozenset({"/v2.1/track"}))
each = pytest.mark.parametrize("sink", [OTLP, AZURE], ids=["otlp", "azure"])


@each
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_it_goes_through_the_proxy_and_trusts_the_companys_authority(
    around: Surroundings,
    monkeypatch: pytest.MonkeyPatch,
    sink: Sink,
    variable: str,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", around.proxy.url)
    monkeypatch.setenv(variable, str(around.authority.file))
    send(sink)

    until(lambda: paths(around) == sink.paths)
    assert set(around.proxy.hosts) == {f"{sink.host}:443"}


@each
def test_a_host_behind_an_unknown_authority_gets_nothing(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, sink: Sink
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", around.proxy.url)
    send(sink)

    until(lambda: f"{sink.host}:443" in around.proxy.hosts)
    assert around.service.asked == []


def test_a_collectors_own_authority_comes_before_that_of_all_calls(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = around.folder / "other"
    other.mkdir()
    monkeypatch.setenv("HTTPS_PROXY", around.proxy.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(Authority(other, "Another Root").file))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(around.authority.file))
    send(OTLP)

    until(lambda: paths(around) == OTLP.paths)


def test_headers_of_the_collector_are_not_replaced_by_a_netrc(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (around.folder / ".netrc").write_text(f"machine {COLLECTOR} login ann password canary-netrc\n")
    monkeypatch.setenv("NETRC", str(around.folder / ".netrc"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20given")
    monkeypatch.setenv("HTTPS_PROXY", around.proxy.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(around.authority.file))
    send(OTLP)

    until(lambda: paths(around) == OTLP.paths)
    assert {asked.headers["authorization"] for asked in around.service.asked} == {"Bearer given"}

"""Where telemetry goes: one of four words, and for Azure a place that may have our token."""

from __future__ import annotations

import os

import pytest

from reconciler.config.endpoints import ingestion
from reconciler.config.settings import Settings, SettingsInvalid, TelemetryKind, unless_said

KEY = "InstrumentationKey=11111111-2222-3333-4444-555555555555"
PLACE = "https://westeurope-5.in.applicationinsights.azure.com/"


def read(**given: str) -> Settings:
    names = {"insights": "APPLICATIONINSIGHTS_CONNECTION_STRING", "instance": "WEBSITE_INSTANCE_ID"}
    return Settings.read({names.get(name, f"RECONCILER_{name}"): value for name, value in given.items()})


def problem(**given: str) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        read(**given)
    (line,) = caught.value.problems
    return line


def test_nothing_is_told_unless_somebody_says_so() -> None:
    assert read().telemetry is TelemetryKind.OFF
    assert read(insights=f"{KEY};IngestionEndpoint=http://anywhere").telemetry is TelemetryKind.OFF


@pytest.mark.parametrize("word", ["off", "console", "otlp"])
def test_three_words_need_nothing_more(word: str) -> None:
    assert read(TELEMETRY=word).telemetry == word


def test_azure_takes_the_connection_string_that_the_platform_sets() -> None:
    settings = read(
        TELEMETRY="azure", insights=f"{KEY};IngestionEndpoint={PLACE};LiveEndpoint=https://x", instance="i7"
    )

    assert ingestion(settings.insights) == PLACE
    assert settings.instance == "i7"
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"TELEMETRY": "azur"}, "RECONCILER_TELEMETRY: 'azur' is none of off, console, otlp, azure"),
        (
            {"TELEMETRY": "azure"},
            "RECONCILER_TELEMETRY: azure needs APPLICATIONINSIGHTS_CONNECTION_STRING, which is not set",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_begins(given: dict[str, str], line: str) -> None:
    assert problem(**given) == line


@pytest.mark.parametrize(
    "place",
    ["http://westeurope.in.applicationinsights.azure.com", "https://applicationinsights.azure.com.evil.example", "", "x",
     "https://evil.example/.applicationinsights.azure.com"],
)  # fmt: skip
def test_a_token_goes_to_no_other_ingestion(place: str) -> None:
    line = problem(TELEMETRY="azure", insights=f"{KEY};IngestionEndpoint={place}")

    assert "its IngestionEndpoint is not https on one of *.applicationinsights.azure.com" in line
    assert "1111" not in line


def test_loopback_is_for_tests() -> None:
    local = f"{KEY};IngestionEndpoint=http://127.0.0.1:9"

    assert problem(TELEMETRY="azure", insights=local).endswith("set RECONCILER_ALLOW_LOOPBACK=1 if this is a test")
    assert read(TELEMETRY="azure", insights=local, ALLOW_LOOPBACK="1").telemetry is TelemetryKind.AZURE


def test_a_habit_of_a_library_is_changed_only_where_nobody_said_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"ONE": "mine"})
    unless_said({"ONE": "yours", "TWO": "yours"})

    assert os.environ == {"ONE": "mine", "TWO": "yours"}

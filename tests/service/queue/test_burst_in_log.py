"""A burst says in the log what was done, and how many events that covered: not a line for each of thousands."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from reconciler.documents import Json
from reconciler.service.queue.coalesce import BURST
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.triggers import logs
from tests.service.queue.hall import Hall, hall


def lines(place: Hall, caplog: pytest.LogCaptureFixture) -> list[dict[str, Json]]:
    """What the service logs of all that was reported."""
    specs = place.worker.catalogue.specs()
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="reconciler"):
        for work, report in zip(place.works, place.told, strict=True):
            logs.run(work, report, specs)
    return [json.loads(record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize("count", [300, 3000])
def test_ten_times_the_events_are_no_more_lines(count: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with hall(tmp_path) as (place, clock):
        place.outbox.events.put_all([WorkMessage(("pool-1",), "event").text()] * count)
        while place.left:
            if not place.turn(place.outbox.events):
                clock.advance(1)
        said = lines(place, caplog)

    assert len(said) <= BURST + 2 * place.runs
    assert [line["outcome"] for line in said if line["outcome"] != "superseded"][-1] == "in-sync"
    unsaid = sum(line.get("superseded", 0) for line in said)
    assert len(said) + unsaid == len(place.told), "each is a line, or counted in one"
    counted = {labels: value for (name, labels), value in place.telemetry.counters.items() if name == "reconciler.runs"}
    assert sum(counted.values()) == len(place.told), "and the metric counts each"


def test_few_events_have_a_line_each(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with hall(tmp_path) as (place, clock):
        place.outbox.events.put_all([WorkMessage(("pool-1",), "event").text()] * BURST)
        while place.left:
            if not place.turn(place.outbox.events):
                clock.advance(1)
        said = lines(place, caplog)

    assert len(said) == len(place.told)
    assert not any("superseded" in line for line in said)


def test_requests_of_people_have_a_line_each_however_many(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A person waits for each of them."""
    with hall(tmp_path) as (place, clock):
        place.outbox.events.put_all([WorkMessage(("pool-1",), "http").text()] * 100)
        while place.left:
            if not place.turn(place.outbox.events):
                clock.advance(1)
        said = lines(place, caplog)

    assert len(said) == len(place.told) >= 100
